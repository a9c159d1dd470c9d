"""LLM steps on a real GPU: the answers of the CPU, several GPUs, quantised weights, and memory that runs out."""

from __future__ import annotations

import json
import logging
from importlib.util import find_spec

import pytest
import torch

from tests.helpers.builders import CHINESE, call
from utils.annotation.grammar import entity_grammar, pos_grammar
from utils.dataset.tokens import WORDS
from utils.files.jsonl import read_rows
from utils.llm import LLMOptions, Request, Sampling, load_llm
from utils.llm.decoding.chat_model import TransformersLLM
from utils.llm.decoding.ragged.paged import has_paged_attention
from utils.llm.decoding.stepwise import StepwiseDecoder

log = logging.getLogger(__name__)

TOKENS = [*"他去", "New", "York", "."]
GRAMMARS = {
    "entity": entity_grammar(TOKENS, ("地名", "人名"), tokenisation=WORDS),
    "pos": pos_grammar(TOKENS, ("地名", "人名"), tokenisation=WORDS),
    "free": None,
}
MOST_CHANGED = 0.5  # share of greedy answers that rounding to bfloat16 may change; of real models, far less


def requests(kind, *, number=12, sampling=None):
    tokens = 600 if GRAMMARS[kind] else 12
    return [
        Request(
            str(n), "entity", f"sentence {n} " * (1 + n % 5), tokens, sampling and seeded(sampling, n), GRAMMARS[kind]
        )
        for n in range(number)
    ]


def seeded(sampling, number):
    return Sampling(sampling.temperature, sampling.top_p, sampling.seed + number)


def answers(checkpoint, given, **options):
    llm = load_llm(str(checkpoint), "transformers", LLMOptions(**{"dtype": "float32", "batch_size": 5, **options}))
    return {answer.request.id: (answer.text, answer.finish) for answer in llm.generate(given)}


def same_as_on_cpu(checkpoint, kind, sampling=None, **options):
    """Return the share of answers that equal those of the CPU in float32."""
    given = requests(kind, sampling=sampling)
    expected = answers(checkpoint, given)
    found = answers(checkpoint, given, **options)
    assert found.keys() == expected.keys()
    if kind != "free":
        assert all(isinstance(json.loads(text), list) for text, finish in found.values() if finish == "stop")
    return sum(found[key] == expected[key] for key in expected) / len(expected)


SAMPLED = Sampling(0.9, 0.9, 5)


@pytest.mark.parametrize(("kind", "sampling"), [("pos", SAMPLED), ("entity", None)])
def test_the_comparison_itself_finds_no_difference_between_batches(checkpoint, kind, sampling):
    assert same_as_on_cpu(checkpoint, kind, sampling, batch_size=2) == 1.0


@pytest.mark.gpu
@pytest.mark.parametrize("sampling", [None, SAMPLED], ids=["greedy", "drawn"])
@pytest.mark.parametrize("kind", GRAMMARS)
def test_answers_in_float32_are_those_of_the_cpu(checkpoint, kind, sampling):
    assert same_as_on_cpu(checkpoint, kind, sampling, gpus=(0,)) == 1.0


@pytest.mark.gpu
@pytest.mark.parametrize("kind", ["entity", "pos"])  # unguided scores of random weights are too close to each other
def test_few_answers_change_in_bfloat16(checkpoint, kind):
    share = same_as_on_cpu(checkpoint, kind, gpus=(0,), dtype="bfloat16")
    log.info("%s: %.0f %% of the answers differ in bfloat16", kind, 100 * (1 - share))
    assert share >= 1 - MOST_CHANGED


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_own_decoder_runs_the_model(checkpoint, dtype):
    llm = load_llm(str(checkpoint), "transformers", LLMOptions(gpus=(0,), dtype=dtype))
    assert isinstance(llm, TransformersLLM)
    assert isinstance(llm.decoder, StepwiseDecoder)
    is_paged = has_paged_attention(torch.device("cuda", 0), getattr(torch, dtype))
    log.info("%s: %s; torch may have the kernel for pages: %s", dtype, llm.decoder.cache.__name__, is_paged)


@pytest.mark.gpu
def test_an_index_that_does_not_exist_is_an_error_and_minus_one_is_the_cpu(checkpoint):
    missing = torch.cuda.device_count()
    with pytest.raises(ValueError, match=rf"--n_gpu={missing}: there is no GPU {missing}"):
        load_llm(str(checkpoint), "transformers", LLMOptions(gpus=(missing,)))
    assert same_as_on_cpu(checkpoint, "free", gpus=()) == 1.0


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
@pytest.mark.parametrize("gpus", [(1,), (0, 1)])
def test_other_gpus_and_several_give_the_same_answers(checkpoint, gpus):
    assert same_as_on_cpu(checkpoint, "pos", gpus=gpus) == 1.0


@pytest.mark.gpu
def test_memory_that_runs_out_halves_the_batch_and_loses_nothing(checkpoint, caplog):
    """Only so much memory may be used that the keys and values of a large batch do not fit."""
    given = requests("free", number=64)
    expected = answers(checkpoint, given)
    llm = load_llm(str(checkpoint), "transformers", LLMOptions(gpus=(0,), dtype="float32", batch_size=64))
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    room = 24 << 20  # a sequence takes 0.5 MB: 2 layers, keys and values of 256 tokens with 128 features in float32
    try:
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved(0) + room) / total, 0)
        found = {answer.request.id: (answer.text, answer.finish) for answer in llm.generate(given)}
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, 0)
    assert "out of GPU memory: continuing with --batch_size=32" in caplog.text
    assert found == expected


@pytest.mark.gpu
@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="needs bitsandbytes")
@pytest.mark.parametrize("load_in", ["8bit", "4bit"])
def test_quantised_weights_give_valid_guided_answers(checkpoint, load_in):
    found = answers(checkpoint, requests("pos"), gpus=(0,), dtype="auto", load_in=load_in)
    assert len(found) == 12
    assert all([item["word"] for item in json.loads(text)] == TOKENS for text, finish in found.values())


def rows_of_s1(folder, checkpoint, device):
    """Run s1 in both modes, and return the lines of its results."""
    CHINESE.write(folder)
    flags = {"file_dir": folder, "file_name": "tiny", "model_from_pretrained": checkpoint, "dtype": "float32"}
    for mode in ("entity", "pos"):
        call("s1", **flags, n_gpu=device, mode=mode)
    results = folder / "tiny" / "GLM4"
    return {mode: list(read_rows(results / f"{mode}_train_1000.jsonl")) for mode in ("entity", "pos")}


def test_s1_runs_with_the_tiny_model_on_the_cpu(tmp_path, checkpoint):
    rows = rows_of_s1(tmp_path, checkpoint, -1)
    assert len(rows["pos"]) == len(rows["entity"]) > 0


@pytest.mark.gpu
def test_s1_writes_the_rows_of_the_cpu(tmp_path, checkpoint):
    assert rows_of_s1(tmp_path / "gpu", checkpoint, 0) == rows_of_s1(tmp_path / "cpu", checkpoint, -1)
