"""The flags that choose an LLM: which model is meant, and how it is identified."""

from __future__ import annotations

from pathlib import Path

from utils.cli.llm_flags import model_choice
from utils.dataset.layout import ROOT


def test_a_model_on_a_server_is_identified_by_its_name(parser, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()  # the server does not know this folder
    choices = [
        model_choice(parser.parse_words(["--file_name=w", "--model_from_pretrained=tiny", f"--api_base={base}"]))
        for base in ("http://localhost:1/v1", "https://models.example/v1")
    ]
    assert [choice.identity() for choice in choices] == [{"served model": "tiny"}] * 2
    assert [choice.path for choice in choices] == ["tiny"] * 2


def test_a_model_path_relative_to_the_root_is_found_from_any_folder(parser, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = "data/fusion_knowledge/pos_label.json"
    choice = model_choice(
        parser.parse_words(["--file_name=w", f"--model_from_pretrained={given}", "--backend=scripted", "--n_gpu=-1"])
    )
    assert Path(choice.path) == ROOT / given
    assert (choice.backend, choice.options.gpus, choice.options.batch_size) == ("scripted", (), 20)
