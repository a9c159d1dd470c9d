"""The writing style of a dataset, and new text in the same style."""

from __future__ import annotations

import pytest

from utils.dataset.scripts.letters import hanzi_of, script_of
from utils.dataset.tokens import CHARACTERS, WORDS
from utils.synthesis.writing_style import WritingStyle


def of(*texts, tokenisation=WORDS):
    return WritingStyle.of([tokenisation.split(text) for text in texts], tokenisation=tokenisation)


APART = WritingStyle(tokenisation=WORDS)
DENSE = WritingStyle(tokenisation=CHARACTERS)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("He left.", ["He", "left", "."]),
        ("The U.S. grew 3.14 percent.", ["The", "U.S.", "grew", "3.14", "percent", "."]),
        ("An e-mail, sent at 10:30.", ["An", "e-mail", ",", "sent", "at", "10:30", "."]),
        ("Dr. Muir met J. Carver.", ["Dr.", "Muir", "met", "J.", "Carver", "."]),
        ("It cost $5 (or 6 %).", ["It", "cost", "$", "5", "(", "or", "6", "%", ")", "."]),
        ('He said "no".', ["He", "said", '"', "no", '"', "."]),
        ("Mary-Ann’s crew", ["Mary-Ann", "’s", "crew"]),
        ("in New York.", ["in", "New", "York", "."]),
    ],
)
def test_punctuation_is_split_off_where_the_dataset_does(text, tokens):
    assert APART.tokens(text) == tokens


def test_words_keep_their_punctuation_where_the_dataset_does():
    tokens = WritingStyle(tokenisation=WORDS, punctuation="glued").tokens("The U.S. grew,  he said.")
    assert tokens == ["The", "U.S.", "grew,", "he", "said."]


@pytest.mark.parametrize(
    "text",
    [
        "They don't know Mary-Ann's U.S. e-mail, 3.14 % (or $5)!",
        'He said: "It\'s 10:30." & left…',
        "naïve café – 5°C №7",
        "a_b c@d.com #tag",
    ],
)
def test_no_character_is_lost_in_tokenisation(text):
    tokens = APART.tokens(text)
    assert "".join(tokens) == text.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("他住在New York很久。", "他住在New York很久。"),
        ("他 住 在 New York 很 久 。", "他住在New York很久。"),
        ("去 Los  Angeles\t玩", "去Los Angeles玩"),
        ("用 iPhone 15 Pro 上网", "用iPhone 15 Pro上网"),
        (" 他来了 ", "他来了"),
    ],
)
def test_a_space_in_dense_text_is_kept_only_between_words_of_another_script(text, kept):
    assert DENSE.tokens(text) == list(kept)


@pytest.mark.parametrize(
    ("texts", "marks"),
    [
        (["He left , she stayed ."], "apart"),
        (["He left, she stayed."], "glued"),
        (["no mark at all"], "apart"),
        (["a dataset without any mark in many sentences"] * 200, "none"),
        (["is there any ?", *["a dataset without most marks in many sentences"] * 200], "apart"),
        ([], "apart"),
    ],
)
def test_the_punctuation_style_is_learnt_from_the_dataset(texts, marks):
    assert of(*texts).punctuation == marks


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("They do n't know Ann 's name .", "They do n't know"), ("They don't know Ann's name .", "They don't know")],
)
def test_the_splitting_of_clitics_is_learnt_from_the_dataset(text, tokens):
    assert of(text).tokens("They don't know")[: len(tokens.split())] == tokens.split()


def test_new_text_has_no_capitals_and_punctuation_if_the_dataset_has_none():
    questions = of(*["what movie s star is tom hanks in the 1990s"] * 150)
    tokens = questions.tokens("What's Tom Hanks' best film (of 1994), the 2nd one?")
    assert tokens == ["what", "s", "tom", "hanks", "best", "film", "of", "1994", "the", "2nd", "one"]


def test_capitals_are_kept_if_the_dataset_has_any():
    assert of("Ann left .", "it rained .").tokens("Tom left.") == ["Tom", "left", "."]


@pytest.mark.parametrize(
    ("text", "kept"),
    [("그는  서울에 갔다 .", "그는 서울에 갔다 ."), ("나는 New York에 갔다.", "나는 New York에 갔다.")],
)
def test_a_korean_space_is_a_token_as_in_the_datasets(text, kept):
    assert DENSE.tokens(text) == list(kept)


@pytest.mark.parametrize(
    ("character", "script"),
    [
        *(("a", "LATIN"), ("é", "LATIN"), ("Ａ", "LATIN"), ("北", "CJK"), ("の", "KANA"), ("ー", "KANA")),
        *(("서", "HANGUL"), ("я", "CYRILLIC"), ("5", None), ("。", None), (" ", None), ("😊", None)),
    ],
)
def test_a_letter_has_a_script_and_punctuation_has_none(character, script):
    assert script_of(character) == script


@pytest.mark.parametrize(
    ("text", "hanzi"),
    [
        ("这是一个国家的历史。", "simplified"),
        ("這是一個國家的歷史。", "traditional"),
        ("人在山上。", None),
        ("", None),
        ("abc", None),
        ("他姓龍。", None),
    ],
)
def test_a_text_is_simplified_or_traditional_or_could_be_both(text, hanzi):
    assert hanzi_of(text) == hanzi


CHINESE = ["这是一个国家的历史，他们说过。", "我们在北京学习汉语。"]


@pytest.mark.parametrize(
    ("texts", "text", "foreign"),
    [
        (CHINESE, "他们去了New York。", False),
        (CHINESE, "地址在这里：https://example.org/a/b/c/d/e/f", False),
        (CHINESE, "They went to New York.", True),
        (CHINESE, "這個國家歷史悠久。", True),
        (["這是一個國家的歷史。", "我們學習漢語。"], "这个国家历史悠久。", True),
        ([*CHINESE, "這是一個國家的歷史。"], "這個國家歷史悠久。", False),
        (CHINESE, "他们说Привет。", True),
        (["東京は日本の首都だ。"], "東京都庁。", False),
        (["東京は日本の首都だ。"], "北京是中国的首都和中心。", True),
        (["東京は日本の首都だ。"], "東京の國家歷史は長い。", False),
        (["서울은 크다."], "서울은 New York보다 크다.", False),
        (["Rome is old ."], "Rome (罗马) is old.", True),
        (["Rome is old .", "α is a letter ."], "αβγ is old.", False),
        (["Rome is old ."], "1897!", False),
        ([], "anything", False),
    ],
)
def test_text_of_another_script_than_the_datasets_is_foreign(texts, text, foreign):
    assert (
        of(*texts, tokenisation=CHARACTERS if "CJK" in map(script_of, "".join(texts)) else WORDS).is_foreign(text)
        is foreign
    )
