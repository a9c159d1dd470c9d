"""Broken encoders and span models: every wrong file or value is named in one line, and nothing takes all memory."""

from __future__ import annotations

import json
import random
import shutil
import time

import pytest
import torch
import transformers
from transformers import XLNetConfig, XLNetModel

from tests.helpers.span_models import make_encoder, make_model
from utils.compute.checkpoint_errors import named_errors
from utils.ner import SpanNer
from utils.ner.config import NerConfig
from utils.ner.model.encoder import load_encoder, load_tokenizer
from utils.ner.model.span_model import SpanModel
from utils.ner.model.word_pieces import WordEncoder

WORDS = ["anna", "sees", "bert"]
INF, NAN = float("inf"), float("nan")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return make_encoder(tmp_path_factory.mktemp("encoder"), WORDS)


@pytest.fixture(scope="module")
def trained(encoder, tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model"), encoder, ["PER"], None)


@pytest.fixture
def model(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "model")


def change(folder, name="config.json", **values):
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}), encoding="utf-8")


# --- values in config.json


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"cnn_dim": "40"}, "cnn_dim is '40'; it must be a whole number"),
        ({"cnn_dim": 40.0}, "cnn_dim is 40.0; it must be a whole number"),
        ({"cnn_dim": True}, "cnn_dim is True; it must be a whole number"),
        ({"cnn_dim": 10**12}, "cnn_dim is 1000000000000; it must be a whole number between 1 and"),
        ({"cnn_dim": 40_000}, "cnn_dim is 40000, and 40 by the tensors"),
        ({"biaffine_size": -24}, "biaffine_size is -24; it must be a whole number"),
        ({"n_head": 0}, "n_head is 0; it must be a whole number"),
        ({"kernel_size": 2}, "kernel_size is 2; it must be odd"),
        ({"kernel_size": None}, "kernel_size is None; it must be a whole number"),
        ({"cnn_depth": 10**9}, "cnn_depth is 1000000000; it must be a whole number between 1 and 100"),
        ({"span_threshold": "0.5"}, "span_threshold is '0.5'; it must be a number"),
        ({"span_threshold": NAN}, "span_threshold is nan; it must be a number"),
        ({"head_dropout": 1}, "head_dropout is 1; it must be a number from 0 to less than 1"),
        ({"logit_drop": [0]}, r"logit_drop is \[0\]; it must be a number"),
        ({"nested": "yes"}, "nested is 'yes'; it must be true or false"),
        ({"dense": 1}, "dense is 1; it must be true or false"),
        ({"span_model": 5}, "span_model is 5; it must be one of"),
        ({"span_model": ["knowfree"]}, r"span_model is \['knowfree'\]; it must be one of"),
        ({"labels": ["O", "PER", 5]}, "labels must be a list of strings"),
        ({"num_target_labels": True}, "num_target_labels a whole number"),
        ({"hidden_size": 10**7}, "hidden_size is 10000000, and at most"),
        ({"vocab_size": 10**11}, "vocab_size is 100000000000, and at most"),
        ({"num_hidden_layers": 10**6}, "num_hidden_layers is 1000000, and at most"),
        ({"vocab_size": INF}, "vocab_size is inf, and at most"),
        ({"hidden_size": "16"}, "cannot be read"),
        ({"num_attention_heads": -1}, "cannot be read"),
        ({"hidden_act": 7}, "cannot be read"),
        ({"layer_norm_eps": "x"}, "cannot be read"),
        ({"model_type": "nothing"}, "cannot be read"),
        ({"model_type": 5}, "cannot be read"),
    ],
)
def test_a_wrong_value_is_named_with_its_folder(values, what, model):
    change(model, **values)
    with pytest.raises(ValueError, match=what) as raised:
        SpanNer.from_pretrained(model)
    assert str(model) in str(raised.value)
    assert "\n" not in str(raised.value)


ODD_VALUES: tuple[object, ...] = (
    None,
    True,
    "x",
    "200",
    -1,
    0,
    1,
    7,
    1.5,
    INF,
    NAN,
    10**6,
    10**12,
    10**30,
    [],
    {},
    [1],
    {"a": 1},
    "",
)


@pytest.mark.parametrize("count", [60, pytest.param(6_000, marks=pytest.mark.slow)])
def test_any_value_can_be_used_or_is_named(count, model):
    rng = random.Random(20)
    whole = json.loads((model / "config.json").read_text())
    keys = [*whole, "torch_dtype", "rope_scaling", "auto_map", "quantization_config"]
    for _ in range(count):
        values = {**whole, **{rng.choice(keys): rng.choice(ODD_VALUES) for _ in range(rng.choice((1, 1, 2)))}}
        (model / "config.json").write_text(json.dumps(values), encoding="utf-8")
        begin = time.thread_time()
        try:
            SpanNer.from_pretrained(model).predict([WORDS])
        except (ValueError, ImportError) as error:
            assert str(model) in str(error), values
        assert time.thread_time() - begin < 20, values


# --- damaged files


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.9])
def test_weights_that_are_cut_off_are_named(share, model, encoder, tmp_path):
    cut(model / "model.safetensors", share)
    with pytest.raises(ValueError, match=r"the weights in .*model cannot be read"):
        SpanNer.from_pretrained(model)
    damaged = shutil.copytree(encoder, tmp_path / "encoder")
    cut(damaged / "model.safetensors", share)
    with pytest.raises(ValueError, match=r"encoder cannot be read \(.*download it again"):
        load_encoder(str(damaged))


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"model": {}}', '{"model": 5}', "\x00", '{"version": "1.0"}']
)
def test_a_broken_tokenizer_is_named(content, model):
    (model / "tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"model cannot be read \(.*download it again"):
        SpanNer.from_pretrained(model)


@pytest.mark.parametrize("content", ["{", "[]", "5", '{"tokenizer_class": 5}', '{"added_tokens_decoder": 5}'])
def test_broken_settings_of_a_tokenizer_are_named(content, encoder, tmp_path):
    damaged = shutil.copytree(encoder, tmp_path / "encoder")
    (damaged / "tokenizer_config.json").write_text(content, encoding="utf-8")
    try:
        load_tokenizer(str(damaged))
    except ValueError as error:
        assert "encoder cannot be read (" in str(error)
    else:
        assert transformers.__version__ != "4.44.2"  # other versions accept some of these


@pytest.mark.parametrize("content", ["{", "[]", "5", "null", '{"model_type": "bert", "hidden_size": "x"}', "{}"])
def test_a_broken_configuration_of_an_encoder_is_named(content, encoder, tmp_path):
    damaged = shutil.copytree(encoder, tmp_path / "encoder")
    (damaged / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"encoder cannot be read \("):
        load_encoder(str(damaged))


def test_too_little_memory_is_one_line():
    words = (
        "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"
    )
    for error in (RuntimeError(words), MemoryError()):
        with (
            pytest.raises(RuntimeError, match=r"^some/model does not fit into memory: close"),
            named_errors("some/model"),
        ):
            raise error


def test_errors_of_the_file_system_stay():
    with pytest.raises(PermissionError), named_errors("some/model"):
        raise PermissionError(13, "Permission denied", "some/file")


# --- encoders without a largest position


@pytest.fixture
def xlnet(encoder, tmp_path):
    folder = shutil.copytree(encoder, tmp_path / "xlnet")
    torch.manual_seed(0)
    vocabulary = len((folder / "vocab.txt").read_text().splitlines())
    config = XLNetConfig(vocab_size=vocabulary, d_model=16, n_layer=1, n_head=2, d_inner=32)
    XLNetModel(config).save_pretrained(folder)
    assert json.loads((folder / "config.json").read_text()).get("max_position_embeddings", -1) == -1
    return folder


def test_an_encoder_without_a_largest_position_predicts(xlnet):
    config = NerConfig(("O", "PER"), 1, cnn_dim=20, biaffine_size=16, size_embed_dim=5, cnn_depth=1)
    ner = SpanNer(SpanModel(load_encoder(str(xlnet)), config).eval(), load_tokenizer(str(xlnet)))
    assert len(ner.predict([WORDS * 400, WORDS])) == 2


@pytest.mark.parametrize("positions", [-1, 0, None, "x", 2.5, True])
def test_a_largest_position_that_is_no_number_of_pieces_is_the_default(positions, encoder):
    loaded = load_encoder(str(encoder))
    loaded.config.max_position_embeddings = positions
    config = NerConfig(("O", "PER"), 1, cnn_dim=20, biaffine_size=16, size_embed_dim=5, cnn_depth=1)
    ner = SpanNer(SpanModel(loaded, config).eval(), load_tokenizer(str(encoder)))
    assert ner.words.windows(WORDS * 10)[0].words > 10


@pytest.mark.parametrize("most", [-5, 0, 1, 2])
def test_an_encoder_without_room_for_a_word_is_an_error(most, encoder):
    with pytest.raises(ValueError, match=f"reads {most} word pieces at once, which leaves no room for a word"):
        WordEncoder(load_tokenizer(str(encoder)), most)
