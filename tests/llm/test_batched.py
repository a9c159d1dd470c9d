"""The decoder that uses `generate`: what is in a batch never changes an answer."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("transformers", "4.40", reason="earlier versions have no Jamba")
import torch
import transformers

from utils.llm import Request
from utils.llm.decoding.batched import BatchedDecoder
from utils.llm.decoding.decoder import EncodedRequest
from utils.llm.decoding.ragged.trial import fastest_cache
from utils.llm.hf.context import short_rope_limit

VOCABULARY = 259
SHAPE = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "pad_token_id": 0, "eos_token_id": 258}
HEADS: dict[str, object] = {
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "initializer_range": 0.3,
}
FACTORS = {"short_factor": [1.0] * 4, "long_factor": [8.0] * 4}
SAMPLES = [list(b"Name the words of this."), list(b"Who flew to Osaka?")]
SHORT = 32  # tokens up to which the model with LongRoPE uses its short factors
KINDS: dict[str, dict[str, object]] = {
    "Jamba": {
        **HEADS,
        "mamba_d_state": 4,
        "mamba_dt_rank": 4,
        "use_mamba_kernels": False,
        "num_experts": 2,
        "attn_layer_period": 2,
        "attn_layer_offset": 1,
        "expert_layer_period": 2,
        "expert_layer_offset": 1,
    },
    "Llama": HEADS,
    "Phi3": {
        **HEADS,
        "max_position_embeddings": 256,
        "original_max_position_embeddings": SHORT,
        "rope_scaling": {"type": "longrope", **FACTORS},
    },
}


def tiny(kind):
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**{**SHAPE, **KINDS[kind]})
    return getattr(transformers, f"{kind}ForCausalLM")(config).eval()


def requests(lengths, tokens=8):
    chance = random.Random(0)
    prompts = [[chance.randrange(1, 256) for _ in range(length)] for length in lengths]
    return [EncodedRequest(Request(str(i), "entity", "", tokens), prompt) for i, prompt in enumerate(prompts)]


def answers(decoder, given, batch_size):
    found = {row.request.id: ids for row, ids, _ in decoder.decode(given, batch_size)}
    assert len(found) == len(given)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_the_same_in_a_batch_and_alone(kind, chat):
    decoder = BatchedDecoder(tiny(kind), chat)
    decoder.one_at_a_time = decoder.reads_padding(list(b"Name the words of this."))
    assert decoder.one_at_a_time == (kind == "Jamba")
    given = requests([5, 9, 9, 14, 20, 20, 20, 30, 40, 70])
    alone = {row.request.id: answers(decoder, [row], 1)[row.request.id] for row in given}
    assert len({tuple(ids) for ids in alone.values()}) > 3  # equal answers would prove nothing
    assert answers(decoder, given, 6) == alone


def test_a_state_space_model_is_left_to_generate():
    torch.manual_seed(0)
    model = transformers.MambaForCausalLM(transformers.MambaConfig(**SHAPE, state_size=4)).eval()
    assert not fastest_cache(model, SAMPLES)


def test_a_model_with_two_kinds_of_rotary_embeddings_is_left_to_generate():
    model = tiny("Phi3")
    assert short_rope_limit(model.config) == SHORT
    assert not fastest_cache(model, SAMPLES)
    assert short_rope_limit(tiny("Llama").config) is None
