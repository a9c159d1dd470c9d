"""Suggestions: a patch that adds unknown spellings to the label files, each to the label of the nearest known one."""

from __future__ import annotations

import difflib
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path

from utils.dataset.modes import Mode
from utils.files.jsonl import read_text
from utils.labels.files import read_label_names
from utils.labels.spelling import plain

_LINE = re.compile(r"[^\n]*\n|[^\n]+")

MIN_SIMILARITY = 60  # of 100; a known spelling that is less similar gives no suggestion
ENDING_BONUS = 30  # for two spellings with the same ending, which is the head of a compound; less if only part is


def label_patch(unknown: Mapping[str, Mode], files: Mapping[Mode, Path]) -> str:
    """Return a unified diff that adds unknown spellings, in their order, to the label files of their modes.

    A spelling that is similar to no known one is skipped.
    """
    patches = []
    for mode, path in files.items():
        names = read_label_names(path)
        known = {plain(spelling): label for label, spellings in names.items() for spelling in (label, *spellings)}
        additions: dict[str, list[str]] = defaultdict(list)
        for spelling, spelling_mode in unknown.items():
            label = nearest_label(spelling, known) if spelling_mode == mode else None
            if label:
                additions[label].append(spelling)
        patches.append(_diff(path, additions))
    return "".join(patches)


def nearest_label(spelling: str, known: Mapping[str, str]) -> str | None:
    """Return the label of the most similar known spelling, or None if none is similar enough."""
    from rapidfuzz import fuzz, process  # slow to import: it may load numpy

    key = plain(spelling)
    near = process.extract(key, list(known), scorer=fuzz.ratio, limit=20, score_cutoff=MIN_SIMILARITY - ENDING_BONUS)
    scored = [(score + ENDING_BONUS * _common_ending(key, other), other) for other, score, _ in near]
    score, other = max(scored, default=(0.0, ""))
    return known[other] if score >= MIN_SIMILARITY else None


def _common_ending(one: str, other: str) -> float:
    """Return the length of the common ending, as a share of the longer spelling."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return common / max(1, len(one), len(other))


def _diff(path: Path, additions: Mapping[str, list[str]]) -> str:
    before = read_text(path)
    after = before
    for label, spellings in additions.items():
        after = _with_spellings(after, label, spellings)
    here, full = Path.cwd(), path.resolve()
    name = (full.relative_to(here) if full.is_relative_to(here) else full).as_posix().lstrip("/")
    old, new = (_LINE.findall(text) for text in (before, after))
    lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", n=1)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _with_spellings(text: str, label: str, spellings: list[str]) -> str:
    """Return the text of a label file with spellings added after those of a label; the rest is not changed."""
    start = text.index("[", text.index(f"{json.dumps(label, ensure_ascii=False)}:"))
    listed, end = json.JSONDecoder().raw_decode(text, start)
    last = len(text[: end - 1].rstrip())
    new = ", ".join(_encoded(spelling) for spelling in spellings)
    return f"{text[:last]}{', ' if listed else ''}{new}{text[last:]}"


def _encoded(spelling: str) -> str:
    """Return a spelling in JSON; characters that a terminal would not show are escaped."""
    text = json.dumps(spelling, ensure_ascii=False)
    return "".join(character if character.isprintable() else json.dumps(character)[1:-1] for character in text)
