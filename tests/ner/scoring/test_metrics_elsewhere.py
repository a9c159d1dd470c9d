"""Scores equal those of seqeval on flat data and a count of cells on nested data, in 1,000 random cases each."""

from __future__ import annotations

import random
import warnings
from collections import Counter

import numpy as np
import pytest
from seqeval.metrics import classification_report

from utils.dataset.records import Span
from utils.ner.scoring.metrics import ScoreReport, score_spans

LABELS = ("PER", "LOC", "ORG")
WORDS = 8
CASES = 1000


def flat(rng: random.Random) -> list[Span]:
    spans, start = [], 0
    while start < WORDS:
        end = rng.randint(start + 1, min(WORDS, start + 3))
        if rng.random() < 0.4:
            spans.append(Span(start, end, rng.choice(LABELS)))
        start = end
    return spans


def flat_sentences(rng: random.Random) -> list[list[Span]]:
    """Return up to five sentences, at least one of them with a span: seqeval cannot score none."""
    sentences = [flat(rng) for _ in range(rng.randint(1, 5))]
    return sentences if any(sentences) else flat_sentences(rng)


def nested(rng: random.Random) -> list[Span]:
    bounds = [(sorted(rng.sample(range(WORDS + 1), 2)), label) for label in LABELS for _ in range(rng.randrange(4))]
    return [Span(start, end, label, score=rng.random()) for (start, end), label in bounds]  # with repetitions


def noisy(rng: random.Random, spans: list[Span], others: list[Span]) -> list[Span]:
    """Return plausible predictions: most spans, some of them with another label, and some wrong spans."""
    kept = [Span(s.start, s.end, rng.choice(LABELS)) if rng.random() < 0.2 else s for s in spans if rng.random() < 0.7]
    taken = [range(one.start, one.end) for one in kept]
    free = [one for one in others if not any(set(range(one.start, one.end)) & set(words) for words in taken)]
    return kept + [one for one in free if rng.random() < 0.5]


def tags(spans: list[Span]) -> list[str]:
    row = ["O"] * WORDS
    for span in spans:
        row[span.start : span.end] = [f"B-{span.label}", *[f"I-{span.label}"] * (span.end - span.start - 1)]
    return row


def figures(report: ScoreReport) -> dict[str, tuple[float, float, float, int]]:
    rows = {**report.per_label, "micro avg": report.micro}
    return {name: (row.precision, row.recall, row.f1, row.gold) for name, row in rows.items() if row.gold}


def test_all_scores_equal_those_of_seqeval_on_flat_data():
    rng = random.Random(0)
    different = 0
    for _ in range(CASES):
        gold = flat_sentences(rng)
        found = [noisy(rng, spans, flat(rng)) for spans in gold]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ratios with divisor 0
            theirs = classification_report([tags(s) for s in gold], [tags(s) for s in found], output_dict=True)
        ours = score_spans(gold, found, LABELS)
        for name, row in figures(ours).items():
            expected = [theirs[name][key] for key in ("precision", "recall", "f1-score", "support")]
            assert row == pytest.approx(expected), name
        macro = [theirs["macro avg"][key] for key in ("precision", "recall", "f1-score")]
        assert list(ours.macro().values()) == pytest.approx(macro)
        different += 0 < ours.micro.f1 < 1
    assert different > 0.8 * CASES  # few cases are trivial


def test_all_scores_equal_a_count_of_cells_on_nested_data():
    rng = random.Random(1)
    different = 0
    for _ in range(CASES):
        gold = [nested(rng) for _ in range(rng.randint(1, 5))]
        found = [[s for s in spans if rng.random() < 0.6] + nested(rng)[:3] for spans in gold]
        true, guess = (cells(sentences) for sentences in (gold, found))
        ours = score_spans(gold, found, LABELS)
        for column, label in enumerate(LABELS):
            assert_counts(ours.per_label[label], true[..., column], guess[..., column])
        assert_counts(ours.micro, true, guess)
        different += 0 < ours.micro.f1 < 1
    assert different > 0.8 * CASES


def cells(sentences: list[list[Span]]) -> np.ndarray:
    """Return (sentences, first word, end, labels): whether the sentence has this span."""
    table = np.zeros((len(sentences), WORDS + 1, WORDS + 1, len(LABELS)), dtype=bool)
    for row, spans in zip(table, sentences, strict=True):
        for span in spans:
            row[span.start, span.end, LABELS.index(span.label)] = True
    return table


def assert_counts(scores, true: np.ndarray, guess: np.ndarray) -> None:
    table = Counter(zip(true.ravel().tolist(), guess.ravel().tolist(), strict=True))
    hits, missed, spurious = table[True, True], table[True, False], table[False, True]
    assert (scores.correct, scores.gold, scores.predicted) == (hits, hits + missed, hits + spurious)
    assert scores.f1 == pytest.approx(hits / (hits + (missed + spurious) / 2) if hits else 0.0)
