"""What every backend offers, and how one is chosen, checked and loaded by name."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol, cast
from urllib.parse import urlsplit

from utils.dataset.modes import Task

Finish = Literal["stop", "length"]  # the model ended its answer, or its budget did
Backend = Literal["transformers", "llamacpp", "vllm", "openai", "scripted"]
LoadIn = Literal["8bit", "4bit"]

FRAME = 20  # tokens of a chat template around a message
MARK = "\ue000sentence\ue000"  # stands for the message while a template is filled


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn; a request without it is answered greedily."""

    temperature: float
    top_p: float
    seed: int


@dataclass(frozen=True, slots=True)
class Request:
    """One user message, and how its answer may look."""

    id: str  # the sentence
    task: Task
    prompt: str  # the user's message, without a chat template
    max_new_tokens: int
    sampling: Sampling | None = None
    grammar: str | None = None  # GBNF; backends that cannot be guided do not get one
    sample: int = 0  # number of the answer, where a sentence is asked for several


@dataclass(frozen=True, slots=True)
class Answer:
    """What the LLM wrote for one request."""

    request: Request
    text: str
    finish: Finish
    prompt_tokens: int
    answer_tokens: int
    retries: int = 0  # how often a server had to be asked again


class LLM(Protocol):
    """A loaded chat model."""

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """Yield one answer for each request as soon as it is there, in any order."""
        ...


@dataclass(frozen=True)
class LLMOptions:
    """Where and how a model runs; of all this, `load_in` alone belongs to a result's fingerprint."""

    gpus: tuple[int, ...] = ()  # none: the CPU
    batch_size: int = 20
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    trust_remote_code: bool = False
    api_base: str | None = None  # of a server
    patience: float = 300.0  # seconds for which a server may fail without an answer in between
    load_in: LoadIn | None = None


def load_llm(model: str, backend: Backend, options: LLMOptions) -> LLM:
    """Load a model with a backend, whose module is imported only here."""
    return cast(LLM, importlib.import_module(f"utils.llm.backends.{backend}").load(model, options))


def load_counter(model: str, backend: Backend, options: LLMOptions) -> Callable[[str], int]:
    """Return what counts the tokens of a message's prompt, of its tokenizer alone where the backend has that."""
    if backend == "openai":
        return count_by_characters
    module = {"vllm": "transformers"}.get(backend, backend)
    return cast(
        Callable[[str], int], importlib.import_module(f"utils.llm.backends.{module}").load_counter(model, options)
    )


def count_by_characters(message: str) -> int:
    """Return about how many tokens a prompt has, of a model whose tokenizer nobody has here.

    In Qwen's and GLM-4's a Chinese character is two thirds of a token, and four letters are one.
    """
    dense = sum("\u3040" <= character <= "\u9fff" or character >= "\uff00" for character in message)
    return round(FRAME + dense * 2 / 3 + (len(message) - dense) / 4)


def can_be_guided(model: str, backend: Backend, options: LLMOptions) -> bool:
    """Tell whether a backend can hold its answers to a grammar; a server is asked."""
    if backend == "transformers" and _spells_bytes(Path(model)) and find_spec("llguidance"):
        return True  # torch need not be loaded to tell
    if backend in ("openai", "transformers"):
        return bool(importlib.import_module(f"utils.llm.backends.{backend}").can_be_guided(model, options))
    return backend in ("llamacpp", "vllm")


def choose_backend(model: str, asked: Backend | Literal["auto"], api_base: str | None = None) -> Backend:
    """Return the backend for a model's path or name, after a look at whether it can be right.

    Raises FileNotFoundError or ValueError, long before anything is loaded.
    """
    path = Path(model)
    backend = _backend_by_itself(path, api_base) if asked == "auto" else asked
    if (backend == "openai") != bool(api_base):
        raise ValueError(f"--backend=openai and --api_base=http://…/v1 need each other; here: {backend}, {api_base}")
    if api_base:
        _check_url(api_base)
    elif backend in ("transformers", "vllm"):
        _check_checkpoint(path, model, backend)
    elif not path.is_file():
        raise FileNotFoundError(f"--model_from_pretrained: {model} is missing; {backend} needs a file")
    elif backend == "llamacpp" and _first_bytes(path, 4) != b"GGUF":
        raise ValueError(f"--model_from_pretrained: {model} is not a GGUF file")
    return backend


def is_hub_id(model: str) -> bool:
    """Tell whether `model` can be the id of a checkpoint on a hub, and not a path of this machine."""
    return bool(re.fullmatch(r"[\w.-]+/[\w.-]+", model)) and model[0] not in ".~"


def _backend_by_itself(path: Path, api_base: str | None) -> Backend:
    if api_base:
        return "openai"
    return "llamacpp" if path.suffix == ".gguf" else "transformers"


def _check_url(api_base: str) -> None:
    parts = urlsplit(api_base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"--api_base: {api_base} is not a server's address such as http://localhost:8000/v1")
    if parts.password:
        raise ValueError("--api_base: a password in an address ends in logs; put a key into OPENAI_API_KEY")


def _check_checkpoint(path: Path, model: str, backend: Backend) -> None:
    if path.is_file():
        raise ValueError(f"--model_from_pretrained: {model} is a file; {backend} needs a checkpoint's folder")
    if not path.exists():
        if is_hub_id(model) and not Path(path.parts[0]).is_dir():
            return
        raise FileNotFoundError(f"--model_from_pretrained: the folder {model} does not exist")
    if not (path / "config.json").is_file():
        raise FileNotFoundError(f"--model_from_pretrained: {model} has no config.json, so it is not a checkpoint")
    try:
        config = json.loads((path / "config.json").read_bytes())
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise ValueError(
            f"--model_from_pretrained: {path / 'config.json'} is no JSON object: copy the checkpoint again"
        )
    for file in sorted(path.iterdir()):
        if file.suffix in (".safetensors", ".bin", ".model") and _first_bytes(file, 24) == b"version https://git-lfs.":
            raise ValueError(
                f"--model_from_pretrained: {file} only points to the real file: run git lfs pull in {path}"
            )


def _spells_bytes(folder: Path) -> bool:
    """Tell whether a checkpoint folder has a fast tokenizer of bytes, and no code that takes its place."""
    tokenizer, settings = _json_object(folder / "tokenizer.json"), _json_object(folder / "tokenizer_config.json")
    if "AutoTokenizer" in (settings.get("auto_map") or {}):
        return False
    decoder = json.dumps(tokenizer.get("decoder"))
    return "ByteLevel" in decoder or "ByteFallback" in decoder


def _json_object(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; an empty one where there is none, which the loading will tell of."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _first_bytes(path: Path, number: int) -> bytes:
    with path.open("rb") as file:
        return file.read(number)
