"""A collection of sentences as files in any format."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from utils.dataset.formats.collection import LABELS, PROJECT_FILES, Collection, Split, split_of
from utils.dataset.formats.documents import WriteContext
from utils.dataset.formats.losses import Losses
from utils.dataset.formats.registry import FORMATS
from utils.files.jsonl import replace_file


def output_files(output: Path, name: str, splits: Iterable[Split]) -> dict[Split, Path]:
    """Return the file of each split: `output` itself, or files in it if it is a folder."""
    form = FORMATS[name]
    names = list(splits)
    is_file = not form.is_folder and not output.is_dir() and is_file_name(output)
    if is_file and len(names) > 1:
        raise ValueError(f"--output={output}: there are {len(names)} splits ({', '.join(names)}): name a folder")
    if is_file:
        return {names[0]: output}
    if output.is_file():
        raise ValueError(f"--output={output} is a file, but {name} needs a folder")
    if name == "brat":
        return {split: output / split for split in names}
    return {
        split: output / (PROJECT_FILES[split] if name == "project" else f"{split}{form.suffixes[0]}") for split in names
    }


def is_file_name(path: Path) -> bool:
    """Return whether a path has an extension of data, such as .jsonl or .train; else it names a folder: corpus.v2."""
    known = {suffix for form in FORMATS.values() for suffix in form.suffixes}
    return path.suffix.lower() in known or (path.suffix != "" and split_of(path.suffix) is not None)


def write_collection(
    collection: Collection, name: str, output: Path, losses: Losses, *, overwrite: bool = False
) -> list[Path]:
    """Write all splits in the format `name`; return the files. What the format cannot hold is counted.

    Raises ValueError if a file exists and may not be overwritten.
    """
    files = output_files(output, name, [split for split, sentences in collection.splits.items() if sentences])
    labels = output / LABELS if name == "project" and all(file.parent == output for file in files.values()) else None
    check_new([*files.values(), *([labels] if labels else [])], overwrite=overwrite)
    write = FORMATS[name].write
    if write is None:
        raise ValueError(f"--to={name}: this format can only be read")
    context = WriteContext(losses, collection.tokenisation, collection.labels)
    for split, file in files.items():
        write(file, collection.splits[split], context)
    if labels:
        with replace_file(labels) as stream:
            stream.write("".join(f"{label}\n" for label in ("O", *collection.labels)).encode())
    return list(files.values())


def check_new(files: Iterable[Path], *, overwrite: bool) -> None:
    """Raise ValueError if one of the files exists, or for brat a document of it, and may not be overwritten."""
    for file in files:
        found = file if file.exists() else next(iter(file.parent.glob(f"{file.name}-[0-9]*.txt")), None)
        if found is not None and not overwrite:
            raise ValueError(f"{found} exists already; use --overwrite to replace it, or name another --output")
