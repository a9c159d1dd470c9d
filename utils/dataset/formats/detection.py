"""The format of a file or folder, recognised by its files' names and by the keys of its first objects."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from utils.dataset.formats.json_files import read_objects
from utils.dataset.formats.tables.conll import is_table
from utils.dataset.formats.tables.hugging_face import TAGS, TOKENS
from utils.files.compressed import content_suffix, open_input
from utils.files.jsonl import JsonObject

PEEKED = 500  # objects that are looked at until one shows the format: the first ones may have no spans
ENDINGS = {".spacy": "spacy", ".parquet": "hf", ".arrow": "hf", ".ann": "brat"}


def detect_format(source: Path) -> tuple[str, str]:
    """Return the name of the format of a file or folder, and how it was recognised.

    Raises ValueError that names what was seen if it is none of the known formats.
    """
    if not (source.is_file() or source.is_dir()):  # a FIFO could not be read several times
        raise FileNotFoundError(f"{source} is missing: --input must name a file or a folder")
    if source.is_dir():
        return _of_folder(source)
    if (ending := content_suffix(source)) in ENDINGS:
        return ENDINGS[ending], f"by the ending {ending}"
    if source.with_suffix(".ann").is_file():
        return "brat", "by the .ann file beside it"
    with open_input(source) as file:
        first = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    if first.startswith((b"{", b"[{", b"[\n", b"[\r", b"[ ", b"[]")):
        return _of_objects(source)
    if is_table(source):
        return "bio", "by its lines, which have a token and a tag"
    raise ValueError(
        f"{source}: its format was not recognised, because it is neither JSON nor a table of tokens and tags: name it "
        "with --from"
    )


def _of_folder(folder: Path) -> tuple[str, str]:
    """Return the format of a folder: that of the first of its files that is not a list of labels or the like."""
    if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
        return "hf", "by the files of save_to_disk"
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    for suffix, name in ENDINGS.items():
        if found := [path for path in files if path.suffix == suffix]:
            return name, f"by {found[0].relative_to(folder)}"
    last: ValueError | None = None
    skipped = ("labels.txt", "dataset_info.json", "readme.md", "license", "source.md")
    for path in (path for path in files if path.name.lower() not in skipped and not path.name.endswith(".meta.json")):
        try:
            name, how = detect_format(path)
        except ValueError as error:
            last = error
            continue
        return name, f"{how} (in {path.relative_to(folder)})"
    raise last or ValueError(f"{folder} has no file of a known format; name its format with --from")


def _of_objects(source: Path) -> tuple[str, str]:
    guess = ""
    keys: list[str] = []
    for _, row in islice(read_objects(source), PEEKED):
        keys = keys or list(row)
        if sure := format_of_object(row):
            return sure, f"by its keys {', '.join(list(row)[:6])}"
        guess = guess or _likely(row)
    if guess:
        return guess, f"by its keys {', '.join(keys[:6])}, without a span in its first {PEEKED} objects"
    raise ValueError(
        f"{source}: its format was not recognised by its keys ({', '.join(keys[:8])}); name it with --from"
    )


def format_of_object(row: JsonObject) -> str | None:  # noqa: PLR0911  # a table in the form of a function
    """Return the format of an object, or None if the object does not show it, for example because it has no spans."""
    has = row.keys().__contains__
    if has("entity_mentions"):
        return "cnnner"
    if has("tokenized_text"):
        return "gliner"
    if has("result_list") and has("prompt"):
        return "uie"
    if has("sentence") and has("ner"):
        return "w2ner"
    if isinstance(row.get("data"), dict):
        return "labelstudio"
    if has("fields") or any(key.endswith((".responses", ".suggestion")) for key in row):
        return "argilla"
    if any(has(key) for key in ("_input_hash", "_task_hash", "spans")) and has("text"):
        return "prodigy"
    if isinstance(row.get("annotation"), list) or isinstance(row.get("prediction"), list):
        return "argilla"
    if _has_tags(row):
        return "hf"
    return _by_spans(row)


def _has_tags(row: JsonObject) -> bool:
    """Return whether an object has a list of tokens and, for each of them, a tag as a text or a number."""
    tokens = next((row[key] for key in TOKENS if isinstance(row.get(key), list)), None)
    lists = [row[key] for key in TAGS if isinstance(row.get(key), list)]
    return bool(tokens) and any(
        len(tags) == len(tokens or ()) and all(isinstance(tag, (str, int)) for tag in tags) for tags in lists
    )


def _by_spans(row: JsonObject) -> str | None:
    """Return the format that the first span of an object shows."""
    if isinstance(row.get("label"), dict):
        return "cluener"
    for key in ("entities", "annotations", "label", "labels"):
        value = row.get(key)
        first = value[0] if isinstance(value, list) and value else None
        if isinstance(first, dict):
            return _by_span(first)
        if isinstance(first, list) and key in ("label", "labels", "entities"):
            return "doccano"
    return _short_labelstudio(row)


def _by_span(span: Mapping[str, Any]) -> str | None:
    if "start_idx" in span:
        return "cmeee"
    if "start_offset" in span:
        return "doccano"
    if "labels" in span:
        return "labelstudio"
    if "entity" in span and "start" in span:
        return "project"
    return "doccano" if "start" in span and any(key in span for key in ("label", "type", "entity_group")) else None


def _short_labelstudio(row: JsonObject) -> str | None:
    lists = (value for value in row.values() if isinstance(value, list) and value and isinstance(value[0], dict))
    return "labelstudio" if any("labels" in value[0] and "start" in value[0] for value in lists) else None


def _likely(row: JsonObject) -> str:
    """Return the format that an object without spans may have; "" if it may have none."""
    if isinstance(row.get("entities"), list):
        return "project"
    if isinstance(row.get("label"), list) or isinstance(row.get("labels"), list):
        return "doccano"
    return ""
