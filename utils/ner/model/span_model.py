"""The span model: an encoder, a score for every pair of first and last word, and a layer that refines the scores.

Sources: Yan et al., 2023, "An Embarrassingly Easy but Strong Baseline for Nested Named Entity Recognition" (CNN Nested
NER); arXiv 2501.19093 (KnowFREE, which replaces the CNN by local attention).

For "anna sees paris" and the labels PER and LOC, the logits of one sentence are (3, 3, 2): for each pair of a first
word (row) and a last word (column) the logits of PER and LOC. Here those of PER:

              anna   sees   paris
    anna       4.1   -6.0    -7.2      "anna" is a PER span: sigmoid(4.1) = 0.98
    sees      -inf   -8.3    -7.9
    paris     -inf   -inf    -3.5      below the diagonal the last word precedes the first: no spans
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

DISTANCES = 30  # embeddings of (last word - first word): 0 for -15 and below, 15 for 0, …, 29 for 14 and above
PRIOR_LOG_ODDS = -9.0  # of a cell to be a span, in a new model; learning that spans are rare takes hundreds of steps
BAND_ROWS = {"knowfree": 8, "cnnner": 32}  # rows that are scored at once: bounds the memory
# On a GPU, a band costs the same few hundred kernels whatever its size: about this many cells are scored at once.
GPU_CELLS = 1 << 17  # with 200 features in float32 and the projections of the attention, about 1 GB without gradients


@dataclass(frozen=True, slots=True)
class _Parts:
    """The inputs of all cells, computed once per batch.

    The affine term of cell (i, j) is W · [head_i, 1, tail_j, 1, distance_ij]. It is the sum from_head_i + from_tail_j +
    from_distance_ij, so that no vector of 427 features is built for each cell.
    """

    head: Tensor  # (batch, words, biaffine_size)
    tail: Tensor  # (batch, words, biaffine_size)
    from_head: Tensor  # (batch, words, cnn_dim)
    from_tail: Tensor  # (batch, words, cnn_dim)
    from_distance: Tensor  # (30, cnn_dim)
    is_word: Tensor  # (batch, words); false for padding


class SpanModel(nn.Module):
    """Scores spans. Parameter names and shapes are those of the public checkpoints; `bert` is any encoder.

    Dropout differs from the public code in one point: it is applied to the embedding of each distance once, and not to
    the copy of it in each cell.
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
            self.cnn.requires_grad_(False)  # part of public checkpoints, but KnowFREE does not use it
            self.attn = LocalAttention(config.cnn_dim, config.kernel_size)
        self.logit_dropout = nn.Dropout(config.logit_drop)
        self.down_fc = nn.Linear(config.cnn_dim, len(config.labels) - 1)
        nn.init.constant_(self.down_fc.bias, PRIOR_LOG_ODDS)

    def _projection(self, hidden_size: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Dropout(self.config.head_dropout), nn.Linear(hidden_size, self.config.biaffine_size), nn.LeakyReLU()
        )

    def forward(self, batch: Batch) -> Tensor:
        """Return the logits (batch, first word, last word, labels without O); -inf where a cell is not a span."""
        return torch.cat(list(self.bands(batch)), dim=1)

    def bands(self, batch: Batch, labels: int | None = None) -> Iterator[Tensor]:
        """Yield the logits of `forward` some rows at a time, (batch, rows, words, labels), from the first row on.

        `labels` is the number of labels to score, the first ones; None: all.
        """
        parts = self._parts(batch)
        sentences, words = parts.is_word.shape
        height = BAND_ROWS[self.config.span_model]
        if parts.head.device.type == "cuda":
            height = max(height, GPU_CELLS // (sentences * words))
        for start in range(0, words, height):
            yield self._score_band(parts, range(start, min(start + height, words)), labels)

    def word_states(self, batch: Batch) -> Tensor:
        """Return (batch, words, hidden): for each feature the maximum over the word's pieces."""
        pieces = self.bert(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
        states = pieces.new_zeros(pieces.shape[0], 1 + batch.words, pieces.shape[2])
        index = batch.word_index[..., None].expand_as(pieces)
        states = states.scatter_reduce(1, index, pieces, "amax", include_self=False)
        return states[:, 1:]  # index 0 collects special pieces and padding

    def _parts(self, batch: Batch) -> _Parts:
        """Return the inputs of all cells; see _Parts."""
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

        A span never ends before it starts, so a band needs only the columns from its first row on, and `reach` columns
        before them. All bands together have about half of the square's cells, and never all are in memory.

        With 100 words, rows 32 … 63, and a CNN of reach 3, cells of rows 29 … 66 and columns 29 … 99 are computed:
        (batch, 38, 71, cnn_dim). Rows 29 … 31 and 64 … 66 only serve the CNN and are dropped (they get another
        `logit_dropout` than in their own band). Columns 0 … 28 are filled with -inf. KnowFREE's attention stays in
        its row, so that its bands need no other rows.
        """
        refine = self.attn if self.config.span_model == "knowfree" else self.cnn
        around = slice(max(0, rows.start - refine.rows_around), rows.stop + refine.rows_around)
        first = max(0, rows.start - refine.reach)
        cells = self._cells(parts, around, first)
        refined = refine(self.logit_dropout(cells), parts.is_word[:, around], parts.is_word[:, first:])
        kept = slice(rows.start - around.start, rows.stop - around.start)
        refined = refined[:, kept] + cells[:, kept]  # (batch, rows, columns, cnn_dim)
        logits = nn.functional.linear(refined, self.down_fc.weight[:labels], self.down_fc.bias[:labels])
        positions = torch.arange(parts.is_word.shape[1], device=logits.device)
        is_span = (positions[rows.start : rows.stop, None] <= positions[first:]) & parts.is_word[:, None, first:]
        return nn.functional.pad(
            logits.masked_fill(~is_span[..., None], -torch.inf), (0, 0, first, 0), value=-torch.inf
        )

    def _cells(self, parts: _Parts, rows: slice, first: int) -> Tensor:
        """Return the sum of biaffine and affine terms (batch, rows, columns, cnn_dim), for columns from `first` on."""
        positions = torch.arange(parts.is_word.shape[1], device=parts.head.device)
        distance = positions[first:] - positions[rows, None]
        bucket = distance.clamp(-DISTANCES // 2, DISTANCES // 2 - 1) + DISTANCES // 2  # (rows, columns), 0 … 29
        cells = self.multi_head_biaffine(parts.head[:, rows], parts.tail[:, first:])
        cells += parts.from_head[:, rows, None]  # in place: cells take most of the memory and time
        cells += parts.from_tail[:, None, first:]
        cells += parts.from_distance[bucket]
        return cells


def span_loss(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Return the binary cross-entropy, summed over a sentence's cells and labels, averaged over sentences.

    `logits` and `targets` are (batch, words, words, labels); `weights` has a value per label, or is broadcast to this
    shape. Targets are probabilities, or NaN where it is unknown whether the cell is a span; such cells do not count.
    Only cells that are spans count: those whose logits are not -inf. The public code also counts cells below the
    diagonal and padding, as negatives. Neither is ever decoded, and with padding a sentence's loss would depend on its
    batch.
    """
    counts = (logits > -torch.inf) & ~targets.isnan()
    losses = nn.functional.binary_cross_entropy_with_logits(
        logits.masked_fill(~counts, 0.0), targets.nan_to_num(), reduction="none"
    )
    return (losses * weights * counts).sum() / logits.shape[0]
