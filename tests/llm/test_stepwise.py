"""The stepwise decoder on tiny random models: its answers are those of `generate`, in every batch."""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Generator
from functools import partial
from typing import Any

import pytest

from utils.annotation.grammar import entity_grammar, pos_grammar
from utils.dataset.tokens import WORDS
from utils.llm import Request, Sampling

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("utils.llm.decoding.ragged.cache", reason="this transformers has no caches", exc_type=ImportError)

# ruff: noqa: E402
from utils.compute.linear.onednn import PackedLinear, has_packed_linear, pack_linears
from utils.llm.decoding.batched import BatchedDecoder
from utils.llm.decoding.decoder import EncodedRequest
from utils.llm.decoding.guide import Guide
from utils.llm.decoding.ragged.grouped import GroupedCache
from utils.llm.decoding.ragged.rows import BLOCK, RowCache
from utils.llm.decoding.ragged.scores import ragged_scores
from utils.llm.decoding.ragged.trial import fastest_cache
from utils.llm.decoding.stepwise import StepwiseDecoder, _chunk

VOCABULARY = 259
SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1024,
    "initializer_range": 0.3,
    "eos_token_id": VOCABULARY - 1,
    "tie_word_embeddings": False,
}
SAMPLES = [list(b"Name the words of this."), list(b"Who flew to Osaka?")]
KINDS = ("Llama", "Qwen2", "Mistral", "Gemma", "Olmo")


def tiny(kind, **changes):
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**{**SHAPE, "pad_token_id": 0, **changes})
    if kind == "Mistral" and "sliding_window" not in changes:
        config.sliding_window = None
    return getattr(transformers, f"{kind}ForCausalLM")(config).eval()


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    return tiny("Qwen2")


def rows(number=9, *, tokens=20, seed=0, **changes):
    chance = random.Random(seed)
    shared = [chance.randrange(256) for _ in range(24)]
    prompts = [shared + [chance.randrange(256) for _ in range(chance.randint(1, 40))] for _ in range(number)]
    return [
        EncodedRequest(Request(str(place), "entity", "", tokens + place % 4, **changes), prompt)
        for place, prompt in enumerate(prompts)
    ]


def answers(decoder, given, batch_size, guide=None):
    found = {row.request.id: (ids, finish) for row, ids, finish in decoder.decode(given, batch_size, guide)}
    assert len(found) == len(given)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_answers_are_those_of_generate(kind, chat):
    model = tiny(kind)
    cache = fastest_cache(model, SAMPLES)
    assert cache
    expected = answers(BatchedDecoder(model, chat), rows(), 1)
    for make in (cache, GroupedCache):
        assert answers(StepwiseDecoder(model, chat.stops, make), rows(), 4) == expected


def test_a_window_hides_a_part_of_the_common_prefix(chat):
    model = tiny("Mistral", sliding_window=20)
    cache = fastest_cache(model, SAMPLES)
    assert cache
    expected = answers(BatchedDecoder(model, chat), rows(), 1)
    for make in (cache, partial(GroupedCache, windows=[20, 20])):
        assert answers(StepwiseDecoder(model, chat.stops, make), rows(), 4) == expected


@pytest.mark.parametrize("batch_size", [1, 2, 5, 50])
def test_answers_do_not_depend_on_the_batch_the_order_or_the_prefix(model, chat, batch_size):
    decoder = StepwiseDecoder(model, chat.stops)
    alone = {row.request.id: answers(decoder, [row], 1)[row.request.id] for row in rows()}
    assert answers(decoder, rows(), batch_size) == alone
    assert answers(decoder, rows()[::-1], batch_size) == alone


def test_drawn_answers_are_those_of_generate(model, chat):
    drawn = [
        EncodedRequest(Request(row.request.id, "explain", "", 20, Sampling(1.0, 0.9, seed)), row.prompt)
        for seed, row in enumerate(rows())
    ]
    stepwise = answers(StepwiseDecoder(model, chat.stops), drawn, 4)
    assert stepwise == answers(BatchedDecoder(model, chat), drawn, 3)
    assert stepwise != answers(StepwiseDecoder(model, chat.stops), rows(), 4)


def test_an_answer_ends_at_every_stop_id_and_at_its_budget(model, chat):
    free = answers(StepwiseDecoder(model, []), rows(tokens=30), 4)
    assert all(finish == "length" and len(ids) == 30 + int(id_) % 4 for id_, (ids, finish) in free.items())
    stops = {ids[7] for ids, _ in free.values()}
    for id_, (ids, finish) in answers(StepwiseDecoder(model, sorted(stops)), rows(tokens=30), 4).items():
        cut = next(place for place, token in enumerate(free[id_][0]) if token in stops)
        assert (ids, finish) == (free[id_][0][:cut], "stop")


def test_a_finished_answer_makes_room_for_the_next_request_at_once(model, chat):
    seen = []

    class Watching(StepwiseDecoder):
        def scores(self, tokens, cache):
            seen.append(len(tokens))
            return super().scores(tokens, cache)

    given = [
        EncodedRequest(Request(str(n), "entity", "", 2 if n % 2 else 12), row.prompt) for n, row in enumerate(rows(8))
    ]
    assert len(answers(Watching(model, []), given, 4)) == 8
    assert max(seen) == 4
    assert sum(seen) <= 1 + 4 * 12 + 4 * 2  # the common prefix, and each answer's own steps: none waits for another


def test_the_model_reads_the_common_prefix_once(model, chat):
    shown: list[Any] = []

    class Watching(StepwiseDecoder):
        def scores(self, tokens, cache):
            shown.extend(token for sequence in tokens for token in sequence)
            return super().scores(tokens, cache)

    given = [EncodedRequest(Request(row.request.id, "entity", "", 1), row.prompt) for row in rows()]
    answers(Watching(model, []), given, 4)
    assert len(shown) == 24 + sum(len(row.prompt) - 24 for row in given)


def test_a_long_prompt_is_read_in_chunks_with_the_same_answer(model, chat, monkeypatch):
    given = rows(5)
    whole = answers(StepwiseDecoder(model, chat.stops), given, 3)
    monkeypatch.setattr("utils.llm.decoding.stepwise.CHUNK", 7)
    assert answers(StepwiseDecoder(model, chat.stops), given, 3) == whole


def test_a_call_on_a_cpu_reads_few_tokens_of_all_answers_together(model, chat, monkeypatch):
    read = []

    class Watching(StepwiseDecoder):
        def scores(self, tokens, cache):
            read.append(sum(map(len, tokens)))
            return super().scores(tokens, cache)

    whole = answers(StepwiseDecoder(model, chat.stops), rows(), 9)
    monkeypatch.setattr("utils.llm.decoding.stepwise.CPU_TOKENS", 40)
    assert answers(Watching(model, chat.stops), rows(), 9) == whole
    assert 30 < max(read) <= 40
    assert _chunk([1, 1, 1, 40, 60], 64) == 30
    assert _chunk([5] * 9, 4) == 1


def test_the_cache_takes_the_memory_of_its_tokens(model, chat):
    """Neither a long answer beside short ones nor the common prefix of many prompts takes more than its own tokens."""
    token_bytes = 2 * 2 * 2 * 16 * 4  # keys and values, layers, key heads, dimension, float32
    most = []

    class Watching(StepwiseDecoder):
        def scores(self, tokens, cache):
            found = super().scores(tokens, cache)
            own = [length - cache.prefix_length for length in cache.lengths]
            assert cache.nbytes <= token_bytes * (cache.prefix_length + sum(length + BLOCK for length in own))
            most.append(cache.nbytes)
            return found

    budgets = [300, *[3] * 11]
    given = [
        EncodedRequest(Request(str(n), "entity", "", budget), row.prompt)
        for n, (budget, row) in enumerate(zip(budgets, rows(12), strict=True))
    ]
    answers(Watching(model, []), given, 6)
    assert max(most) < token_bytes * 600


def test_answers_are_paused_if_the_cache_is_full_and_stay_the_same(model, chat):
    token_bytes = 2 * 2 * 2 * 16 * 4
    guide = Guide(chat.tokenizer, chat.stops)
    grammar = pos_grammar(["a", "b", "c"], ["NOUN", "VERB"], tokenisation=WORDS)
    calls = []

    class Watching(StepwiseDecoder):
        def scores(self, tokens, cache):
            found = super().scores(tokens, cache)
            calls.append(cache.nbytes)
            return found

    given = rows(6, tokens=150)
    for row in rows(3, tokens=200, grammar=grammar, sampling=Sampling(1.0, 0.9, 5)):
        given.append(dataclasses.replace(row, request=dataclasses.replace(row.request, id=f"drawn {row.request.id}")))
    expected = answers(Watching(model, []), given, 9, guide)
    together, most = len(calls), max(calls)
    calls.clear()
    assert answers(Watching(model, [], cache_bytes=token_bytes * 400), given, 9, guide) == expected
    assert max(calls) <= token_bytes * (400 + 9 * BLOCK) < most
    assert together < len(calls) < 5 * together
    calls.clear()
    assert answers(Watching(model, [], cache_bytes=1), given, 9, guide) == expected  # then one at a time
    assert max(calls) < most / 2


def test_an_answer_ends_at_the_end_of_the_context(model):
    given = [EncodedRequest(Request("1", "entity", "", 50), rows(1)[0].prompt, context=len(rows(1)[0].prompt) + 5)]
    ((ids, finish),) = answers(StepwiseDecoder(model, []), given, 1).values()
    assert (len(ids), finish) == (5, "length")


TOKENS = [*"他去", "New", "York", 'the "old"', "\\", "\x01", "🙂", "<|im_end|>", "."]


@pytest.mark.parametrize("labels", [("地名", "人名"), None])
@pytest.mark.parametrize("build", [entity_grammar, pos_grammar])
@pytest.mark.parametrize("decode", ["stepwise", "batched"])
def test_a_guided_answer_is_json_about_its_sentence(model, chat, build, labels, decode):
    decoder = StepwiseDecoder(model, chat.stops) if decode == "stepwise" else BatchedDecoder(model, chat)
    guide = Guide(chat.tokenizer, chat.stops)
    given = rows(6, tokens=900, grammar=build(TOKENS, labels, tokenisation=WORDS))
    key = "entity" if build is entity_grammar else "word"
    for ids, finish in answers(decoder, given, 4, guide).values():
        assert finish == "stop"
        items = json.loads(chat.text(ids))
        assert all(item[key] in " ".join(TOKENS) for item in items)
        assert labels is None or {item["type" if key == "entity" else "pos"] for item in items} <= set(labels)
        if build is pos_grammar:
            assert [item["word"] for item in items] == TOKENS


def test_forced_tokens_take_no_step(model, chat):
    calls = []

    class Watching(StepwiseDecoder):
        def scores(self, tokens, cache):
            calls.append(1)
            return super().scores(tokens, cache)

    given = rows(1, tokens=900, grammar=pos_grammar(["a", "b", "c"], ["NOUN", "VERB"], tokenisation=WORDS))
    ((ids, finish),) = answers(Watching(model, chat.stops), given, 1, Guide(chat.tokenizer, chat.stops)).values()
    assert finish == "stop"
    assert len(ids) > 60  # bytes are tokens here
    assert len(calls) <= 3 * len("NOUN")


def test_guided_and_free_answers_can_share_a_batch(model, chat):
    guide = Guide(chat.tokenizer, chat.stops)
    grammar = entity_grammar(["Rome"], ["CITY"], tokenisation=WORDS)
    free, held = rows(3, tokens=8), rows(3, tokens=900, grammar=grammar)
    renamed = [EncodedRequest(dataclasses.replace(row.request, id=f"g{row.request.id}"), row.prompt) for row in held]
    found = answers(StepwiseDecoder(model, chat.stops), [*free, *renamed], 6, guide)
    assert {id_: found[id_] for id_ in "012"} == answers(StepwiseDecoder(model, chat.stops), free, 6)
    assert all(
        json.loads(chat.text(found[f"g{id_}"][0])) in ([], [{"entity": "Rome", "type": "CITY"}]) for id_ in "012"
    )


def test_the_decoder_can_be_used_after_closing_it_early(model, chat):
    decoder = StepwiseDecoder(model, chat.stops)
    reading = decoder.decode(rows(), 3)
    assert isinstance(reading, Generator)
    next(reading)
    reading.close()
    assert answers(decoder, rows(), 3) == answers(StepwiseDecoder(model, chat.stops), rows(), 9)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(lambda: tiny("Mistral", sliding_window=8), id="attends within a window"),
        pytest.param(lambda: tiny("Gemma2", head_dim=16), id="has an attention of its own"),
        pytest.param(
            lambda: transformers.GPT2LMHeadModel(transformers.GPT2Config(n_embd=32, n_layer=1, n_head=2)), id="?"
        ),
    ],
)
def test_the_trial_is_true_only_for_models_with_equal_scores(model, chat):
    made = model().eval()
    if cache := fastest_cache(made, SAMPLES):
        assert answers(StepwiseDecoder(made, chat.stops, cache), rows(), 4) == answers(
            BatchedDecoder(made, chat), rows(), 1
        )
    else:
        assert made.config.model_type in ("gemma2", "gpt2")


def test_the_trial_is_false_for_code_that_comes_with_a_checkpoint(model):
    assert fastest_cache(model, SAMPLES)
    own = type("Own", (type(model),), {})(model.config).eval()
    assert not fastest_cache(own, SAMPLES)


def test_the_cache_keeps_sequences_apart_while_they_come_and_go(model):
    decoder = StepwiseDecoder(model, [])
    chance = random.Random(3)
    cache = RowCache(4)
    kept: list[list[int]] = []
    for _ in range(30):
        if kept and chance.random() < 0.3:
            place = chance.randrange(len(kept))
            rows = list(range(len(kept)))
            rows[place] = rows[-1]
            rows.pop()
            cache.keep(rows)
            kept = [kept[row] for row in rows]
        if len(kept) < 4 and (not kept or chance.random() < 0.6):
            cache.add()
            kept.append([])
        new = [[chance.randrange(256) for _ in range(chance.choice([1, 2, 3, 30]))] for _ in kept]
        kept = [old + added for old, added in zip(kept, new, strict=True)]
        together = decoder.scores(new, cache)
        with torch.inference_mode():
            alone = torch.stack([model(input_ids=torch.tensor([ids])).logits[0, -1] for ids in kept])
        torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-3)


@pytest.mark.skipif(not has_packed_linear(), reason="this machine or torch has no packed bfloat16 products")
def test_packed_layers_compute_the_same_as_plain_ones():
    model = tiny("Qwen2").to(torch.bfloat16)
    assert fastest_cache(model, SAMPLES)
    ids = torch.tensor([[1, 2, 3, 4, 5]])
    with torch.inference_mode():
        before, ragged_before = model(input_ids=ids).logits, scores_of(model)
        assert pack_linears(model) == 2 * 7 + 1
        after, ragged_after = model(input_ids=ids).logits, scores_of(model)
    assert not [layer for layer in model.modules() if type(layer) is torch.nn.Linear]
    assert isinstance(model.lm_head, PackedLinear)
    for new, old in ((after, before), (ragged_after, ragged_before)):
        torch.testing.assert_close(new, old, rtol=0.05, atol=0.05 * old.abs().max().item())


def scores_of(model):
    """Return the scores after the samples, with a ragged cache."""
    cache = RowCache(2)
    cache.add(count=2)
    return ragged_scores(model, SAMPLES, cache)


def test_layers_of_other_dtypes_are_not_packed(model):
    assert pack_linears(model) == 0
