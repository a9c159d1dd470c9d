"""The sizes of a span model's layers, read off its tensors: checkpoints of the public code say them nowhere else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import ceil

from utils.ner.config import Architecture

Shapes = Mapping[str, Sequence[int]]


def architecture_of(names: Collection[str]) -> Architecture:
    """Return which model has tensors of these names: KnowFREE alone has attention over spans."""
    return "knowfree" if any(name.startswith("attn.") for name in names) else "cnnner"


def sizes_of(shapes: Shapes) -> dict[str, int]:
    """Return those of NerConfig's sizes that the tensors show, by the shapes that most of them agree on.

    So a tensor of a wrong shape does not decide what is expected of the others, and is the one that is named.
    """
    biaffine, out = _dims(shapes, "multi_head_biaffine.W", 4), _dims(shapes, "W", 2)
    size = _most([*_firsts(shapes, "head_mlp.1", "tail_mlp.1"), *(d[0] * d[2] for d in biaffine)])
    dim = _most(
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
            ("n_head", _most(heads)),
            ("size_embed_dim", _most(embedding)),
            ("kernel_size", _most(_kernels(shapes))),
            ("cnn_depth", _depth(shapes)),
        )
        if value is not None and value > 0
    }


def _most(values: Iterable[int]) -> int | None:
    """Return the value that stands there most often; None where two do, so that no wrong one is preferred."""
    (first, times), (_, others) = [*Counter(values).most_common(2), (None, 0), (None, 0)][:2]
    return first if times > others else None


def _dims(shapes: Shapes, name: str, number: int) -> list[Sequence[int]]:
    """Return a tensor's shape, in a list that is empty where it is missing or has another number of dimensions."""
    return [shapes[name]] if name in shapes and len(shapes[name]) == number else []


def _firsts(shapes: Shapes, *layers: str) -> list[int]:
    names = [f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]
    return [shapes[name][0] for name in names if name in shapes and len(shapes[name])]


def _lasts(shapes: Shapes, *names: str) -> list[int]:
    return [shapes[name][-1] for name in names if name in shapes and len(shapes[name])]


def _kernels(shapes: Shapes) -> list[int]:
    """Return the kernel sizes of the CNN's convolutions but the last, whose kernel is always 3."""
    names = sorted((name for name in shapes if re.fullmatch(r"cnn\.cnns\.\d+\.conv2d\.weight", name)), key=_number)
    return [side for name in names[:-1] if len(shapes[name]) == 4 for side in shapes[name][2:]]


def _depth(shapes: Shapes) -> int | None:
    """Return how many blocks the CNN has: three layers each, of which the last (GELU) has no tensor."""
    numbers = [_number(name) for name in shapes if re.match(r"cnn\.cnns\.\d+\.", name)]
    return ceil(max(numbers) / 3) if numbers else None


def _number(name: str) -> int:
    return int(name.split(".")[2])
