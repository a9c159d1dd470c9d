"""A checkpoint in the layout of the public code, made from the published names and shapes of its tensors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from transformers import BertConfig, BertModel

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Sizes:
    """Sizes of the layers above the encoder, which are not in `config.json`."""

    biaffine: int = 200
    dim: int = 200
    heads: int = 4
    distance: int = 25
    kernel: int = 3
    depth: int = 3


def head_shapes(hidden: int, columns: int, sizes: Sizes, *, attention: bool) -> dict[str, Shape]:
    """Return the names and shapes of all tensors except those of the encoder."""
    dim, size, kernel = sizes.dim, sizes.biaffine, sizes.kernel
    shapes: dict[str, Shape] = {
        "head_mlp.1.weight": (size, hidden),
        "head_mlp.1.bias": (size,),
        "tail_mlp.1.weight": (size, hidden),
        "tail_mlp.1.bias": (size,),
        "multi_head_biaffine.W": (sizes.heads, dim // sizes.heads, size // sizes.heads, size // sizes.heads),
        "W": (dim, 2 * size + 2 + sizes.distance),
        "size_embedding.weight": (30, sizes.distance),
        "down_fc.weight": (columns, dim),
        "down_fc.bias": (columns,),
    }
    for block in range(sizes.depth):
        shapes[f"cnn.cnns.{3 * block}.conv2d.weight"] = (dim, dim, kernel, kernel)
        shapes[f"cnn.cnns.{3 * block + 1}.weight"] = shapes[f"cnn.cnns.{3 * block + 1}.bias"] = (1, dim, 1, 1)
    shapes[f"cnn.cnns.{3 * sizes.depth}.conv2d.weight"] = (dim, dim, 3, 3)
    if attention:
        shapes |= {
            "attn.local_attention.attn.in_proj_weight": (3 * dim, dim),
            "attn.local_attention.attn.in_proj_bias": (3 * dim,),
            "attn.local_attention.attn.out_proj.weight": (dim, dim),
            "attn.local_attention.attn.out_proj.bias": (dim,),
            "attn.norm.weight": (dim,),
            "attn.norm.bias": (dim,),
        }
    return shapes


def write_public(
    folder: Path, encoder: Path, labels: dict[str, str], sizes: Sizes, *, attention: bool, binary: bool
) -> dict[str, torch.Tensor]:
    """Write a checkpoint with random weights, and return its tensors; `labels` are the label files, by name."""
    folder.mkdir(parents=True)
    config = BertConfig.from_pretrained(encoder)
    torch.manual_seed(3)
    tensors = {f"bert.{name}": tensor for name, tensor in BertModel(config).state_dict().items()}  # with its pooler
    for name, shape in head_shapes(config.hidden_size, 3, sizes, attention=attention).items():
        tensors[name] = torch.randn(shape) / max(shape[-1], 4) ** 0.5
    tensors["span_size_ids"] = torch.zeros(512, 512, dtype=torch.long)
    tensors["bert.embeddings.position_ids"] = torch.arange(config.max_position_embeddings)[None]
    (folder / "config.json").write_text(json.dumps({**config.to_dict(), "architectures": ["CNNNer"]}), encoding="utf-8")
    if binary:
        torch.save(tensors, folder / "pytorch_model.bin")
    else:
        safetensors.torch.save_file({n: t.contiguous() for n, t in tensors.items()}, folder / "model.safetensors")
    for name, text in labels.items():
        (folder / name).write_text(text, encoding="utf-8")
    return tensors
