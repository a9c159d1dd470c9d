"""The hashes that identify a model: they depend on what changes its answers, and on nothing else."""

from __future__ import annotations

import json

import pytest

from utils.files.models import model_identity


@pytest.fixture
def checkpoint(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        (folder / name).write_text(json.dumps({"of": name}), encoding="utf-8")
    (folder / "model.safetensors").write_bytes(bytes(3 << 20))
    return folder


@pytest.fixture
def gguf(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + bytes(20))
    return path


def test_the_same_model_in_another_folder_is_the_same_model(checkpoint, tmp_path):
    before = model_identity(str(checkpoint))
    checkpoint.rename(tmp_path / "moved")
    assert model_identity(str(tmp_path / "moved")) == before
    assert model_identity(f"{tmp_path}/moved/") == before


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json", "chat_template.jinja"]
)
def test_a_changed_setting_tokenizer_or_template_is_another_model(checkpoint, name):
    before = model_identity(str(checkpoint))
    (checkpoint / name).write_text("{}", encoding="utf-8")
    assert model_identity(str(checkpoint)) != before


@pytest.mark.parametrize("place", [0, 100, (3 << 20) - 1])
def test_weights_with_another_first_or_last_mebibyte_are_another_model(checkpoint, place):
    before = model_identity(str(checkpoint))
    with (checkpoint / "model.safetensors").open("r+b") as file:
        file.seek(place)
        file.write(b"x")
    assert model_identity(str(checkpoint)) != before


def test_weights_of_another_size_are_another_model(checkpoint):
    before = model_identity(str(checkpoint))
    (checkpoint / "model.safetensors").write_bytes(bytes((3 << 20) + 1))
    assert model_identity(str(checkpoint)) != before


def test_weights_with_another_name_are_another_model(checkpoint):
    before = model_identity(str(checkpoint))
    (checkpoint / "model.safetensors").rename(checkpoint / "model-00001.safetensors")
    assert model_identity(str(checkpoint)) != before


@pytest.mark.parametrize("name", ["README.md", ".gitattributes", "figure.png"])
def test_files_without_influence_are_not_part_of_the_identity(checkpoint, name):
    before = model_identity(str(checkpoint))
    (checkpoint / name).write_text("x", encoding="utf-8")
    assert model_identity(str(checkpoint)) == before


def test_a_file_below_two_mebibytes_is_identified_by_all_its_bytes(gguf):
    seen = set()
    for size in (24, (1 << 20) + 5):
        for place in (4, size - 1):
            gguf.write_bytes(b"GGUF" + bytes(size - 4))
            with gguf.open("r+b") as file:
                file.seek(place)
                file.write(b"x")
            seen.add(model_identity(str(gguf))[gguf.name])
    assert len(seen) == 4


def test_a_hub_id_identifies_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert model_identity("a/b") != model_identity("a/c")
