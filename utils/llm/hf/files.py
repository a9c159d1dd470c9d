"""The files of a checkpoint folder, read without torch: checks that they are complete, and the bytes of the tokens."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from utils.llm.base import Backend

JSON_FILES = (
    *("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
    *("added_tokens.json", "vocab.json", "model.safetensors.index.json", "pytorch_model.bin.index.json"),
)
MAX_HEADER = 100 << 20  # bytes of the header of a .safetensors file, as its own library allows
LFS_POINTER = b"version https://git-lfs."  # start of the small text file that git-lfs puts in place of a large one


def check_checkpoint(model: str, backend: Backend) -> None:
    """Raise FileNotFoundError or ValueError if `model` is neither a complete checkpoint folder nor an id of a hub."""
    path = Path(model)
    if path.is_file():
        raise ValueError(f"--model_from_pretrained: {model} is a file: --backend={backend} needs a checkpoint folder")
    if path.is_dir():
        _check_folder(path)
    elif not is_hub_id(model) or Path(path.parts[0]).is_dir():
        raise FileNotFoundError(f"--model_from_pretrained: the folder {model} does not exist")


def is_hub_id(model: str) -> bool:
    """Return whether `model` can be a checkpoint's id on a hub, as `Qwen/Qwen2-7B`, and not a local path."""
    return bool(re.fullmatch(r"[\w.-]+/[\w.-]+", model)) and model[0] not in ".~"


def has_byte_tokens(folder: Path) -> bool:
    """Return whether a folder has a fast tokenizer with tokens of bytes, and no Python code that replaces it."""
    try:
        tokenizer = read_settings(folder / "tokenizer.json")
        if "AutoTokenizer" in code_classes(folder / "tokenizer_config.json"):
            return False
    except ValueError:
        return False
    decoder = json.dumps(tokenizer.get("decoder"))
    return "ByteLevel" in decoder or "ByteFallback" in decoder


def read_settings(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file, or an empty one if there is no such file; raise ValueError for other JSON."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict):
        raise ValueError(f"{path} is not a JSON object: download the checkpoint again")
    return settings


def code_classes(path: Path) -> dict[str, list[str]]:
    """Return the classes of a checkpoint's own code in the `auto_map` of a JSON file; ValueError for a wrong one."""
    named = read_settings(path).get("auto_map") or {}
    lists = (
        {name: one if isinstance(one, list) else [one] for name, one in named.items()}
        if isinstance(named, dict)
        else None
    )
    if lists is None or not all(isinstance(one, (str, type(None))) for ones in lists.values() for one in ones):
        raise ValueError(f"{path}: auto_map must name classes, as module.Class: download the checkpoint again")
    return {name: [one for one in ones if one] for name, ones in lists.items()}


def read_template(folder: Path) -> str | None:
    """Return the chat template in a folder's `chat_template.jinja`, which transformers before 4.50 does not read."""
    path = folder / "chat_template.jinja"
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text: download the checkpoint again") from None


def _check_folder(folder: Path) -> None:
    config = folder / "config.json"
    if not config.is_file():
        raise FileNotFoundError(f"--model_from_pretrained: {folder} has no config.json, so it is not a checkpoint")
    try:
        for file in sorted(folder.iterdir()):
            _check_file(file)
        _check_shards(folder)
    except ValueError as error:
        raise ValueError(f"--model_from_pretrained: {error}") from None


def _check_file(file: Path) -> None:
    """Raise ValueError if a file of a checkpoint is damaged, as far as it can be seen without its library."""
    if file.suffix in (".safetensors", ".bin", ".model") and file.is_file() and _is_lfs_pointer(file):
        raise ValueError(f"{file} is a git-lfs pointer, not the real file: run git lfs pull in {file.parent}")
    if file.name in JSON_FILES:
        read_settings(file)
    if file.name in ("config.json", "tokenizer_config.json"):
        code_classes(file)
    if file.name == "tokenizer_config.json":
        _check_template(file, read_settings(file).get("chat_template"))
    if file.suffix == ".safetensors" and file.is_file():
        _check_safetensors(file)


def _check_template(file: Path, template: Any) -> None:
    """Raise ValueError if the chat template of a tokenizer's settings is neither a text nor a list of named texts."""
    texts = [template]
    if isinstance(template, list):
        texts = [
            part
            for one in template
            for part in ((one.get("name"), one.get("template")) if isinstance(one, dict) else (0,))
        ]
    if template is not None and not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{file}: chat_template must be a text: download the checkpoint again")


def _check_safetensors(file: Path) -> None:
    """Raise ValueError if a .safetensors file is cut off: its header names the end of each tensor."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        header = opened.read(length) if size >= 8 and length <= min(size - 8, MAX_HEADER) else b""
    try:
        tensors = json.loads(header)
        ends = [0, *(int(one["data_offsets"][1]) for name, one in tensors.items() if name != "__metadata__")]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise ValueError(f"{file} is damaged or incomplete (its header): download it again") from None
    missing = 8 + length + max(ends) - size
    if missing > 0:
        raise ValueError(f"{file} is incomplete ({missing} of its bytes are missing): download it again")


def _check_shards(folder: Path) -> None:
    """Raise ValueError if a file is missing over which the weights are spread."""
    for index in ("model.safetensors.index.json", "pytorch_model.bin.index.json"):
        shards = read_settings(folder / index).get("weight_map", {})
        if not isinstance(shards, dict) or not all(isinstance(name, str) for name in shards.values()):
            raise ValueError(f"{folder / index}: weight_map must name files: download the checkpoint again")
        missing = sorted({name for name in shards.values() if not (folder / name).is_file()})
        if missing and not any((folder / other).is_file() for other in ("model.safetensors", "pytorch_model.bin")):
            raise ValueError(f"{folder / missing[0]} is missing, one of {len(set(shards.values()))} files of weights")


def _is_lfs_pointer(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(LFS_POINTER)) == LFS_POINTER
