"""Entities as spans of tokens: every occurrence, at token boundaries, in any form of the same characters."""

from __future__ import annotations

import pytest

from utils.parsing import Item
from utils.placing import TokenIndex, place_entities


def entities(tokens, *names):
    tokens = tokens.split() if isinstance(tokens, str) else tokens
    placement = place_entities([Item(name, "X") for name in names], tokens)
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
def test_a_name_is_found_however_it_is_split_into_tokens(tokens, name, span):
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
def test_a_name_that_does_not_begin_and_end_at_a_token_boundary_is_lost(tokens, name):
    assert entities(tokens, name) == ([], [name])


def test_a_word_inside_another_does_not_hide_the_word_itself():
    assert entities("a party about art and art", "art") == ([(3, 4), (5, 6)], [])


def test_every_occurrence_of_an_entity_is_found():
    assert entities("Rome and Rome and Rome", "Rome") == ([(0, 1), (2, 3), (4, 5)], [])


def test_overlapping_occurrences_are_all_found():
    assert entities(list("哈哈哈"), "哈哈") == ([(0, 2), (1, 3)], [])


def test_names_that_begin_at_the_same_token_are_all_found():
    assert entities(list("他在北京大学"), "北京", "北京大学", "大学") == ([(2, 4), (2, 6), (4, 6)], [])


def test_a_found_item_keeps_its_label():
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
def test_case_and_width_do_not_matter_if_nothing_matches_exactly(tokens, name, span):
    assert entities(tokens, name) == ([span], [])


def test_an_exact_match_is_preferred_to_one_in_another_case():
    assert entities("may I in May", "May") == ([(3, 4)], [])


def test_the_index_ignores_spaces_and_keeps_its_tokens():
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
        (list("\u304b\u3099いど"), "がいど", (0, 4)),  # the voicing mark is a token of its own
        (list("２０２４年の"), "2024年", (0, 5)),
        (list("ﾄﾖﾀの"), "トヨタ", (0, 3)),
        (["a", "b\u200b", "c"], "bc", (1, 3)),
    ],
)
def test_forms_of_one_character_are_equal_if_nothing_matches_exactly(tokens, name, span):
    assert entities(tokens, name) == ([span], [])


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


def test_a_korean_name_is_not_cut_out_of_a_word_that_is_one_token():
    assert entities("영희 는 서울에서 산다", "서울") == ([], ["서울"])
    assert entities("영희 는 서울 에서 산다", "서울", "서울에서") == ([(2, 3), (2, 4)], [])


# Sentences with gold spans between brackets, which may nest; tokens are characters, or the words of the last two.
ANNOTATED = [
    "[[東京大学]の[山田太郎]教授]は[2024年]に[ソニー]と[共同研究]を始めた。",
    "「[月の裏側]」は[ＮＨＫ]の[テレビドラマ]。",
    "[김민수] 선수는 [지난 5일] [서울 잠실구장]에서 [두산 베어스]를 상대했다.",
    "患者[[急性][上呼吸道]感染]3天，伴[咳嗽]、[发热（38.5℃）]，[咽部]充血。",
    "[[人乳头瘤病毒]（[HPV]）[16型]感染]可致[[宫颈]癌]",
    "@[小李飞刀] [明天]去[北京西站]接[妈妈] ！！！[哈哈]哈",
    "show me [[science fiction] films] from the [1990s] with [jodie foster] and [r rated] violence",
    "is there a trailer for [ocean 's eleven] directed by [steven soderbergh]",
]


def gold_spans(annotated, *, dense):
    """Return the tokens of an annotated sentence and its gold spans."""
    tokens: list[str] = []
    opened: list[int] = []
    spans: list[tuple[int, int]] = []
    pieces = annotated if dense else annotated.replace("[", " [ ").replace("]", " ] ").split()
    for piece in pieces:
        if piece == "[":
            opened.append(len(tokens))
        elif piece == "]":
            spans.append((opened.pop(), len(tokens)))
        else:
            tokens.append(piece)
    return tokens, spans


@pytest.mark.parametrize("annotated", ANNOTATED)
def test_every_gold_entity_of_an_annotated_sentence_is_found_at_its_position(annotated):
    dense = not annotated.isascii()
    tokens, spans = gold_spans(annotated, dense=dense)
    assert len(spans) >= 2
    for start, end in spans:
        found, _ = entities(tokens, ("" if dense else " ").join(tokens[start:end]))
        assert (start, end) in found


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("他2012年12月来", "20"),
        ("他2012年来", "12"),
        ("去party了", "art"),
        ("去party了", "part"),
        ("去party了", "party了吗"),
        ("买iPhone12手机", "Phone"),
        ("他说party，PARTY", "art"),
        ("用ｉＰｈｏｎｅ上网", "phone"),
        ("第２０１２届", "12"),
        ("喝Rosé酒", "Ros"),
        ("서울에서Seoul", "Seo"),
        ("party!", "art"),
    ],
)
def test_a_run_of_latin_letters_or_of_digits_is_never_cut_in_dense_text(sentence, name):
    assert entities(list(sentence), name) == ([], [name])


@pytest.mark.parametrize(
    ("tokens", "name", "spans"),
    [
        (list("他2012年12月来"), "12", [(6, 8)]),
        (list("买iPhone12手机"), "iphone", [(1, 7)]),
        (list("买iPhone12手机"), "12", [(7, 9)]),
        (list("在New York玩"), "York", [(5, 9)]),
        (list("坐A380去"), "A380", [(1, 5)]),
        (["press", "1", "2", "3"], "2", [(2, 3)]),
        (["vitamin", "A", "B"], "B", [(2, 3)]),
        (["在", "New", "York", "2", "0"], "New", [(1, 2)]),
    ],
)
def test_whole_runs_and_words_that_are_tokens_are_found(tokens, name, spans):
    assert entities(tokens, name) == (spans, [])
