"""What is read from an answer: a stretch of text, its label, and whether the two might stand the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from utils.dataset.modes import Mode

# The keys of an item as prompts ask for it: of its text, and of its label.
ITEM_KEYS: dict[Mode, tuple[str, str]] = {"entity": ("entity", "type"), "pos": ("word", "pos")}

# What an answer says for "none of this kind".
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
    """A stretch of text that an LLM marked, and the label that it gave it ("" where it gave none)."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Reading:
    """An item as it was read.

    `pair`: nothing but the order says which part is the label (`{"北京": "地名"}`). `bare`: a string by itself.
    """

    text: str
    label: str
    kind: Literal["item", "pair", "bare"] = "item"

    @property
    def can_turn(self) -> bool:
        return self.kind == "pair" and self.label != ""

    def turned(self) -> Reading:
        return Reading(self.label, self.text, "pair")


def orient(readings: Sequence[Reading], sentence: str | None, mode: Mode) -> list[Reading]:
    """Return the readings, pairs turned round where their labels, and not their texts, are the sentence's.

    Without a sentence, pairs are turned where few texts have many labels (`{"PER": "Ito"}, {"PER": "Sato"}`).
    """
    pairs = [reading for reading in readings if reading.can_turn]
    if sentence is not None:
        stands = _bare(sentence)
        texts = sum(_bare(pair.text) in stands for pair in pairs)
        labels = sum(_bare(pair.label) in stands for pair in pairs)
    else:
        texts = len({pair.text for pair in pairs})
        labels = len({pair.label for pair in pairs}) if mode == "entity" else 0
    if labels <= texts:
        return list(readings)
    return [reading.turned() if reading.can_turn else reading for reading in readings]


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()
