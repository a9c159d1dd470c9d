"""The sizes of a span model's layers, from the shapes of its tensors: public checkpoints do not state them.

With the default sizes and 12 score columns, for example:

    head_mlp.1.weight     (200, 768)         biaffine_size, hidden
    multi_head_biaffine.W (4, 50, 50, 50)    n_head, cnn_dim / n_head, biaffine_size / n_head (twice)
    W                     (200, 427)         cnn_dim, 2 * biaffine_size + 2 + size_embed_dim
    size_embedding.weight (30, 25)           distance buckets, size_embed_dim
    cnn.cnns.0.conv2d.weight (200, 200, 3, 3)  cnn_dim (twice), kernel_size (twice)
    down_fc.weight        (12, 200)          score columns, cnn_dim
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import ceil

from utils.ner.config import Architecture

Shapes = Mapping[str, Sequence[int]]


def architecture_of(names: Collection[str]) -> Architecture:
    """Return the model that has tensors of these names: only KnowFREE has attention over spans."""
    return "knowfree" if any(name.startswith("attn.") for name in names) else "cnnner"


def sizes_of(shapes: Shapes) -> dict[str, int]:
    """Return the sizes of NerConfig that follow from the tensors' shapes, by majority.

    Several tensors show the same size. With a majority vote, a single tensor of a wrong shape does not change the
    result, and the later check of all shapes reports this tensor rather than the correct ones.
    """
    biaffine, out = _dims(shapes, "multi_head_biaffine.W", 4), _dims(shapes, "W", 2)
    size = _majority([*_firsts(shapes, "head_mlp.1", "tail_mlp.1"), *(d[0] * d[2] for d in biaffine)])
    dim = _majority(
        [*(d[0] for d in out), *(d[0] * d[1] for d in biaffine), *_lasts(shapes, "down_fc.weight", "attn.norm.weight")]
    )
    heads = [d[0] for d in biaffine]
    heads += [whole // d[axis] for d in biaffine for whole, axis in ((dim, 1), (size, 2)) if whole and d[axis]]
    embedding = _lasts(shapes, "size_embedding.weight")
    embedding += [d[1] - 2 * size - 2 for d in out if size]
    return {
        name: value
        for name, value in (
            ("cnn_dim", dim),
            ("biaffine_size", size),
            ("n_head", _majority(heads)),
            ("size_embed_dim", _majority(embedding)),
            ("kernel_size", _majority(_kernels(shapes))),
            ("cnn_depth", _depth(shapes)),
        )
        if value is not None and value > 0
    }


def _majority(values: Iterable[int]) -> int | None:
    """Return the most frequent value, or None if there is none or a tie."""
    (first, times), (_, others) = [*Counter(values).most_common(2), (None, 0), (None, 0)][:2]
    return first if times > others else None


def _dims(shapes: Shapes, name: str, number: int) -> list[Sequence[int]]:
    """Return [shape of a tensor], or [] if it is missing or has another number of dimensions."""
    return [shapes[name]] if name in shapes and len(shapes[name]) == number else []


def _firsts(shapes: Shapes, *layers: str) -> list[int]:
    """Return the first dimensions of linear layers' weights and biases, as far as they exist."""
    names = [f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]
    return [shapes[name][0] for name in names if name in shapes and len(shapes[name])]


def _lasts(shapes: Shapes, *names: str) -> list[int]:
    """Return the last dimensions of tensors, as far as they exist."""
    return [shapes[name][-1] for name in names if name in shapes and len(shapes[name])]


def _kernels(shapes: Shapes) -> list[int]:
    """Return the kernel sizes of the CNN's convolutions, without the last one: its kernel size is always 3."""
    names = sorted((name for name in shapes if re.fullmatch(r"cnn\.cnns\.\d+\.conv2d\.weight", name)), key=_number)
    return [side for name in names[:-1] if len(shapes[name]) == 4 for side in shapes[name][2:]]


def _depth(shapes: Shapes) -> int | None:
    """Return the number of blocks of the CNN.

    A block has three layers: a convolution, a norm, and GELU, which has no tensors. Two blocks have the numbers 0 to 5,
    and the last convolution is number 6: ceil(6 / 3) = 2.
    """
    numbers = [_number(name) for name in shapes if re.match(r"cnn\.cnns\.\d+\.", name)]
    return ceil(max(numbers) / 3) if numbers else None


def _number(name: str) -> int:
    """Return the number of a layer: 6 for cnn.cnns.6.conv2d.weight."""
    return int(name.split(".")[2])
