"""The decoders on a simulated GPU: the same answers as on the CPU, and one wait for the GPU in each step."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from utils.annotation.grammar import entity_grammar, pos_grammar
from utils.dataset.tokens import WORDS
from utils.llm import Request, Sampling, load_llm

torch = pytest.importorskip("torch", "2.9", reason="the simulated GPU needs a newer torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("utils.llm.decoding.ragged.cache", reason="this transformers has no caches", exc_type=ImportError)

# ruff: noqa: E402
from tests.helpers.simulated_gpu import simulated_gpu
from tests.helpers.tiny_checkpoint import write_tiny_checkpoint
from utils.cli.llm_flags import model_choice
from utils.llm.backends.vllm import _sequences
from utils.llm.decoding.batched import BatchedDecoder
from utils.llm.decoding.chat_model import TransformersLLM
from utils.llm.decoding.decoder import EncodedRequest
from utils.llm.decoding.gpu_room import GpuRoom
from utils.llm.decoding.guide import Guide
from utils.llm.decoding.next_tokens import TokenChooser, Turn
from utils.llm.decoding.ragged import paged
from utils.llm.decoding.ragged.layout import GPU_PADDING, RaggedLayout, _groups
from utils.llm.decoding.ragged.paged import PagedCache, has_paged_attention
from utils.llm.decoding.ragged.trial import fastest_cache, plain_cache
from utils.llm.decoding.sampler import TokenSampler
from utils.llm.decoding.stepwise import StepwiseDecoder, _split

SAMPLES = [list(b"Name the words of this."), list(b"Who flew to Osaka?")]
TOKENS = [*"他去", "New", "York", 'the "old"', "\\", "🙂", "."]
POS = pos_grammar(TOKENS, ("地名", "人名"), tokenisation=WORDS)
ENTITY = entity_grammar(TOKENS, ("地名", "人名"), tokenisation=WORDS)
MOST_COPIES = 8  # indices, ids, moved sequences, masks and their rows, random numbers, their rows and settings
SAMPLED = Sampling(1.0, 0.9, 7)


@pytest.fixture(scope="module")
def guide(chat):
    return Guide(chat.tokenizer, chat.stops)


@pytest.fixture
def model():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": False}
    shape = {"vocab_size": 300, "max_position_embeddings": 2048, "initializer_range": 0.3}  # more than the tokenizer's
    return transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**shape, **sizes, **heads)).eval()


def requests(number=7, *, tokens=20, **changes):
    chance = random.Random(0)
    shared = [chance.randrange(256) for _ in range(24)]
    prompts = [shared + [chance.randrange(256) for _ in range(chance.randint(1, 60))] for _ in range(number)]
    return [
        EncodedRequest(Request(str(n), "entity", "", tokens + n % 4, **changes), prompt)
        for n, prompt in enumerate(prompts)
    ]


def answers(decoder, given, guide=None):
    return {row.request.id: (ids, finish) for row, ids, finish in decoder.decode(given, 4, guide)}


class Counting(StepwiseDecoder):
    """Counts the calls of the model after which tokens are chosen."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.calls = 0

    def scores(self, tokens, cache):
        self.calls += 1
        return super().scores(tokens, cache)

    def _read_prefix(self, requests):
        prefix = super()._read_prefix(requests)
        self.calls = 0
        return prefix


KINDS = {
    "free": requests(tokens=7),
    "guided, pos": requests(tokens=600, grammar=POS),
    "guided, entity": requests(tokens=600, grammar=ENTITY),
    "drawn": requests(tokens=7, sampling=SAMPLED),
    "drawn, guided": requests(tokens=600, sampling=SAMPLED, grammar=POS),
    "mixed": [
        *requests(2, tokens=7),
        *requests(4, tokens=600, grammar=POS)[2:],
        *requests(6, tokens=7, sampling=SAMPLED)[4:],
    ],
}


SLOWER = {"drawn, guided", "mixed"}


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[pytest.mark.slow] * (kind in SLOWER)) for kind in KINDS])
def test_answers_on_a_gpu_are_those_on_the_cpu_with_one_wait_a_step(model, chat, guide, kind):
    expected = answers(StepwiseDecoder(model, chat.stops), KINDS[kind], guide)
    with simulated_gpu() as gpu:
        decoder = Counting(model.to("cuda:0"), chat.stops)
        gpu.reset()
        assert answers(decoder, KINDS[kind], guide) == expected
        assert gpu.waits == decoder.calls  # each step's tokens come to this process, and nothing else
        assert gpu.to_cpu == decoder.calls
        assert gpu.to_gpu <= MOST_COPIES * (decoder.calls + 2)  # 2: the common beginning of the prompts


def test_a_model_on_two_gpus_gives_the_same_answers(model, chat, guide):
    expected = answers(StepwiseDecoder(model, chat.stops), KINDS["guided, pos"], guide)
    assert len(expected) == 7
    with simulated_gpu() as gpu:
        model.to("cuda:0")
        for part in (model.model.layers[1], model.model.norm, model.lm_head):
            part.to("cuda:1")
            part.register_forward_pre_hook(_to_second, with_kwargs=True)
        gpu.reset()
        decoder = Counting(model, chat.stops)
        assert answers(decoder, KINDS["guided, pos"], guide) == expected
        assert gpu.to_cpu == decoder.calls
        assert fastest_cache(model, SAMPLES)


def _to_second(module: Any, args: Any, kwargs: Any) -> Any:
    """Move what a layer on the second GPU is given, as accelerate's hooks do."""

    def moved(one: Any) -> Any:
        return one.to("cuda:1") if isinstance(one, torch.Tensor) else one

    pairs = {key: tuple(map(moved, one)) if isinstance(one, tuple) else moved(one) for key, one in kwargs.items()}
    return tuple(map(moved, args)), pairs


def test_both_decoders_give_the_same_answers_to_guided_drawn_and_free_requests(model, chat, guide):
    stepwise = StepwiseDecoder(model, chat.stops)
    assert answers(BatchedDecoder(model, chat), KINDS["mixed"], guide) == answers(stepwise, KINDS["mixed"], guide)


def test_an_attempt_that_runs_out_of_memory_says_nothing_about_the_decoder(model, monkeypatch):
    def full(*arguments: object) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    assert fastest_cache(model, SAMPLES)
    monkeypatch.setattr("utils.llm.decoding.ragged.trial.ragged_scores", full)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        fastest_cache(model, SAMPLES)


def test_a_gpu_reads_many_long_prompts_in_smaller_pieces(model, chat, monkeypatch):
    expected = answers(StepwiseDecoder(model, chat.stops), KINDS["free"])
    monkeypatch.setattr("utils.llm.decoding.stepwise.GPU_TOKENS", 40)  # 10 for each of four sequences
    sizes = []

    class Watching(StepwiseDecoder):
        def scores(self, tokens, cache):
            if len(tokens) > 1:
                sizes.append(sum(map(len, tokens)))
            return super().scores(tokens, cache)

    with simulated_gpu():
        assert answers(Watching(model.to("cuda:0"), chat.stops), KINDS["free"]) == expected
    assert max(sizes) <= 40


# --- groups of sequences


@pytest.mark.parametrize("seed", range(20))
def test_groups_for_a_gpu_have_every_sequence_once_and_little_padding(seed):
    chance = random.Random(seed)
    counts = [chance.choice([1, 1, 1, 2, 9, 40, 300]) for _ in range(chance.randint(1, 40))]
    groups = list(_groups(counts))
    assert [row for rows in groups for row in rows] == list(range(len(counts)))
    for rows in groups:
        assert len(rows) * max(counts[row] for row in rows) <= GPU_PADDING * sum(counts[row] for row in rows)


def test_decoding_sequences_and_new_prompts_are_two_groups_on_a_gpu():
    counts = [1] * 30 + [50, 60, 45]
    assert [(rows.start, rows.stop) for rows in _groups(counts)] == [(0, 30), (30, 33)]
    with simulated_gpu() as gpu:
        layout = RaggedLayout.of([7] * 33, counts, "cuda:0")
        assert [(group.width, group.length) for group in layout.groups] == [(1, 16), (60, 80)]  # multiples of 16
        assert (gpu.to_gpu, gpu.waits) == (1, 0)


def test_ended_answers_are_replaced_by_the_last_ones_as_before():
    for seed in range(50):
        chance = random.Random(seed)
        active = [SimpleNamespace(finish=chance.random() < 0.4, name=n) for n in range(chance.randint(1, 9))]
        kept, ended = _split(active)  # type: ignore[arg-type]
        one_by_one, gone = list(active), []
        for index in reversed(range(len(one_by_one))):
            if one_by_one[index].finish:
                gone.append(one_by_one[index].name)
                one_by_one[index] = one_by_one[-1]
                one_by_one.pop()
        assert [active[row].name for row in kept] == [answer.name for answer in one_by_one]
        assert ended == gone


# --- torch's attention over pages


def plain_varlen_attn(query, key, value, cu_seq_q, cu_seq_k, max_q, max_k, **more):  # noqa: PLR0917
    """Attend as the documentation of torch's kernel says, one sequence after the other."""
    assert more["window_size"] == (-1, 0)  # causal: the last query attends to all keys
    assert (cu_seq_k[1:] - cu_seq_k[:-1]).tolist() == more["seqused_k"].tolist()
    done = []
    for row, used in enumerate(more["seqused_k"].tolist()):
        queries = query[cu_seq_q[row] : cu_seq_q[row + 1]].transpose(0, 1)  # (heads, new tokens, dimension)
        page = int(more["block_table"][row, 0])
        repeats = queries.shape[0] // key.shape[2]
        keys, values = (one[page, :used].transpose(0, 1).repeat_interleave(repeats, 0) for one in (key, value))
        new = queries.shape[1]
        assert new <= max_q
        assert used <= max_k
        is_later = torch.arange(used) > torch.arange(used - new, used)[:, None]
        scores = (queries @ keys.transpose(1, 2) * more["scale"]).masked_fill(is_later, float("-inf"))
        done.append((scores.softmax(-1) @ values).transpose(0, 1))
    assert more["enable_gqa"] == (query.shape[1] != key.shape[2])
    return torch.cat(done)


@pytest.fixture
def kernel(monkeypatch):
    """Compute torch's attention over pages in a plain way, on any device."""
    varlen = pytest.importorskip("torch.nn.attention.varlen")
    monkeypatch.setattr(varlen, "varlen_attn", plain_varlen_attn)
    monkeypatch.setattr("utils.llm.decoding.ragged.trial.has_paged_attention", lambda device, dtype: True)


@pytest.mark.parametrize("kind", ["free", "guided, pos", "drawn"])
def test_pages_give_the_same_answers(model, chat, guide, kernel, kind):
    decoder = StepwiseDecoder(model, chat.stops, PagedCache)
    assert answers(decoder, KINDS[kind], guide) == answers(StepwiseDecoder(model, chat.stops), KINDS[kind], guide)


def test_pages_are_used_if_their_scores_are_right_and_else_the_plain_cache(model, kernel, monkeypatch):
    assert fastest_cache(model, SAMPLES) is PagedCache
    varlen = pytest.importorskip("torch.nn.attention.varlen")
    monkeypatch.setattr(varlen, "varlen_attn", lambda *given, **more: plain_varlen_attn(*given, **more) * 1.5)
    assert fastest_cache(model, SAMPLES) is plain_cache(model.device)
    monkeypatch.setattr(varlen, "varlen_attn", lambda *given, **more: 1 / 0)
    with pytest.raises(ZeroDivisionError):  # an error of the program is not hidden
        fastest_cache(model, SAMPLES)

    def refuse(*given: object, **more: object) -> None:
        raise RuntimeError("no kernel image is available for execution on the device")

    monkeypatch.setattr(varlen, "varlen_attn", refuse)
    assert fastest_cache(model, SAMPLES) is plain_cache(model.device)


@pytest.mark.parametrize(
    ("device", "dtype", "expected"),
    [("cpu", "bfloat16", False), ("cuda:0", "float32", False), ("cuda:0", "bfloat16", 1)],
)
def test_pages_need_a_gpu_half_precision_and_the_kernel(device, dtype, expected, monkeypatch):
    varlen = pytest.importorskip("torch.nn.attention.varlen")
    asked = torch.device(device), getattr(torch, dtype)
    known = set(varlen.varlen_attn.__kwdefaults__ or ()) >= paged.NEEDED
    assert has_paged_attention(*asked) == bool(expected and known)
    monkeypatch.setattr(varlen, "varlen_attn", lambda query, key, value: None)  # an older one
    assert not has_paged_attention(*asked)


# --- choosing tokens


def test_masks_of_all_answers_at_once_are_those_of_each_alone(guide):
    states = [guide.start(POS) for _ in range(5)] + [None]
    for steps, state in enumerate(states[:5]):
        for _ in range(steps):
            state.take_forced()
            allowed = torch.nonzero(_bits(guide.masks([state]))[0])
            if not state.is_complete:
                state.take(int(allowed[0]))
    together = _bits(guide.masks(states))
    for row, state in enumerate(states[:5]):
        assert torch.equal(together[row], _bits(guide.masks([state]))[0])
        assert state.matcher.validate_tokens([int(together[row].nonzero()[0])]) == 1


def _bits(masks):
    return (
        masks.view(torch.uint8)[:, :, None]
        .bitwise_right_shift(torch.arange(8, dtype=torch.uint8))
        .bitwise_and(1)
        .flatten(1)
    )


def test_forced_tokens_are_the_same_after_a_mask(guide):
    plain, warm = guide.start(POS), guide.start(POS)
    chooser = TokenChooser(torch.device("cpu"), guide)
    for _ in range(30):
        chooser.warm([warm, None])
        assert warm.take_forced() == plain.take_forced()
        if plain.is_complete:
            break
        token = int(_bits(guide.masks([plain]))[0].nonzero()[-1])
        plain.take(token)
        warm.take(token)


def test_each_answer_draws_as_it_would_alone():
    samplings = [Sampling(1.0, 0.9, 1), Sampling(0.7, 0.5, 2), Sampling(0.0, 0.9, 3), Sampling(1.5, 1.0, 4)]
    scores = torch.randn(4, 500, generator=torch.Generator().manual_seed(0)) * 3
    chooser = TokenChooser(torch.device("cpu"), None)

    def tokens(rows, samplers):
        turns = [Turn(None, samplers[row]) for row in rows]
        return [chooser.tokens(chooser.prepare(turns), scores[list(rows)]) for _ in range(5)]

    together = tokens(range(4), [TokenSampler(one) for one in samplings])
    alone = [tokens([row], [TokenSampler(one) for one in samplings]) for row in range(4)]
    assert together == [[alone[row][step][0] for row in range(4)] for step in range(5)]
    assert [step[2] for step in together] == [int(scores[2].argmax())] * 5  # temperature 0
    assert len({step[3] for step in together}) > 1


# --- the number of answers at once


def room(monkeypatch, model, *, free):
    """Return the room beside a model if so many bytes of the GPU are free."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free - 1000, 10**12))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 5000)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 4000)
    return GpuRoom.of(model, [torch.device("cuda", 0)])


def test_as_many_answers_are_decoded_at_once_as_fit_into_the_free_memory(model, monkeypatch):
    asked = 300  # tokens, in two blocks of 256
    answer = 1.5 * 512 * (2 * 2 * 2 * 16 * 4) + 40 * 300
    reading = 4 * 16384 * 96 * 4
    for number in (1, 7, 100):
        made = room(monkeypatch, model, free=int((reading + (number + 0.5) * answer) / 0.8))
        assert made.batch_size(asked) == number
    assert room(monkeypatch, model, free=10**12).batch_size(asked) == 256
    assert room(monkeypatch, model, free=10**12).batch_size(asked, most=30) == 30
    assert room(monkeypatch, model, free=2000).batch_size(asked) == 1
    shape = {"num_layers": 28, "num_attention_heads": 32, "multi_query_group_num": 2, "kv_channels": 128}
    glm = SimpleNamespace(hidden_size=4096, ffn_hidden_size=13696, padded_vocab_size=65024, **shape)
    found = GpuRoom.of(SimpleNamespace(config=glm, dtype=torch.float16), [])
    assert found is not None
    assert found.token_bytes == 2 * 28 * 2 * 128 * 2
    assert GpuRoom.of(SimpleNamespace(config=SimpleNamespace(), dtype=torch.float16), []) is None


def test_after_out_of_memory_no_more_answers_are_decoded_at_once(model, chat, monkeypatch):
    class Full(StepwiseDecoder):
        def decode(self, requests, batch_size, guide=None):
            sizes.append(batch_size)
            if batch_size > 20:
                raise torch.cuda.OutOfMemoryError
            yield from super().decode(requests, batch_size, guide)

    sizes: list[int] = []
    llm = TransformersLLM(chat, Full(model, chat.stops), 4, 1024, room(monkeypatch, model, free=10**12))
    given = [Request(str(number), "entity", "x" * number, 3) for number in range(1, 4)]
    assert len(list(llm.generate(given))) == 3
    assert sizes == [256, 128, 64, 32, 16]
    assert len(list(llm.generate(given))) == 3
    assert sizes[5:] == [16]


def test_only_a_gpu_is_filled_and_only_without_the_flag(tmp_path):
    import s1_predict_data

    def options(*words):
        parser = s1_predict_data.build_parser()
        return model_choice(parser.parse_words([f"--model_from_pretrained={folder}", "--file_name=x", *words])).options

    folder = write_tiny_checkpoint(tmp_path / "model")
    assert (options().batch_size, options().fills_gpu) == (20, True)
    assert (options("--batch_size=20").batch_size, options("--batch_size=20").fills_gpu) == (20, False)
    loaded = load_llm(str(folder), "transformers", options("--n_gpu=-1"))
    assert isinstance(loaded, TransformersLLM)
    assert loaded._room is None
    assert (_sequences(options(), on_gpu=True), _sequences(options(), on_gpu=False)) == (256, 20)
    assert _sequences(options("--batch_size=32"), on_gpu=True) == 32
