"""Items, and candidates: items whose two parts are read, before it is known which part is the label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from utils.dataset.modes import Mode
from utils.parsing.context import Context

# The keys that the prompts ask for: the key of an item's text, and the key of its label.
ITEM_KEYS: dict[Mode, tuple[str, str]] = {
    "entity": ("entity", "type"),
    "pos": ("word", "pos"),
    "target": ("entity", "type"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """A text that an LLM annotated, and the label that it gave ("" where it gave none)."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class ItemCandidate:
    """An item as it was read from an answer.

    Kind "item": keys or columns name the two parts. Kind "pair": only the order of the parts suggests which one is
    the label (`{"北京": "地名"}`). Kind "listed": such a pair from a list after its label (`地名：北京、上海`). Kind
    "bare": a string without a label.
    """

    text: str
    label: str
    kind: Literal["item", "pair", "listed", "bare"] = "item"

    @property
    def can_swap(self) -> bool:
        """Whether the label may be the text, and the text the label."""
        return self.kind in ("pair", "listed") and self.label != ""

    def swapped(self) -> ItemCandidate:
        """Return the candidate with its text and its label exchanged."""
        return ItemCandidate(self.label, self.text, self.kind)


def in_one_order(candidates: Sequence[ItemCandidate], *, labels_first: bool = False) -> list[ItemCandidate]:
    """Return the candidates, with all pairs swapped if one of them is listed after its label."""
    if not labels_first and not any(one.kind == "listed" for one in candidates):
        return list(candidates)
    named = [one for one in candidates if one.kind != "pair" or one.label]  # not {"LOC": ""}
    return [ItemCandidate(one.label, one.text, "listed") if one.kind == "pair" else one for one in named]


def orient(candidates: Sequence[ItemCandidate], context: Context) -> list[ItemCandidate]:
    """Return the candidates, with all pairs swapped where more labels than texts are in the sentence.

    Without a sentence, pairs are swapped where there are more distinct labels than texts
    (`{"PER": "Ito"}, {"PER": "Sato"}`).
    """
    pairs = [candidate for candidate in candidates if candidate.can_swap]
    if context.sentence is not None:
        texts = sum(context.contains(pair.text) for pair in pairs)
        labels = sum(context.contains(pair.label) for pair in pairs)
    else:
        texts = len({pair.text for pair in pairs})
        labels = len({pair.label for pair in pairs}) if context.mode == "entity" else 0
    if labels <= texts:
        return list(candidates)
    named = [candidate for candidate in candidates if candidate.kind != "pair" or candidate.label]
    return [candidate.swapped() if candidate.can_swap else candidate for candidate in named]
