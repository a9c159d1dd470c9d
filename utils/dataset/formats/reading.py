"""A dataset in any format as a collection of sentences, with plain offsets of tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from utils.dataset.formats.collection import LABELS, PROJECT_FILES, SPLITS, Collection, Split, split_of
from utils.dataset.formats.documents import Document, ReadContext, check_characters
from utils.dataset.formats.losses import Losses
from utils.dataset.formats.registry import FORMATS, TABLES, Format
from utils.dataset.formats.spans.conventions import Ends
from utils.dataset.formats.spans.cutting import Cutting, Discontinuous, Words, cut_documents, split_lines
from utils.dataset.formats.spans.labels import check_names, with_labels
from utils.dataset.formats.spans.offsets import fit_offsets
from utils.dataset.formats.spans.positions import OffsetUnit
from utils.dataset.reading import read_labels
from utils.dataset.records import Sentence
from utils.dataset.splitting.groups import Track
from utils.dataset.tokens import Tokenisation
from utils.files.compressed import content_name, content_suffix, find_input

Lines = Literal["auto", "split", "keep"]


@dataclass(frozen=True)
class ReadSettings:
    """What the user says about a source; None and "auto" are found from it."""

    tokenisation: Tokenisation | None = None
    unit: OffsetUnit | None = None
    ends: Ends | None = None
    discontinuous: Discontinuous = "drop"
    words: Words = "auto"
    lines: Lines = "auto"
    token_column: str | None = None
    tag_column: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)  # label -> new label; "" drops its spans


def read_collection(source: Path, name: str, settings: ReadSettings, losses: Losses, track: Track = iter) -> Collection:
    """Return the sentences of a file or folder in the format `name`; what is lost is counted."""
    form = FORMATS[name]
    context = ReadContext(losses, settings.tokenisation, settings.token_column, settings.tag_column)
    found: dict[Split, list[Document]] = {}
    given = 0
    for split, files in source_files(source, name, losses).items():
        documents = [document for file in files for document in form.read(file, context)]
        check_characters(documents)
        given += sum(len(document.spans) for document in documents)
        found[split] = _fitted(documents, form, settings, losses, str(source if len(files) > 1 else files[0]))
    everything = [document for documents in found.values() for document in documents]
    cutting = replace(
        Cutting.of(everything, settings.tokenisation, settings.words), discontinuous=settings.discontinuous
    )
    splits = {split: cut_documents(track(documents), cutting, losses) for split, documents in found.items()}
    check_names(settings.names, [sentence for sentences in splits.values() for sentence in sentences])
    splits = {split: with_labels(sentences, settings.names, losses) for split, sentences in splits.items()}
    if not any(splits.values()):
        raise ValueError(f"{source} contains no sentences")
    labels = _labels(source, (one for sentences in splits.values() for one in sentences), settings.names)
    return Collection(splits, labels, cutting.tokenisation, given)


def _fitted(
    documents: Sequence[Document], form: Format, settings: ReadSettings, losses: Losses, name: str
) -> list[Document]:
    offsets = replace(form.offsets, unit=settings.unit, ends=settings.ends)
    fitted = fit_offsets(documents, offsets, losses, name)
    if settings.lines == "split" or (settings.lines == "auto" and form.has_lines):
        return [line for document in fitted for line in split_lines(document)]
    return fitted


def source_files(source: Path, name: str, losses: Losses) -> dict[Split, list[Path]]:
    """Return the files of a source by split; raise FileNotFoundError if there is none."""
    form = FORMATS[name]
    if source.is_file():
        return {split_of(source.name) or "train": [_text_of_brat(source) if name == "brat" else source]}
    if not source.is_dir():
        raise FileNotFoundError(f"{source} is missing: --input must name a file or a folder")
    if name == "project":
        return _project_files(source, losses)
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and _is_data(path, source, form)]
    for path in files:
        find_input(path.with_name(content_name(path.name)))  # raises ValueError if its other form is also there
    split = {path: split_of(path.relative_to(source).as_posix()) for path in files}
    if any(split.values()):
        losses.add("file", "its name says neither train, dev nor test: left out", number=0)
        for path in (path for path in files if split[path] is None):
            losses.add("file", "its name says neither train, dev nor test: left out", example=path)
    found = {one: [path for path in files if (split[path] or _if_none(split)) == one] for one in SPLITS}
    if not any(found.values()):
        raise FileNotFoundError(f"{source} has no file of the format {name} ({', '.join(form.suffixes)})")
    return {one: paths for one, paths in found.items() if paths}


def _if_none(split: Mapping[Path, Split | None]) -> Split | None:
    """Return the split of files without one in their names: train, unless other files have one."""
    return None if any(split.values()) else "train"


def _is_data(path: Path, source: Path, form: Format) -> bool:
    relative = path.relative_to(source)
    if any(part.startswith((".", "cache-")) for part in relative.parts):
        return False
    if path.name in (LABELS, "dataset_info.json", "state.json", "dataset_dict.json"):
        return False
    is_table = set(TABLES) <= set(form.suffixes)
    suffix = content_suffix(path)
    return suffix.lower() in form.suffixes or (is_table and split_of(suffix) is not None)


def _text_of_brat(path: Path) -> Path:
    return path.with_suffix(".txt") if path.suffix == ".ann" else path


def _project_files(folder: Path, losses: Losses) -> dict[Split, list[Path]]:
    files = {split: find_input(folder / name) for split, name in PROJECT_FILES.items()}
    found = {split: [file] for split, file in files.items() if file.is_file()}
    other = find_input(folder / "train.jsonl")
    if other.is_file() and "train" in found:
        losses.note(f"{other} is left out: {PROJECT_FILES['train']} is the training file of this project")
    elif other.is_file():
        found = {"train": [other], **found}
    if not found:
        raise FileNotFoundError(f"{folder / PROJECT_FILES['train']} is missing: it must contain the training sentences")
    return found


def _labels(source: Path, sentences: Iterable[Sentence], names: Mapping[str, str]) -> tuple[str, ...]:
    """Return the labels: in the order of the labels.txt beside the source if it has them all, else sorted."""
    used = {span.label for sentence in sentences for span in sentence.spans}
    listed = (source if source.is_dir() else source.parent) / LABELS
    if listed.is_file():
        try:
            given = [names.get(label, label) for label in read_labels(listed)[1:]]
        except ValueError:
            given = []
        if used <= set(given):
            return tuple(dict.fromkeys(label for label in given if label))
    return tuple(sorted(used))
