"""The corrections of a patch file, which report.py --html exports and s5 and s8 apply.

One JSON object a line. A correction names its sentence by id and text, and its span by offsets and label:

    {"id": "17", "text": ["邓", "超"], "action": "wrong", "span": {"start": 0, "end": 2, "entity": "PER"}}
    {"id": "17", "text": […], "action": "relabel", "span": {…}, "to": {"entity": "LOC"}}
    {"id": "17", "text": […], "action": "move", "span": {…}, "to": {"start": 0, "end": 3}}
    {"id": "17", "text": […], "action": "add", "to": {"start": 0, "end": 2, "entity": "PER"}}
    {"id": "17", "text": […], "action": "drop"}

A "span" may also have its "origin"; null is that of the dataset's own spans.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from utils.dataset.records import Span
from utils.dataset.tokens import without_spaces
from utils.files.jsonl import JsonObject, read_rows
from utils.files.manifest import hash_file
from utils.wording import counted

Action = Literal["wrong", "relabel", "move", "add", "drop"]
ACTIONS: tuple[Action, ...] = get_args(Action)
ANY_ORIGIN = "any"  # a span without the key "origin"; null is a span of the dataset


@dataclass(frozen=True, slots=True)
class Correction:
    """One line of a patch file."""

    line: int
    id: str
    text: str | tuple[str, ...]  # of the sentence; a string is compared without spaces
    action: Action
    span: Span | None = None  # the span that is wrong, or has another label or other bounds; its origin may be "any"
    to: Span | None = None  # the span that there should be

    def fits_text(self, tokens: Sequence[str]) -> bool:
        """Return whether a sentence has the text that was corrected."""
        if isinstance(self.text, str):
            return without_spaces(self.text) == without_spaces("".join(tokens))
        return self.text == tuple(tokens)

    def names(self, span: Span) -> bool:
        """Return whether the correction is about a span of its sentence."""
        wanted = self.span
        return wanted is not None and span.key == wanted.key and wanted.origin in (ANY_ORIGIN, span.origin)


@dataclass(frozen=True)
class Patch:
    """The corrections of a file, by the ids of their sentences."""

    path: Path
    digest: str  # SHA-256 of the file
    by_id: Mapping[str, tuple[Correction, ...]]

    @property
    def drops_originals(self) -> bool:
        """Whether it drops sentences of the dataset, so that a sentence's line no longer is its number."""
        return any(one.action == "drop" for own in self.of_side(synthetic=False).values() for one in own)

    def of_side(self, *, synthetic: bool) -> Mapping[str, tuple[Correction, ...]]:
        """Return the corrections of the original or of the synthetic sentences."""
        return {id_: found for id_, found in self.by_id.items() if is_synthetic_id(id_) == synthetic}


def is_synthetic_id(id_: str) -> bool:
    """Return whether an id is one of a synthetic sentence: "17-2" or "raw-3"; "17" is an original one."""
    return not id_.isdecimal()


def read_patch(path: Path) -> Patch:
    """Return the corrections of a file; raise ValueError that names file and line if one is not valid."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: --patch must name a file of corrections from report.py --html")
    digest = hash_file(path)
    by_id: dict[str, list[Correction]] = {}
    for line, row in read_rows(path):
        try:
            found = _correction(line, row)
        except ValueError as error:
            raise ValueError(f"{path}:{line}: {error}") from None
        by_id.setdefault(found.id, []).append(found)
    return Patch(path, digest, {id_: tuple(own) for id_, own in by_id.items()})


def _correction(line: int, row: JsonObject) -> Correction:
    id_, action = row.get("id"), row.get("action")
    if not isinstance(id_, str) or not re.fullmatch(r"(\d+|raw)(-\d+)*", id_):
        raise ValueError(f'"id" must be the id of a sentence, such as "17" or "17-2"; found {id_!r:.60}')
    if action not in ACTIONS:
        raise ValueError(f'"action" must be one of {", ".join(ACTIONS)}; found {action!r:.60}')
    text = _text(row.get("text"))
    span = _span("span", row.get("span"), {}) if action in ("wrong", "relabel", "move") else None
    to = None
    if action in ("relabel", "move", "add"):
        known = {} if span is None else {"start": span.start, "end": span.end, "entity": span.label}
        to = _span("to", row.get("to"), known)
    for one in (span, to):
        if one is not None and not isinstance(text, str) and one.end > len(text):
            raise ValueError(f"a span ends at {one.end}, but the sentence has {counted(len(text), 'token')}")
    return Correction(line, id_, text, action, span, to)


def _text(value: Any) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(token, str) for token in value):
        return tuple(value)
    raise ValueError('"text" must be the tokens of the sentence, or its text')


def _span(key: str, value: Any, known: Mapping[str, Any]) -> Span:
    """Return the span of a JSON object; keys that it lacks are taken from `known`."""
    if not isinstance(value, dict):
        raise ValueError(f'"{key}" must be an object such as {{"start": 0, "end": 2, "entity": "PER"}}')
    start, end, label = ({**known, **value}.get(name) for name in ("start", "end", "entity"))
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        raise ValueError(f'"{key}": "start" and "end" must be offsets of tokens with start < end')
    if not isinstance(label, str) or not label.strip() or label == "O":
        raise ValueError(f'"{key}": "entity" must be a label other than O, found {label!r:.60}')
    origin = value.get("origin", ANY_ORIGIN)
    if origin is not None and not isinstance(origin, str):
        raise ValueError(f'"{key}": "origin" must be a text or null, found {origin!r:.60}')
    return Span(start, end, label, origin)
