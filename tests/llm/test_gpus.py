"""GPUs, replaced by fakes: replicas, models spread over several GPUs, quantised weights, out of memory."""

from __future__ import annotations

import contextlib
import sys
import threading
import types
from collections.abc import Generator

import pytest

from tests.helpers.builders import CHINESE
from tests.helpers.families import make_chatglm3, make_checkpoint
from tests.helpers.steering import model_of
from utils.cli.exits import UsageError
from utils.cli.llm_flags import model_choice
from utils.llm import Answer, LLMOptions, Request, load_llm
from utils.llm.decoding import chat_model
from utils.llm.decoding.chat_model import TransformersLLM
from utils.llm.hf.chat_format import ChatFormat
from utils.llm.hf.device_map import DeviceMap
from utils.llm.replicas import Replicas

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

OLD = tuple(map(int, transformers.__version__.split(".")[:2])) < (4, 34)
REQUESTS = [Request(str(number), "explain", "a" * number, 4) for number in range(1, 9)]


# --- out of memory


class PlainChat(ChatFormat):
    """A format whose token ids are all 1."""

    def __init__(self):
        pass

    def encode(self, prompt, earlier=()):
        return [1] * len(prompt)

    def text(self, ids, *, guided=False):
        return str(ids)


class SmallMemory:
    """A decoder with memory for `room` requests at once. It records the requests that it decodes."""

    def __init__(self, room):
        self.room = room
        self.decoded = []

    def decode(self, rows, batch_size, guide):
        for start in range(0, len(rows), batch_size):
            batch = rows[start : start + batch_size]
            # The first batch always fits, so that some answers come before the error.
            if start and len(batch) > self.room:
                raise torch.cuda.OutOfMemoryError
            for row in batch:
                self.decoded.append(row.request.id)
                yield row, [len(row.prompt)], "stop"


def test_out_of_memory_halves_the_batch_and_every_request_is_answered_once(caplog):
    decoder = SmallMemory(room=1)
    llm = TransformersLLM(PlainChat(), decoder, batch_size=4)
    found = [answer.request.id for answer in llm.generate(REQUESTS)]
    assert sorted(found) == sorted(request.id for request in REQUESTS)
    assert decoder.decoded == found
    assert llm.batch_size == 1
    assert [record.getMessage() for record in caplog.records] == [
        "out of GPU memory: continuing with --batch_size=2",
        "out of GPU memory: continuing with --batch_size=1",
    ]


def test_out_of_memory_with_one_sentence_is_one_line():
    llm = TransformersLLM(PlainChat(), SmallMemory(room=0), batch_size=1)
    with pytest.raises(RuntimeError, match="out of GPU memory with one sentence at a time: use --load_in=8bit or 4bit"):
        list(llm.generate(REQUESTS))


# --- one replica on each GPU, or one over all


@pytest.fixture
def two_gpus(monkeypatch):
    """Pretend that there are two GPUs with 10 GB; the tensors stay on the CPU."""
    monkeypatch.setattr(chat_model, "usable_gpus", list)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index: (10_000, 12_000))
    monkeypatch.setattr(torch.cuda, "device", lambda device: contextlib.nullcontext())
    monkeypatch.setattr("utils.compute.devices.has_bfloat16", lambda gpu: True)
    monkeypatch.setattr(DeviceMap, "first", torch.device("cpu"))


@pytest.fixture
def loads(monkeypatch):
    """Record the arguments of `from_pretrained`, and load on the CPU; `loads.map` becomes the model's device map."""
    recorded = types.SimpleNamespace(calls=[], map={"": 0})
    real = transformers.AutoModelForCausalLM.from_pretrained

    def from_pretrained(name, **settings):
        recorded.calls.append(settings)
        kept = {key: value for key, value in settings.items() if key not in ("device_map", "max_memory")}
        model = real(name, **{key: value for key, value in kept.items() if key != "quantization_config"})
        if "device_map" in settings:
            model.hf_device_map = recorded.map
        return model

    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", from_pretrained)
    return recorded


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("model")
    return make_chatglm3(path) if OLD else make_checkpoint(path, "llama3")


def options(**more):
    return LLMOptions(**{"gpus": (0, 1), "dtype": "float32", "batch_size": 2, **more})


def test_a_model_that_fits_on_one_gpu_gets_a_replica_on_each(folder, two_gpus, loads):
    llm = load_llm(str(folder), "transformers", options())
    assert isinstance(llm, Replicas)
    assert [call["device_map"] for call in loads.calls] == ["sequential", {"": 1}]
    assert loads.calls[0]["max_memory"] == {0: 8_000, 1: 8_000}
    alone = load_llm(str(folder), "transformers", options(gpus=()))
    answers = {answer.request.id: answer.text for answer in llm.generate(REQUESTS)}
    assert answers == {answer.request.id: answer.text for answer in alone.generate(REQUESTS)}
    assert len(answers) == len(REQUESTS)


def test_a_model_that_does_not_fit_on_one_gpu_is_spread_over_all(folder, two_gpus, loads):
    loads.map = {"model.layers.0": 0, "model.layers.1": 1}
    assert isinstance(load_llm(str(folder), "transformers", options()), TransformersLLM)
    assert len(loads.calls) == 1


def test_a_single_gpu_gets_the_whole_model(folder, two_gpus, loads):
    assert isinstance(load_llm(str(folder), "transformers", options(gpus=(3,))), TransformersLLM)
    assert [call["device_map"] for call in loads.calls] == [{"": 3}]


@pytest.mark.parametrize("place", ["cpu", "disk"])
def test_a_model_too_large_for_the_gpus_is_reported(folder, two_gpus, loads, place):
    loads.map = {"model.layers.0": 0, "model.layers.1": place}
    with pytest.raises(RuntimeError, match="does not fit into the memory of the GPUs: use more GPUs"):
        load_llm(str(folder), "transformers", options())


def test_out_of_memory_while_loading_is_reported(folder, two_gpus, monkeypatch):
    def from_pretrained(*names, **settings):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", from_pretrained)
    with pytest.raises(RuntimeError, match="does not fit into the memory of the GPUs"):
        load_llm(str(folder), "transformers", options(gpus=(0,)))


@pytest.mark.parametrize(("name", "expected"), [("auto", "bfloat16"), ("float16", "float16"), ("float32", "float32")])
def test_the_dtype_on_a_gpu_is_that_of_the_options(folder, two_gpus, loads, name, expected):
    llm = load_llm(str(folder), "transformers", options(gpus=(0,), dtype=name))
    assert {weight.dtype for weight in model_of(llm).parameters()} == {getattr(torch, expected)}


class Failing:
    def generate(self, requests):
        yield Answer(requests[0], "", "stop", 1, 1)
        raise RuntimeError("the second GPU fell off the bus")


class Endless:
    """Answers again and again until it is stopped."""

    def __init__(self):
        self.given = 0

    def generate(self, requests):
        for _ in range(10**6):
            self.given += 1
            yield Answer(requests[0], "", "stop", 1, 1)


def test_an_error_in_one_replica_stops_the_run_and_the_other_replicas():
    before, endless = set(threading.enumerate()), Endless()
    with pytest.raises(RuntimeError, match="fell off the bus"):
        list(Replicas([Failing(), endless]).generate(REQUESTS))
    assert endless.given < 10**6
    assert set(threading.enumerate()) <= before


def test_closing_a_run_stops_its_replicas():
    replicas = [Endless(), Endless()]
    answers = Replicas(replicas).generate(REQUESTS)
    assert isinstance(answers, Generator)
    next(answers)
    answers.close()
    assert all(replica.given < 10**6 for replica in replicas)


# --- quantised weights


def test_quantised_weights_need_a_gpu(folder):
    with pytest.raises(ValueError, match=r"--load_in=8bit needs a GPU; on the CPU, use a quantised \.gguf file"):
        load_llm(str(folder), "transformers", LLMOptions(load_in="8bit"))


@pytest.mark.skipif(OLD, reason="ChatGLM3 quantises itself")
class TestBitsAndBytes:
    def test_if_it_is_missing_the_error_has_the_install_command(self, folder, two_gpus, monkeypatch):
        monkeypatch.setattr("utils.llm.hf.quantisation.find_spec", lambda name: None)
        with pytest.raises(ImportError, match="--load_in=4bit needs bitsandbytes: pip install bitsandbytes"):
            load_llm(str(folder), "transformers", options(load_in="4bit"))

    @pytest.mark.parametrize(("load_in", "flag"), [("8bit", "load_in_8bit"), ("4bit", "load_in_4bit")])
    def test_the_flag_sets_the_number_of_bits(self, folder, two_gpus, loads, monkeypatch, load_in, flag):
        monkeypatch.setattr("utils.llm.hf.quantisation.find_spec", lambda name: object())
        given = []
        monkeypatch.setattr("utils.llm.hf.quantisation.BitsAndBytesConfig", lambda **words: given.append(words))
        load_llm(str(folder), "transformers", options(load_in=load_in, gpus=(0,)))
        assert given[0][flag] is True
        assert "quantization_config" in loads.calls[0]
        assert loads.calls[0]["device_map"] == {"": 0}


@pytest.mark.skipif(not OLD, reason="ChatGLM3 needs transformers 4.30")
class TestChatGLM3sOwnWay:
    @pytest.mark.parametrize(("load_in", "bits"), [("8bit", 8), ("4bit", 4)])
    def test_it_is_quantised_in_half_precision_before_it_moves_to_the_gpu(self, folder, two_gpus, loads, load_in, bits):
        llm = load_llm(str(folder), "transformers", options(load_in=load_in, gpus=(0,), dtype="auto"))
        model = model_of(llm)
        assert model.config.quantization_bit == bits
        assert {weight.dtype for weight in model.parameters()} == {torch.float16}
        row = model.transformer.layers[0].dense.weight[0].float()
        assert len(row.div(row.abs().max() / (2 ** (bits - 1) - 1)).round().unique()) <= 2**bits
        assert "device_map" not in loads.calls[0]
        assert "cpm_kernels" not in sys.modules


# --- the flag


def arguments(tmp_path, folder, *more):
    CHINESE.write(tmp_path)
    import s1_predict_data

    words = [f"--file_dir={tmp_path}", "--file_name=tiny", f"--model_from_pretrained={folder}", *more]
    return s1_predict_data.build_parser().parse_words(words)


def test_answers_of_quantised_weights_are_not_mixed_with_others(tmp_path, folder):
    def parameters(*more):
        args = arguments(tmp_path, folder, *more)
        return model_choice(args).parameters

    assert parameters("--load_in=4bit") == {**parameters(), "load_in": "4bit"}
    assert parameters("--load_in=4bit") != parameters("--load_in=8bit")
    assert parameters("--dtype=float32", "--n_gpu=0,1", "--batch_size=3") == parameters()


def test_other_backends_refuse_load_in(tmp_path, folder):
    recording = CHINESE.record(tmp_path / "answers.jsonl")
    args = arguments(tmp_path, recording, "--backend=scripted", "--load_in=8bit")
    with pytest.raises(UsageError, match="--load_in=8bit: only the transformers backend can quantise"):
        model_choice(args)
