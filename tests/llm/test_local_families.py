"""Families of local models with tiny random weights: our answers are those of `generate`, alone and in a batch.

The prompts are longer than every window, and the answers have 300 tokens. Families that this version of transformers
does not have are skipped.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from utils.llm import Request

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("utils.llm.decoding.ragged.cache", reason="this transformers has no caches", exc_type=ImportError)

# ruff: noqa: E402
from tests.helpers.tiny_checkpoint import write_tiny_checkpoint
from utils.llm.decoding.batched import BatchedDecoder
from utils.llm.decoding.decoder import EncodedRequest
from utils.llm.decoding.ragged import trial
from utils.llm.decoding.ragged.cache import MakeCache, RaggedCache
from utils.llm.decoding.ragged.grouped import GroupedCache
from utils.llm.decoding.ragged.trial import fastest_cache, fastest_with, usable_windows
from utils.llm.decoding.stepwise import StepwiseDecoder
from utils.llm.hf.chat_format import ChatFormat

NEWEST = int(transformers.__version__.split(".")[0]) >= 5
WINDOW = 24
LENGTHS = (70, 31, 70, 31, 70, 31)  # of the prompts, in tokens; `generate` needs no padding for equal ones
TOKENS = 300  # of an answer
END = 258
SAMPLES = [list(b"Name the words of this."), list(b"Who flew to Osaka?")]
SHAPE: dict[str, Any] = {
    "vocab_size": 259,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1024,
    "initializer_range": 0.3,
    "eos_token_id": END,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "tie_word_embeddings": False,
}
EXPERTS = {"num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
GEMMA = {"head_dim": 16, "query_pre_attn_scalar": 16, "hidden_activation": "gelu_pytorch_tanh"}
GPT2 = {"n_embd": 64, "n_layer": 4, "n_head": 4, "n_positions": 1024}
GRANITE = {"logits_scaling": 8.0, "attention_multiplier": 0.25, "residual_multiplier": 0.5, "embedding_multiplier": 6.0}


@dataclass(frozen=True)
class Local:
    """A family: what its configuration has besides SHAPE, and whether it decodes without padding."""

    config: dict[str, Any] = field(default_factory=dict)
    steps: bool = True  # under transformers 5
    steps_in_4: bool = True  # under transformers 4.44
    window: int | None = None  # of some layers at least
    kind: str = ""  # the names of the classes begin with it; "": the family's name


FAMILIES = {
    "Llama": Local(),
    "Qwen2": Local(),
    "Qwen2 with windows": Local({"use_sliding_window": True, "max_window_layers": 2}, window=WINDOW, kind="Qwen2"),
    "Qwen3": Local({"head_dim": 16}),
    "Qwen2Moe": Local({**EXPERTS, "shared_expert_intermediate_size": 32}),
    "Qwen3Moe": Local({**EXPERTS, "head_dim": 16}),
    "Mistral": Local(window=WINDOW),
    "Mixtral": Local(EXPERTS, window=WINDOW),
    "Starcoder2": Local(window=WINDOW),
    "Phi": Local(),
    "Phi3": Local(window=WINDOW, steps_in_4=False),
    "Gemma": Local({"head_dim": 16}),
    "Gemma2": Local(GEMMA, window=WINDOW, steps=False),
    "Gemma3": Local({**GEMMA, "num_hidden_layers": 7}, window=WINDOW),
    "Cohere": Local(),
    "Cohere2": Local({"head_dim": 16}, window=WINDOW),
    "Granite": Local(GRANITE),
    "GraniteMoe": Local({**GRANITE, **EXPERTS}),
    "Olmo": Local(),
    "Olmo2": Local(),
    "Olmo3": Local(window=WINDOW),
    "Exaone4": Local({"sliding_window_pattern": 4}, window=WINDOW),
    "Glm": Local({"head_dim": 16}),
    "Glm4": Local({"head_dim": 16}),
    "SmolLM3": Local(),
    "StableLm": Local(),
    "GPTNeoX": Local(steps_in_4=False),
    "GPT2": Local(GPT2, steps_in_4=False),
    "OPT": Local({"ffn_dim": 96, "word_embed_proj_dim": 64}, steps_in_4=False),
    "Falcon": Local({"new_decoder_architecture": False, "multi_query": True}, steps_in_4=False),
    "Falcon with ALiBi": Local({"alibi": True}, steps=False, steps_in_4=False, kind="Falcon"),
    "GptOss": Local({**EXPERTS, "head_dim": 16}, window=WINDOW, steps=False),
}


def make(name: str, **changes: Any) -> Any:
    """Return a random model of a family; skip the test if this version of transformers does not have it."""
    family = FAMILIES[name]
    kind = family.kind or name
    config = getattr(transformers, {"Gemma3": "Gemma3TextConfig"}.get(kind, f"{kind}Config"), None)
    model = getattr(transformers, {"GPT2": "GPT2LMHeadModel"}.get(kind, f"{kind}ForCausalLM"), None)
    if config is None or model is None:
        pytest.skip(f"transformers {transformers.__version__} has no {kind}")
    shape = {key: value for key, value in SHAPE.items() if kind != "GPT2" or not key.startswith(("hidden_", "num_"))}
    windows = {"sliding_window": family.window} if family.window else {}
    torch.manual_seed(0)
    made = model(config(**{**shape, **family.config, **windows, **changes})).eval()
    if kind == "Mistral" and not family.window:
        made.config.sliding_window = None
    return made


def prompts() -> list[list[int]]:
    draw = random.Random(5)
    return [[draw.randrange(2, 256) for _ in range(length)] for length in LENGTHS]


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> ChatFormat:
    torch.set_num_threads(1)
    folder = write_tiny_checkpoint(tmp_path_factory.mktemp("chat"))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    chat = ChatFormat(tokenizer, transformers.AutoModelForCausalLM.from_pretrained(folder))
    chat.stops = [END]  # as in the models that are tried
    return chat


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_the_answers_of_a_family_are_those_of_generate(name, chat):
    model = make(name)
    expected = answers_of_generate(model)
    assert len({tuple(ids) for ids in expected.values()}) == len(LENGTHS)
    cache = fastest_cache(model, SAMPLES)
    assert (cache is not None) == (FAMILIES[name].steps if NEWEST else FAMILIES[name].steps_in_4)
    requests = [
        EncodedRequest(Request(str(number), "entity", "", TOKENS), prompt) for number, prompt in enumerate(prompts())
    ]
    for decoder in _decoders(model, chat, cache):
        together = {row.request.id: ids for row, ids, _ in decoder.decode(requests, len(requests), None)}
        assert together == expected
        alone = {row.request.id: ids for row, ids, _ in decoder.decode(requests[:2], 1, None)}
        assert alone == {id_: expected[id_] for id_ in alone}


def _decoders(model: Any, chat: ChatFormat, cache: MakeCache | None) -> list[Any]:
    """Return the decoder with the cache for a CPU and the one for a GPU, or the one that uses `generate`."""
    if cache is None:
        return [BatchedDecoder(model, chat)]
    grouped = partial(GroupedCache, windows=usable_windows(model, SAMPLES) or ())
    return [StepwiseDecoder(model, chat.stops, make) for make in (cache, grouped)]


def answers_of_generate(model: Any) -> dict[str, list[int]]:
    """Return the answers of `generate` to the prompts, all those of the same length in one call."""
    found = {}
    for length in set(LENGTHS):
        alike = {str(number): prompt for number, prompt in enumerate(prompts()) if len(prompt) == length}
        ids = torch.tensor(list(alike.values()))
        output = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=TOKENS)
        for number, row in zip(alike, output[:, length:].tolist(), strict=True):
            found[number] = row[: row.index(END)] if END in row else row
    return dict(sorted(found.items()))


# --- the trial of a model


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("window", [20, 200])
def test_a_window_is_found_by_a_sample_that_is_longer(window, dtype, monkeypatch):
    model = make("Mistral", sliding_window=window).to(dtype)
    assert usable_windows(model, SAMPLES) == [window] * 4
    for wrong in ((), [window * 21 // 20] * 4):
        monkeypatch.setattr(trial, "attention_windows", lambda config, wrong=wrong: wrong)
        assert usable_windows(model, SAMPLES) is None


def test_every_kind_of_layer_is_tried_in_float32(monkeypatch):
    model = make("Gemma3" if NEWEST else "Gemma2").to(torch.bfloat16)
    windows = usable_windows(model, SAMPLES)
    assert windows is not None
    first_full = [*windows].index(None)
    assert {*windows} == {WINDOW, None}
    wrong = [*windows[:first_full], WINDOW, *windows[first_full + 1 :]]
    monkeypatch.setattr(trial, "attention_windows", lambda config: wrong)
    assert usable_windows(model, SAMPLES) is None


def test_what_bfloat16_hides_is_found_in_float32(monkeypatch):
    """Attention with another scale gives scores that differ by less than rounding to bfloat16 may."""
    model = make("Llama").to(torch.bfloat16)
    assert fastest_with((), model, SAMPLES)
    attend = RaggedCache.attend

    def scaled(self, query, scale):
        return attend(self, query, (scale or query.shape[-1] ** -0.5) * 1.01)

    monkeypatch.setattr(RaggedCache, "attend", scaled)
    assert fastest_with((), model, SAMPLES)
    assert usable_windows(model, SAMPLES) is None


def test_the_trial_leaves_the_model_as_it_was():
    model = make("Mistral").to(torch.bfloat16)
    layers, weights = model.base_model.layers, {name: one.data_ptr() for name, one in model.named_parameters()}
    assert fastest_cache(model, SAMPLES)
    assert model.base_model.layers is layers
    assert {name: one.data_ptr() for name, one in model.named_parameters()} == weights
    assert {one.dtype for one in model.parameters()} == {torch.bfloat16}
