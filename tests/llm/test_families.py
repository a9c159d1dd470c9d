"""Each family of chat models on a tiny checkpoint: prompts, stop ids, and batches.

The families are ChatGLM3 with transformers 4.30, GLM-4 and models of transformers itself with 4.44, and the latter and
Qwen3 with 5.x.
"""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from tests.helpers.builders import write_json
from tests.helpers.families import FAMILIES, TEXTS, make_chatglm3, make_checkpoint, make_glm4
from tests.helpers.steering import always, ends_at, model_of, steer
from utils.llm import LLMOptions, Message, Request, load_llm
from utils.llm.decoding.chat_model import TransformersLLM
from utils.llm.decoding.decoder import EncodedRequest
from utils.llm.hf.chat_format import chat_format
from utils.parsing.thinking import without_thoughts

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

VERSION = tuple(map(int, transformers.__version__.split(".")[:2]))
GLM_STOPS = {"<|user|>", "<|observation|>"}


def families_here():
    """Return the families that this version of transformers runs."""
    if VERSION < (4, 34):
        return ["chatglm3"]
    if VERSION < (4, 45):
        return ["glm4", *(name for name in FAMILIES if name != "qwen3")]
    return list(FAMILIES)


@pytest.fixture(scope="module", params=families_here())
def name(request):
    return request.param


@pytest.fixture(scope="module")
def folder(name, tmp_path_factory):
    torch.set_num_threads(1)
    make = {"chatglm3": make_chatglm3, "glm4": make_glm4}.get(name, lambda path: make_checkpoint(path, name))
    return make(tmp_path_factory.mktemp(name))


@pytest.fixture(scope="module")
def llm(folder):
    return load_llm(str(folder), "transformers", LLMOptions(batch_size=3, dtype="float32"))


@pytest.fixture(scope="module")
def ids_of(llm, name):
    """Return a function from a control token to its id."""
    tokenizer = llm.chat.tokenizer
    return tokenizer.get_command if name == "chatglm3" else tokenizer.convert_tokens_to_ids


def chat_of(folder):
    """Return the chat format of a checkpoint."""
    llm = load_llm(str(folder), "transformers", LLMOptions(dtype="float32"))
    assert isinstance(llm, TransformersLLM)
    return llm.chat


def rows(llm, texts, tokens=10):
    requests = [Request(str(place), "explain", text, tokens) for place, text in enumerate(texts)]
    return [EncodedRequest(request, llm.chat.encode(request.prompt)) for request in requests]


def decoded(llm, asked, batch_size):
    return {row.request.id: (ids, finish) for row, ids, finish in llm.decoder.decode(asked, batch_size)}


def control_ids(llm, name, ids_of):
    """Return the ids of all control tokens of a family's chat format."""
    if name in ("chatglm3", "glm4"):
        words = ["[gMASK]", *(f"<|{role}|>" for role in ("system", "user", "assistant", "observation"))]
        words.append("sop" if name == "chatglm3" else "<sop>")
    else:
        words = [word for word in (*FAMILIES[name].special, *FAMILIES[name].text) if word != "<unk>"]
    return [ids_of(word) for word in words]


def test_a_batch_gives_the_same_tokens_as_single_prompts(llm):
    asked = rows(llm, TEXTS)
    alone = {id_: found for row in asked for id_, found in decoded(llm, [row], 1).items()}
    assert len({tuple(ids) for ids, _ in alone.values()}) > 3  # equal answers would prove nothing
    for batch_size in (2, 3, len(TEXTS)):
        assert decoded(llm, asked, batch_size) == alone


def test_the_model_has_the_dtype_of_the_options(llm, folder):
    assert {weight.dtype for weight in llm.decoder.model.parameters()} == {torch.float32}
    half = load_llm(str(folder), "transformers", LLMOptions(dtype="bfloat16"))
    assert {weight.dtype for weight in model_of(half).parameters()} == {torch.bfloat16}


def test_the_stop_ids_are_those_of_the_family(llm, name, ids_of):
    names = (
        FAMILIES[name].stops if name in FAMILIES else {*GLM_STOPS, "<eos>" if name == "chatglm3" else "<|endoftext|>"}
    )
    assert set(llm.chat.stops) == {ids_of(token) for token in names}


def test_the_stop_id_of_a_multimodal_model_is_that_of_its_text_part(llm):
    model = SimpleNamespace(
        config=SimpleNamespace(text_config=SimpleNamespace(eos_token_id=[35])),
        generation_config=SimpleNamespace(eos_token_id=None),
    )
    assert 35 in chat_format(llm.chat.tokenizer, model).stops


def test_generation_ends_at_every_stop_id(llm, monkeypatch):
    assert llm.chat.stops
    for stop in llm.chat.stops:
        with monkeypatch.context() as patch:
            steer(llm.decoder.model, patch, ends_at(3, stop))
            answer = next(iter(llm.generate([Request("1", "explain", "a", 8)])))
        assert (answer.finish, answer.answer_tokens) == ("stop", 4)
        assert answer.text == llm.chat.text([35, 35, 35])


def test_generation_does_not_end_before_its_budget_at_other_tokens(llm, name, ids_of, monkeypatch):
    for other in set(control_ids(llm, name, ids_of)) - set(llm.chat.stops):
        with monkeypatch.context() as patch:
            steer(llm.decoder.model, patch, always(other))
            answer = next(iter(llm.generate([Request("1", "explain", "a", 5)])))
        assert (answer.finish, answer.answer_tokens) == ("length", 5)


PROMPTS = {  # control tokens of a prompt, in order; "..." is text
    "chatglm3": ["[gMASK]", "sop", "<|user|>", ..., "<|assistant|>"],
    "glm4": ["[gMASK]", "<sop>", "<|user|>", ..., "<|assistant|>"],
    "qwen2": ["<|im_start|>", ..., "<|im_end|>", ..., "<|im_start|>", ..., "<|im_end|>", ..., "<|im_start|>", ...],
    "qwen3": ["<|im_start|>", ..., "<|im_end|>", ..., "<|im_start|>", ..., "<think>", ..., "</think>", ...],
    "llama3": [
        *("<|begin_of_text|>", "<|start_header_id|>", ..., "<|end_header_id|>", ..., "<|eot_id|>"),
        *("<|start_header_id|>", ..., "<|end_header_id|>", ...),
    ],
    "gemma": ["<bos>", "<start_of_turn>", ..., "<end_of_turn>", ..., "<start_of_turn>", ...],
    "mistral": ["<s>", "[INST]", ..., "[/INST]"],
}


@pytest.mark.parametrize("message", ["a", "the sentence\nnorth of 北京", "[gMASK]<sop>a</s><s>"])
def test_a_prompt_has_the_control_tokens_of_its_family_in_order(llm, name, ids_of, message):
    control = set(control_ids(llm, name, ids_of))
    ids = llm.chat.encode(message)
    print(name, ids)  # noqa: T201  # pytest -s shows them
    shape = [id_ if id_ in control else ... for id_ in ids]
    shape = [one for place, one in enumerate(shape) if place == 0 or one is not ... or shape[place - 1] is not ...]
    assert shape == [one if one is ... else ids_of(one) for one in PROMPTS[name]]


QWEN_TURN = ["<|im_start|>", ..., "<|im_end|>", ...]
LLAMA_TURN = ["<|start_header_id|>", ..., "<|end_header_id|>", ..., "<|eot_id|>"]
GEMMA_TURN = ["<start_of_turn>", ..., "<end_of_turn>", ...]
CHATS = {  # control tokens of a chat with a system message, an example with its answer, and the message of the user
    "chatglm3": [
        *("[gMASK]", "sop", "<|system|>", ..., "<|user|>", ..., "<|assistant|>", ..., "<|user|>", ..., "<|assistant|>")
    ],
    "glm4": [
        *(
            "[gMASK]",
            "<sop>",
            "<|system|>",
            ...,
            "<|user|>",
            ...,
            "<|assistant|>",
            ...,
            "<|user|>",
            ...,
            "<|assistant|>",
        )
    ],
    "qwen2": [*QWEN_TURN * 5, "<|im_start|>", ...],
    "qwen3": [*QWEN_TURN * 4, "<|im_start|>", ..., "<think>", ..., "</think>", ...],
    "llama3": ["<|begin_of_text|>", *LLAMA_TURN * 4, "<|start_header_id|>", ..., "<|end_header_id|>", ...],
    "gemma": ["<bos>", *GEMMA_TURN * 3, "<start_of_turn>", ...],  # without a system role, the user says everything
    "mistral": ["<s>", "[INST]", ..., "[/INST]", ..., "</s>", "[INST]", ..., "[/INST]"],
}


def chat(system="of 北京", example="the river", answer="north"):
    return [Message("system", system), Message("user", example), Message("assistant", answer)]


@pytest.mark.parametrize("where", ["system", "example", "answer", None])
def test_a_chat_has_its_messages_in_order_and_role_tokens_inside_them_stay_text(llm, name, ids_of, where):
    control = set(control_ids(llm, name, ids_of))
    odd = {where: "[gMASK]<sop>a</s><s><|im_end|>"} if where else {}
    ids = llm.chat.encode("the sentence", chat(**odd))
    shape = [id_ if id_ in control else ... for id_ in ids]
    shape = [one for place, one in enumerate(shape) if place == 0 or one is not ... or shape[place - 1] is not ...]
    assert shape == [one if one is ... else ids_of(one) for one in CHATS[name]]
    text = llm.chat.tokenizer.decode(ids).replace(" ", "")
    texts = [message.text.replace(" ", "") for message in chat()] if not where else []
    at = [text.index(one) for one in (*texts, "thesentence")]
    assert at == sorted(at)


def test_a_role_token_in_the_users_text_stays_text(llm, name, ids_of):
    control = set(control_ids(llm, name, ids_of))
    bare = [id_ for id_ in llm.chat.encode("ab") if id_ in control]
    tokens = ["<|user|>", "<|im_end|>", "<|eot_id|>", "<|endoftext|>", "</s>", "<end_of_turn>", "[gMASK]", "<think>"]
    for token in tokens:
        ids = llm.chat.encode(f"a{token}b")
        assert [id_ for id_ in ids if id_ in control] == bare, token


def test_a_role_token_in_the_users_text_can_be_decoded(llm, name):
    token = "[/]" if name == "mistral" else "<|user|>"
    shown = llm.chat.tokenizer.decode(llm.chat.encode(f"a{token}b"))
    assert f"a{token}b" in shown.replace(" ", "")


def test_ids_that_are_not_in_the_tokenizer_are_dropped(llm):
    # A model may have more rows than its tokenizer has tokens (ChatGLM3: 65024 and 64798).
    assert llm.chat.text([35, 10**6, 36]) == llm.chat.text([35, 36])


OWN_TEMPLATE = """

def apply_chat_template(self, conversation, add_generation_prompt=False, tokenize=True, add_special_tokens=True, **_):
    said = "".join(f"<|{item['role']}|>\\n{item['content']}" for item in conversation)
    assert not tokenize
    return ("[gMASK]<sop>" if add_special_tokens else "") + said + ("<|assistant|>" if add_generation_prompt else "")

ChatGLM4Tokenizer.apply_chat_template = apply_chat_template
"""


@pytest.mark.skipif("glm4" not in families_here(), reason="GLM-4's own code is for transformers 4.43 and 4.44")
def test_a_tokenizer_whose_code_writes_the_chat_needs_no_template(tmp_path):
    # A revision of glm-4-9b-chat has no template in its settings.
    made, plain = make_glm4(tmp_path / "made"), make_glm4(tmp_path / "plain")
    settings = json.loads((made / "tokenizer_config.json").read_text("utf-8"))
    template = settings.pop("chat_template")
    write_json(made / "tokenizer_config.json", settings)
    with (made / "tokenization_chatglm.py").open("a", encoding="utf-8") as file:
        file.write(OWN_TEMPLATE)
    assert template
    encodings = [chat_of(path).encode("a\n北") for path in (made, plain)]
    assert encodings[0] == encodings[1]


@pytest.mark.skipif("qwen3" not in families_here(), reason="Qwen3 came with transformers 4.51")
class TestThinking:
    @pytest.fixture
    def chat(self, tmp_path):
        folder = make_checkpoint(tmp_path, "qwen3")
        return chat_of(folder)

    @pytest.fixture
    def words(self, chat):
        return lambda text: chat.tokenizer(text, add_special_tokens=False)["input_ids"]

    def test_thinking_is_turned_off_in_the_prompt(self, chat, words):
        assert chat.encode("a")[-6:] == words("<think>\n\n</think>\n\n")

    def test_thoughts_before_an_answer_are_removed(self, chat, words):
        assert without_thoughts(chat.text(words("<think>\na b\n</think>\n\n[x]"))).strip() == "[x]"
        assert without_thoughts(chat.text(words("a b</think>[x]"))) == "[x]"
        assert chat.text(words("[x]")) == "[x]"

    def test_a_thought_that_the_prompt_began_is_removed(self, chat, words):
        chat._begun_thought = "<think>"
        assert without_thoughts(chat.text(words("a b</think>[x]"))) == "[x]"
        assert without_thoughts(chat.text(words("a b"))) == ""
        assert chat.text(words("a b"), guided=True) == "a b"
        assert chat.text(words("[x]")) == "[x]"  # held to a grammar, so that there is no thought

    def test_a_thought_without_an_end_gives_an_empty_answer(self, chat, words):
        assert without_thoughts(chat.text(words("<think>\na b [y]"))) == ""
        assert chat.text(words("[x]<think> a")).startswith("[x]")  # it may be in a sentence; the parser decides


def test_the_prompt_has_a_fixed_date(tmp_path):
    if VERSION < (4, 34):
        pytest.skip("transformers 4.30 has no chat templates")
    import dataclasses

    from tests.helpers.families import make_tokenizer
    from utils.llm.hf.chat_format import chat_format

    for dated in ("{{ date_string }}", "{{ strftime_now('%d %b %Y') }}"):
        ids = make_tokenizer(
            tmp_path, dataclasses.replace(FAMILIES["mistral"], template=dated + FAMILIES["mistral"].template)
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
        model = transformers.MistralForCausalLM(
            transformers.MistralConfig(vocab_size=len(ids), hidden_size=8, num_hidden_layers=0)
        )
        assert tokenizer.decode(chat_format(tokenizer, model).encode("a")).replace(" ", "").startswith("26")
