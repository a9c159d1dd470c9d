"""The work of predict_ner.py: read texts, predict their spans, and write both."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from utils.dataset.records import Span
from utils.dataset.tokens import Tokenisation
from utils.files.compressed import bounded_lines, open_input
from utils.files.jsonl import JsonObject, encode_json, replace_file
from utils.files.text_files import Form, form_of
from utils.ner.prediction.settings import PredictionSettings
from utils.ner.prediction.texts import predicted_rows, read_texts
from utils.wording import counted


@dataclass(frozen=True, slots=True)
class PredictionCounts:
    """The numbers of texts and of predicted spans."""

    texts: int
    spans: int

    def __str__(self) -> str:
        return f"found {counted(self.spans, 'span')} in {counted(self.texts, 'text')}"

    @property
    def advice(self) -> str | None:
        """Return what to try if there are texts but no spans."""
        return "the model found nothing: try a lower --threshold" if self.texts and not self.spans else None


def predict_file(
    source: Path | None,
    result: Path | None,
    settings: PredictionSettings,
    *,
    form: Form | None = None,
    tokenisation: Tokenisation | None = None,
) -> PredictionCounts:
    """Write the texts of `source` with predicted spans to `result`; None is standard input and output.

    `form=None` is detected; `tokenisation=None` is that of the model. Raises ValueError for a file that cannot be
    read, before the model is loaded.
    """
    with _open_input(source) as file:
        name = str(source or "standard input")
        lines = (line for _, _, line in bounded_lines(file))
        first = next(lines, b"")
        form = form or form_of(name, first)
        if source is not None:
            _check(source, form)
        rows = _predict(chain([first] if first else [], lines), name, form, settings, tokenisation)
        return _write(rows, result)


def _open_input(path: Path | None) -> AbstractContextManager[BinaryIO]:
    """Return the input's bytes; standard input is not closed."""
    if path is not None:
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: --input must name a file of texts, or - for standard input")
        return open_input(path)
    if sys.stdin is None:
        raise ValueError("--input=-: this process has no standard input")
    return nullcontext(sys.stdin.buffer)


def _check(path: Path, form: Form) -> None:
    """Raise ValueError for the first line of a file that cannot be read."""
    with open_input(path) as file:
        for _ in read_texts((line for _, _, line in bounded_lines(file)), str(path), form, list):
            pass


def _predict(
    lines: Iterable[bytes], name: str, form: Form, settings: PredictionSettings, tokenisation: Tokenisation | None
) -> Iterator[JsonObject]:
    """Yield a row for each text, with its predicted spans."""
    from utils.compute.devices import choose_device
    from utils.ner import SpanNer

    ner = SpanNer.from_pretrained(settings.model, encoder=settings.encoder, device=choose_device(settings.gpus))

    def predict(texts: Sequence[Sequence[str]]) -> list[list[Span]]:
        return ner.predict(texts, settings.batch_size, **settings.decoding, progress=True)

    split = ner.tokens if tokenisation is None else tokenisation.split
    return predicted_rows(read_texts(lines, name, form, split), predict)


def _write(rows: Iterable[JsonObject], path: Path | None) -> PredictionCounts:
    """Write the rows as they come; a file is replaced only when it is complete."""
    texts = spans = 0
    with _open_output(path) as write:
        for row in rows:
            write(encode_json(row) + b"\n")
            texts += 1
            spans += len(row["entities"])
    return PredictionCounts(texts, spans)


@contextmanager
def _open_output(path: Path | None) -> Iterator[Callable[[bytes], object]]:
    """Yield the function that writes bytes to a file or, for None, to standard output."""
    if path is not None:
        with replace_file(path) as file:
            yield file.write
    elif hasattr(sys.stdout, "buffer"):
        yield sys.stdout.buffer.write  # UTF-8, whatever the terminal's encoding is
    else:  # in a notebook
        yield lambda data: sys.stdout.write(data.decode())
