"""Few-shot examples ("shots"): annotated sentences that a prompt shows with their answers (s1, s3)."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from utils.dataset.modes import Mode
from utils.dataset.records import Sentence, Span
from utils.dataset.tokens import Tokenisation, same_text_key
from utils.prompts import Prompt
from utils.wording import counted

log = logging.getLogger(__name__)

NO_SHOTS: dict[Mode, str] = {
    "entity": "has an annotated entity",
    "pos": "has gold spans that are its words with their parts of speech",
    "target": "has an annotated entity",
}


@dataclass(frozen=True)
class Shot:
    """A sentence and its answer, as a prompt shows them."""

    key: str  # equal for sentences with the same text
    text: str  # both, in a prompt that is one message
    sentence: str = ""
    answer: str = ""


@dataclass(frozen=True)
class Shots:
    """The shots of one run, in the order in which prompts show them."""

    drawn: Sequence[Shot]  # one more than `number`, since a prompt leaves out the sentence that it asks about
    number: int
    seed: int

    def shown_for(self, sentence: Sentence) -> list[Shot]:
        """Return the shots in the prompt for a sentence; never the sentence itself."""
        key = same_text_key(sentence.tokens)
        return [shot for shot in self.drawn if shot.key != key][: self.number]

    def text_for(self, sentence: Sentence) -> str:
        """Return the text of the shots in the prompt for a sentence, each after an empty line."""
        return "".join(f"\n{shot.text}" for shot in self.shown_for(sentence))

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the settings that belong to a result's fingerprint."""
        return {"number": self.number, "seed": self.seed}


@dataclass(frozen=True)
class ShotFormat:
    """How an annotated sentence is written as a shot."""

    prompt: Prompt  # with {sentence} and {answer}
    keys: tuple[str, str]  # of an item's text and label
    display_name: Callable[[str], str]  # the name of a target label in the prompt
    tokenisation: Tokenisation

    def shot(self, sentence: Sentence, spans: Sequence[Span]) -> Shot:
        """Return a sentence as a shot whose answer contains the given spans."""
        tokens = sentence.tokens
        mentions = [(self.tokenisation.join(tokens[span.start : span.end]), span.label) for span in spans]
        items = [
            dict(zip(self.keys, (text, self.display_name(label)), strict=True))
            for text, label in dict.fromkeys(mentions)
        ]
        values = {
            "sentence": self.tokenisation.join(tokens),
            "answer": json.dumps(items, ensure_ascii=False, separators=(",", ":")),
        }
        return Shot(same_text_key(tokens), self.prompt.fill(values), **values)


def choose_shots(pool: Sequence[Sentence], mode: Mode, shot_format: ShotFormat, *, number: int, seed: int) -> Shots:
    """Return shots drawn from `pool`: sentences with gold entities or, for `pos`, sentences whose gold spans are words.

    Raises ValueError if there is no such sentence.
    """
    spans_of: dict[Mode, Callable[[Sentence], Sequence[Span]]] = {
        "entity": lambda sentence: sentence.gold_spans,
        "pos": _words,
        "target": sorted_gold_spans,
    }
    shots: dict[str, Shot] = {}
    for sentence in pool:
        if spans := spans_of[mode](sentence):
            shot = shot_format.shot(sentence, spans)
            shots.setdefault(shot.key, shot)
    if not shots:
        raise ValueError(
            f"--shots={number}: none of the smallest size's sentences ({len(pool)}) {NO_SHOTS[mode]}: use --shots=0"
        )
    if len(shots) <= number:
        log.info(
            "--shots=%d: only %s of the smallest size can be shown as examples; no more are used",
            number,
            counted(len(shots), "sentence"),
        )
    drawn = random.Random(seed).sample(list(shots.values()), min(number + 1, len(shots)))
    return Shots(tuple(drawn), number, seed)


def sorted_gold_spans(sentence: Sentence) -> Sequence[Span]:
    """Return the gold spans of a sentence by position."""
    return sorted(sentence.gold_spans, key=lambda span: (span.start, span.end))


def _words(sentence: Sentence) -> Sequence[Span]:
    """Return the gold spans in order if they are the words of the sentence: each token is in exactly one span."""
    spans = sorted(sentence.gold_spans, key=lambda span: span.start)
    covered = [index for span in spans for index in range(span.start, span.end)]
    return spans if covered == [index for index, token in enumerate(sentence.tokens) if token.strip()] else []
