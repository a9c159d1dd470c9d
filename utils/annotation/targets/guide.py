"""Label guides: what each target label means, as a prompt shows it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from utils.dataset.records import Sentence
from utils.dataset.tokens import Tokenisation
from utils.files.jsonl import read_json

MAX_DRAFTED = 5  # examples of a label in a draft
MAX_LENGTH = 60  # characters of an example in a draft; longer ones would fill the prompt
FORM = '{"PER": {"definition": "names of persons", "examples": ["Ito"]}}'


@dataclass(frozen=True)
class LabelNote:
    """What a guide says about one label."""

    definition: str
    examples: tuple[str, ...]

    def __str__(self) -> str:
        examples = ", ".join(json.dumps(example, ensure_ascii=False) for example in self.examples)
        return " ".join(filter(None, (self.definition, f"({examples})" if examples else "")))


@dataclass(frozen=True)
class LabelGuide:
    """The notes on all target labels, in the order of labels.txt."""

    notes: Mapping[str, LabelNote]

    @property
    def text(self) -> str:
        """Return a line for each label."""
        return "\n".join(f"- {label}: {note}".rstrip(": ") for label, note in self.notes.items())

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the notes for the fingerprint of a result."""
        return {label: {**asdict(note), "examples": list(note.examples)} for label, note in self.notes.items()}


def draft_guide(labels: Sequence[str], sentences: Iterable[Sentence], tokenisation: Tokenisation) -> LabelGuide:
    """Return a guide without definitions; the examples of each label are its most frequent gold mentions."""
    mentions: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        for span in sentence.gold_spans:
            mention = tokenisation.join(sentence.tokens[span.start : span.end])
            if len(mention) <= MAX_LENGTH:
                mentions[span.label][mention] += 1
    frequent = {label: [mention for mention, _ in mentions[label].most_common(MAX_DRAFTED)] for label in labels}
    return LabelGuide({label: LabelNote("", tuple(frequent[label])) for label in labels})


def read_guide(path: Path, draft: LabelGuide) -> LabelGuide:
    """Return the guide in a JSON file; labels that are not in the file have the note of the draft.

    Raises FileNotFoundError if the file is missing, and ValueError if it is not a guide for the labels of the draft.
    """
    if not path.is_file():
        raise FileNotFoundError(f"--label_guide: {path} is missing: it must be a JSON file such as {FORM}")
    rows = read_json(path)
    if not isinstance(rows, dict):
        raise ValueError(f"--label_guide: {path} must be a JSON object such as {FORM}")
    for label in rows:
        if label not in draft.notes:
            known = ", ".join(draft.notes)
            raise ValueError(f"--label_guide: {path}: {label!r} is not a label of the dataset ({known})")
    notes = {label: _note(row, label, path) for label, row in rows.items()}
    return LabelGuide({**draft.notes, **notes})


def _note(row: Any, label: str, path: Path) -> LabelNote:
    """Return the note of a row, which may be only a definition."""
    row = {"definition": row} if isinstance(row, str) else row
    definition, examples = (row.get("definition", ""), row.get("examples", [])) if isinstance(row, dict) else (None, [])
    is_list = isinstance(examples, list) and all(isinstance(example, str) for example in examples)
    if not isinstance(definition, str) or not is_list or row.keys() - {"definition", "examples"}:
        raise ValueError(f"--label_guide: {path}: the entry of {label!r} must have the form of {FORM}")
    return LabelNote(" ".join(definition.split()), tuple(examples))
