"""The published formulas in their plainest form: full attention with a mask, a vector per cell, loops over cells.

Tests compare the span model, its loss and its decoding with these functions, and `benchmarks/ner.py` measures against
them. All sentences of a call have the same length, so no padding is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from utils.ner.model.layers import ChannelNorm, MaskedConv
from utils.ner.model.span_model import SpanModel

Cell = tuple[int, int, int]  # first word, last word, column of the scores
Found = tuple[int, int, int, float]  # and the probability


def plain_logits(model: SpanModel, words: Tensor) -> Tensor:
    """Return the scores of all pairs of words, (sentences, words, words, labels).

    `words` are the encoder's states, (sentences, words, hidden).
    """
    head, tail = model.head_mlp(words), model.tail_mlp(words)
    affine = model.dropout(_affine(model, head, tail))
    cells = _bilinear(model, head, tail) + torch.einsum("ko,bijo->bijk", model.W, affine)
    dropped = model.logit_dropout(cells)
    refined = _attention(model, dropped) if model.config.span_model == "knowfree" else _cnn(model, dropped)
    return model.down_fc(refined + cells)


def plain_labels(spans: Iterable[Sequence[float]], words: int, labels: int) -> Tensor:
    """Return the labels of one sentence, (words, words, labels): 1 where a span has a label, else 0."""
    gold = torch.zeros(words, words, labels, dtype=torch.long)
    for first, last, column, *_ in spans:
        gold[int(first), int(last), int(column)] = 1
    return gold


def plain_loss(logits: Tensor, gold: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted cross-entropy, summed over all labels of the upper triangle and averaged over sentences."""
    positive, negative = nn.functional.logsigmoid(logits), nn.functional.logsigmoid(-logits)
    losses = -weights * (gold * positive + (1 - gold) * negative)
    is_span = torch.ones(logits.shape[1:3], device=logits.device).triu()
    return (losses * is_span[..., None]).sum() / len(logits)


def plain_spans(logits: Tensor, targets: int, threshold: float, *, nested: bool) -> list[Found]:
    """Return the spans of one sentence, sorted by position.

    Each cell gives its best target label if that is above the threshold. Of clashing spans the likeliest is kept.
    """
    chances = logits[..., :targets].sigmoid()
    found: list[Found] = []
    for first in range(len(chances)):
        for last in range(first, len(chances)):
            chance, column = chances[first, last].max(dim=-1)
            if chance > threshold:
                found.append((first, last, int(column), float(chance)))
    kept: list[Found] = []
    for span in sorted(found, key=lambda one: -one[3]):
        if not any(_clash(span, other, nested=nested) for other in kept):
            kept.append(span)
    return sorted(kept)


def _clash(one: Sequence[float], other: Sequence[float], *, nested: bool) -> bool:
    """Return whether two spans overlap; with `nested`, whether they cross."""
    (first, last), (other_first, other_last) = one[:2], other[:2]
    if nested:
        return first < other_first <= last < other_last or other_first < first <= other_last < last
    return first <= other_last and other_first <= last


def _bilinear(model: SpanModel, head: Tensor, tail: Tensor) -> Tensor:
    weight = model.multi_head_biaffine.W  # (heads, out / heads, size / heads, size / heads)
    parts = zip(weight, head.chunk(len(weight), dim=-1), tail.chunk(len(weight), dim=-1), strict=True)
    return torch.cat([torch.einsum("bix,oxy,bjy->bijo", h, matrices, t) for matrices, h, t in parts], dim=-1)


def _affine(model: SpanModel, head: Tensor, tail: Tensor) -> Tensor:
    """Return [head, 1, tail, 1, distance] of every cell."""
    sentences, words, _ = head.shape
    one = head.new_ones(sentences, words, 1)
    first = torch.cat([head, one], dim=-1)[:, :, None].expand(-1, -1, words, -1)
    last = torch.cat([tail, one], dim=-1)[:, None].expand(-1, words, -1, -1)
    distance = torch.tensor([[min(max(j - i, -15), 14) + 15 for j in range(words)] for i in range(words)])
    size = model.size_embedding(distance.to(head.device))[None].expand(sentences, -1, -1, -1)
    return torch.cat([first, last, size], dim=-1)


def _attention(model: SpanModel, cells: Tensor) -> Tensor:
    words, reach = cells.shape[1], model.config.kernel_size
    mask = torch.full((words, words), -torch.inf, device=cells.device)
    for i in range(words):
        mask[i, max(0, i - reach) : i + reach + 1] = 0
    rows = cells.flatten(0, 1).transpose(0, 1)  # the public code's attention has the sequence first
    mixed, _ = model.attn.local_attention.attn(rows, rows, rows, attn_mask=mask)
    return model.attn.norm(mixed.transpose(0, 1).view_as(cells))


def _cnn(model: SpanModel, cells: Tensor) -> Tensor:
    image = kept = cells.permute(0, 3, 1, 2)
    for layer in model.cnn.cnns[:-1]:  # the output of the last one is never used
        if isinstance(layer, MaskedConv):
            image = layer.conv2d(image)
        elif isinstance(layer, nn.GELU):
            image = layer(image)
        else:
            assert isinstance(layer, ChannelNorm)
            image = image + kept
            centred = image - image.mean(dim=1, keepdim=True)
            deviation = torch.sqrt(centred.pow(2).mean(dim=1, keepdim=True) + 1e-6)
            image = kept = layer.weight * centred / deviation + layer.bias
    return kept.permute(0, 2, 3, 1)
