"""Items, and candidates: items whose two parts are read, before it is known which part is the label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from utils.dataset.modes import Mode
from utils.dataset.tokens import without_spaces

# The keys that the prompts ask for: the key of an item's text, and the key of its label.
ITEM_KEYS: dict[Mode, tuple[str, str]] = {"entity": ("entity", "type"), "pos": ("word", "pos")}

# What models write instead of a text where a label has none.
NOTHING = frozenset(
    (
        "无",
        "無",
        "没有",
        "沒有",
        "暂无",
        "未提及",
        "未知",
        "none",
        "null",
        "nil",
        "n/a",
        "na",
        "なし",
        "該当なし",
        "없음",
    )
)


@dataclass(frozen=True, slots=True)
class Item:
    """A text that an LLM annotated, and the label that it gave ("" where it gave none)."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class ItemCandidate:
    """An item as it was read from an answer.

    Kind "item": keys or columns name the two parts. Kind "pair": only the order of the parts suggests which one is
    the label (`{"北京": "地名"}`). Kind "bare": a string without a label.
    """

    text: str
    label: str
    kind: Literal["item", "pair", "bare"] = "item"

    @property
    def can_swap(self) -> bool:
        """Whether the label may be the text, and the text the label."""
        return self.kind == "pair" and self.label != ""

    def swapped(self) -> ItemCandidate:
        """Return the candidate with its text and its label exchanged."""
        return ItemCandidate(self.label, self.text, "pair")


def orient(candidates: Sequence[ItemCandidate], sentence: str | None, mode: Mode) -> list[ItemCandidate]:
    """Return the candidates, with all pairs swapped where more labels than texts are in the sentence.

    Without a sentence, pairs are swapped where there are more distinct labels than texts
    (`{"PER": "Ito"}, {"PER": "Sato"}`).
    """
    pairs = [candidate for candidate in candidates if candidate.can_swap]
    if sentence is not None:
        plain_sentence = _plain(sentence)
        texts = sum(_plain(pair.text) in plain_sentence for pair in pairs)
        labels = sum(_plain(pair.label) in plain_sentence for pair in pairs)
    else:
        texts = len({pair.text for pair in pairs})
        labels = len({pair.label for pair in pairs}) if mode == "entity" else 0
    if labels <= texts:
        return list(candidates)
    return [candidate.swapped() if candidate.can_swap else candidate for candidate in candidates]


def _plain(text: str) -> str:
    return without_spaces(text).casefold()
