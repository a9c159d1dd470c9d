"""The scripts of a dataset are shares of its sentences, and not single occurrences."""

from __future__ import annotations

import pytest

from utils.synthesis.habits.scripts import Scripts, main_script_of

CHINESE = "他们说这个国家的历史很长，第{}个学生也来了。"


def chinese(number=300, *others):
    return [*(CHINESE.format(at) for at in range(number)), *others]


@pytest.mark.parametrize(
    "few", ["好可爱(｡･ω･｡)ﾉ我们走吧", "他在看《けいおん！》这个动画。", "东京の夏天真热，我们说好了。"]
)
def test_a_few_kana_do_not_make_a_chinese_dataset_japanese(few):
    scripts = Scripts.of(chinese(300, few, few, few))
    assert scripts.main == {"CJK"}
    assert not scripts.is_foreign("他们学习了这个国家的历史。")
    assert scripts.is_foreign("彼らはこの国の歴史を勉強した。")


@pytest.mark.parametrize(("traditional", "hanzi"), [(1, "simplified"), (5, "simplified"), (20, None), (150, None)])
def test_a_dataset_is_simplified_or_traditional_only_if_nearly_all_sentences_are(traditional, hanzi):
    sentences = chinese(300, *["這是一個國家的歷史，他們說過。"] * traditional)
    scripts = Scripts.of(sentences)
    assert scripts.hanzi == hanzi
    assert scripts.is_foreign("這個國家歷史悠久。") is (hanzi is not None)


def test_characters_of_the_other_kind_that_are_usual_in_the_dataset_do_not_count():
    sentences = chinese(300, "妳说这个国家的歌。", "祂和妳在这里说过。", "这是祂的历史。")
    assert Scripts.of(sentences).usual_exceptions == {"妳", "祂"}
    assert not Scripts.of(sentences).is_foreign("妳和祂说这个国家。")


@pytest.mark.parametrize(("english", "foreign"), [(0, True), (3, True), (30, False)])
def test_english_sentences_are_accepted_if_enough_of_the_dataset_are_english(english, foreign):
    sentences = chinese(300, *["They went to New York yesterday."] * english)
    assert Scripts.of(sentences).is_foreign("She came back from London in May.") is foreign


def test_names_in_latin_letters_do_not_make_a_chinese_sentence_foreign():
    sentence = "他在International Business Machines Corporation的研究部门工作了三年。"
    assert not Scripts.of(chinese()).is_foreign(sentence)


def test_text_around_an_address_counts():
    assert main_script_of("#中秋活动#希望能中奖@小明同学@小红同学http://t.cn/RhyoXQw") == "CJK"
    assert main_script_of("请写信到 someone@example.org") == "CJK"


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("彼は行った。", "JAPANESE"),
        ("東京都庁。", "CJK"),
        ("서울은 New York보다 크다.", "HANGUL"),
        ("Rome (罗马) is old.", "LATIN"),
        ("1897!", None),
    ],
)
def test_most_of_a_text_is_in_one_script(text, script):
    assert main_script_of(text) == script
