"""Raw text of the user's domain (s2 --raw): its sentences are cleaned like those of an LLM."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, get_args

from utils.dataset.records import RAW, sentence_from_row
from utils.dataset.tokens import WORDS
from utils.files.compressed import bounded_lines, open_input
from utils.files.jsonl import JsonObject
from utils.files.text_files import form_of, parse_texts
from utils.synthesis.cleaning import Cleaner, Piece
from utils.synthesis.copies.finder import CopyFinder
from utils.synthesis.copies.near_duplicates import KnownTexts, repeated_share
from utils.synthesis.text.remarks import Remark
from utils.synthesis.writing_style import WritingStyle
from utils.wording import counted, numbered


@dataclass(frozen=True)
class RawText:
    """A text of a user's file: usually one sentence."""

    number: int  # in its file, from 1; empty texts are not counted
    text: str  # as a person would write it
    tokens: tuple[str, ...] | None = None  # None: the file has a string


@dataclass(frozen=True)
class RawCounts:
    """How many raw texts were read, and how many of their sentences were kept and dropped."""

    texts: int
    made: int  # more than `texts` if long texts were cut into sentences
    kept: int
    dropped: Counter[str] = field(default_factory=Counter)  # by reason

    def __str__(self) -> str:
        dropped = f", dropped {self.dropped.total()} ({numbered(self.dropped)})" if self.dropped else ""
        return f"read {counted(self.texts, 'raw text')}: kept {self.kept} of {counted(self.made, 'sentence')}{dropped}"

    def as_row(self) -> dict[str, Any]:
        """Return the counts as they are written to a manifest."""
        return asdict(self) | {"dropped": dict(sorted(self.dropped.items()))}

    @property
    def advice(self) -> str | None:
        """What to try if more than half of the sentences were dropped; else None."""
        if 2 * self.kept >= self.made:
            return None
        return "most raw sentences were dropped: --keep_dropped shows them; write one sentence per line"


@dataclass(frozen=True)
class RawSentences:
    """The sentences of raw texts: rows of those that are kept and of those that are dropped, and the counts."""

    rows: list[JsonObject]
    dropped: list[JsonObject]
    counts: RawCounts


def read_raw_texts(path: Path, writing: WritingStyle) -> list[RawText]:
    """Return the texts of a file with one sentence per line, or of JSON Lines with a "text" (a string, or tokens).

    Raises ValueError that names the file and the line if it cannot be read.
    """
    texts: list[RawText] = []
    with open_input(path) as file:
        lines = (line for _, _, line in bounded_lines(file))
        first = next(lines, b"")
        for line, row in parse_texts(chain([first] if first else [], lines), str(path), form_of(path.name, first)):
            try:
                text, tokens = _text(row, writing)
            except ValueError as error:
                raise ValueError(f"{path}:{line}: {error}") from None
            if text.strip():
                texts.append(RawText(len(texts) + 1, text, tokens))
    if not texts:
        raise ValueError(f"--raw: {path} contains no text: write one sentence per line")
    return texts


def clean_raw_texts(texts: Iterable[RawText], cleaner: Cleaner, copies: CopyFinder) -> RawSentences:
    """Return the sentences of raw texts that are written like the dataset and copy nothing; they join the `copies`.

    A sentence's id is the number of its text; the second sentence of a long text that was cut is `raw-17-2`.
    """
    whole, cut = _raw_cleaners(cleaner)
    rows: list[JsonObject] = []
    dropped: list[JsonObject] = []
    reasons: Counter[str] = Counter()
    number = 0
    for number, raw in enumerate(texts, start=1):  # noqa: B007  # the last number is counted
        for part, piece in enumerate(_pieces(raw, whole, cut), start=1):
            id_ = raw_id(raw.number, part)
            reason = piece.reason or copies.reason(piece.tokens) or _quality_reason(piece, cleaner.writing)
            if reason:
                reasons[reason] += 1
                dropped.append({"id": id_, "text": piece.text, "reason": reason})
            else:
                copies.add(piece.tokens)
                rows.append({"id": id_, "text": list(piece.tokens), "entities": [], "synthetic": True, "raw": True})
    return RawSentences(rows, dropped, RawCounts(number, len(rows) + len(dropped), len(rows), reasons))


def raw_id(number: int, part: int = 1) -> str:
    """Return the id of a sentence of raw text: the first part, or a later one, of the text with a number.

    >>> raw_id(17), raw_id(17, 2)
    ('raw-17', 'raw-17-2')
    """
    return f"{RAW}-{number}" if part == 1 else f"{RAW}-{number}-{part}"


def _text(row: JsonObject, writing: WritingStyle) -> tuple[str, tuple[str, ...] | None]:
    """Return the text of a row and, if the row has them, its tokens; raise ValueError if the row is not valid."""
    given = row.get("text")
    tokens = sentence_from_row({"text": given, "entities": []}, id="", tokenisation=WORDS).tokens
    return (given, None) if isinstance(given, str) else (writing.written(tokens), tokens)


def _raw_cleaners(cleaner: Cleaner) -> tuple[Cleaner, Cleaner]:
    """Return the cleaner of texts that are one sentence each, and that of texts to cut.

    Nobody asked for raw text: so it has no preambles or remarks about a task, and no echoes of a prompt.
    """
    template = KnownTexts(tokenisation=cleaner.writing.tokenisation)
    lines = replace(cleaner.writing.lines, keeps_preambles=True)
    rules = tuple(rule for rule in cleaner.writing.rules if rule.reason not in get_args(Remark))
    writing = replace(cleaner.writing, lines=lines, rules=rules)
    cut = replace(cleaner, writing=writing, labels=(), template=template, entities_line="")
    return replace(cut, writing=writing.without_cuts()), cut


def _pieces(raw: RawText, whole: Cleaner, cut: Cleaner) -> Iterator[Piece]:
    """Yield the sentences of a text: the text itself or, if it is too long, its sentences. Given words are kept."""
    pieces = list(whole.pieces(raw.text))
    if any(piece.reason == "too long" for piece in pieces):
        pieces = list(cut.pieces(raw.text))
    is_unchanged = [(piece.text, piece.reason) for piece in pieces] == [(raw.text, None)]
    if raw.tokens is not None and is_unchanged and not whole.writing.tokenisation.is_dense:
        pieces = [replace(pieces[0], tokens=raw.tokens)]
    yield from pieces


def _quality_reason(piece: Piece, writing: WritingStyle) -> str | None:
    repeated = repeated_share(piece.tokens, tokenisation=writing.tokenisation)
    return "repeats itself" if repeated > writing.max_repeated else None
