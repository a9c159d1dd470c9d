"""train_ner.py and evaluate_ner.py, run as users run them."""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from utils.dataset.records import sentence_to_row
from utils.files.jsonl import read_json, write_json, write_rows

ROOT = Path(__file__).resolve().parents[2]


def script(name: str, values: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """Run a script's command line."""
    flags = [f"--{flag}={value}" for flag, value in values.items()]
    command = [sys.executable, str(ROOT / "syn_pipelines" / name), *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def dataset(sentences, tmp_path) -> Path:
    """A dataset's folder with the results of the pipeline for size 250."""
    folder = tmp_path / "few_shot" / "toy"
    rows = [sentence_to_row(sentence) for sentence in sentences]
    for name in ("train_1000.jsonl", "dev.jsonl", "test.jsonl", "GLM4/250/train_250.jsonl"):
        write_rows(folder / name, rows)
    (folder / "labels.txt").write_text("O\nPER\nLOC\n", encoding="utf-8")
    nouns = [{"start": 0, "end": 1, "entity": "NOUN", "origin": "pos"}]
    fusion = [{**row, "entities": row["entities"] + (nouns if row["text"] else [])} for row in rows]
    write_rows(folder / "GLM4" / "250" / "train_250_fusion.jsonl", fusion)
    labels = {label: {"idx": idx, "count": -1, "is_target": True} for idx, label in enumerate(("O", "PER", "LOC"))}
    labels["NOUN"] = {"idx": 3, "count": 7, "is_target": False}
    write_json(folder / "GLM4" / "250" / "label_fusion.json", labels)
    return folder


QUICK = {"lr": 0.001, "epochs": 1, "min_steps": 100, "n_gpu": -1}


def test_a_model_is_trained_on_fusion_and_reported_on_test(dataset, encoder_folder, tmp_path, caplog):
    values = {
        "file_dir": dataset.parent,
        "file_name": "toy",
        "size": "250",
        "from_pretrained": encoder_folder,
        "save_dir": tmp_path / "model",
        **QUICK,
    }
    notebook("train_ner")(cmd_args=False, **values)
    for name in ("dev", "test"):
        assert f"7 of 8 {name} sentences are also training sentences: scores will be too high" in caplog.text
    report = read_json(tmp_path / "model" / "test_report.json")
    assert report["micro"]["f1"] > 0.5
    assert set(report["per_label"]) == {"PER", "LOC"}
    again = script("train_ner.py", values)
    assert again.returncode == 0, again.stderr
    assert "already trained with these data and settings" in again.stderr
    assert "already evaluated on" in again.stderr
    other = script("train_ner.py", values | {"seed": 5})
    assert (other.returncode, "Traceback" in other.stderr) == (2, False)
    assert "has a model whose training differs in: settings; use --overwrite" in other.stderr
    test = {"model_from_pretrained": tmp_path / "model" / "best", "test": dataset / "test.jsonl"}
    evaluated = script("evaluate_ner.py", test | {"report": tmp_path / "report.json"})
    assert evaluated.returncode == 0, evaluated.stderr
    assert read_json(tmp_path / "report.json")["micro"] == report["micro"]


@pytest.mark.parametrize("spans", [True, False], ids=["with spans in dev", "without"])
def test_a_training_with_a_dev_f1_of_0_fails_and_keeps_its_model(dataset, encoder_folder, tmp_path, caplog, spans):
    if not spans:
        write_rows(dataset / "dev.jsonl", [{"text": ["anna"], "entities": []}])
    values = {
        "train": dataset / "train_1000.jsonl",
        "dev": dataset / "dev.jsonl",
        "labels": dataset / "labels.txt",
        "save_dir": tmp_path / "model",
        "from_pretrained": encoder_folder,
        "epochs": 1,
        "min_steps": 1,
        "n_gpu": -1,
    }
    caplog.set_level("INFO")
    message = "check the spans of the training data" if spans else "the dev data has no target span"
    for _ in range(2):  # also when it is finished already
        with pytest.raises(RuntimeError, match=rf"dev F1 is 0, .* is kept in \S+model/best; {message}"):
            notebook("train_ner")(cmd_args=False, **values)
    assert (tmp_path / "model" / "best" / "model.safetensors").is_file()
    assert caplog.text.count("already trained") == 1


def test_single_files_are_trained_on_with_a_tenth_held_out(dataset, encoder_folder, tmp_path, caplog):
    caplog.set_level("INFO")
    notebook("train_ner")(
        cmd_args=False,
        train=dataset / "train_1000.jsonl",
        labels=dataset / "labels.txt",
        save_dir=tmp_path / "model",
        from_pretrained=encoder_folder,
        model="cnnner",
        **QUICK,
    )
    assert "no dev file: 1 of 8 training sentences is held out" in caplog.text
    record = read_json(tmp_path / "model" / "best" / "training.json")
    assert record["counts"] == {"train": 7, "dev": 1}
    assert len(record["sentences"]) == 8
    assert not (tmp_path / "model" / "test_report.json").exists()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data": "syn_fusion"}, "train_250_synthetic_fusion.jsonl is missing: run s5 with --is_syn=1, s6, s7 and s8"),
        ({"size": "500", "data": "base"}, "train_500.jsonl is missing: run s4"),
        ({"file_name": None}, "give --file_name"),
        ({"file_name": None, "train": "x"}, "--train also needs --labels and --save_dir"),
        ({"size": "300"}, "invalid choice"),
        (
            {"from_pretrained": "/no/such/encoder"},
            "/no/such/encoder is not a folder: give the folder of a pretrained encoder",
        ),
        ({"from_pretrained": None}, "--from_pretrained"),
        ({"encoder_layers": 3}, "has 2 layers, fewer than --encoder_layers=3"),
    ],
)
def test_wrong_flags_and_files_are_reported_in_one_line(dataset, encoder_folder, changed, message):
    values = {
        "file_dir": dataset.parent,
        "file_name": "toy",
        "size": "250",
        "from_pretrained": encoder_folder,
        **changed,
    }
    with pytest.raises((ValueError, FileNotFoundError), match=re.escape(message)):
        notebook("train_ner")(cmd_args=False, **values)


def test_a_gold_label_that_is_not_in_the_label_file_is_reported_with_its_line(dataset, encoder_folder):
    (dataset / "labels.txt").write_text("O\nPER\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"train_250\.jsonl:2: entity 2: 'LOC' is not a label"):
        notebook("train_ner")(
            cmd_args=False,
            file_dir=dataset.parent,
            file_name="toy",
            size="250",
            data="base",
            from_pretrained=encoder_folder,
        )


def notebook(name: str) -> Callable[..., None]:
    """Return a script's `main`, imported as in a notebook."""
    return runpy.run_path(str(ROOT / "syn_pipelines" / f"{name}.py"))["main"]


def commands(page: str) -> list[list[str]]:
    """Return the words of each command in a page that runs a span model's script; continued lines are joined."""
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", " ")
    return [shlex.split(line) for line in re.findall(r"^python (syn_pipelines/\w+_ner\.py .*)$", text, re.MULTILINE)]


def test_both_languages_show_the_same_commands_with_flags_that_the_scripts_have():
    shown = commands("docs/span-model.md")
    assert commands("docs/span-model.zh-CN.md") == shown
    assert {Path(words[0]).stem for words in shown} == {"train_ner", "evaluate_ner", "predict_ner", "export_ner"}
    for file, *words in shown:
        runpy.run_path(str(ROOT / file))["build_parser"]().parse_words(words)
