"""The span model: an encoder, a score for every pair of first and last word, and a layer that refines the scores.

Sources: Yan et al., 2023, "An Embarrassingly Easy but Strong Baseline for Nested Named Entity Recognition" (CNN Nested
NER); arXiv 2501.19093 (KnowFREE, which puts local attention in the CNN's place).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from utils.ner.config import NerConfig
from utils.ner.encoding import Batch
from utils.ner.layers import LocalAttention, MaskedCnn, MultiHeadBiaffine

DISTANCES = 30  # buckets of (last word - first word): -15 and below, …, 14 and above
PRIOR_LOG_ODDS = -9.0  # of a cell to be a span: nearly all are not, and to learn that first takes hundreds of steps
BAND = 16  # rows that KnowFREE scores at once


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
        words = self.word_states(batch)
        head, tail = self.head_mlp(words), self.tail_mlp(words)
        affine = self._affine_parts(head, tail)
        positions = torch.arange(words.shape[1], device=words.device)
        is_word = positions < batch.lengths[:, None]  # (batch, words)
        height = BAND if self.config.span_model == "knowfree" else words.shape[1]
        bands = [
            self._score_band(head, tail, affine, is_word, slice(start, start + height))
            for start in range(0, words.shape[1], height)
        ]
        is_span = (positions[:, None] <= positions) & is_word[:, None]
        return torch.cat(bands, dim=1).masked_fill(~is_span[..., None], -torch.inf)

    def word_states(self, batch: Batch) -> Tensor:
        """Return (batch, words, hidden): of each feature, the largest value among the word's pieces."""
        pieces = self.bert(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
        states = pieces.new_zeros(pieces.shape[0], 1 + int(batch.lengths.max()), pieces.shape[2])
        index = batch.word_index[..., None].expand_as(pieces)
        return states.scatter_reduce(1, index, pieces, "amax", include_self=False)[:, 1:]  # 0: no word's pieces

    def _affine_parts(self, head: Tensor, tail: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what the first word, the last word and the distance each add to a cell.

        Their sum is the published W · [head, 1, tail, 1, distance] without a vector for every cell.
        """
        size = self.config.biaffine_size + 1
        w_head, w_tail, w_distance = self.W.split([size, size, self.config.size_embed_dim], dim=1)
        return (
            nn.functional.linear(
                self.dropout(nn.functional.pad(head, (0, 1), value=1.0)), w_head
            ),  # (batch, words, cnn_dim)
            nn.functional.linear(
                self.dropout(nn.functional.pad(tail, (0, 1), value=1.0)), w_tail
            ),  # (batch, words, cnn_dim)
            nn.functional.linear(self.dropout(self.size_embedding.weight), w_distance),  # (30, cnn_dim)
        )

    def _score_band(
        self, head: Tensor, tail: Tensor, affine: tuple[Tensor, Tensor, Tensor], is_word: Tensor, rows: slice
    ) -> Tensor:
        """Return the logits (batch, rows, words, labels) of spans that start in `rows`.

        A span ends at or after its start, and attention looks `kernel_size` columns back. So a band of KnowFREE needs
        only the columns from there on: half of the square in all, and never the whole square at once.
        """
        first = max(0, rows.start - self.config.kernel_size)
        from_head, from_tail, from_distance = affine
        positions = torch.arange(tail.shape[1], device=tail.device)
        distance = positions[first:] - positions[rows, None]
        bucket = distance.clamp(-DISTANCES // 2, DISTANCES // 2 - 1) + DISTANCES // 2
        cells = self.multi_head_biaffine(head[:, rows], tail[:, first:])
        cells = cells + from_head[:, rows, None] + from_tail[:, None, first:] + from_distance[bucket]
        refine = self.attn if self.config.span_model == "knowfree" else self.cnn
        logits = self.down_fc(refine(self.logit_dropout(cells), is_word[:, first:]) + cells)
        return nn.functional.pad(logits, (0, 0, first, 0), value=-torch.inf)


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
