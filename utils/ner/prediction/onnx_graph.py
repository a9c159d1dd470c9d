"""The span model as one graph for ONNX: the same scores, without loops over rows or chunks of columns."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from utils.ner.model.layers import LocalAttention
from utils.ner.model.span_model import DISTANCES, SpanModel
from utils.ner.model.word_pieces import Batch

INPUTS = ("input_ids", "attention_mask", "word_index", "is_word")
OUTPUT = "logits"


class ShiftedAttention(nn.Module):
    """KnowFREE's local attention for any number of columns, as a sum over distances.

    With reach 3, the keys of all cells at distance -3 are the row shifted by 3 columns, and so on to distance 3: 7
    products of (batch, rows, columns) cells instead of one with a mask whose size depends on the input.
    """

    def __init__(self, attention: LocalAttention) -> None:
        super().__init__()
        self.attn: Any = attention.local_attention.attn
        self.norm = attention.norm
        self.reach = attention.local_attention.reach

    def forward(self, cells: Tensor, is_row: Tensor, is_column: Tensor) -> Tensor:
        """Return refined cells (batch, rows, columns, dim); `is_column` (batch, columns) is false for padding."""
        projected = nn.functional.linear(cells, self.attn.in_proj_weight, self.attn.in_proj_bias)
        query, key, value = projected.unflatten(-1, (3, self.attn.num_heads, -1)).unbind(
            3
        )  # (batch, rows, columns, heads, size)
        query = query * query.shape[-1] ** -0.5
        keys, values = (self._shifted(nn.functional.pad(part, (0, 0) * 2 + (self.reach,) * 2)) for part in (key, value))
        is_key = self._shifted(nn.functional.pad(is_column, (self.reach, self.reach))[:, None])
        is_key[self.reach] = torch.ones_like(is_key[self.reach])  # each cell attends to itself
        scores = [
            (query * key).sum(-1).masked_fill(~is_valid[..., None], -torch.inf)
            for key, is_valid in zip(keys, is_key, strict=True)
        ]
        weights = torch.stack(scores).softmax(0)  # (distances, batch, rows, columns, heads)
        mixed = sum(weight[..., None] * value for weight, value in zip(weights, values, strict=True))
        return self.norm(self.attn.out_proj(mixed.flatten(-2)))

    def _shifted(self, padded: Tensor) -> list[Tensor]:
        """Return the columns at each distance, -reach … reach, from a tensor padded by `reach` on both sides."""
        columns = padded.shape[2] - 2 * self.reach
        return [padded[:, :, shift : shift + columns] for shift in range(2 * self.reach + 1)]


class WholeSquare(nn.Module):
    """A span model that scores the whole square of cells at once, so that one graph serves sentences of any length."""

    def __init__(self, model: SpanModel) -> None:
        super().__init__()
        self.model = model
        self.refine: nn.Module = ShiftedAttention(model.attn) if model.config.span_model == "knowfree" else model.cnn

    def forward(self, input_ids: Tensor, attention_mask: Tensor, word_index: Tensor, is_word: Tensor) -> Tensor:
        """Return the logits of SpanModel.forward; `is_word` (batch, words) is false for padding."""
        words = self._word_states(input_ids, attention_mask, word_index, is_word)
        cells = self._cells(self.model.head_mlp(words), self.model.tail_mlp(words))
        logits = self.model.down_fc(self.refine(cells, is_word, is_word) + cells)
        positions = torch.arange(is_word.shape[1], device=is_word.device)
        is_span = (positions[:, None] <= positions) & is_word[:, None]
        return logits.masked_fill(~is_span[..., None], -torch.inf)

    def _word_states(self, input_ids: Tensor, attention_mask: Tensor, word_index: Tensor, is_word: Tensor) -> Tensor:
        """Return (batch, words, hidden), as SpanModel.word_states does; ONNX has no include_self=False."""
        pieces = self.model.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        batch, words = is_word.shape
        lowest = pieces.new_full((batch, 1 + words, pieces.shape[2]), torch.finfo(pieces.dtype).min)
        states = lowest.scatter_reduce(1, word_index[..., None].expand_as(pieces), pieces, "amax")[:, 1:]
        return torch.where(is_word[..., None], states, 0.0)

    def _cells(self, head: Tensor, tail: Tensor) -> Tensor:
        """Return the sum of biaffine and affine terms of all pairs, (batch, words, words, cnn_dim)."""
        config = self.model.config
        size = config.biaffine_size + 1
        w_head, w_tail, w_distance = self.model.W.split([size, size, config.size_embed_dim], dim=1)
        with_one = [nn.functional.pad(part, (0, 1), value=1.0) for part in (head, tail)]
        positions = torch.arange(head.shape[1], device=head.device)
        bucket = (positions - positions[:, None]).clamp(-DISTANCES // 2, DISTANCES // 2 - 1) + DISTANCES // 2
        from_distance = nn.functional.linear(self.model.size_embedding.weight, w_distance)[bucket]
        affine = (
            nn.functional.linear(with_one[0], w_head)[:, :, None] + nn.functional.linear(with_one[1], w_tail)[:, None]
        )
        return self.model.multi_head_biaffine(head, tail) + affine + from_distance


def graph_inputs(batch: Batch) -> dict[str, Tensor]:
    """Return the exported graph's inputs for a batch, by name."""
    is_word = torch.arange(int(batch.lengths.max())) < batch.lengths[:, None]
    return dict(zip(INPUTS, (batch.input_ids, batch.attention_mask, batch.word_index, is_word), strict=True))
