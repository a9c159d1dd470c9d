"""The sentences and labels of a training, read from files and checked."""

from __future__ import annotations

import logging
import random
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.dataset.held_out import HeldOutTexts
from utils.dataset.reading import read_sentences, tokenisation_of_file
from utils.dataset.records import Sentence
from utils.dataset.sentence_file import SelectedSentences, open_sentences
from utils.dataset.tokens import Tokenisation
from utils.ner.label_files import read_label_file
from utils.ner.label_set import LabelSet
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)

NO_SOURCE = -1  # of sentences of raw text


@dataclass(frozen=True, slots=True)
class NerData:
    """The training sentences, the dev sentences that choose the best model, their labels, and their tokenisation.

    The training sentences may be read from their file each time that they are asked for.
    """

    train: Sequence[Sentence]
    dev: Sequence[Sentence]
    labels: LabelSet
    tokenisation: Tokenisation
    held_out: bool = False  # whether dev was taken from the training file

    def __post_init__(self) -> None:
        for name, sentences in (("training", self.train), ("dev", self.dev)):
            if not any(sentence.tokens for sentence in sentences):
                raise ValueError(f"the {name} data has no sentences")

    @property
    def source(self) -> Iterator[Sentence]:
        """The sentences of the training file, including those held out for dev."""
        yield from self.train
        yield from self.dev if self.held_out else ()


def read_ner_data(
    train: Path,
    dev: Path | None,
    labels: Path,
    *,
    tokenisation: Tokenisation | None,
    seed: int,
    quiet: bool = False,
) -> NerData:
    """Return the data of a training; without a dev file, a tenth of the training sentences is held out and reported.

    With `quiet`, it is not reported.
    """
    known = read_label_file(labels)
    if tokenisation is None:
        tokenisation = tokenisation_of_file(train)
    source = open_sentences(train, labels=known.labels, tokenisation=tokenisation)
    if dev is not None:
        return NerData(
            source, read_sentences(dev, labels=known.targets, tokenisation=tokenisation), known, tokenisation
        )
    rest, chosen = hold_out(source, seed)
    level = logging.DEBUG if quiet else logging.INFO
    log.log(
        level,
        "no dev file: %d of %s %s held out for dev",
        len(chosen),
        counted(len(source), "training sentence"),
        agreeing(len(chosen), "is", "are"),
    )
    if related := len(source) - len(rest) - len(chosen):
        log.log(
            level,
            "%s made from held-out sentences %s dropped",
            counted(related, "synthetic sentence"),
            agreeing(related, "is", "are"),
        )
    return NerData(rest, chosen, known, tokenisation, held_out=True)


def hold_out(sentences: Sequence[Sentence], seed: int) -> tuple[Sequence[Sentence], Sequence[Sentence]]:
    """Hold out a random tenth as dev set; return (the rest, the tenth), each in the given order.

    A tenth of the sentences with spans (at least one) and a tenth of those without are held out. Synthetic sentences
    are not held out, since a model labelled them; those made from a held-out sentence are dropped.
    """
    parts = _Parts.of(sentences)
    annotated, others = parts.annotated, parts.others
    if len(annotated) < 2:
        raise ValueError(
            f"{counted(len(annotated), 'annotated sentence')} {agreeing(len(annotated), 'is', 'are')} too few "
            "to hold out dev data: provide a dev file (--dev)"
        )
    rng = random.Random(seed)
    chosen = {*rng.sample(annotated, max(1, len(annotated) // 10)), *rng.sample(others, len(others) // 10)}
    sources = {parts.sources[index] for index in chosen}
    rest = (
        index
        for index, source in enumerate(parts.sources)
        if index not in chosen and not (parts.synthetic[index] and source in sources)
    )
    return SelectedSentences(sentences, array("q", rest)), SelectedSentences(sentences, array("q", sorted(chosen)))


@dataclass(frozen=True, slots=True)
class _Parts:
    """The kinds of sentences in a training file, by their indices."""

    annotated: array[int]  # original sentences with spans
    others: array[int]  # original sentences without spans
    synthetic: bytearray  # for each sentence: whether it is synthetic
    sources: array[int]  # for each sentence: the number of the original sentence that it is or that it was made from

    @classmethod
    def of(cls, sentences: Sequence[Sentence]) -> _Parts:
        parts = cls(array("q"), array("q"), bytearray(), array("q"))
        position = 0
        for index, sentence in enumerate(sentences):
            parts.synthetic.append(sentence.is_synthetic)
            if sentence.is_synthetic:
                parts.sources.append(NO_SOURCE if sentence.source is None else sentence.source)
                continue
            position += 1
            parts.sources.append(sentence.number or position)  # as "source" in synthetic rows
            (parts.annotated if sentence.spans else parts.others).append(index)
        return parts


def warn_of_leaks(data: NerData, name: str, sentences: Sequence[Sentence]) -> None:
    """Warn if training sentences are, or contain, some of `sentences`, those of the dev or test set called `name`."""
    held_out = HeldOutTexts((one.tokens, number) for number, one in enumerate(sentences))
    leaked = sorted({number for sentence in data.train for number in held_out.find(sentence.tokens)})
    if leaked:
        log.warning(
            "%d of %s %s: scores will be too high; the first is sentence %s",
            len(leaked),
            counted(len(sentences), f"{name} sentence"),
            agreeing(len(leaked), "is also a training sentence", "are also training sentences"),
            sentences[leaked[0]].id,
        )


def warn_of_dev_in_test(data: NerData, test: Sequence[Sentence]) -> None:
    """Warn if dev, which chooses the best model and the threshold, has sentences of test."""
    held_out = HeldOutTexts((one.tokens, one.id) for one in test)
    leaked = [(one.id, found[0]) for one in data.dev if (found := held_out.equal(one.tokens))]
    if leaked:
        log.warning(
            "%d of %s %s also in test: dev chooses the best model, so its test score will be too high; the first is "
            "sentence %s of dev, %s of test: give other sentences with --dev",
            len(leaked),
            counted(len(data.dev), "dev sentence"),
            agreeing(len(leaked), "is", "are"),
            *leaked[0],
        )
