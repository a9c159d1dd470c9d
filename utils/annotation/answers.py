"""The answers to one sentence as items, and items as lines of s1 and s3 hold them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from utils.annotation.voting import VotedItem, Voting
from utils.dataset.modes import Mode
from utils.dataset.records import Sentence
from utils.parsing import ITEM_KEYS, Item, as_text, read_answer
from utils.placing import PlacedAnswer, place_entities, place_words


@dataclass(frozen=True)
class Findings:
    """What was found in the answers to one sentence."""

    answers: Sequence[str]
    readable: bool  # at least one answer
    items: Sequence[Item]  # with votes, the elected ones
    read: int  # items in all answers
    lost: int  # of them, those that do not stand in the sentence
    outvoted: int = 0  # spans that too few answers mark


def read_answers(answers: Sequence[str], sentence: Sentence, mode: Mode, voting: Voting | None) -> Findings:
    """Return what the answers to a sentence hold and, with `voting`, what enough of them agree on."""
    text = " ".join(sentence.tokens)
    readings = [read_answer(answer, mode, text) for answer in answers]
    placements = [place_items(items or [], sentence.tokens, mode) for items in readings]
    items = [item for reading in readings for item in reading or []]
    election = voting.elect([placement.placed for placement in placements]) if voting else None
    return Findings(
        answers=answers,
        readable=any(reading is not None for reading in readings),
        items=election.items if election else items,
        read=len(items),
        lost=sum(len(placement.lost) for placement in placements),
        outvoted=election.outvoted if election else 0,
    )


def place_items(items: Sequence[Item], tokens: Sequence[str], mode: Mode) -> PlacedAnswer:
    """Return where items stand in their sentence: where votes put them, or where they are found."""
    voted = [item for item in items if isinstance(item, VotedItem)]
    others = [item for item in items if not isinstance(item, VotedItem)]
    found = (place_entities if mode == "entity" else place_words)(others, tokens)
    return PlacedAnswer([*(item.placed for item in voted), *found.placed], found.lost)


def items_of(row: dict[str, Any]) -> list[Item]:
    """Return the items of a line of s1 or s3."""
    text, label = ITEM_KEYS[row["mode"]]
    return [_item(item, as_text(item[text]), as_text(item[label])) for item in row["items"]]


def item_rows(items: Iterable[Item], mode: Mode) -> list[dict[str, Any]]:
    """Return items as a line of s1 or s3 holds them; those that were voted on with their place and score."""
    text, label = ITEM_KEYS[mode]
    return [
        {text: item.text, label: item.label}
        | ({"start": item.start, "end": item.end, "score": item.score} if isinstance(item, VotedItem) else {})
        for item in items
    ]


def answer_row(sentence: Sentence, mode: Mode, found: Findings, *, asked: bool = True) -> dict[str, Any]:
    """Return a line of s1 or s3; what was `asked` and has no answer was skipped."""
    status = "ok" if found.readable else "unreadable"
    if not found.answers:
        status = "skipped" if asked else "ok"
    return {
        "id": sentence.id,
        "text": list(sentence.tokens),
        "mode": mode,
        "items": item_rows(found.items, mode),
        "answers": list(found.answers),
        "status": status,
    }


def _item(row: dict[str, Any], text: str, label: str) -> Item:
    return VotedItem(text, label, row["start"], row["end"], row["score"]) if "score" in row else Item(text, label)
