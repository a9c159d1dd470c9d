"""The span model on a real GPU: training in each number format, resuming, prediction, export and s7."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from tests.helpers.tiny_encoder import MAX_POSITIONS, WORDS, annotated
from utils.dataset.records import Sentence, Span
from utils.dataset.tokens import WORDS as BY_WORDS
from utils.files.jsonl import read_json, write_rows
from utils.ner import SpanNer
from utils.ner.prediction.export import export_model
from utils.ner.prediction.judgement import LOWEST_SCORE
from utils.ner.training.data import read_ner_data
from utils.ner.training.learner import Learner
from utils.ner.training.record import training_record
from utils.ner.training.settings import TrainSettings
from utils.ner.training.trainer import Trainer, TrainRun

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
TEXTS = ["anna sees bert in rome", "bert likes paris", "the rome and the paris", "sees the anna", "the anna sees rome"]
SETTINGS = TrainSettings(head_lr=5e-3, encoder_lr=1e-3, epochs=8, min_steps=60, batch_size=2, ema=0.9, precision="fp32")
# Of the loss of the first round: the same sums in another order, or products in half precision. Dropout draws other
# numbers on a GPU, so the settings above would not be comparable; `comparable` turns it off.
TOLERANCE = {"fp32": 0.02, "bf16": 0.1, "fp16": 0.1}


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random encoder without dropout, and a dataset that a tiny model can learn."""
    folder = tmp_path_factory.mktemp("span_model")
    (folder / "encoder").mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "encoder" / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    BertTokenizerFast(str(folder / "encoder" / "vocab.txt")).save_pretrained(folder / "encoder")
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=MAX_POSITIONS, **sizes, **none)
    BertModel(config).save_pretrained(folder / "encoder")
    rows = annotated(TEXTS)
    for name in ("train", "dev"):
        write_rows(folder / f"{name}.jsonl", rows)
    (folder / "labels.txt").write_text("O\nPER\nLOC\n", encoding="utf-8")
    return folder


def trainer(files: Path, target: Path, device: torch.device, **changes: object) -> Trainer:
    settings = TrainSettings(**{**{name: getattr(SETTINGS, name) for name in SETTINGS.__slots__}, **changes})
    data = read_ner_data(
        files / "train.jsonl", files / "dev.jsonl", files / "labels.txt", tokenisation=BY_WORDS, seed=0
    )
    encoder = str(files / "encoder")
    return Trainer(data, settings, TrainRun(encoder, target, device), training_record(data, settings, encoder))


def comparable(files: Path, target: Path, device: torch.device, **changes: object) -> Trainer:
    """Return a trainer without dropout."""
    made = trainer(files, target, device, **changes)
    for module in made.learner.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return made


def losses(files: Path, target: Path, device: torch.device, **changes: object) -> list[float]:
    """Return the loss of each of 20 steps without dropout."""
    made = comparable(files, target, device, **changes)
    made.learner.model.train()
    return [made.learner.step(made.examples[:4]) for _ in range(20)]


def trained(files: Path, target: Path, device: torch.device, **changes: object) -> SpanNer:
    """Train, and return the best model."""
    trainer(files, target, device, **changes).train()
    assert read_json(target / "best" / "training.json")["finished"]
    return SpanNer.from_pretrained(target / "best", device=device)


def resumed(
    files: Path, target: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, object]]:
    """Return the history of a training that is killed in its third step, and then continued."""
    first = comparable(files, target, device)
    first.save_seconds = 0.0
    real, calls = Learner.step, []

    def step(self, examples):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(self, examples)

    monkeypatch.setattr(Learner, "step", step)
    with pytest.raises(KeyboardInterrupt):
        first.train()
    monkeypatch.setattr(Learner, "step", real)
    second = comparable(files, target, device)
    second.train()
    return second.history


def check_resuming(files: Path, folder: Path, device: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare the losses of an interrupted training with those of a whole one."""
    whole = comparable(files, folder / "whole", device)
    whole.train()
    found = resumed(files, folder / "resumed", device, monkeypatch)
    expected = [row["loss"] for row in whole.history]
    tolerance = 1e-6 if device.type == "cpu" else 1e-2  # a GPU adds gradients in any order
    assert [row["loss"] for row in found] == pytest.approx(expected, rel=tolerance)


def check_export(files: Path, folder: Path, device: torch.device) -> None:
    """Export a trained model, whose scores are compared with the model's."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    ner = trained(files, folder / "model", device)
    assert export_model(ner, folder / "model.onnx") <= 1e-4
    assert (folder / "model.onnx").stat().st_size > 0


def cells(ner: SpanNer) -> list[list[tuple[int, int, str, float]]]:
    """Return all cells with a probability above the lowest, as s7 writes them."""
    judged = ner.judge([text.split() for text in TEXTS], 4, lowest=LOWEST_SCORE)
    return [[(one.start, one.end, one.label, one.score or 0.0) for one in judgement.cells] for judgement in judged]


def assert_same_cells(one: SpanNer, other: SpanNer) -> None:
    for mine, theirs in zip(cells(one), cells(other), strict=True):
        assert [cell[:3] for cell in mine] == [cell[:3] for cell in theirs]
        assert [cell[3] for cell in mine] == pytest.approx([cell[3] for cell in theirs], abs=1e-3)


@pytest.mark.slow
def test_the_training_itself_learns_and_resumes_on_the_cpu(files, tmp_path, monkeypatch):
    ner = trained(files, tmp_path / "learnt", CPU)
    assert any(cells(ner))
    assert_same_cells(ner, SpanNer.from_pretrained(tmp_path / "learnt" / "best", device=CPU))
    assert losses(files, tmp_path / "losses", CPU)[-1] < losses(files, tmp_path / "again", CPU)[0] / 2
    check_resuming(files, tmp_path, CPU, monkeypatch)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("adversarial", [0.0, 0.05])
def test_losses_are_those_of_the_cpu(files, tmp_path, precision, adversarial):
    expected = losses(files, tmp_path / "cpu", CPU, adversarial=adversarial)
    found = losses(files, tmp_path / "gpu", GPU, precision=precision, adversarial=adversarial)
    assert found[0] == pytest.approx(expected[0], rel=TOLERANCE[precision])
    assert found[-1] < expected[0] / 2


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_training_on_a_gpu_learns(files, tmp_path, precision):
    ner = trained(files, tmp_path / "model", GPU, precision=precision)
    assert any(cells(ner))
    assert {weight.dtype for weight in ner.model.parameters()} == {torch.float32}


@pytest.mark.gpu
def test_a_training_resumes_on_a_gpu(files, tmp_path, monkeypatch):
    check_resuming(files, tmp_path, GPU, monkeypatch)


@pytest.mark.gpu
def test_a_model_trained_on_a_gpu_gives_the_same_scores_on_the_cpu(files, tmp_path):
    ner = trained(files, tmp_path / "model", GPU)
    assert_same_cells(ner, SpanNer.from_pretrained(tmp_path / "model" / "best", device=CPU))


@pytest.mark.gpu
def test_a_model_trained_on_a_gpu_can_be_exported(files, tmp_path):
    check_export(files, tmp_path, GPU)


@pytest.mark.gpu
def test_memory_that_runs_out_in_a_prediction_splits_the_batch(files, tmp_path):
    ner = trained(files, tmp_path / "model", GPU, epochs=1, min_steps=1)
    texts = [["anna"] * 20] * 64
    expected = ner.predict(texts, batch_size=64, threshold=0.01)
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    try:
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved(0) + (24 << 20)) / total, 0)
        assert ner.predict(texts, batch_size=64, threshold=0.01) == expected
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, 0)


@pytest.mark.gpu
def test_large_batches_of_long_sentences_fit_and_equal_single_ones(files, tmp_path):
    ner = trained(files, tmp_path / "model", GPU, epochs=1, min_steps=1)
    sentence = Sentence("1", tuple(["anna", "sees", "rome"] * 6), (Span(0, 1, "PER"),))
    together = ner.predict([sentence.tokens] * 9, batch_size=9, threshold=0.01)
    alone = ner.predict([sentence.tokens], batch_size=1, threshold=0.01)
    assert [[s.key for s in one] for one in together] == [[s.key for s in alone[0]]] * 9
