"""Words as spans of tokens: one occurrence each, in the order of the answer."""

from __future__ import annotations

from itertools import accumulate

import pytest

from utils.parsing import Item
from utils.placing import place_words


def words(tokens, *names):
    tokens = tokens.split() if isinstance(tokens, str) else tokens
    placement = place_words([Item(name, "X") for name in names], tokens)
    return [(one.start, one.end) for one in placement.placed], [item.text for item in placement.lost]


def test_repeated_words_are_placed_in_order():
    assert words("the cat saw the dog", "the", "cat", "saw", "the", "dog") == ([(n, n + 1) for n in range(5)], [])


def test_a_repeated_character_is_placed_in_order():
    assert words(list("好好学习好"), "好好", "学习", "好") == ([(0, 2), (2, 4), (4, 5)], [])


def test_repeated_words_keep_their_own_labels():
    placement = place_words([Item("saw", "NOUN"), Item("a", "DET"), Item("saw", "VERB")], ["saw", "a", "saw"])
    assert [(one.start, one.item.label) for one in placement.placed] == [(0, "NOUN"), (1, "DET"), (2, "VERB")]


def test_a_word_in_another_case_takes_its_own_position_before_a_later_exact_match():
    found, lost = words("The dog and the cat ran", "the", "dog", "and", "the", "cat", "ran")
    assert (found, lost) == ([(n, n + 1) for n in range(6)], [])


def test_a_word_that_is_not_in_the_sentence_is_lost_and_the_following_ones_are_not():
    assert words("the cat sat", "the", "dog", "cat", "sat") == ([(0, 1), (1, 2), (2, 3)], ["dog"])


def test_a_word_before_the_last_placed_one_is_lost():
    assert words("the cat sat", "cat", "the", "sat") == ([(1, 2), (2, 3)], ["the"])


@pytest.mark.parametrize("split", ["do n't", "don ' t", "don't"])
def test_a_word_that_is_split_into_tokens_is_placed_as_one(split):
    tokens = f"they {split} know".split()
    assert words(tokens, "they", "don't", "know") == (
        [(0, 1), (1, len(tokens) - 1), (len(tokens) - 1, len(tokens))],
        [],
    )


def test_words_inside_other_words_are_skipped():
    assert words("party art", "art") == ([(1, 2)], [])


def test_an_invented_word_does_not_displace_the_following_ones():
    assert words(list("他来了，我走了。"), "他", "来了", "。", "我", "走了", "。") == (
        [(0, 1), (1, 3), (4, 5), (5, 7), (7, 8)],
        ["。"],
    )


def test_a_missing_word_does_not_displace_the_others():
    found, lost = words("the old man saw the dog near the gate", "the", "man", "saw", "the", "gate")
    assert (found, lost) == ([(0, 1), (2, 3), (3, 4), (7, 8), (8, 9)], [])


def test_adjacent_words_take_adjacent_occurrences():
    assert words(list("好天好人"), "好人") == ([(2, 4)], [])
    assert words(list("不好也好极了"), "好", "极了") == ([(3, 4), (4, 6)], [])


def test_an_answer_of_thousands_of_words_is_placed_too():
    found, lost = words(list("的确的" * 100), *(["的"] * 5000))
    assert len(found) == 200
    assert len(lost) == 4800


@pytest.mark.parametrize(
    "segmented",
    [
        "他 在 1998 年 出版 了 第一 本 书 ， 这 本 书 讲 的 是 他 的 家乡 。",
        "“ 好 的 好 的 ” ， 她 说 着 说 着 就 哭 了 。",
        "GDP 同比 增长 6.9 % ， 其中 第三 产业 增长 8.0 % 。",
        "那 只 猫 追 着 那 只 老鼠 ， 那 只 老鼠 钻进 了 洞 里 。",
    ],
)
def test_all_gold_words_of_a_segmented_sentence_are_placed_in_order(segmented):
    parts = segmented.split()
    tokens = [character for part in parts for character in part]
    ends = list(accumulate(map(len, parts)))
    assert words(tokens, *parts) == (list(zip([0, *ends], ends, strict=False)), [])


def test_a_run_of_digits_or_latin_letters_is_not_cut_into_words():
    assert words(list("2012年去party"), "20", "12", "年", "去", "par", "ty") == (
        [(4, 5), (5, 6)],
        ["20", "12", "par", "ty"],
    )
