"""The lines of a journal: one answer each, read so that a damaged line does not cost the others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from utils.files.compressed import MAX_LINE, MIB, bounded_lines
from utils.files.jsonl import JsonObject

SETTINGS = "settings"  # key of the answers' settings, in the first line of a journal
PADDING = b"\0 \t\r\n"  # a power cut can leave zeros before or after a complete line
START = b'{"id": '  # of every line that `Journal` wrote
MAX_TOKENS = 10**9  # far above the context of any model; a larger number is an error of the server
KEPT = 1000  # bytes of a line that is too long
FINGERPRINT = re.compile("[0-9a-f]{64}")
SAME_CHARACTERS = 16  # of 64, at the start or at the end of a damaged fingerprint; never equal for other settings

AnswerKey = tuple[str, str, str, int]  # sentence id, task, input hash, sample


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer of an LLM, and the question that it answers."""

    id: str  # of the sentence
    task: str  # a Task (utils/dataset/modes.py)
    input: str  # SHA-256 of the sentence's part of the prompt
    fingerprint: str  # of the model, prompt and decoding
    answer: str
    finish: str  # stop, or length if it reached max_new_tokens
    prompt_tokens: int
    answer_tokens: int
    sample: int = 0  # number of the answer, if a question is asked several times
    thought_tokens: int = 0  # of the answer's tokens; in the file only if there are any

    @property
    def key(self) -> AnswerKey:
        return self.id, self.task, self.input, self.sample


FIELD_TYPES = {field.name: {"str": str, "int": int}[str(field.type)] for field in fields(Entry)}
OPTIONAL = {"sample", "thought_tokens"}
TOKEN_COUNTS = ("prompt_tokens", "answer_tokens", "thought_tokens")


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of a journal: an answer, or the reason why there is none."""

    number: int
    start: int  # its position in the file, in bytes
    data: bytes  # as in the file, with its line end
    entry: Entry | None = None
    settings: JsonObject | None = None
    damage: str = ""


def token_count(value: object) -> int:
    """Return a number of tokens as it was reported; 0, which means unknown, if it cannot be such a number.

    >>> token_count(12), token_count(12.0), token_count(True), token_count(float("inf")), token_count("12")
    (12, 12, 0, 0, 0)
    """
    is_whole = type(value) is int or (isinstance(value, float) and value.is_integer())  # a bool is an int, too
    return int(value) if is_whole and 0 <= value <= MAX_TOKENS else 0  # type: ignore[call-overload, operator]


def read_lines(path: Path) -> Iterator[JournalLine]:
    """Yield the lines of a journal that are not empty."""
    with path.open("rb") as file:
        for number, start, data in bounded_lines(file):
            if len(data) > MAX_LINE:
                yield JournalLine(number, start, data[:KEPT] + b"\n", damage=f"longer than {MAX_LINE // MIB} MiB")
            elif not data.isspace():
                yield read_line(data, number, start)


def looks_like_answer(line: JournalLine) -> bool:
    """Return whether a damaged line seems to come from a journal, and not from another file."""
    text = line.data.strip(PADDING)
    if not line.data.endswith(b"\n"):  # written in part
        return bool(text) and (text.startswith(START) or START.startswith(text))
    return b'"fingerprint"' in text and b'"answer"' in text


def is_fingerprint(text: str) -> bool:
    """Return whether a text has the form of a fingerprint."""
    return bool(FINGERPRINT.fullmatch(text))


def is_damaged_copy(found: str, own: str) -> bool:
    """Return whether a fingerprint is `own` with wrong characters, and not that of other settings."""
    return found[:SAME_CHARACTERS] == own[:SAME_CHARACTERS] or found[-SAME_CHARACTERS:] == own[-SAME_CHARACTERS:]


def read_line(data: bytes, number: int, start: int) -> JournalLine:
    """Return a line with its answer, or with the reason why there is none."""
    try:
        row = _parse(data)
        settings = row.pop(SETTINGS, None)
        entry = _entry(row)
    except _DamageError as error:
        return JournalLine(number, start, data, damage=str(error))
    return JournalLine(number, start, data, entry, settings if isinstance(settings, dict) else None)


class _DamageError(Exception):
    """A line is not an answer; the message is the reason."""


def _parse(data: bytes) -> JsonObject:
    """Return the JSON object of a line; raise _DamageError if it has none."""
    if not data.endswith(b"\n"):
        raise _DamageError("incomplete")
    try:
        row = json.loads(data.strip(PADDING).decode().removeprefix("\ufeff"))
    except UnicodeDecodeError:
        raise _DamageError("not UTF-8") from None
    except (ValueError, RecursionError):
        raise _DamageError("NUL characters" if b"\0" in data else "not valid JSON") from None
    if not isinstance(row, dict):
        raise _DamageError("not a JSON object")
    return row


def _entry(row: JsonObject) -> Entry:
    """Return the answer of an object; raise _DamageError if it is not one."""
    for name in TOKEN_COUNTS:
        if type(row.get(name)) is not int or not 0 <= row[name] <= MAX_TOKENS:
            row[name] = token_count(row.get(name))  # earlier versions wrote what a server sent
    if row.keys() - FIELD_TYPES.keys():
        raise _DamageError(f"the key {min(row.keys() - FIELD_TYPES.keys())!a} is unknown")
    for name, kind in FIELD_TYPES.items():
        if name not in row:
            if name not in OPTIONAL:
                raise _DamageError(f'"{name}" is missing')
        elif type(row[name]) is not kind:
            raise _DamageError(f'"{name}" has a value of the wrong type')
    return Entry(**row)
