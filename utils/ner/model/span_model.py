"""The span model: an encoder, a score for every pair of first and last word, and a layer that refines the scores.

Sources: Yan et al., 2023, "An Embarrassingly Easy but Strong Baseline for Nested Named Entity Recognition" (CNN Nested
NER); arXiv 2501.19093 (KnowFREE, which puts local attention in the CNN's place).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from utils.ner.config import NerConfig
from utils.ner.model.layers import LocalAttention, MaskedCnn, MultiHeadBiaffine
from utils.ner.model.word_pieces import Batch

DISTANCES = 30  # buckets of (last word - first word): -15 and below, …, 14 and above
PRIOR_LOG_ODDS = -9.0  # of a cell to be a span: nearly all are not, and to learn that first takes hundreds of steps
BAND = {"knowfree": 8, "cnnner": 32}  # rows that are scored at once


@dataclass(frozen=True, slots=True)
class _Parts:
    """What cells are made of. Their affine term, W · [head, 1, tail, 1, distance], is the sum of three parts of it."""

    head: Tensor  # (batch, words, biaffine_size), as is `tail`
    tail: Tensor
    from_head: Tensor  # (batch, words, cnn_dim), as is `from_tail`
    from_tail: Tensor
    from_distance: Tensor  # (30, cnn_dim)
    is_word: Tensor  # (batch, words)


class SpanModel(nn.Module):
    """Scores spans. Parameter names and shapes are those of the public checkpoints, `bert` being any encoder.

    Dropout differs from the public code in one point: it falls on the embeddings of distances, not on each cell's copy.
    """

    def __init__(self, encoder: Any, config: NerConfig) -> None:
        super().__init__()
        self.config = config
        self.bert: Any = encoder  # any encoder of transformers
        self.head_mlp = self._projection(encoder.config.hidden_size)
        self.tail_mlp = self._projection(encoder.config.hidden_size)
        self.dropout = nn.Dropout(config.head_dropout)
        self.multi_head_biaffine = MultiHeadBiaffine(config.biaffine_size, config.cnn_dim, config.n_head)
        self.size_embedding = nn.Embedding(DISTANCES, config.size_embed_dim)
        self.W = nn.Parameter(torch.empty(config.cnn_dim, 2 * config.biaffine_size + 2 + config.size_embed_dim))
        nn.init.xavier_normal_(self.W)
        self.cnn = MaskedCnn(config.cnn_dim, config.kernel_size, config.cnn_depth)
        if config.span_model == "knowfree":
            self.cnn.requires_grad_(False)  # public checkpoints hold it, but KnowFREE never calls it
            self.attn = LocalAttention(config.cnn_dim, config.kernel_size)
        self.logit_dropout = nn.Dropout(config.logit_drop)
        self.down_fc = nn.Linear(config.cnn_dim, len(config.labels) - 1)
        nn.init.constant_(self.down_fc.bias, PRIOR_LOG_ODDS)

    def _projection(self, hidden_size: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Dropout(self.config.head_dropout), nn.Linear(hidden_size, self.config.biaffine_size), nn.LeakyReLU()
        )

    def forward(self, batch: Batch) -> Tensor:
        """Return the logits (batch, first word, last word, labels without O); -inf where a cell is no span."""
        return torch.cat(list(self.bands(batch)), dim=1)

    def bands(self, batch: Batch, labels: int | None = None) -> Iterator[Tensor]:
        """Yield these logits for some rows at a time, (batch, rows, words, labels), from the first row to the last.

        With `labels`, those of the first so many alone.
        """
        parts = self._parts(batch)
        words, height = parts.is_word.shape[1], BAND[self.config.span_model]
        for start in range(0, words, height):
            yield self._score_band(parts, range(start, min(start + height, words)), labels)

    def word_states(self, batch: Batch) -> Tensor:
        """Return (batch, words, hidden): of each feature, the largest value among the word's pieces."""
        pieces = self.bert(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
        states = pieces.new_zeros(pieces.shape[0], 1 + int(batch.lengths.max()), pieces.shape[2])
        index = batch.word_index[..., None].expand_as(pieces)
        return states.scatter_reduce(1, index, pieces, "amax", include_self=False)[:, 1:]  # 0: no word's pieces

    def _parts(self, batch: Batch) -> _Parts:
        words = self.word_states(batch)
        head, tail = self.head_mlp(words), self.tail_mlp(words)
        size = self.config.biaffine_size + 1
        w_head, w_tail, w_distance = self.W.split([size, size, self.config.size_embed_dim], dim=1)
        linear, pad = nn.functional.linear, nn.functional.pad
        return _Parts(
            head,
            tail,
            from_head=linear(self.dropout(pad(head, (0, 1), value=1.0)), w_head),
            from_tail=linear(self.dropout(pad(tail, (0, 1), value=1.0)), w_tail),
            from_distance=linear(self.dropout(self.size_embedding.weight), w_distance),
            is_word=torch.arange(words.shape[1], device=words.device) < batch.lengths[:, None],
        )

    def _score_band(self, parts: _Parts, rows: range, labels: int | None) -> Tensor:
        """Return the logits (batch, rows, words, labels) of spans that start in `rows`.

        A span ends at or after its start, so a band needs the columns from there on, and as many more as are looked
        back at: half of the square in all, and never the whole square at once. The CNN looks up and down, too: the
        rows around a band are computed for it (with a `logit_dropout` of their own), and thrown away.
        """
        refine = self.attn if self.config.span_model == "knowfree" else self.cnn
        around = slice(max(0, rows.start - refine.rows_around), rows.stop + refine.rows_around)
        first = max(0, rows.start - refine.reach)
        cells = self._cells(parts, around, first)
        refined = refine(self.logit_dropout(cells), parts.is_word[:, around], parts.is_word[:, first:])
        kept = slice(rows.start - around.start, rows.stop - around.start)
        refined = refined[:, kept] + cells[:, kept]
        logits = nn.functional.linear(refined, self.down_fc.weight[:labels], self.down_fc.bias[:labels])
        positions = torch.arange(parts.is_word.shape[1], device=logits.device)
        is_span = (positions[rows.start : rows.stop, None] <= positions[first:]) & parts.is_word[:, None, first:]
        return nn.functional.pad(
            logits.masked_fill(~is_span[..., None], -torch.inf), (0, 0, first, 0), value=-torch.inf
        )

    def _cells(self, parts: _Parts, rows: slice, first: int) -> Tensor:
        """Return the biaffine and the affine term (batch, rows, columns, cnn_dim) of the columns from `first` on."""
        positions = torch.arange(parts.is_word.shape[1], device=parts.head.device)
        distance = positions[first:] - positions[rows, None]
        bucket = distance.clamp(-DISTANCES // 2, DISTANCES // 2 - 1) + DISTANCES // 2
        cells = self.multi_head_biaffine(parts.head[:, rows], parts.tail[:, first:])
        cells += parts.from_head[:, rows, None]  # in place: cells are what memory and time go to
        cells += parts.from_tail[:, None, first:]
        cells += parts.from_distance[bucket]
        return cells


def span_loss(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Return the binary cross-entropy, summed over a sentence's cells and labels, averaged over sentences.

    `targets` has the shape of `logits`, `weights` one value a label. Only cells that are spans (start <= end, both
    words real) take part. The public code also counts the cells below the diagonal and the padding, as negatives; but
    neither is ever decoded, and with padding a sentence's loss would depend on its batch.
    """
    is_span = logits > -torch.inf
    losses = nn.functional.binary_cross_entropy_with_logits(
        logits.masked_fill(~is_span, 0.0), targets, reduction="none"
    )
    return (losses * weights * is_span).sum() / logits.shape[0]
