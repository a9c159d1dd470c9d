"""Temporary copies, in the form of today, of the files of an earlier implementation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from utils.annotation.files import read_annotation_rows
from utils.annotation.legacy.files import is_legacy_file
from utils.dataset.modes import Mode
from utils.dataset.reading import is_legacy_synthetic, read_sentences, read_synthetic
from utils.dataset.records import Sentence, sentence_to_row
from utils.dataset.tokens import Tokenisation
from utils.files.jsonl import write_rows

Files = tuple[Path, Mapping[Mode, Path]]  # sentences, and the annotations of them


@contextmanager
def without_legacy(
    files: Files,
    *,
    synthetic: bool,
    tokenisation: Tokenisation,
    sources: Callable[[], Sequence[Sentence]] = tuple,
) -> Iterator[Files]:
    """Yield the paths of files whose lines have ids; old files are read completely, and copied with ids.

    The synthetic sentences of an earlier implementation are matched to their `sources`.
    """
    path, annotations = files
    is_legacy = synthetic and is_legacy_synthetic(path)
    legacy = {mode: file for mode, file in annotations.items() if is_legacy_file(file)}
    if not is_legacy and not legacy:
        yield files
        return
    if synthetic:
        sentences = read_synthetic(path, tokenisation=tokenisation, sources=sources() if is_legacy else ())
    else:
        sentences = read_sentences(path, tokenisation=tokenisation)
    with TemporaryDirectory() as name:
        folder = Path(name)
        for mode, file in legacy.items():
            write_rows(folder / file.name, (row for _, row in read_annotation_rows(file, mode, sentences)))
        if is_legacy:
            write_rows(folder / path.name, map(sentence_to_row, sentences))
        copies = {mode: folder / file.name for mode, file in legacy.items()}
        yield folder / path.name if is_legacy else path, {**annotations, **copies}
