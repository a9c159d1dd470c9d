"""The published formulas, written out plainly: every vector of every cell, whole rows of attention, cell after cell.

The tests hold the span model to it, and benchmarks/ner.py measures how much faster that is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from utils.ner.model import SpanModel


def plain_logits(model: SpanModel, words: Tensor) -> Tensor:
    """Return (batch, words, words, labels) of the word states (batch, words, hidden) of sentences of one length."""
    head, tail = model.head_mlp(words), model.tail_mlp(words)
    cells = _bilinear(model, head, tail) + model.dropout(_features(model, head, tail)) @ model.W.T
    refined = _attention(model, cells) if model.config.span_model == "knowfree" else _cnn(model, cells)
    return model.down_fc(refined + cells)


def plain_loss(logits: Tensor, gold: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted cross-entropy of all cells from the diagonal on, summed, averaged over sentences."""
    log_chance = nn.functional.logsigmoid
    losses = -weights * (gold * log_chance(logits) + (1 - gold) * log_chance(-logits))
    is_span = torch.ones(logits.shape[1:3]).triu()
    return (losses * is_span[:, :, None]).sum() / len(logits)


def plain_spans(logits: Tensor, threshold: float = 0.5) -> list[list[tuple[int, int, int]]]:
    """Return each sentence's spans (first word, last word, column) that do not overlap, the surest first."""
    return [_decode(chances, threshold) for chances in logits.sigmoid()]


def _decode(chances: Tensor, threshold: float) -> list[tuple[int, int, int]]:
    found = []
    for first in range(len(chances)):
        for last in range(first, len(chances)):
            chance, column = chances[first, last].max(dim=-1)
            if chance > threshold:
                found.append((-chance.item(), first, last, column.item()))
    kept: list[tuple[int, int, int]] = []
    for _, first, last, column in sorted(found):
        if all(last < other or end < first for other, end, _ in kept):
            kept.append((first, last, column))
    return kept


def _bilinear(model: SpanModel, head: Tensor, tail: Tensor) -> Tensor:
    weight = model.multi_head_biaffine.W  # (heads, out / heads, size / heads, size / heads)
    parts = zip(weight, head.chunk(len(weight), dim=-1), tail.chunk(len(weight), dim=-1), strict=True)
    return torch.cat([torch.einsum("bmx,dxy,bny->bmnd", one, matrix, other) for matrix, one, other in parts], dim=-1)


def _features(model: SpanModel, head: Tensor, tail: Tensor) -> Tensor:
    """Return [head, 1, tail, 1, distance] of every cell."""
    size = head.shape[1]
    positions = torch.arange(size)
    bucket = (positions - positions[:, None]).clamp(-15, 14) + 15
    cells = (len(head), size, size, -1)
    one = head.new_ones(cells[:3])[..., None]
    distance = model.size_embedding(bucket).expand(cells)
    return torch.cat([head[:, :, None].expand(cells), one, tail[:, None].expand(cells), one, distance], dim=-1)


def _attention(model: SpanModel, cells: Tensor) -> Tensor:
    positions = torch.arange(cells.shape[1])
    is_far = (positions - positions[:, None]).abs() > model.config.kernel_size
    rows = cells.flatten(0, 1).transpose(0, 1)  # the public code's attention has the sequence first
    mixed, _ = model.attn.local_attention.attn(rows, rows, rows, attn_mask=is_far)
    return model.attn.norm(mixed.transpose(0, 1).reshape(cells.shape))


def _cnn(model: SpanModel, cells: Tensor) -> Tensor:
    image = kept = cells.permute(0, 3, 1, 2)
    for layer in model.cnn.cnns[:-1]:  # what the last one returns is never used
        if hasattr(layer, "conv2d"):
            image = layer.conv2d(image)
        elif isinstance(layer, nn.GELU):
            image = layer(image)
        else:
            image = image + kept
            centred = image - image.mean(dim=1, keepdim=True)
            deviation = torch.sqrt(centred.pow(2).mean(dim=1, keepdim=True) + 1e-6)
            image = kept = layer.weight * centred / deviation + layer.bias
    return kept.permute(0, 2, 3, 1)
