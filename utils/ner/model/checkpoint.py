"""The folder of a trained span model: `config.json`, `model.safetensors`, and the tokenizer's files."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from utils.files.jsonl import read_json, replacing, write_json
from utils.ner.config import NerConfig
from utils.ner.label_files import CONFIG, labels_of_model
from utils.ner.model.encoder import build_encoder
from utils.ner.model.head_sizes import architecture_of, sizes_of
from utils.ner.model.span_model import SpanModel

log = logging.getLogger(__name__)

WEIGHTS, OLD_WEIGHTS = "model.safetensors", "pytorch_model.bin"
COMPUTED = ("span_size_ids", "bert.embeddings.position_ids")  # tables in public checkpoints that hold no weights
POOLER = "bert.pooler."  # of encoders that were saved with it; spans do not use it


def save_model(model: SpanModel, tokenizer: Any, folder: Path) -> None:
    """Write all that is needed to load the model; each file is replaced only when the new one is whole."""
    tokenizer.save_pretrained(folder)
    values = {**model.bert.config.to_dict(), **model.config.to_dict()}
    write_json(folder / CONFIG, {**values, "architectures": [type(model).__name__]})
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with replacing(folder / WEIGHTS) as file:
        file.write(safetensors.torch.save(weights, metadata={"format": "pt"}))


def load_model(folder: Path) -> SpanModel:
    """Return the model of a checkpoint folder, in evaluation mode.

    Raises FileNotFoundError where the folder lacks a file, ValueError where tensors are missing or misshapen.
    """
    values, weights = _read(folder)
    config = _config(values, weights, folder)
    model = SpanModel(build_encoder(folder), config)
    _check(weights, model, folder)
    model.load_state_dict(weights, strict=False)
    return model.eval()


def _read(folder: Path) -> tuple[Any, dict[str, Tensor]]:
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is not a folder: give that of a trained span model, such as save_model/…/best"
        )
    if not (folder / CONFIG).is_file():
        raise FileNotFoundError(f"{folder} has no {CONFIG}: give the folder of a trained span model")
    return read_json(folder / CONFIG), _read_weights(folder)


def _read_weights(folder: Path) -> dict[str, Tensor]:
    try:
        if (folder / WEIGHTS).is_file():
            return safetensors.torch.load_file(folder / WEIGHTS)
        if (folder / OLD_WEIGHTS).is_file():
            return _tensors(torch.load(folder / OLD_WEIGHTS, map_location="cpu", weights_only=True), folder)
    except (SafetensorError, pickle.UnpicklingError, EOFError, RuntimeError, OSError) as error:
        if getattr(error, "filename", None):  # the disk's own error; torch raises others for files that were cut
            raise
        first = (str(error).splitlines() or ["the file is empty"])[0]
        reason, *_ = first.split(". ")  # torch goes on to advise that code in them be run
        raise ValueError(f"the weights in {folder} cannot be read ({reason}): copy them again") from None
    raise FileNotFoundError(f"{folder} has neither {WEIGHTS} nor {OLD_WEIGHTS}: its training may have been cut short")


def _tensors(weights: Any, folder: Path) -> dict[str, Tensor]:
    if isinstance(weights, dict) and all(isinstance(tensor, Tensor) for tensor in weights.values()):
        return weights
    raise ValueError(f"{folder / OLD_WEIGHTS} must hold tensors by their names alone: save model.state_dict()")


def _config(values: Any, weights: Mapping[str, Tensor], folder: Path) -> NerConfig:
    """Return the checkpoint's settings; what a checkpoint of the public code leaves unsaid is read off its tensors."""
    if "down_fc.weight" not in weights:
        raise ValueError(f"{folder} holds no span model: its weights lack down_fc.weight")
    labels, targets = labels_of_model(values, folder)
    read_off = {"span_model": architecture_of(weights), **sizes_of({name: t.shape for name, t in weights.items()})}
    config = NerConfig.from_dict({**read_off, **values, "labels": labels, "num_target_labels": targets})
    columns = len(weights["down_fc.weight"])
    if len(config.labels) - 1 != columns:
        raise ValueError(
            f"{folder}: {len(config.labels) - 1} labels besides O, but {columns} columns of scores (down_fc.weight): "
            "these are not the labels that it was trained with"
        )
    return config


def _check(weights: Mapping[str, Tensor], model: SpanModel, folder: Path) -> None:
    expected = model.state_dict()
    missing = sorted(expected.keys() - weights.keys())
    if missing:
        raise ValueError(
            f"{folder} lacks {len(missing)} tensors of a {model.config.span_model} model: {_some(missing)}"
        )
    misshapen = [
        f"{name} is {tuple(weights[name].shape)} instead of {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if weights[name].shape != tensor.shape
    ]
    if misshapen:
        raise ValueError(f"{folder}: tensors do not fit config.json: {_some(misshapen)}")
    unknown = sorted(name for name in weights.keys() - expected.keys() - {*COMPUTED} if not name.startswith(POOLER))
    if unknown:
        log.warning("%s holds %d tensors that the model has no place for: %s", folder, len(unknown), _some(unknown))


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
