"""A trained span model as an ONNX file, which is written only if its scores equal the model's.

Tested with torch 2.13, onnx 1.23, onnxscript 0.7 and onnxruntime 1.32. Only this module needs the last three.
"""

from __future__ import annotations

import json
import logging
import random
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from utils.files.jsonl import replace_file
from utils.ner.model.encoder import max_pieces
from utils.ner.model.word_pieces import Batch, Window
from utils.ner.prediction.onnx_graph import INPUTS, OUTPUT, WholeSquare, graph_inputs
from utils.ner.prediction.predictor import SpanNer

OPSET = 18  # the first in which ScatterElements can take the maximum
SPECIAL_PIECES = 2  # before and after a sentence
TOLERANCE = 1e-4  # of logits, in float32
PACKAGES = "onnx onnxscript onnxruntime"
CHECKED = ((1,), (2,), (9,), (60,), (5, 1, 17), (33, 2, 60, 1), (400,))  # batches: the words of each sentence


def export_model(ner: SpanNer, file: Path) -> float:
    """Write the model as an ONNX file, and return the largest difference between its logits and the model's.

    Raises RuntimeError, and writes nothing, if the encoder cannot be exported or logits differ by more than 1e-4;
    ImportError if a package is missing.
    """
    data = to_onnx(ner)
    difference = largest_difference(ner, data)
    if not difference <= TOLERANCE:
        raise RuntimeError(
            f"the exported model's scores differ by {difference:.1e} from the model's: no file was written"
        )
    with replace_file(file) as target:
        target.write(data)
    return difference


def to_onnx(ner: SpanNer) -> bytes:
    """Return the model as the bytes of an ONNX file with its labels as metadata; the model is moved to the CPU."""
    check_packages()
    ner.model.cpu().eval()
    batch, words = torch.export.Dim("batch"), torch.export.Dim("words")
    pieces = torch.export.Dim("pieces")
    shapes = ({0: batch, 1: pieces}, {0: batch, 1: pieces}, {0: batch, 1: pieces}, {0: batch, 1: words})
    example = tuple(graph_inputs(_random_batch(ner, (5, 3), random.Random(0))).values())
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                WholeSquare(ner.model),
                example,
                input_names=INPUTS,
                output_names=(OUTPUT,),
                dynamic_shapes=shapes,
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), "the exporter gave no reason")
        raise RuntimeError(f"{type(ner.model.bert).__name__} cannot be exported: {reason}") from error
    return _with_metadata(program, ner)


def largest_difference(ner: SpanNer, data: bytes) -> float:
    """Return the largest difference between the logits of an exported model and the model's, over various batches.

    Infinity, if they differ in which cells are spans.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    rng = random.Random(1)
    largest = 0.0
    for lengths in CHECKED:
        batch = _random_batch(ner, lengths, rng)
        with torch.inference_mode():
            expected = ner.model(batch)
        inputs = {name: tensor.numpy() for name, tensor in graph_inputs(batch).items()}
        found = torch.from_numpy(session.run([OUTPUT], inputs)[0])
        is_span = expected > -torch.inf
        if not torch.equal(is_span, found > -torch.inf):
            return float("inf")
        largest = max(largest, float((expected[is_span] - found[is_span]).abs().max()))
    return largest


def check_packages() -> None:
    """Raise ImportError with the command that installs the packages for ONNX if one is missing."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(f"the export needs {error.name}: pip install {PACKAGES}") from None


def _random_batch(ner: SpanNer, lengths: Sequence[int], rng: random.Random) -> Batch:
    """Return a batch of sentences with random words of one to three pieces, cut to the encoder's longest input."""
    vocabulary, room = ner.model.bert.config.vocab_size, max_pieces(ner.model.bert) - SPECIAL_PIECES
    windows = []
    for length in lengths:
        words = [tuple(rng.randrange(vocabulary) for _ in range(rng.choice((1, 1, 2, 3)))) for _ in range(length)]
        while sum(map(len, words)) > room:
            words.pop()
        windows.append(Window(0, len(words), tuple(words)))
    return ner.words.collate(windows)


def _with_metadata(program: Any, ner: SpanNer) -> bytes:
    """Return the file of an exported program, with the model's settings as JSON in its metadata."""
    proto, config = program.model_proto, ner.model.config
    values = {
        "labels": list(config.labels),
        "num_target_labels": config.num_target_labels,
        "span_threshold": config.span_threshold,
        "nested": config.nested,
        "dense": config.dense,
    }
    for name, value in values.items():
        proto.metadata_props.add(key=name, value=json.dumps(value, ensure_ascii=False))
    proto.producer_name, proto.producer_version = "torch", version("torch")
    return bytes(proto.SerializeToString())


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide the exporter's log messages and warnings."""
    logs = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)
