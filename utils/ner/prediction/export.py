"""A trained span model as one ONNX file, which is written only once it gives the model's own scores.

Tried with torch 2.13, onnx 1.23, onnxscript 0.7 and onnxruntime 1.32; none of the last three is needed elsewhere.
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
from torch import Tensor, nn

from utils.files.jsonl import replace_file
from utils.ner.model.encoder import max_pieces
from utils.ner.model.layers import LocalAttention
from utils.ner.model.span_model import DISTANCES, SpanModel
from utils.ner.model.word_pieces import Batch, Window
from utils.ner.prediction.predictor import SpanNer

OPSET = 18  # the first whose ScatterElements can take the largest value
INPUTS = ("input_ids", "attention_mask", "word_index", "is_word")
OUTPUT = "logits"
SPECIAL_PIECES = 2  # around a sentence
TOLERANCE = 1e-4  # of logits, in float32
PACKAGES = "onnx onnxscript onnxruntime"
CHECKED = ((1,), (2,), (9,), (60,), (5, 1, 17), (33, 2, 60, 1), (400,))  # words of the sentences of each batch


class ShiftedAttention(nn.Module):
    """KnowFREE's local attention for any number of columns: its keys are the columns, shifted by each distance."""

    def __init__(self, attention: LocalAttention) -> None:
        super().__init__()
        self.attn: Any = attention.local_attention.attn
        self.norm = attention.norm
        self.reach = attention.local_attention.reach

    def forward(self, cells: Tensor, is_row: Tensor, is_column: Tensor) -> Tensor:
        """Return refined cells (batch, rows, columns, dim); `is_column` (batch, columns) tells which are words."""
        projected = nn.functional.linear(cells, self.attn.in_proj_weight, self.attn.in_proj_bias)
        query, key, value = projected.unflatten(-1, (3, self.attn.num_heads, -1)).unbind(3)  # (…, heads, size)
        query = query * query.shape[-1] ** -0.5
        keys, values = (self._shifted(nn.functional.pad(part, (0, 0) * 2 + (self.reach,) * 2)) for part in (key, value))
        is_key = self._shifted(nn.functional.pad(is_column, (self.reach, self.reach))[:, None])
        is_key[self.reach] = torch.ones_like(is_key[self.reach])  # each cell is a key of its own
        scores = [
            (query * key).sum(-1).masked_fill(~there[..., None], -torch.inf)
            for key, there in zip(keys, is_key, strict=True)
        ]
        weights = torch.stack(scores).softmax(0)  # (distances, batch, rows, columns, heads)
        mixed = sum(weight[..., None] * value for weight, value in zip(weights, values, strict=True))
        return self.norm(self.attn.out_proj(mixed.flatten(-2)))

    def _shifted(self, padded: Tensor) -> list[Tensor]:
        columns = padded.shape[2] - 2 * self.reach
        return [padded[:, :, shift : shift + columns] for shift in range(2 * self.reach + 1)]


class WholeSquare(nn.Module):
    """A span model's scores without a loop over rows, so that one graph serves sentences of any length."""

    def __init__(self, model: SpanModel) -> None:
        super().__init__()
        self.model = model
        self.refine: nn.Module = ShiftedAttention(model.attn) if model.config.span_model == "knowfree" else model.cnn

    def forward(self, input_ids: Tensor, attention_mask: Tensor, word_index: Tensor, is_word: Tensor) -> Tensor:
        """Return the logits of SpanModel.forward; `is_word` (batch, words) is true where a sentence has a word."""
        words = self._word_states(input_ids, attention_mask, word_index, is_word)
        cells = self._cells(self.model.head_mlp(words), self.model.tail_mlp(words))
        logits = self.model.down_fc(self.refine(cells, is_word, is_word) + cells)
        positions = torch.arange(is_word.shape[1], device=is_word.device)
        is_span = (positions[:, None] <= positions) & is_word[:, None]
        return logits.masked_fill(~is_span[..., None], -torch.inf)

    def _word_states(self, input_ids: Tensor, attention_mask: Tensor, word_index: Tensor, is_word: Tensor) -> Tensor:
        pieces = self.model.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        batch, words = is_word.shape
        least = pieces.new_full((batch, 1 + words, pieces.shape[2]), torch.finfo(pieces.dtype).min)
        states = least.scatter_reduce(1, word_index[..., None].expand_as(pieces), pieces, "amax")[:, 1:]
        return torch.where(is_word[..., None], states, 0.0)

    def _cells(self, head: Tensor, tail: Tensor) -> Tensor:
        """Return the biaffine and the affine term of all pairs, (batch, words, words, cnn_dim)."""
        config = self.model.config
        size = config.biaffine_size + 1
        w_head, w_tail, w_distance = self.model.W.split([size, size, config.size_embed_dim], dim=1)
        one, other = (nn.functional.pad(part, (0, 1), value=1.0) for part in (head, tail))
        positions = torch.arange(head.shape[1], device=head.device)
        bucket = (positions - positions[:, None]).clamp(-DISTANCES // 2, DISTANCES // 2 - 1) + DISTANCES // 2
        from_distance = nn.functional.linear(self.model.size_embedding.weight, w_distance)[bucket]
        affine = nn.functional.linear(one, w_head)[:, :, None] + nn.functional.linear(other, w_tail)[:, None]
        return self.model.multi_head_biaffine(head, tail) + affine + from_distance


def export_model(ner: SpanNer, file: Path) -> float:
    """Write the model as ONNX, and return the largest difference of its logits to the model's own.

    Raises RuntimeError, and writes nothing, where its encoder cannot be exported or the logits differ by over 1e-4;
    ImportError where a package is missing.
    """
    data = to_onnx(ner)
    difference = largest_difference(ner, data)
    if not difference <= TOLERANCE:
        raise RuntimeError(
            f"the exported model's scores differ by {difference:.1e} from the model's: nothing is written"
        )
    with replace_file(file) as target:
        target.write(data)
    return difference


def to_onnx(ner: SpanNer) -> bytes:
    """Return the model as the bytes of an ONNX file, on the CPU, whose metadata says what its columns are."""
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
        reason = next((line for line in str(error).splitlines() if line.strip()), "no reason is given")
        raise RuntimeError(f"{type(ner.model.bert).__name__} cannot be exported: {reason}") from error
    return _with_metadata(program, ner)


def largest_difference(ner: SpanNer, data: bytes) -> float:
    """Return by how much the logits of an exported model differ at most from the model's, over batches of all kinds."""
    import onnxruntime

    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    rng = random.Random(1)
    most = 0.0
    for lengths in CHECKED:
        batch = _random_batch(ner, lengths, rng)
        with torch.inference_mode():
            expected = ner.model(batch)
        inputs = {name: tensor.numpy() for name, tensor in graph_inputs(batch).items()}
        found = torch.from_numpy(session.run([OUTPUT], inputs)[0])
        is_span = expected > -torch.inf
        if not torch.equal(is_span, found > -torch.inf):
            return float("inf")
        most = max(most, float((expected[is_span] - found[is_span]).abs().max()))
    return most


def graph_inputs(batch: Batch) -> dict[str, Tensor]:
    """Return what the exported graph reads of a batch, by name."""
    is_word = torch.arange(int(batch.lengths.max())) < batch.lengths[:, None]
    return dict(zip(INPUTS, (batch.input_ids, batch.attention_mask, batch.word_index, is_word), strict=True))


def check_packages() -> None:
    """Raise ImportError that names the command which installs what exporting needs."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(f"exporting needs {error.name}: pip install {PACKAGES}") from None


def _random_batch(ner: SpanNer, lengths: Sequence[int], rng: random.Random) -> Batch:
    """Return sentences of random pieces, a word having one to three, as long as the encoder can read."""
    vocabulary, room = ner.model.bert.config.vocab_size, max_pieces(ner.model.bert) - SPECIAL_PIECES
    windows = []
    for length in lengths:
        words = [tuple(rng.randrange(vocabulary) for _ in range(rng.choice((1, 1, 2, 3)))) for _ in range(length)]
        while sum(map(len, words)) > room:
            words.pop()
        windows.append(Window(0, len(words), tuple(words)))
    return ner.words.collate(windows)


def _with_metadata(program: Any, ner: SpanNer) -> bytes:
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
    """Keep the exporter's notes on itself, and on packages that are not needed, from the screen."""
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
