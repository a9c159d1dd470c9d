"""The models: those in the usual folders, and the one that the user names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from utils.cli.doctor.finding import Diagnosis, error_finding, problem
from utils.compute import inventory
from utils.compute.inventory import GIB
from utils.dataset.layout import MODELS
from utils.llm.base import choose_backend
from utils.llm.hf.files import code_classes, is_hub_id, read_settings

SHOWN = 12  # models in a folder; more would hide the other lines
WEIGHTS = (".safetensors", ".bin", ".gguf")
WORKING_SPACE = 1.2  # memory that a model needs while it answers, as a multiple of its weights


def find_models() -> Iterator[Diagnosis]:
    """Yield the models in the project's folder, in /models and in the cache of the Hub."""
    hub = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser() / "hub"
    found = False
    for folder in (MODELS, Path("/models")):
        for path in _models_in(folder)[:SHOWN]:
            found = True
            yield Diagnosis("model", f"{path}: {_kind(path)}, {_size(path) / GIB:.1f} GiB")
    cached = sorted(path.name.removeprefix("models--").replace("--", "/") for path in hub.glob("models--*"))
    if cached:
        yield Diagnosis("models", f"in {hub}: {', '.join(cached[:SHOWN])}")
    if not found and not cached:
        remedy = "run_demo.sh downloads two small ones; give others with --model_from_pretrained"
        yield Diagnosis("models", f"none in {MODELS}, /models and {hub}", remedy, "optional")


def check_model(model: str) -> Iterator[Diagnosis]:
    """Yield what was found about the model of --model_from_pretrained; no weights are loaded."""
    try:
        backend = choose_backend(model, "auto")
    except (ValueError, OSError, ImportError) as error:
        yield error_finding("model", error)
        return
    path = Path(model)
    if is_hub_id(model) and not path.exists():
        yield Diagnosis(
            "model", f"{model} is an id of the Hub: it is downloaded or found in the cache when a step starts"
        )
        return
    yield Diagnosis("model", f"{model}: {_kind(path)}, {_size(path) / GIB:.1f} GiB, runs with --backend={backend}")
    yield _room_for(path)


def _models_in(folder: Path) -> list[Path]:
    try:
        paths = sorted(folder.iterdir()) if folder.is_dir() else []
        return [path for path in paths if path.suffix == ".gguf" or (path / "config.json").is_file()]
    except OSError:  # a folder of others
        return []


def _kind(path: Path) -> str:
    """Return what a model is: the type in its configuration, and whether it brings code."""
    if path.is_file():
        return "a .gguf file"
    try:
        settings = read_settings(path / "config.json")
        code = ", with Python code of its own, which is executed" if code_classes(path / "config.json") else ""
    except ValueError as error:
        return str(error)
    name = settings.get("model_type") or "a span model"
    return f"{name}{code}"


def _size(path: Path) -> int:
    """Return the bytes of a model's weights."""
    files = [path] if path.is_file() else [file for file in path.iterdir() if file.suffix in WEIGHTS]
    return sum(file.stat().st_size for file in files)


def _room_for(path: Path) -> Diagnosis:
    """Return whether the weights fit into the largest GPU or, without one, into the memory."""
    try:
        gpus = inventory.gpus()
    except ImportError:
        gpus = []
    place, free = ("the GPU", max(gpu.free for gpu in gpus)) if gpus else ("this machine", inventory.memory())
    needed = _size(path) * WORKING_SPACE
    found = f"about {needed / GIB:.1f} GiB for the weights and the answers"
    if free is None or needed <= free:
        return Diagnosis("memory", f"{found}: fits")
    remedy = "use several GPUs (--n_gpu=0,1), --load_in=4bit, or a smaller model"
    return problem("memory", f"{found}, but {place} has {free / GIB:.1f} GiB", remedy)
