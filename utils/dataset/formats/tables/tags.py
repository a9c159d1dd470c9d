"""Tags of tokens (BIO, BIOES, BMES, BILOU, IO) as spans, and spans as tags."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from utils.dataset.records import Span

Scheme = Literal["bio", "bioes", "bmes"]

NO_LABEL = "ENTITY"  # of tags without a label: B, I and O alone
OUTSIDE = ("O", "o", "")
BROKEN = "does not continue the one before it: read as seqeval does, as the start of a span"  # why a tag is counted

_PREFIXED = re.compile(r"([BIESMLU])[-_](.+)|([BIESMLU])", re.DOTALL)
_SUFFIXED = re.compile(r"(.+)[-_]([BIESMLU])", re.DOTALL)
_AS_BIOES = {"M": "I", "L": "E", "U": "S"}  # of BMES and BILOU
# Position of the first, middle, last and single token of a span.
_PARTS: dict[Scheme, tuple[str, str, str, str]] = {
    "bio": ("B", "I", "I", "B"),
    "bioes": ("B", "I", "E", "S"),
    "bmes": ("B", "M", "E", "S"),
}


@dataclass(frozen=True, slots=True)
class TagReader:
    """Reads the tags of a file: with a prefix (B-PER), with a suffix (PER-B), or labels alone (PER)."""

    form: Literal["prefix", "suffix", "label"]

    @classmethod
    def of(cls, tags: Iterable[str]) -> TagReader:
        """Return the reader for the tags of a file: the form that most of the tags have."""
        counts = Counter(tag for tag in tags if tag not in OUTSIDE)
        prefixed = sum(number for tag, number in counts.items() if _PREFIXED.fullmatch(tag))
        suffixed = sum(number for tag, number in counts.items() if _SUFFIXED.fullmatch(tag))
        if 2 * max(prefixed, suffixed) <= counts.total():
            return cls("prefix" if not counts else "label")
        return cls("prefix" if prefixed >= suffixed else "suffix")

    def parts(self, tag: str) -> tuple[str, str]:
        """Return the position (B, I, E, S or O) and the label of a tag; a tag without a position is an I."""
        if tag in OUTSIDE:
            return "O", ""
        if self.form == "suffix" and (found := _SUFFIXED.fullmatch(tag)):
            return _AS_BIOES.get(found[2], found[2]), found[1]
        if self.form == "prefix" and (found := _PREFIXED.fullmatch(tag)):
            position = found[1] or found[3]
            return _AS_BIOES.get(position, position), found[2] or NO_LABEL
        return "I", tag

    def spans(self, tags: Sequence[str]) -> list[tuple[int, int, str]]:
        """Return (start, end, label) of the spans of a sentence, as seqeval's default mode finds them.

        A span begins at B and S, and at any tag that cannot continue the one before it. So a broken sequence such as
        `O I-PER I-PER` or `B-PER I-LOC` still gives spans.
        """
        spans: list[tuple[int, int, str]] = []
        start, before = -1, ("O", "")
        for index, tag in enumerate([*tags, "O"]):
            current = self.parts(tag)
            if start >= 0 and _ends(before, current):
                spans.append((start, index, before[1]))
                start = -1
            if _starts(before, current):
                start = index
            before = current
        return spans

    def broken(self, tags: Sequence[str]) -> list[int]:
        """Return the indices of the tags that cannot follow the one before them, such as I-PER after O."""
        if self.form == "label":
            return []
        parts = [self.parts(tag) for tag in tags]
        before = [("O", ""), *parts]
        return [
            index
            for index, (left, right) in enumerate(zip(before, parts, strict=False))
            if right[0] in "IE" and (left[0] not in "BI" or left[1] != right[1])
        ]


def _ends(before: tuple[str, str], current: tuple[str, str]) -> bool:
    """Return whether the span of the tag before ends before the current tag."""
    return before[0] in "ES" or current[0] in "BSO" or before[1] != current[1]


def _starts(before: tuple[str, str], current: tuple[str, str]) -> bool:
    """Return whether the current tag begins a span."""
    if current[0] == "O":
        return False
    return current[0] in "BS" or before[0] in "ESO" or before[1] != current[1]


def is_old_bio(readers: TagReader, sentences: Iterable[Sequence[str]]) -> bool:
    """Return whether tags are IOB1, where B is written only between two spans of one label; there, I may begin one."""
    begins = False
    for tags in sentences:
        parts = [readers.parts(tag) for tag in tags]
        for left, right in zip([("O", ""), *parts], parts, strict=False):
            if right[0] in "ES" or (right[0] == "B" and left[1] != right[1]):
                return False
            begins = begins or (right[0] == "I" and left[1] != right[1])
    return begins


def scheme_name(reader: TagReader, tags: Iterable[str]) -> str:
    """Return the name of the scheme for a message: "BIO", "BIOES", "BMES", "BILOU", or "IO" for labels alone."""
    if reader.form == "label":
        return "IO (labels without B- or I-)"
    pattern, group = (_SUFFIXED, 2) if reader.form == "suffix" else (_PREFIXED, 1)
    found = (pattern.fullmatch(tag) for tag in tags if tag not in OUTSIDE)
    used = {match[group] or match[3] for match in found if match}
    name = "BMES" if "M" in used else "BILOU" if used & {"L", "U"} else "BIOES" if used & {"E", "S"} else "BIO"
    return name if used - {"I"} or not used else "IO"


def tags_of(length: int, spans: Iterable[Span], scheme: Scheme) -> list[str]:
    """Return the tags of a sentence with `length` tokens; the spans must not overlap."""
    first, middle, last, single = _PARTS[scheme]
    tags = ["O"] * length
    for span in spans:
        positions = [first, *[middle] * (span.end - span.start - 2), last]
        if span.end - span.start == 1:
            positions = [single]
        tags[span.start : span.end] = [f"{position}-{span.label}" for position in positions]
    return tags
