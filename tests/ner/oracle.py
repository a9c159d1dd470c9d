"""The published formula, written out: every vector of every cell, whole rows of attention, one sentence at a time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from utils.ner.model import SpanModel


def plain_logits(model: SpanModel, words: Tensor) -> Tensor:
    """Return (words, words, labels) of one sentence's word states (words, hidden), without dropout."""
    head, tail = model.head_mlp(words), model.tail_mlp(words)
    cells = torch.stack(
        [
            torch.stack([_bilinear(model, h, t) + model.W @ _affine(model, h, t, j - i) for j, t in enumerate(tail)])
            for i, h in enumerate(head)
        ]
    )
    refined = _attention(model, cells) if model.config.span_model == "knowfree" else _cnn(model, cells)
    return model.down_fc(refined + cells)


def plain_loss(logits: Tensor, gold: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted cross-entropy of one sentence, cell by cell."""
    total = logits.new_zeros(())
    for i in range(len(logits)):
        for j in range(i, len(logits)):
            for k, weight in enumerate(weights):
                chance = logits[i, j, k].sigmoid()
                total = total - weight * torch.log(chance if gold[i, j, k] else 1 - chance)
    return total


def _bilinear(model: SpanModel, head: Tensor, tail: Tensor) -> Tensor:
    weight = model.multi_head_biaffine.W  # (heads, out / heads, size / heads, size / heads)
    pairs = zip(weight, head.chunk(len(weight)), tail.chunk(len(weight)), strict=True)
    return torch.cat([torch.stack([h @ matrix @ t for matrix in part]) for part, h, t in pairs])


def _affine(model: SpanModel, head: Tensor, tail: Tensor, distance: int) -> Tensor:
    one = head.new_ones(1)
    bucket = min(max(distance, -15), 14) + 15
    return torch.cat([head, one, tail, one, model.size_embedding.weight[bucket]])


def _attention(model: SpanModel, cells: Tensor) -> Tensor:
    size, reach = len(cells), model.config.kernel_size
    mask = torch.full((size, size), -torch.inf)
    for i in range(size):
        mask[i, max(0, i - reach) : i + reach + 1] = 0
    rows = cells.transpose(0, 1)  # the public code's attention has the sequence first
    mixed, _ = model.attn.local_attention.attn(rows, rows, rows, attn_mask=mask)
    return model.attn.norm(mixed.transpose(0, 1))


def _cnn(model: SpanModel, cells: Tensor) -> Tensor:
    image = kept = cells.permute(2, 0, 1)[None]
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
    return kept[0].permute(1, 2, 0)
