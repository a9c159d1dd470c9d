"""The folder of a trained span model: `config.json`, `model.safetensors`, and the tokenizer's files."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from utils.compute.checkpoint_errors import named_errors
from utils.files.jsonl import read_json, replace_file, write_json
from utils.ner.config import NerConfig
from utils.ner.label_files import CONFIG, labels_of_model
from utils.ner.model.encoder import build_encoder
from utils.ner.model.head_sizes import architecture_of, sizes_of
from utils.ner.model.span_model import SpanModel
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)

WEIGHTS, OLD_WEIGHTS = "model.safetensors", "pytorch_model.bin"
BUFFERS = ("span_size_ids", "bert.embeddings.position_ids")  # index tables in public checkpoints, not weights
MOST_TIMES = 4  # how much larger than its tensors a layer may be: a larger one is not even built
ENCODER_SIZES = ("vocab_size", "hidden_size", "intermediate_size", "embedding_size", "d_model", "d_inner", "dim")
POOLER = "bert.pooler."  # of encoders that were saved with a pooling layer, which the span model does not use


def save_model(model: SpanModel, tokenizer: Any, folder: Path) -> None:
    """Write the files of a checkpoint. Each replaces an older file only once it is complete."""
    _save_tokenizer(tokenizer, folder)
    values = {**model.bert.config.to_dict(), **model.config.to_dict()}
    write_json(folder / CONFIG, {**values, "architectures": [type(model).__name__]})
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with replace_file(folder / WEIGHTS) as file:
        file.write(safetensors.torch.save(weights, metadata={"format": "pt"}))


def _save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write the files of a tokenizer like all others, since transformers would write through links in `folder`."""
    with TemporaryDirectory() as temporary:
        tokenizer.save_pretrained(temporary)
        for file in sorted(path for path in Path(temporary).rglob("*") if path.is_file()):
            with replace_file(folder / file.relative_to(temporary)) as target:
                target.write(file.read_bytes())


def load_model(folder: Path) -> SpanModel:
    """Return the model of a checkpoint folder, in evaluation mode.

    Raises FileNotFoundError if a file is missing, and ValueError if tensors are missing or have a wrong shape.
    """
    values, weights = _read(folder)
    config = _config(values, weights, folder)
    _check_encoder_sizes(values, weights, folder)
    with named_errors(str(folder)):
        model = SpanModel(build_encoder(folder), config)
    _check(weights, model, folder)
    model.load_state_dict(weights, strict=False)
    return model.eval()


def _read(folder: Path) -> tuple[Any, dict[str, Tensor]]:
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is not a folder: give the folder of a trained span model, such as save_model/…/best"
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
        if getattr(error, "filename", None):  # an error of the file system, not of the file's content
            raise
        first = (str(error).splitlines() or ["the file is empty"])[0]
        reason, *_ = first.split(". ")  # the next sentence of torch's message advises an unsafe way of loading
        raise ValueError(f"the weights in {folder} cannot be read ({reason}): copy them again") from None
    raise FileNotFoundError(
        f"{folder} has neither {WEIGHTS} nor {OLD_WEIGHTS}: its training may have been "
        "interrupted; run the training again"
    )


def _tensors(weights: Any, folder: Path) -> dict[str, Tensor]:
    if isinstance(weights, dict) and all(isinstance(tensor, Tensor) for tensor in weights.values()):
        return weights
    raise ValueError(
        f"{folder / OLD_WEIGHTS} must contain named tensors and nothing else: save only model.state_dict() in it"
    )


def _config(values: Any, weights: Mapping[str, Tensor], folder: Path) -> NerConfig:
    """Return the checkpoint's settings; those missing in `values` (public checkpoints) follow from the tensors."""
    if "down_fc.weight" not in weights:
        raise ValueError(f"{folder} does not contain a span model: its weights have no tensor down_fc.weight")
    labels, targets = labels_of_model(values, folder)
    inferred = {"span_model": architecture_of(weights), **sizes_of({name: t.shape for name, t in weights.items()})}
    try:
        config = NerConfig.from_dict({**inferred, **values, "labels": labels, "num_target_labels": targets})
    except ValueError as error:
        raise ValueError(f"{folder / CONFIG}: {error}") from None
    _check_head_sizes(config, inferred, folder)
    columns = len(weights["down_fc.weight"])
    if len(config.labels) - 1 != columns:
        raise ValueError(
            f"{folder}: {counted(len(config.labels) - 1, 'label')} besides O, but the weights "
            f"(down_fc.weight) score {columns}: use the labels that the model was trained with"
        )
    return config


def _check_head_sizes(config: NerConfig, inferred: Mapping[str, Any], folder: Path) -> None:
    """Raise ValueError if layers would be several times as large as their tensors: they could take all memory.

    Smaller differences are reported by the tensors' names and shapes.
    """
    for name, found in inferred.items():
        given = getattr(config, name)
        if type(given) is int and given > MOST_TIMES * found:
            raise ValueError(f"{folder}: tensors do not fit config.json: {name} is {given}, and {found} by the tensors")


def _check_encoder_sizes(values: Mapping[str, Any], weights: Mapping[str, Tensor], folder: Path) -> None:
    """Raise ValueError if the encoder of a `config.json` would be much larger than its tensors."""
    largest = max(length for tensor in weights.values() for length in (*tensor.shape, 1))
    limits = {**dict.fromkeys(ENCODER_SIZES, largest), "num_hidden_layers": len(weights)}
    for name, limit in limits.items():
        value = values.get(name)
        if isinstance(value, (int, float)) and value > MOST_TIMES * limit:
            raise ValueError(
                f"{folder}: tensors do not fit config.json: {name} is {value}, and at most {limit} by them"
            )


def _check(weights: Mapping[str, Tensor], model: SpanModel, folder: Path) -> None:
    """Raise ValueError if tensors are missing or have a wrong shape; warn about tensors that are not the model's."""
    expected = model.state_dict()
    missing = sorted(expected.keys() - weights.keys())
    if missing:
        raise ValueError(
            f"{folder}: {counted(len(missing), 'tensor')} of a {model.config.span_model} model "
            f"{agreeing(len(missing), 'is', 'are')} missing: {_some(missing)}"
        )
    misshapen = [
        f"{name} is {tuple(weights[name].shape)} instead of {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if weights[name].shape != tensor.shape
    ]
    if misshapen:
        raise ValueError(f"{folder}: tensors do not fit config.json: {_some(misshapen)}")
    unknown = sorted(name for name in weights.keys() - expected.keys() - {*BUFFERS} if not name.startswith(POOLER))
    if unknown:
        log.warning(
            "%s has %s %s not part of the model: %s",
            folder,
            counted(len(unknown), "tensor"),
            agreeing(len(unknown), "that is", "that are"),
            _some(unknown),
        )


def _some(names: list[str]) -> str:
    """Return the first three names as text."""
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
