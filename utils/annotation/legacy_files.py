"""The lines of s1 and s3 as rows, those of an earlier implementation (`sentence<TAB>answer`) too."""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from utils.annotation.answers import answer_row, read_answers
from utils.dataset.modes import Mode
from utils.dataset.records import Sentence
from utils.files.jsonl import decode, read_rows

log = logging.getLogger(__name__)


def read_answer_rows(path: Path, mode: Mode, sentences: Sequence[Sentence]) -> Iterable[tuple[int, dict[str, Any]]]:
    """Return the number and the row of each line of s1 or s3.

    An earlier implementation's line is matched by its text to the sentences, whatever its place, and its answer is
    read; a line that answers none of them becomes a row whose id is None. A sentence that no line answers has no row.
    """
    return _old_rows(path, mode, sentences) if _is_old(path) else read_rows(path)


def _is_old(path: Path) -> bool:
    """Tell whether the first line of a file has a tab and is no JSON."""
    with path.open("rb") as file:
        first = next((line for line in file if line.strip()), b"")
    if b"\t" not in first:
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return True
    return False


def _old_rows(path: Path, mode: Mode, sentences: Sequence[Sentence]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of the sentences that are answered, in their order, and then those of the lines left over."""
    by_text: dict[str, list[Sentence]] = defaultdict(list)
    for sentence in sentences:
        by_text[_key("".join(sentence.tokens))].append(sentence)
    answers: dict[str, list[tuple[int, str]]] = defaultdict(list)
    strays = []
    for number, text, answer in _old_lines(path, by_text):
        if _key(text) in by_text:
            answers[_key(text)].append((number, answer))
        else:
            strays.append(
                (number, {"id": None, "text": text, "mode": mode, "items": [], "answers": [answer], "status": "ok"})
            )
    log.info("%s: lines of an earlier implementation, matched by their text", path)
    if strays:
        log.warning(
            "%s: %d lines answer no sentence and are left out; the first is line %d", path, len(strays), strays[0][0]
        )
    passed: Counter[str] = Counter()
    for sentence in sentences:
        key = _key("".join(sentence.tokens))
        if found := answers.get(key):  # a text that stands there twice takes one line after the other, the last again
            number, answer = found[min(passed[key], len(found) - 1)]
            passed[key] += 1
            yield number, _row(sentence, answer, mode)
    yield from strays


def _old_lines(path: Path, texts: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """Yield the number, the sentence and the answer of each line.

    A line is parted at its first tab or, where what stands before it is no sentence, at the first one that parts a
    sentence off. A line without a tab goes on with the answer before it. Only a line feed ends a line.
    """
    known = frozenset(texts)
    pending: tuple[int, str, str] | None = None
    for number, line in enumerate(decode(path.read_bytes(), str(path)).split("\n"), start=1):
        if "\t" not in line:
            if pending is not None:
                pending = (*pending[:2], f"{pending[2]}\n{line}")
            continue
        if pending is not None:
            yield _stripped(pending)
        tabs = [index for index, character in enumerate(line) if character == "\t"]
        at = next((tab for tab in tabs if _key(line[:tab]) in known), tabs[0])
        pending = number, line[:at], line[at + 1 :]
    if pending is not None:
        yield _stripped(pending)


def _stripped(line: tuple[int, str, str]) -> tuple[int, str, str]:
    return line[0], line[1], line[2].removesuffix("\n").removesuffix("\r")


def _row(sentence: Sentence, answer: str, mode: Mode) -> dict[str, Any]:
    return answer_row(sentence, mode, read_answers([answer], sentence, mode, None))


def _key(text: str) -> str:
    return "".join(text.split())
