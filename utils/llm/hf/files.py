"""The files of a checkpoint folder, read without torch: checks that they are complete, and the bytes of the tokens."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from utils.llm.base import Backend

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
        tokenizer, settings = read_settings(folder / "tokenizer.json"), read_settings(folder / "tokenizer_config.json")
    except ValueError:
        return False
    if "AutoTokenizer" in (settings.get("auto_map") or {}):
        return False
    decoder = json.dumps(tokenizer.get("decoder"))
    return "ByteLevel" in decoder or "ByteFallback" in decoder


def read_settings(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file, or an empty one if there is no such file; raise ValueError for other JSON."""
    settings = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if not isinstance(settings, dict):
        raise ValueError(f"{path} is not a JSON object")
    return settings


def read_template(folder: Path) -> str | None:
    """Return the chat template in a folder's `chat_template.jinja`, which transformers before 4.50 does not read."""
    path = folder / "chat_template.jinja"
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _check_folder(folder: Path) -> None:
    config = folder / "config.json"
    if not config.is_file():
        raise FileNotFoundError(f"--model_from_pretrained: {folder} has no config.json, so it is not a checkpoint")
    try:
        read_settings(config)
    except ValueError:
        raise ValueError(
            f"--model_from_pretrained: {config} is not a JSON object: download the checkpoint again"
        ) from None
    for file in sorted(folder.iterdir()):
        if file.suffix in (".safetensors", ".bin", ".model") and _is_lfs_pointer(file):
            raise ValueError(
                f"--model_from_pretrained: {file} is a git-lfs pointer, not the real file: run git lfs pull in {folder}"
            )


def _is_lfs_pointer(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(LFS_POINTER)) == LFS_POINTER
