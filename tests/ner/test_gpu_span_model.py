"""The span model on a simulated GPU: the results of the CPU, and few waits for the GPU."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.helpers.simulated_gpu import simulated_gpu
from utils.compute.checkpoint_errors import TranslatedErrors, is_out_of_memory
from utils.compute.devices import choose_dtype, has_bfloat16
from utils.ner.model.layers import LocalSpanAttention
from utils.ner.model.span_model import SpanModel, span_loss
from utils.ner.training import learner as learner_module
from utils.ner.training.examples import Examples, dense_targets, step_parts
from utils.ner.training.learner import Learner, random_states, set_random_states
from utils.ner.training.settings import TrainSettings, make_plan
from utils.ner.training.trainer import _out_of_memory

GPU = torch.device("cuda", 0)
TEXTS = [["anna", "sees", "bert"], ["rome"], ["bert", "likes", "the", "paris", "and", "rome"] * 3, ["anna"] * 9]
needs_simulation = pytest.mark.skipif(
    tuple(map(int, torch.__version__.split(".")[:2])) < (2, 9), reason="the simulated GPU needs a newer torch"
)


@needs_simulation
@pytest.mark.parametrize("span_model", ["knowfree", "cnnner"])
def test_predictions_on_a_gpu_are_those_on_the_cpu(make_ner, span_model):
    ner = make_ner(span_model=span_model)
    expected = [[s.key for s in spans] for spans in ner.predict(TEXTS, threshold=0.4)]
    assert any(expected)
    with simulated_gpu() as gpu:
        ner.model.to("cuda:0")
        gpu.reset()
        found = ner.predict(TEXTS, batch_size=4, threshold=0.4)
        assert [[s.key for s in spans] for spans in found] == expected
        # One batch and one band: the number of spans, then the spans. The encoder of transformers asks once whether
        # its mask has padding.
        assert gpu.waits <= 3
        assert gpu.to_gpu == 4


@needs_simulation
def test_the_loss_on_a_gpu_is_that_on_the_cpu(make_ner, sentences):
    ner = make_ner()
    examples = Examples(sentences, ner.words, ner.labels)
    batch, weights = ner.words.collate([example.window for example in examples]), torch.ones(3)
    expected = span_loss(ner.model(batch), dense_targets(examples, 3), weights).item()
    with simulated_gpu() as gpu:
        ner.model.to("cuda:0")
        gpu.reset()
        loss = span_loss(ner.model(batch.to(GPU)), dense_targets(examples, 3, GPU), torch.ones(3, device="cuda:0"))
        assert gpu.waits <= 1  # the encoder's question about its mask
        assert loss.tolist() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("columns", [1, 5, 16, 17, 40])
def test_attention_of_all_chunks_at_once_equals_that_of_one_after_the_other(columns):
    torch.manual_seed(columns)
    attention = LocalSpanAttention(dim=40, reach=3)
    query, key, value = torch.randn(3, 6, 10, columns, 4).unbind(0)
    is_word = torch.arange(columns) < torch.tensor([columns, columns, 1, 2, 0, columns // 2])[:, None]
    chunks = [attention._attend(query, key, value, is_word, start) for start in range(0, columns, 16)]
    found = attention._attend_all(query, key, value, is_word)
    torch.testing.assert_close(found, torch.cat(chunks, dim=1), rtol=1e-5, atol=1e-6)


class Scalars(TorchDispatchMode):
    """Counts how often a number is read from a tensor: on a GPU, each time waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func._schema.name in ("aten::_local_scalar_dense", "aten::nonzero", "aten::equal"):
            device = args[0].device.type
            self.found[f"{func._schema.name} {tuple(args[0].shape)} {device}"] += 1
        return func(*args, **(kwargs or {}))


def test_a_training_step_reads_no_number_before_its_end(make_ner, sentences):
    """All but the counter of the average, which is on the CPU, and the encoder's question about its mask."""
    ner = make_ner()
    settings = TrainSettings(precision="fp32", ema=0.9, adversarial=0.05, batch_size=2, accumulate=4)
    learner = Learner(ner.model.train(), ner.words, [1.0, 1.0, 0.5], settings, make_plan(settings, 8))
    examples = Examples(sentences, ner.words, ner.labels)
    learner.step(examples)
    parts = step_parts(examples, learner.plan.batch_size)
    with Scalars() as scalars:
        learner.step(examples)
    lengths = [key for key in scalars.found if "()" not in key]
    assert lengths == []
    # the average's counter, read three times; the length of each batch when it is made, twice with perturbed
    # embeddings of a part of a batch; the encoder's mask, at each of two forward passes
    assert sum(scalars.found.values()) <= 3 + (2 + 2) * len(parts)


def test_targets_are_the_values_of_the_cells(make_ner, sentences):
    ner = make_ner()
    examples = Examples(
        sentences, ner.words, ner.labels, 1.0, lambda one: {(0, 1, "PER"): 0.25, (1, 2, "LOC"): math.nan}
    )
    targets = dense_targets(examples, 3)
    words = max(example.window.words for example in examples)
    assert targets.shape == (len(examples), words, words, 3)
    for target, example in zip(targets, examples, strict=True):
        expected = torch.zeros(words, words, 3)
        for first, last, column, value in example.cells:
            expected[first, last, column] = value
        torch.testing.assert_close(target, expected, equal_nan=True, rtol=0, atol=0)
    assert dense_targets(Examples(sentences[5:6], ner.words, ner.labels), 3).sum() == 0


# --- out of memory


def test_a_batch_too_large_for_the_gpu_is_predicted_in_halves(make_ner, monkeypatch):
    ner = make_ner()
    expected = ner.predict(TEXTS, batch_size=1, threshold=0.4)
    real, sizes = SpanModel.bands, []

    def bands(self, batch, labels=None):
        sizes.append(len(batch.lengths))
        if len(batch.lengths) > 1:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return real(self, batch, labels)

    monkeypatch.setattr(SpanModel, "bands", bands)
    assert ner.predict(TEXTS, batch_size=4, threshold=0.4) == expected
    assert sizes == [4, 2, 1, 1, 2, 1, 1]


def test_out_of_memory_with_one_sentence_is_one_line(make_ner, monkeypatch):
    def bands(self, batch, labels=None):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    ner = make_ner()
    monkeypatch.setattr(SpanModel, "bands", bands)
    with pytest.raises(RuntimeError, match="out of GPU memory with one sentence at a time: end other programs"):
        ner.predict(TEXTS, batch_size=4)


def test_out_of_memory_in_a_training_step_says_what_to_do():
    with (
        pytest.raises(RuntimeError, match="out of GPU memory: add --checkpoint_gradients, use a smaller --batch_size"),
        TranslatedErrors(_out_of_memory),
    ):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    with pytest.raises(RuntimeError, match=r"^another$"), TranslatedErrors(_out_of_memory):
        raise RuntimeError("another")


def test_a_gpu_that_is_full_is_not_a_damaged_checkpoint():
    assert is_out_of_memory(torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"))


# --- number formats and generators


@pytest.mark.parametrize(
    ("hip", "capability", "expected"),
    [(None, (7, 5), False), (None, (8, 0), True), (None, (9, 0), True), ("6", (9, 0), True)],
)
def test_bfloat16_needs_hardware_for_it(monkeypatch, hip, capability, expected):
    monkeypatch.setattr(torch.version, "hip", hip)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert has_bfloat16(GPU) is expected
    assert choose_dtype("auto", [0, 1]) == (torch.bfloat16 if expected else torch.float16)
    assert choose_dtype("float32", [0]) == torch.float32


def test_an_older_gpu_among_several_makes_the_model_float16(monkeypatch):
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0) if device.index == 0 else (7, 5))
    assert choose_dtype("auto", [0]) == torch.bfloat16
    assert choose_dtype("auto", [0, 1]) == torch.float16


def test_the_generator_of_the_trainings_own_gpu_is_saved_and_restored(monkeypatch):
    restored = []
    cuda = learner_module.torch.cuda
    monkeypatch.setattr(cuda, "get_rng_state", lambda device: torch.tensor([device.index]))
    monkeypatch.setattr(cuda, "set_rng_state", lambda state, device: restored.append((state.tolist(), device.index)))
    states = random_states(torch.device("cuda", 1))
    set_random_states(states, GPU)  # on another machine, the GPU has another index
    set_random_states({**states, "cuda": [torch.tensor([5]), torch.tensor([6])]}, GPU)  # saved by an earlier version
    set_random_states(states, torch.device("cpu"))
    assert restored == [([1], 0), ([5], 0)]
    assert "cuda" not in random_states(torch.device("cpu"))
