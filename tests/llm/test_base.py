"""Choosing and checking a backend before anything is loaded."""

from __future__ import annotations

import dataclasses
import json
from typing import get_args

import pytest

from tests.helpers.builders import ROOT, run_python, write_json
from utils.llm.backends.vllm import visible_devices
from utils.llm.base import Backend, LLMOptions, Request, can_be_guided, choose_backend, load_llm
from utils.llm.hf.files import is_hub_id

ENGINES = {"torch", "transformers", "xllamacpp", "vllm", "openai", "llguidance", "numpy"}


@pytest.fixture
def checkpoint(tmp_path):
    return write_json(tmp_path / "model" / "config.json", {}).parent


@pytest.fixture
def gguf(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF\3" + bytes(19))
    return path


def test_the_default_backend_of_a_folder_and_of_a_gguf_file(checkpoint, gguf):
    assert choose_backend(str(checkpoint), "auto") == "transformers"
    assert choose_backend(str(gguf), "auto") == "llamacpp"


@pytest.mark.parametrize("asked", ["llamacpp", "scripted"])
def test_a_named_backend_is_used(gguf, asked):
    assert choose_backend(str(gguf), asked) == asked


@pytest.mark.parametrize("asked", ["auto", "transformers"])
def test_the_default_backend_of_a_hub_id_is_transformers(asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert choose_backend("Qwen/Qwen2.5-0.5B-Instruct", asked) == "transformers"


@pytest.mark.parametrize(
    ("model", "asked", "error", "message"),
    [
        ("/nowhere/glm-4-9b-chat/", "auto", FileNotFoundError, "the folder /nowhere/glm-4-9b-chat/ does not exist"),
        ("./nowhere", "auto", FileNotFoundError, "the folder ./nowhere does not exist"),
        ("nowhere", "auto", FileNotFoundError, "the folder nowhere does not exist"),
        ("a/b/c", "auto", FileNotFoundError, "the folder a/b/c does not exist"),
        ("here/none", "auto", FileNotFoundError, "the folder here/none does not exist"),
        ("none.gguf", "auto", FileNotFoundError, "none.gguf is not a file: --backend=llamacpp needs a .gguf file"),
        (
            "none.jsonl",
            "scripted",
            FileNotFoundError,
            "none.jsonl is not a file: --backend=scripted needs a JSON Lines file",
        ),
        ("here", "llamacpp", FileNotFoundError, "here is not a file: --backend=llamacpp needs a .gguf file"),
        ("here", "auto", FileNotFoundError, "here has no config.json, so it is not a checkpoint"),
        ("file.bin", "auto", ValueError, "file.bin is a file: --backend=transformers needs a checkpoint folder"),
        ("false.gguf", "auto", ValueError, "false.gguf is not a GGUF file"),
    ],
)
def test_a_wrong_path_is_reported_before_anything_is_loaded(tmp_path, monkeypatch, model, asked, error, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    (tmp_path / "file.bin").touch()
    (tmp_path / "false.gguf").write_text("<html>not found</html>", encoding="utf-8")
    with pytest.raises(error, match=f"--model_from_pretrained: {message}"):
        choose_backend(model, asked)


@pytest.mark.parametrize(
    ("model", "is_id"),
    [
        ("Qwen/Qwen2-7B", True),
        ("THUDM/glm-4-9b-chat", True),
        ("gpt2", False),
        ("./a/b", False),
        ("../b", False),
        ("~/b", False),
        ("/a/b", False),
        ("a/b/c", False),
        ("a/", False),
    ],
)
def test_hub_ids_and_paths_are_distinguished(model, is_id):
    assert is_hub_id(model) is is_id


def test_the_backends_that_can_be_guided_with_any_model():
    fixed = set(get_args(Backend)) - {"openai", "transformers"}  # these depend on the server or the tokenizer
    assert {backend for backend in fixed if can_be_guided("a", backend, LLMOptions())} == {"llamacpp", "vllm"}


def test_a_fast_tokenizer_of_bytes_can_be_guided_without_loading_torch(tmp_path):
    pytest.importorskip("llguidance", reason="answers are not guided without it")
    (tmp_path / "tokenizer.json").write_text(json.dumps({"decoder": {"type": "ByteLevel"}}), encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text("{}", encoding="utf-8")
    done = run_python(
        "-c",
        "import sys\nfrom utils.llm.base import LLMOptions, can_be_guided\n"
        f"print(can_be_guided({str(tmp_path)!r}, 'transformers', LLMOptions()), 'torch' in sys.modules)",
        cwd=ROOT,
    )
    assert done.stdout.split() == ["True", "False"]


@pytest.mark.parametrize("name", get_args(Backend))
def test_importing_a_backend_loads_no_engine(name):
    program = f"import sys, utils.llm.backends.{name}\nprint(*sorted({ENGINES!r} & sys.modules.keys()))"
    done = run_python("-c", program, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_with_an_address_the_backend_is_openai_and_the_model_is_a_name():
    assert choose_backend("qwen", "auto", "http://localhost:8000/v1") == "openai"
    assert choose_backend("models/a.gguf", "openai", "https://models.example/v1") == "openai"


@pytest.mark.parametrize(
    ("asked", "api_base", "message"),
    [
        ("openai", None, "--backend=openai and --api_base=http://…/v1 must be used together; found openai and None"),
        ("vllm", "http://localhost/v1", "must be used together; found vllm and http://localhost/v1"),
        ("auto", "localhost:8000/v1", "--api_base: localhost:8000/v1 is not the address of a server"),
        ("auto", "ftp://localhost/v1", "--api_base: ftp://localhost/v1 is not the address of a server"),
        ("auto", "http://me:secret@localhost/v1", "--api_base: remove the password from the address"),
    ],
)
def test_a_wrong_address_is_reported(asked, api_base, message):
    with pytest.raises(ValueError, match=message) as raised:
        choose_backend("qwen", asked, api_base)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("gpus", "current", "expected"),
    [((0, 2), "4,5,6", "4,6"), ((1,), "GPU-a,GPU-b", "GPU-b"), ((0, 1), None, "0,1"), ((1,), "", "1")],
)
def test_vllm_sees_the_chosen_gpus_of_those_that_are_visible(gpus, current, expected):
    assert visible_devices(gpus, current) == expected


def test_a_gpu_that_is_not_visible_is_an_error():
    with pytest.raises(ValueError, match="--n_gpu=2: CUDA_VISIBLE_DEVICES=4,5 lists 2 GPUs"):
        visible_devices([0, 2], "4,5")


def test_a_backend_is_loaded_by_name(tmp_path):
    (tmp_path / "a.jsonl").touch()
    assert type(load_llm(str(tmp_path / "a.jsonl"), "scripted", LLMOptions())).__name__ == "ScriptedLLM"
    with pytest.raises(ModuleNotFoundError, match="nosuch"):
        load_llm("a", "nosuch", LLMOptions())  # type: ignore[arg-type]


def test_requests_can_be_compared_and_used_as_keys():
    one = Request("1", "entity", "p", 5)
    assert {one: 1}[Request("1", "entity", "p", 5)] == 1
    assert one != dataclasses.replace(one, sample=1)
