"""Token masks: the tokenizers that they support, and the grammars that they enforce."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest
from tokenizers import normalizers

from tests.helpers.families import FAMILIES, make_checkpoint, make_glm4
from tests.helpers.tiny_checkpoint import write_tiny_checkpoint
from utils.annotation.grammar import entity_grammar, pos_grammar
from utils.dataset.tokens import WORDS
from utils.llm import LLMOptions, Request, can_be_guided, load_llm

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers", "4.44", reason="GLM-4's code, and the others, need a newer one")
pytest.importorskip("llguidance")

# ruff: noqa: E402
from utils.llm.decoding.guide import Guide, is_guidable
from utils.llm.decoding.vocabulary import SlowVocabulary

TOKENS = [*"他去", "New", "York", 'the "old"', "\\", "\x01", "🙂", "<|im_end|>", "<|user|>", "مرحبا", "."]
OPTIONS = LLMOptions(batch_size=3, dtype="float32")


@pytest.fixture(scope="module", params=["glm4", "llama3", "qwen2", "gemma", "mistral"])
def folder(request, tmp_path_factory):
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp(request.param)
    if request.param != "glm4":
        return make_checkpoint(path, FAMILIES[request.param])
    if tuple(map(int, transformers.__version__.split(".")[:2])) > (4, 44):
        pytest.skip("GLM-4's own code runs under 4.44")
    return make_glm4(path)


def test_guided_answers_of_every_family_are_about_their_sentences(folder, caplog):
    if not can_be_guided(str(folder), "transformers", OPTIONS):
        assert "answers are not constrained by a grammar" in caplog.text
        return
    llm = load_llm(str(folder), "transformers", OPTIONS)
    builds: dict[str, Callable[..., str]] = {"entity": entity_grammar, "word": pos_grammar}
    for key, build in builds.items():
        grammar = build(TOKENS, ["地名", "人名"], tokenisation=WORDS)
        requests = [Request(str(n), "entity", f"{n} 北京", 900, grammar=grammar) for n in range(4)]
        for answer in llm.generate(requests):
            assert answer.finish == "stop"
            items = json.loads(answer.text)
            assert all(item[key] in " ".join(TOKENS) for item in items)
            assert key == "entity" or [item["word"] for item in items] == TOKENS


def test_families_with_byte_tokens_can_be_guided(folder):
    if "glm4" in folder.name or "llama3" in folder.name or "qwen2" in folder.name:
        assert can_be_guided(str(folder), "transformers", OPTIONS)


def spell_otherwise(folder):
    """Remove the byte decoder from a checkpoint's tokenizer."""
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    tokenizer["decoder"] = {"type": "Fuse"}
    path.write_text(json.dumps(tokenizer), encoding="utf-8")
    return folder


def test_a_tokenizer_without_known_bytes_is_not_guided_and_warns(tmp_path, caplog):
    folder = spell_otherwise(make_checkpoint(tmp_path, FAMILIES["llama3"]))
    with caplog.at_level(logging.WARNING):
        assert not can_be_guided(str(folder), "transformers", OPTIONS)
    assert f"{folder}: answers are not constrained by a grammar, because the bytes" in caplog.text


class SlowTokenizer:
    """A slow tokenizer with a few tokens."""

    all_special_ids: tuple[int, ...] = (0,)
    tokenizer: type  # some slow tokenizers have an inner one with the role tokens

    def __init__(self, tokens, bytes_of=None):
        self.tokens = tokens
        if bytes_of:
            self.byte_decoder = bytes_of

    def get_vocab(self):
        return {str(token): id_ for id_, token in enumerate(self.tokens)}

    def get_added_vocab(self):
        return {}

    def convert_ids_to_tokens(self, id_):
        return self.tokens[id_]

    def encode(self, text, *, add_special_tokens):
        return [self.tokens.index(f"<0x{byte:02X}>") for byte in text.encode()]


BYTES = ["</s>", *(f"<0x{byte:02X}>" for byte in range(256))]


def test_text_for_a_slow_tokenizer_is_cut_into_the_longest_tokens():
    vocabulary = SlowVocabulary(SlowTokenizer([*BYTES, "▁the", "the", "re", "北京"]), [0])
    ids = vocabulary(" therefore北京".encode())
    assert [vocabulary.tokens[id_] for id_ in ids] == [b" the", b"re", b"f", b"o", b"re", "北京".encode()]
    assert b"".join(vocabulary.tokens[id_] for id_ in vocabulary("é🙂".encode())) == "é🙂".encode()
    assert vocabulary.special_token_ids == [0]


def test_hidden_role_tokens_of_a_slow_tokenizer_are_not_text():
    roles = SlowTokenizer([*BYTES, "<|user|>", "<|system|>"])
    roles.tokenizer = type("Inner", (), {"special_tokens": {"<|system|>": len(BYTES) + 1}})
    vocabulary = SlowVocabulary(roles, [0, len(BYTES)])
    assert vocabulary.special_token_ids == [0, len(BYTES), len(BYTES) + 1]
    spelt = [vocabulary.tokens[id_] for id_ in vocabulary(b"<|user|><|system|>")]
    assert all(len(token) == 1 for token in spelt)


def test_tokens_with_other_bytes_than_the_text_are_an_error(monkeypatch):
    wrong = SlowTokenizer([*BYTES[:1], *reversed(BYTES[1:])])
    monkeypatch.setattr(wrong, "encode", lambda text, add_special_tokens: [1 + byte for byte in text.encode()])
    with pytest.raises(ValueError, match="have the bytes"):
        SlowVocabulary(wrong, [0])
    assert not is_guidable(wrong)


def test_forced_text_is_spelt_as_in_the_sentence_despite_a_normaliser(tmp_path):
    folder = write_tiny_checkpoint(tmp_path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.backend_tokenizer.normalizer = normalizers.Sequence([normalizers.NFC()])
    guided = Guide(tokenizer, [258]).start(pos_grammar(["e\u0301", "<|im_end|>"], ["X"], tokenisation=WORDS))
    forced = guided.take_forced()
    assert guided.is_complete
    assert json.loads(tokenizer.decode(forced)) == [{"word": word, "pos": "X"} for word in ("e\u0301", "<|im_end|>")]


def test_text_that_is_not_a_grammar_is_an_error(tmp_path):
    folder = make_checkpoint(tmp_path, FAMILIES["qwen2"])
    guide = Guide(transformers.AutoTokenizer.from_pretrained(folder), [1])
    with pytest.raises(ValueError, match="not a grammar"):
        guide.start("root ::= nowhere")
