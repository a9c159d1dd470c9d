"""Broken checkpoints of chat models: the file is named in one line, before the weights are loaded if it can be seen."""

from __future__ import annotations

import json
import shutil

import pytest

from utils.llm import LLMOptions, load_counter, load_llm
from utils.llm.base import choose_backend
from utils.llm.hf.files import check_checkpoint

pytest.importorskip("transformers", "4.34", reason="transformers 4.30 has no chat templates")
import transformers

from tests.helpers.tiny_checkpoint import write_tiny_checkpoint


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_tiny_checkpoint(tmp_path_factory.mktemp("whole") / "tiny")


@pytest.fixture
def model(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "tiny")


def change(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}), encoding="utf-8")


def load(folder):
    return load_llm(str(folder), "transformers", LLMOptions(dtype="float32"))


def use_or_name(folder):
    """Check that a model answers, or is named. Some versions of transformers accept values that others refuse."""
    try:
        load(folder)
    except ValueError as error:
        assert "tiny" in str(error)
        assert "\n" not in str(error)
    else:
        assert transformers.__version__ != "4.44.2"


def check_both(folder, what):
    """Check that both the first check and the loading name a damaged file in one line."""
    for use in (lambda: choose_backend(str(folder), "auto"), lambda: load(folder)):
        with pytest.raises(ValueError, match=what) as raised:
            use()
        assert "\n" not in str(raised.value)
        assert str(folder) in str(raised.value)


def test_a_whole_checkpoint_passes(whole):
    check_checkpoint(str(whole), "transformers")


@pytest.mark.parametrize("share", [0, 0.0001, 0.5, 0.9, 0.9999])
def test_weights_that_are_cut_off_are_named(share, model):
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: int(share * weights.stat().st_size)])
    with pytest.raises(ValueError, match=r"model.safetensors is (incomplete \(\d+ of its bytes|damaged or incomplete)"):
        choose_backend(str(model), "auto")
    with pytest.raises(ValueError, match=r"tiny cannot be read \(.*download it again"):
        load(model)


@pytest.mark.parametrize("header", [b"{}", b"[]", b'{"a": 5}', b'{"a": {"data_offsets": ["x", "y"]}}', b"{" * 5000])
def test_a_header_of_weights_without_tensors_is_named(header, model):
    (model / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    if header != b"{}":
        with pytest.raises(ValueError, match=r"model.safetensors is damaged or incomplete \(its header\)"):
            choose_backend(str(model), "auto")


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "config.json", "generation_config.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", "null", "5", '"x"', "[" * 100_000, "\udcff"])
def test_a_file_that_is_no_json_object_is_named(name, content, model):
    (model / name).write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ValueError, match=rf"{name} is not a JSON object"):
        choose_backend(str(model), "auto")


@pytest.mark.parametrize("content", ['{"model": {}}', '{"model": 5}', "{}", '{"version": "1.0"}'])
def test_a_tokenizer_without_a_model_is_named(content, model):
    (model / "tokenizer.json").write_text(content, encoding="utf-8")
    for use in (load, lambda folder: load_counter(str(folder), "transformers", LLMOptions())):
        with pytest.raises(ValueError, match="tiny cannot be read"):
            use(model)


@pytest.mark.parametrize(
    "values", [{"tokenizer_class": 5}, {"added_tokens_decoder": 5}, {"added_tokens_decoder": {"x": 1}}]
)
def test_wrong_settings_of_a_tokenizer_name_the_checkpoint(values, model):
    change(model / "tokenizer_config.json", **values)
    use_or_name(model)


@pytest.mark.parametrize("value", [5, ["x"], "x", {"AutoTokenizer": 5}, {"AutoConfig": [["x"]]}, {"AutoConfig": {}}])
@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_wrong_auto_map_is_named(name, value, model):
    change(model / name, auto_map=value)
    check_both(model, rf"{name}: auto_map must name classes")


@pytest.mark.parametrize("value", [5, ["x"], {"a": 1}, [{"name": "default"}], [{"name": 1, "template": "x"}], True])
def test_a_chat_template_that_is_no_text_is_named(value, model):
    change(model / "tokenizer_config.json", chat_template=value)
    with pytest.raises(ValueError, match=r"tokenizer_config.json: chat_template must be a text"):
        choose_backend(str(model), "auto")


@pytest.mark.parametrize(
    "template",
    [
        "{% if %}",
        "{{ messages[9].content }}",
        "{{ 1 / 0 }}",
        "{{ raise_exception('not for you') }}",
        "{{ messages | no_such_filter }}",
        "no message",
        "{{ messages[0].content }}{{ messages[0].content }}",
        "{% for x in range(10 ** 9) %}x{% endfor %}",
        "{{ 'x' * 10 ** 10 }}",
    ],
)
def test_a_broken_chat_template_is_one_line_before_the_weights_are_loaded(template, model):
    change(model / "tokenizer_config.json", chat_template=template)
    (model / "model.safetensors").unlink()
    for use in (load, lambda folder: load_counter(str(folder), "transformers", LLMOptions())):
        with pytest.raises(ValueError, match=r"tiny: its chat template (cannot be used|is refused)") as raised:
            use(model)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "values",
    [
        {"hidden_size": "x"},
        {"hidden_size": None},
        {"num_attention_heads": 0},
        {"hidden_act": 7},
        {"vocab_size": -1},
        {"model_type": "nothing"},
        {"model_type": 5},
        {"num_hidden_layers": "two"},
        {"intermediate_size": 7},
    ],
)
def test_a_wrong_value_of_the_configuration_names_the_checkpoint(values, model):
    change(model / "config.json", **values)
    use_or_name(model)


def test_a_missing_file_of_spread_weights_is_named(model):
    (model / "model.safetensors").rename(model / "model-00001-of-00002.safetensors")
    weights = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weights}), encoding="utf-8")
    with pytest.raises(ValueError, match=r"model-00002-of-00002.safetensors is missing, one of 2 files"):
        choose_backend(str(model), "auto")


def test_too_little_memory_is_one_line(model, monkeypatch):
    from utils.llm.hf import checkpoint

    def fail(*given, **named):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(checkpoint.AutoModelForCausalLM, "from_pretrained", fail)
    with pytest.raises(RuntimeError, match="tiny does not fit into memory: close other programs"):
        load(model)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "llava", "architectures": ["LlavaForConditionalGeneration"]}, "no text model for 'llava'"),
        ({"model_type": "clip"}, "no text model for 'clip'"),
        ({"model_type": "t5"}, r"is an encoder-decoder model \(t5\)"),
    ],
    ids=lambda value: value.get("model_type") if isinstance(value, dict) else "",
)
def test_a_model_that_is_not_for_text_alone_is_refused_in_one_line(model, config, message):
    (model / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as raised:
        load(model)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400
