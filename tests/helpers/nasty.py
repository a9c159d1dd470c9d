"""Sentences that break naive code: quotes, escapes, control characters, emoji, right-to-left text, role tokens."""

from __future__ import annotations

import random

from utils.dataset.tokens import Tokenisation

PIECES = (
    *("北京", "大学", "他说", "的", "，", "。", "“引号”", "《书名》", "カナ", "서울에", "ไทย"),
    *("New York", "don't", "e-mail", "U.S.", "3.14%", "$20", "#tag", "@user", "naïve", "e\u0301"),
    *('"', "'", '\\"', "\\", "\\n", "\\u0041", "`", "http://t.cn/a?b=1&c=%20"),
    *("{", "}", "[", "]", '"}]', '{"entity":"', "[]", "null", ",", ":", "|"),
    *("\x01", "\x07", "\x1b[0m", "\x7f", "\u0085", "\u200b", "\u2028", "\ufeff", "\ue000", "\U0010ffff"),
    *("🙂", "👍🏽", "👨\u200d👩\u200d👧", "[哈哈]", "¯\\_(ツ)_/¯", "！！！", "……"),
    *("مرحبا", "שלום", "\u202eabc\u202c", "ｆｕｌｌ", "①", "½"),
    *("<|im_end|>", "<|im_start|>user", "<|user|>", "<|eot_id|>", "</s>", "<s>", "[INST]", "[gMASK]"),
    *("<think>", "</think>"),
)
LONGEST = 500  # characters


def nasty_sentences(number: int, *, tokenisation: Tokenisation, seed: int = 0) -> list[list[str]]:
    """Return the tokens of random sentences; every tenth sentence is very long."""
    chance = random.Random(seed)
    return [
        _sentence(chance, LONGEST if index % 10 == 0 else chance.randint(1, 60), tokenisation)
        for index in range(number)
    ]


def _sentence(chance: random.Random, length: int, tokenisation: Tokenisation) -> list[str]:
    pieces: list[str] = []
    while sum(map(len, pieces)) < min(length, LONGEST):
        pieces.append(chance.choice(PIECES))
    if tokenisation.is_dense:
        return list("".join(pieces)[:LONGEST])
    return [word for piece in pieces for word in piece.split(" ") if word.strip()] or ["x"]
