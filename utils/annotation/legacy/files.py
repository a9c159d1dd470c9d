"""Files of the first implementation of s1 and s3: one `sentence<TAB>answer` per line."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from utils.annotation.answers import read_answers
from utils.annotation.rows import AnnotationRow
from utils.dataset.modes import Mode
from utils.dataset.records import Sentence
from utils.dataset.tokens import without_spaces
from utils.files.compressed import bounded_lines
from utils.files.jsonl import read_text
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)


class LegacyLine(NamedTuple):
    """The sentence and the answer of one line; the answer may continue on the following lines."""

    number: int
    text: str
    answer: str


def is_legacy_file(path: Path) -> bool:
    """Return whether the first line of a file has a tab and is not JSON."""
    with path.open("rb") as file:
        first = next((line for _, _, line in bounded_lines(file) if line.strip()), b"")
    if b"\t" not in first:
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return True
    return False


def read_legacy_rows(path: Path, mode: Mode, sentences: Sequence[Sentence]) -> Iterator[tuple[int, AnnotationRow]]:
    """Yield (line number, row) for each sentence that has a line, in the order of the sentences.

    Lines and sentences are matched by their text. The lines that match no sentence follow, as rows without an id.
    """
    keys = [without_spaces("".join(sentence.tokens)) for sentence in sentences]
    lines: dict[str, list[LegacyLine]] = defaultdict(list)
    for line in _read_lines(path, frozenset(keys)):
        lines[without_spaces(line.text)].append(line)
    log.info(
        "%s has the format of the first implementation: its lines are matched to the sentences by their text", path
    )
    strays = sorted(line for key in lines.keys() - set(keys) for line in lines[key])
    if strays:
        log.warning(
            "%s: %s %s; the first is line %d",
            path,
            counted(len(strays), "line"),
            agreeing(len(strays), "matches no sentence and is skipped", "match no sentence and are skipped"),
            strays[0].number,
        )
    for sentence, key in zip(sentences, keys, strict=True):
        if found := lines.get(key):
            # A text that has fewer lines than sentences uses its last line again.
            line = found.pop(0) if len(found) > 1 else found[0]
            yield line.number, read_answers([line.answer], sentence, mode, None).row_of(sentence, mode)
    for line in strays:
        yield line.number, AnnotationRow(None, [line.text], mode, [], [line.answer], "ok")


def _read_lines(path: Path, known: Collection[str]) -> Iterator[LegacyLine]:
    """Yield the lines of a file. Only a line feed ends a line, and a line without a tab continues the answer.

    A text can contain tabs: it ends at the first tab that follows a `known` text, or else at the first tab.
    """
    pending: LegacyLine | None = None
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if "\t" not in line:
            if pending is not None:
                pending = pending._replace(answer=f"{pending.answer}\n{line}")
            continue
        if pending is not None:
            yield _without_line_end(pending)
        tabs = [index for index, character in enumerate(line) if character == "\t"]
        end = next((tab for tab in tabs if without_spaces(line[:tab]) in known), tabs[0])
        pending = LegacyLine(number, line[:end], line[end + 1 :])
    if pending is not None:
        yield _without_line_end(pending)


def _without_line_end(line: LegacyLine) -> LegacyLine:
    return line._replace(answer=line.answer.removesuffix("\n").removesuffix("\r"))
