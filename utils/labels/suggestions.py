"""Spellings that no label file knows, as a patch of the files: each under the label of the nearest known spelling."""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import takewhile
from pathlib import Path

from utils.dataset.modes import Mode
from utils.files.jsonl import decode
from utils.labels.normaliser import read_label_names
from utils.labels.spelling import plain

NEAREST = 60  # of 100: a known spelling that is less like an unknown one says nothing about it
ENDING = 30  # what a common ending adds, where it is the whole of both: at the end stands the head


def label_patch(unknown: Iterable[str], modes: Mapping[str, Mode], files: Mapping[Mode, Path]) -> str:
    """Return a unified diff that adds unknown spellings, in their order, to the files of their modes.

    One that is near no known spelling is left out.
    """
    patches = []
    for mode, path in files.items():
        names = read_label_names(path)
        known = {plain(spelling): label for label, spellings in names.items() for spelling in (label, *spellings)}
        additions: dict[str, list[str]] = defaultdict(list)
        for spelling in unknown:
            label = nearest_label(spelling, known) if modes[spelling] == mode else None
            if label:
                additions[label].append(spelling)
        patches.append(_diff(path, additions))
    return "".join(patches)


def nearest_label(spelling: str, known: Mapping[str, str]) -> str | None:
    """Return the label of the known spelling that is most like another one; None where none is near."""
    from rapidfuzz import fuzz, process  # it may load numpy, which a merge does without

    key = plain(spelling)
    near = process.extract(key, list(known), scorer=fuzz.ratio, limit=20, score_cutoff=NEAREST - ENDING)
    scored = [(score + ENDING * _common_ending(key, other), other) for other, score, _ in near]
    score, other = max(scored, default=(0.0, ""))
    return known[other] if score >= NEAREST else None


def _common_ending(one: str, other: str) -> float:
    """Return how much of the longer spelling is an ending of both."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return common / max(1, len(one), len(other))


def _diff(path: Path, additions: Mapping[str, list[str]]) -> str:
    before = decode(path.read_bytes(), str(path))
    after = before
    for label, spellings in additions.items():
        after = _with_spellings(after, label, spellings)
    here, full = Path.cwd(), path.resolve()
    name = (full.relative_to(here) if full.is_relative_to(here) else full).as_posix().lstrip("/")
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", n=1)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _with_spellings(text: str, label: str, spellings: list[str]) -> str:
    """Return the text of a label file with spellings behind those of a label; all else stays as it is written."""
    start = text.index("[", text.index(f"{json.dumps(label, ensure_ascii=False)}:"))
    listed, end = json.JSONDecoder().raw_decode(text, start)
    last = len(text[: end - 1].rstrip())
    new = ", ".join(json.dumps(spelling, ensure_ascii=False) for spelling in spellings)
    return f"{text[:last]}{', ' if listed else ''}{new}{text[last:]}"
