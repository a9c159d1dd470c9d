"""Units: the parts of a sentence that are never cut."""

from __future__ import annotations

import pytest

from tests.helpers.builders import ROOT, read_lines
from tests.helpers.nasty import nasty_sentences
from utils.annotation.units import Unit, units_of
from utils.dataset.tokens import CHARACTERS, WORDS, without_spaces

DATASETS = ROOT / "data" / "few_shot"
JAPANESE_AND_KOREAN = [
    "東京スカイツリーは、2012年5月22日に開業した。",
    "「ドラえもん」の作者は藤子・F・不二雄（本名：藤本弘）である。",
    "서울특별시는 대한민국의 수도이며, 한강이 흐른다.",
    "삼성전자(005930)는 3.2% 오른 7만1천원에 거래를 마쳤다.",
]


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


@pytest.mark.parametrize("tokenisation", [WORDS, CHARACTERS], ids=["words", "characters"])
def test_the_units_of_a_sentence_contain_everything_except_spaces(tokenisation):
    rows = [row for name in ("demo", "demo_zh") for row in read_lines(DATASETS / name / "train_1000.jsonl")]
    sentences = [*(row["text"] for row in rows), *map(list, JAPANESE_AND_KOREAN)]
    for tokens in [*sentences, *nasty_sentences(300, tokenisation=tokenisation)]:
        whole = "".join(unit.text for unit in units_of(tokens, tokenisation=tokenisation))
        assert without_spaces(whole) == without_spaces("".join(tokens))
