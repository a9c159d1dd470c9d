"""Candidates for spans from the scores of a model: the cells above the threshold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from utils.ner.prediction.candidates import SpanCandidate, to_logit


def find_candidates(bands: Iterable[Tensor], *, threshold: float, multi_label: bool) -> list[list[SpanCandidate]]:
    """Return the candidates of each sentence from its logits, which come in bands of some rows each.

    A band is (batch, rows, words, labels), with -inf for cells that are not spans. A span gets its best label, or with
    `multi_label` every label above the threshold. With threshold 0.5, whose logit is 0, and a second band that begins
    with word 8,

        logits[0, 1, 10] = [0.4, 2.1, -3.0]

    gives the candidate of words 9 to 10 of sentence 0 (start 9, end 11) with column 1 and logit 2.1, and with
    `multi_label` also the one with column 0 and logit 0.4.
    """
    found: list[list[SpanCandidate]] = []
    row = 0
    for logits in bands:
        found = found or [[] for _ in logits]
        for sentence, one in _above(logits, threshold, multi_label):
            found[sentence].append(replace(one, start=one.start + row))
        row += logits.shape[1]
    return found


def _above(logits: Tensor, threshold: float, multi_label: bool) -> Iterator[tuple[int, SpanCandidate]]:
    """Yield (sentence, candidate) of a band; `start` counts from the band's first row."""
    minimum = to_logit(threshold)
    if multi_label:
        cells = (logits > minimum).nonzero()  # (candidates, 4): sentence, row, last word, column
    else:
        best = logits.max(dim=-1)
        spans = (best.values > minimum).nonzero()  # (candidates, 3): sentence, row, last word
        cells = torch.cat([spans, best.indices[tuple(spans.T)][:, None]], dim=1)
    # Positions and logits come from a GPU in one copy. float64 holds both exactly.
    rows = torch.cat([cells.double(), logits[tuple(cells.T)].double()[:, None]], dim=1)
    for *cell, logit in rows.tolist():
        sentence, start, last, column = map(int, cell)
        yield sentence, SpanCandidate(start, last + 1, column, logit)
