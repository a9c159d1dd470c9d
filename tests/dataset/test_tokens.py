"""Text as tokens and back."""

from __future__ import annotations

import pytest

from utils.dataset.tokens import CHARACTERS, WORDS, Tokenisation, language_of, tokenisation_of


@pytest.mark.parametrize("text", ["邓超在New York。", "他 住", ""])
def test_dense_text_is_split_into_characters_and_joined_again(text):
    tokens = CHARACTERS.split(text)
    assert all(len(token) == 1 for token in tokens)
    assert CHARACTERS.join(tokens) == text


def test_other_text_is_split_at_whitespace():
    assert WORDS.split("  Tom saw\tit .\n") == ["Tom", "saw", "it", "."]
    assert WORDS.join(["Tom", "saw"]) == "Tom saw"


@pytest.mark.parametrize(("ones", "dense"), [(95, True), (94, False), (100, True), (0, False)])
def test_a_dataset_is_dense_from_95_percent_of_tokens_of_one_character(ones, dense):
    assert tokenisation_of([["字"] * ones, ["words"] * (100 - ones)]) == Tokenisation(is_dense=dense)


@pytest.mark.parametrize(
    ("text", "dense"),
    [("邓超在北京大学读书，他很喜欢。", True), ("東京へ行きました。", True), ("Tom saw it.", False)],
)
def test_the_tokenisation_of_plain_strings_depends_on_their_script(text, dense):
    assert tokenisation_of([text]) == Tokenisation(is_dense=dense)


def test_no_text_is_word_based():
    assert tokenisation_of([]) == WORDS
    assert tokenisation_of([[], ""]) == WORDS


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("邓超在北京", "zh"),
        ("邓超用iPhone手机上网买东西", "zh"),
        ("鄧超在北京・上海", "zh"),  # a middle dot is not kana
        ("我超爱优の良品，真的超级无敌好吃", "zh"),  # one kana in a name is not Japanese
        ("Deng Chao (邓超) is an actor", "en"),
        ("東京へ行きました", "ja"),
        ("トヨタは新型車を発表した", "ja"),
        ("안상수 후보가 2.2% 차이로 이겼다", "ko"),
        ("삼성은 Galaxy 發表했다", "ko"),
        ("Она уехала в Рим", "en"),
        ("123 !?", "en"),
        ("", "en"),
    ],
)
def test_the_language_of_prompts_depends_on_the_script(text, language):
    assert language_of([text]) == language
