"""Items as spans of tokens: found where they stand, at token boundaries, each occurrence, in order."""

from __future__ import annotations

import json

import pytest

from tests.helpers.builders import ROOT
from utils.parsing import Item
from utils.placing import TokenIndex, place_entities, place_words


def entities(tokens, *names):
    tokens = tokens.split() if isinstance(tokens, str) else tokens
    placement = place_entities([Item(name, "X") for name in names], tokens)
    return [(one.start, one.end) for one in placement.placed], [item.text for item in placement.lost]


def words(tokens, *names):
    tokens = tokens.split() if isinstance(tokens, str) else tokens
    placement = place_words([Item(name, "X") for name in names], tokens)
    return [(one.start, one.end) for one in placement.placed], [item.text for item in placement.lost]


@pytest.mark.parametrize(
    ("tokens", "name", "span"),
    [
        ("He joined Apple Inc . today", "Apple Inc.", (2, 5)),
        ("He joined Apple Inc. today", "Apple Inc.", (2, 4)),
        ("He joined Apple Inc . today", "Apple Inc", (2, 4)),
        ("the U.S. economy", "U.S.", (1, 2)),
        ("the U . S . economy", "U.S.", (1, 5)),
        ("the U.S . economy", "U.S.", (1, 3)),
        ("they don't know", "don't", (1, 2)),
        ("they do n't know", "don't", (1, 3)),
        ("they don ' t know", "don't", (1, 4)),
        ("an e-mail came", "e-mail", (1, 2)),
        ("an e - mail came", "e-mail", (1, 4)),
        ("an e - mail came", "e -mail", (1, 4)),
        ("in New York City", "New  York", (1, 3)),
        ("in New York City", "New\nYork", (1, 3)),
        ("in NewYork", "New York", (1, 2)),
        ("it cost $ 5 .", "$5", (2, 4)),
        ("the Mary-Ann's crew", "Mary-Ann's", (1, 2)),
        ("he is 3.14 m tall", "3.14", (2, 3)),
        (list("他住在New York。"), "New York", (3, 11)),
        (list("他住在NewYork。"), "New York", (3, 10)),
        (list("邓超在北京"), "邓 超", (0, 2)),
        (["a", "", " ", "b"], "a b", (0, 4)),
    ],
)
def test_a_name_is_found_however_it_is_parted_into_tokens(tokens, name, span):
    assert entities(tokens, name) == ([span], [])


@pytest.mark.parametrize(
    ("tokens", "name"),
    [
        ("a party of four", "art"),
        ("a party of four", "part"),
        ("a party of four", "arty"),
        ("the Mary-Ann sank", "Mary"),
        ("in U.S. towns", "U.S"),
        ("in Yorkshire", "York"),
        ("the art is", "artist"),
        ("a party of four", "fo"),
        ("a b", "ba"),
        ("a b", ""),
        ("a b", "  "),
        ([], "a"),
    ],
)
def test_what_does_not_begin_and_end_at_a_token_is_lost(tokens, name):
    assert entities(tokens, name) == ([], [name])


def test_a_word_inside_another_does_not_hide_the_word_itself():
    assert entities("a party about art and art", "art") == ([(3, 4), (5, 6)], [])


def test_every_occurrence_of_an_entity_is_marked():
    assert entities("Rome and Rome and Rome", "Rome") == ([(0, 1), (2, 3), (4, 5)], [])


def test_occurrences_that_overlap_are_all_marked():
    assert entities(list("哈哈哈"), "哈哈") == ([(0, 2), (1, 3)], [])


def test_names_that_begin_at_one_token_are_both_kept():
    assert entities(list("他在北京大学"), "北京", "北京大学", "大学") == ([(2, 4), (2, 6), (4, 6)], [])


def test_an_item_that_is_found_is_given_back_with_its_label():
    placed = place_entities([Item("Rome", "CITY")], ["Rome"]).placed
    assert placed[0].item == Item("Rome", "CITY")


@pytest.mark.parametrize(
    ("tokens", "name", "span"),
    [
        ("in ROME today", "Rome", (1, 2)),
        ("in Rome today", "rome", (1, 2)),
        (list("用ｉＰｈｏｎｅ上网"), "iPhone", (1, 7)),
        (list("用iPhone上网"), "ＩＰＨＯＮＥ", (1, 7)),
        (["İstanbul", "and", "Rome"], "rome", (2, 3)),  # the lower case of İ is two characters
        (["Straße", "und", "Rom"], "rom", (2, 3)),
        (["ﬁne", "Rome"], "rome", (1, 2)),
    ],
)
def test_case_and_width_do_not_matter_where_nothing_matches_exactly(tokens, name, span):
    assert entities(tokens, name) == ([span], [])


def test_an_exact_match_counts_more_than_one_of_another_case():
    assert entities("may I in May", "May") == ([(3, 4)], [])


def test_repeated_words_are_placed_in_order():
    assert words("the cat saw the dog", "the", "cat", "saw", "the", "dog") == ([(n, n + 1) for n in range(5)], [])


def test_a_repeated_character_is_placed_in_order():
    assert words(list("好好学习好"), "好好", "学习", "好") == ([(0, 2), (2, 4), (4, 5)], [])


def test_words_of_one_spelling_take_their_own_label():
    placement = place_words([Item("saw", "NOUN"), Item("a", "DET"), Item("saw", "VERB")], ["saw", "a", "saw"])
    assert [(one.start, one.item.label) for one in placement.placed] == [(0, "NOUN"), (1, "DET"), (2, "VERB")]


def test_a_word_in_another_case_takes_its_own_place_and_not_that_of_a_later_exact_one():
    found, lost = words("The dog and the cat ran", "the", "dog", "and", "the", "cat", "ran")
    assert (found, lost) == ([(n, n + 1) for n in range(6)], [])


def test_a_word_that_is_not_there_is_lost_and_those_behind_it_are_not():
    assert words("the cat sat", "the", "dog", "cat", "sat") == ([(0, 1), (1, 2), (2, 3)], ["dog"])


def test_a_word_before_the_last_placed_one_is_lost():
    assert words("the cat sat", "cat", "the", "sat") == ([(1, 2), (2, 3)], ["the"])


@pytest.mark.parametrize("parted", ["do n't", "don ' t", "don't"])
def test_a_word_that_is_parted_into_tokens_is_placed_as_one(parted):
    tokens = f"they {parted} know".split()
    assert words(tokens, "they", "don't", "know") == (
        [(0, 1), (1, len(tokens) - 1), (len(tokens) - 1, len(tokens))],
        [],
    )


def test_words_inside_other_words_are_passed_over():
    assert words("party art", "art") == ([(1, 2)], [])


def test_an_index_has_no_blanks_and_knows_its_tokens():
    index = TokenIndex(["New York", "", "x"])
    assert index.exact.text == "NewYorkx"
    assert index.find("New York x") == [(0, 3)]


@pytest.mark.parametrize(
    ("tokens", "name", "span"),
    [
        ("they don’t know", "don't", (1, 2)),
        ("they don ' t know", "don’t", (1, 4)),
        ("an e‑mail came", "e-mail", (1, 2)),
        ("in ﬁne Straße", "FINE STRASSE", (1, 3)),
        (list("이서울은"), "\u1109\u1165\u110b\u116e\u11af", (1, 3)),  # jamo by jamo
        (list("\u304b\u3099いど"), "がいど", (0, 4)),  # a mark of its own in the sentence
        (list("２０２４年の"), "2024年", (0, 5)),
        (list("ﾄﾖﾀの"), "トヨタ", (0, 3)),
        (["a", "b\u200b", "c"], "bc", (1, 3)),
    ],
)
def test_forms_of_one_character_are_alike_where_nothing_matches_exactly(tokens, name, span):
    assert entities(tokens, name) == ([span], [])


def test_an_invented_word_does_not_take_the_places_of_those_behind_it():
    assert words(list("他来了，我走了。"), "他", "来了", "。", "我", "走了", "。") == (
        [(0, 1), (1, 3), (4, 5), (5, 7), (7, 8)],
        ["。"],
    )


def test_a_word_that_was_left_out_does_not_move_the_others():
    found, lost = words("the old man saw the dog near the gate", "the", "man", "saw", "the", "gate")
    assert (found, lost) == ([(0, 1), (2, 3), (3, 4), (7, 8), (8, 9)], [])


def test_words_that_stand_together_take_the_occurrence_beside_the_others():
    assert words(list("好天好人"), "好人") == ([(2, 4)], [])
    assert words(list("不好也好极了"), "好", "极了") == ([(3, 4), (4, 6)], [])


def test_an_answer_of_thousands_of_words_is_placed_too():
    found, lost = words(list("的确的" * 100), *(["的"] * 5000))
    assert len(found) == 200
    assert len(lost) == 4800


@pytest.mark.parametrize(
    ("sentence", "names"),
    [
        ("東京都の東京大学で山田さんが話した", {"東京": [(0, 2), (4, 6)], "東京大学": [(4, 8)], "山田": [(9, 11)]}),
        ("서울 에서 서울대학교 까지", {"서울": [(0, 2), (6, 8)], "서울대학교": [(6, 11)], "서울에서": [(0, 5)]}),
        ("영희가 철수를 만났다", {"영희": [(0, 2)], "철수": [(4, 6)], "철수를": [(4, 7)], "영희가 철수": [(0, 6)]}),
    ],
)
def test_japanese_and_korean_names_are_found_in_text_of_one_character_a_token(sentence, names):
    for name, spans in names.items():
        assert entities(list(sentence), name) == (spans, [])


def test_a_korean_name_is_not_cut_out_of_a_token_that_is_a_whole_word():
    assert entities("영희 는 서울에서 산다", "서울") == ([], ["서울"])
    assert entities("영희 는 서울 에서 산다", "서울", "서울에서") == ([(2, 3), (2, 4)], [])


@pytest.mark.parametrize("name", ["ner_wikipedia_ja", "klue_ner_ko", "cmeee_v2", "weibo", "mit_movie"])
def test_every_gold_entity_of_a_real_dataset_is_found_where_it_stands(name):
    train = ROOT.parent / "shared" / "datasets" / name / "train_1000.jsonl"
    if not train.is_file():
        pytest.skip(f"{train} is not there")
    dense = name != "mit_movie"
    for line in train.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for entity in row["entities"]:
            text = ("" if dense else " ").join(row["text"][entity["start"] : entity["end"]])
            if text.strip():
                found, _ = entities(row["text"], text)
                assert (entity["start"], entity["end"]) in found, (text, row)


def test_all_gold_words_of_a_real_dataset_are_placed_in_order():
    train = ROOT.parent / "shared" / "datasets" / "ud_gsdsimp" / "train_1000.jsonl"
    if not train.is_file():
        pytest.skip(f"{train} is not there")
    for line in train.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        gold = [(entity["start"], entity["end"]) for entity in row["entities"]]
        found, lost = words(row["text"], *("".join(row["text"][start:end]) for start, end in gold))
        assert (found, lost) == (gold, [])
