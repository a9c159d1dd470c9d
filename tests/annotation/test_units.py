"""Units: the parts of a sentence that are never cut."""

from __future__ import annotations

import json

import pytest

from tests.helpers.builders import SHARED
from utils.annotation.units import Unit, units_of
from utils.dataset.tokens import CHARACTERS, WORDS, without_spaces


def texts(text: str) -> list[str]:
    return [unit.text for unit in units_of(list(text), tokenisation=CHARACTERS)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("北京欢迎你", ["北", "京", "欢", "迎", "你"]),
        ("发了iPhone15手机", ["发", "了", "iPhone15", "手", "机"]),
        ("涨了3.14元", ["涨", "了", "3.14", "元"]),
        ("见http://t.cn/zWgOYC8吧", ["见", "http://t.cn/zWgOYC8", "吧"]),
        ("[哈哈][爱你]好", ["[哈哈]", "[爱你]", "好"]),
        ("好！！！真的……", ["好", "！！！", "真", "的", "……"]),
        ("don't走", ["don't", "走"]),
        ("state-of-the-art模型", ["state-of-the-art", "模", "型"]),
        ("カナとかな", list("カナとかな")),
        ("서울에서", list("서울에서")),
        ("👍🏽👍🏽好", ["👍🏽", "👍🏽", "好"]),
        ("«a»", ["«", "a", "»"]),
        ("naïve咖啡", ["naïve", "咖", "啡"]),
        ("مرحبا北", ["مرحبا", "北"]),
        ("\x00\x07北", ["\x00", "\x07", "北"]),
    ],
)
def test_units_of_dense_text_are_characters_words_addresses_emoticons_and_symbols(text, expected):
    assert texts(text) == expected


def test_spaces_separate_units_and_are_not_units():
    assert units_of(list("去New York 玩"), tokenisation=CHARACTERS) == [
        Unit("去", "character"),
        Unit("New", "word"),
        Unit("York", "word", " "),
        Unit("玩", "character", " "),
    ]
    assert units_of(["New", " ", "York", "."], tokenisation=WORDS) == [
        Unit("New", "word"),
        Unit("York", "word", " "),
        Unit(".", "symbol", " "),
    ]


def test_a_sentence_of_spaces_has_no_units():
    assert units_of([" ", "\u3000", ""], tokenisation=CHARACTERS) == units_of([" ", ""], tokenisation=WORDS) == []


@pytest.mark.parametrize("name", ["weibo", "cmeee_v2", "ud_gsdsimp", "ner_wikipedia_ja", "klue_ner_ko", "mit_movie"])
def test_the_units_of_real_sentences_contain_everything_except_spaces(name):
    file = SHARED / "datasets" / name / "train_1000.jsonl"
    if not file.is_file():
        pytest.skip("the shared datasets are not there")
    for line in file.read_text(encoding="utf-8").splitlines()[:300]:
        tokens = json.loads(line)["text"]
        for tokenisation in (WORDS, CHARACTERS):
            whole = "".join(unit.text for unit in units_of(tokens, tokenisation=tokenisation))
            assert without_spaces(whole) == without_spaces("".join(tokens))
