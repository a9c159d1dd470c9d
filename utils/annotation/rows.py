"""The lines of s1 and s3: the items that an LLM found in each sentence, and its raw answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from utils.annotation.voting import VotedItem
from utils.dataset.modes import Mode
from utils.parsing import ITEM_KEYS, Item, as_text

Status = Literal["ok", "unreadable", "skipped"]


@dataclass(frozen=True)
class AnnotationRow:
    """A line of s1 or s3."""

    id: str | None  # None: a line of the first implementation that matches no sentence
    text: Sequence[str]  # the tokens of the sentence
    mode: Mode
    items: Sequence[Item]
    answers: Sequence[str]  # as the LLM gave them
    status: Status

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> AnnotationRow:
        """Return the row of a JSON object; raise ValueError if a key is missing or has a wrong value."""
        try:
            hash(row["id"])  # a list or an object is not an id
            keys = ITEM_KEYS[row["mode"]]
            return cls(
                id=row["id"],
                text=tuple(row["text"]),
                mode=row["mode"],
                items=[_item(item, keys) for item in row["items"]],
                answers=tuple(row.get("answers", ())),
                status=row["status"],
            )
        except KeyError as error:
            raise ValueError(f"this is not a line that s1 or s3 wrote ({error} is missing or not known)") from None
        except TypeError:
            raise ValueError("this is not a line that s1 or s3 wrote (a value has the wrong type)") from None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of the row. Items that were chosen by vote include their position and score."""
        return {
            "id": self.id,
            "text": list(self.text),
            "mode": self.mode,
            "items": [_item_to_json(item, self.mode) for item in self.items],
            "answers": list(self.answers),
            "status": self.status,
        }


def _item(row: Mapping[str, Any], keys: tuple[str, str]) -> Item:
    text, label = row[keys[0]], row[keys[1]]
    if type(text) is not str or type(label) is not str:  # never in lines that s1 or s3 wrote
        text, label = as_text(text), as_text(label)
    return VotedItem(text, label, row["start"], row["end"], row["score"]) if "score" in row else Item(text, label)


def _item_to_json(item: Item, mode: Mode) -> dict[str, Any]:
    text, label = ITEM_KEYS[mode]
    row: dict[str, Any] = {text: item.text, label: item.label}
    if isinstance(item, VotedItem):
        row |= {"start": item.start, "end": item.end, "score": item.score}
    return row
