"""The maximum length of an answer, from the sentence that it is about."""

from __future__ import annotations

import json
from collections.abc import Sequence

from utils.dataset.modes import Mode
from utils.dataset.tokens import CHARACTERS, WORDS, Tokenisation
from utils.llm import Guidance

# The maximum length of an answer in tokens: a fixed number, plus a number for each token of the sentence. An item takes
# about 12 tokens in addition to its text; dense text has about one word per 1.5 characters. A higher limit would only
# lengthen answers that repeat themselves.
FIXED_TOKENS = 96
TOKENS_PER_TOKEN: dict[Mode, dict[Tokenisation, int]] = {
    "entity": {WORDS: 10, CHARACTERS: 4},
    "pos": {WORDS: 18, CHARACTERS: 11},
    "target": {WORDS: 18, CHARACTERS: 11},  # the dataset's spans may be its words
}
# A `pos` answer that is held to a form ends by itself. Its limit allows each token to be a word, with one token for
# each byte of it and, in addition to the bytes of the word:
GRAMMAR_WORD_TOKENS = 16
SCHEMA_WORD_TOKENS = 24  # in a JSON schema, each word has its own key


def max_answer_tokens(tokens: Sequence[str], mode: Mode, tokenisation: Tokenisation, guidance: Guidance) -> int:
    """Return the maximum length of an answer about a sentence, in tokens of the LLM."""
    if mode == "pos" and guidance == "grammar":
        return FIXED_TOKENS + sum(GRAMMAR_WORD_TOKENS + _json_bytes(token) for token in tokens)
    if guidance == "json_schema" and has_fixed_words(mode, tokenisation):
        return FIXED_TOKENS + sum(SCHEMA_WORD_TOKENS + _json_bytes(token) for token in tokens)
    usual = TOKENS_PER_TOKEN[mode][tokenisation]
    # A long token, such as a web address, may be an entity and may take one token for each byte. With this limit, at
    # least the first item of an answer is complete.
    return FIXED_TOKENS + sum(max(usual, _json_bytes(token) - 1) for token in tokens)


def has_fixed_words(mode: Mode, tokenisation: Tokenisation) -> bool:
    """Return whether the words of an answer are the tokens of the sentence."""
    return mode == "pos" and not tokenisation.is_dense


def _json_bytes(text: str) -> int:
    """Return the length in bytes of a text as a JSON string, quotation marks included."""
    return len(json.dumps(text, ensure_ascii=False).encode())
