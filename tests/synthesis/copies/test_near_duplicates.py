"""Texts that are known, with small changes: each must be recognised."""

from __future__ import annotations

import json
import random
import string

import pytest

from tests.helpers.builders import ROOT
from utils.dataset.tokens import CHARACTERS, WORDS
from utils.synthesis.copies.near_duplicates import KnownTexts, repeated_share, shared_share, text_key

INSERTED = {"spaces": " ", "commas": ",", "wide marks": "，", "quotes": "”"}


def texts_of(path):
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    return [row["text"] for row in rows if len(text_key("".join(row["text"]))) >= 8]


def random_texts(*alphabet, number=200):
    """Return random sentences of 8 to 40 characters, which have few n-grams in common."""
    chance = random.Random(5)
    characters = [chr(code) for codes in alphabet for code in codes]
    return [chance.choices(characters, k=chance.randint(8, 40)) for _ in range(number)]


def held_out_of(name):
    """Return the texts of a demo dataset's dev and test."""
    return [text for part in ("dev", "test") for text in texts_of(ROOT / "data" / "few_shot" / name / f"{part}.jsonl")]


CHINESE, KANA, KOREAN = range(0x4E00, 0x4E00 + 3000), range(0x3041, 0x3097), range(0xAC00, 0xAC00 + 3000)
DATASETS = {
    "demo": (held_out_of("demo"), WORDS),
    "demo_zh": (held_out_of("demo_zh"), CHARACTERS),
    "random Chinese": (random_texts(CHINESE), CHARACTERS),
    "random Japanese": (random_texts(CHINESE, KANA), CHARACTERS),
    "random Korean": (random_texts(KOREAN), CHARACTERS),
}


@pytest.fixture(params=DATASETS)
def held_out(request):
    texts, tokenisation = DATASETS[request.param]
    return texts, KnownTexts(texts, tokenisation=tokenisation), random.Random(3), tokenisation


def missed(known, edited):
    return ["".join(text) for text in edited if known.likeness(text, one_edit=True) is None]


def test_a_copy_is_known_whatever_its_case_width_spaces_and_punctuation(held_out):
    texts, known, chance, _ = held_out
    for text in texts:
        joined = list("".join(text))
        for mark in INSERTED.values():
            joined.insert(chance.randrange(len(joined) + 1), mark)
        assert known.likeness(joined) == "copy"
        assert known.likeness([token.upper() for token in text]) == "copy"
    assert known.likeness([character for character in "".join(texts[0]) if character.isalnum()]) == "copy"


def test_one_changed_token_never_passes(held_out):
    texts, known, chance, tokenisation = held_out
    new = [chr(code) for code in range(0x7000, 0x7100)] if tokenisation.is_dense else ["lighthouse", "x", "Bartholomew"]
    edited = []
    for text in texts:
        place = chance.randrange(len(text))
        edited.append([*text[:place], chance.choice(new), *text[place + 1 :]])
    assert missed(known, edited) == []


def test_one_token_more_or_less_never_passes(held_out):
    texts, known, chance, tokenisation = held_out
    longer, shorter = [], []
    for text in texts:
        place = chance.randrange(len(text))
        longer.append([*text[:place], "鯨" if tokenisation.is_dense else "whale", *text[place:]])
        shorter.append([*text[:place], *text[place + 1 :]])
    assert missed(known, longer + shorter) == []


def test_one_changed_letter_in_a_word_never_passes(held_out):
    texts, known, chance, _ = held_out
    edited = []
    for text in texts:
        place = chance.choice([place for place, token in enumerate(text) if token.strip()])
        letters = list(text[place])
        letters[chance.randrange(len(letters))] = chance.choice(string.ascii_lowercase)
        edited.append([*text[:place], "".join(letters), *text[place + 1 :]])
    assert missed(known, edited) == []


def test_several_changed_characters_of_a_long_text_do_not_pass(held_out):
    texts, known, chance, _ = held_out
    edited = []
    for text in texts:
        joined = list("".join(text))
        for _ in range(len(joined) // 15):
            joined[chance.randrange(len(joined))] = chance.choice("qxz鯨鰐")
        edited.append(joined)
    assert missed(known, edited) == []


def test_a_text_with_words_added_before_and_after_does_not_pass(held_out):
    texts, known, _, tokenisation = held_out
    before, after = (
        (["据报道"], ["这是真的"]) if tokenisation.is_dense else (["They", "say"], ["and", "it", "is", "so"])
    )
    assert missed(known, [[*before, *text, *after] for text in texts]) == []


def test_other_texts_pass(held_out):
    texts, known, chance, _ = held_out
    pool = sorted({token for text in texts for token in text})
    others = [chance.choices(pool, k=20) for _ in range(200)]
    assert sum(known.likeness(text, one_edit=True) is None for text in others) > 190


def test_a_part_is_distinguished_from_a_text_with_the_same_beginning():
    known = KnownTexts([["Agnes", "left", "the", "old", "town", "of", "Rome", "in", "May", "."]], tokenisation=WORDS)
    assert known.likeness(["the", "old", "town", "of", "Rome"]) == "part"
    assert known.likeness(["the", "old", "ship", "of", "Oslo"]) is None
    assert known.likeness(["Rome"]) is None


def test_a_text_with_one_long_changed_word_is_near_only_with_one_edit():
    known = KnownTexts([["Rome", "is", "old", "."]], tokenisation=WORDS)
    other = ["Constantinople", "is", "old", "."]
    assert known.likeness(other) is None
    assert known.likeness(other, one_edit=True) == "near"


def test_the_order_of_the_known_texts_changes_nothing():
    texts = random_texts(CHINESE, number=60)
    edited = [[*text[:-2], "鯨", "鯨"] for text in texts]
    found = [
        [KnownTexts(order, tokenisation=CHARACTERS).likeness(text) for text in edited] for order in (texts, texts[::-1])
    ]
    assert found[0] == found[1]
    assert set(found[0]) >= {"near", None}


@pytest.mark.parametrize("text", [[], [""], ["。", "！"], ["…"]])
def test_a_text_without_words_resembles_no_other(text):
    known = KnownTexts([text, ["Rome", "is", "old", "."]], tokenisation=WORDS)
    assert known.likeness(text, one_edit=True) is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Rome, 1897!", "rome1897"),
        ("ＲＯＭＥ　１８９７", "rome1897"),
        ("Straße", "strasse"),
        ("他 说：“好”。", "他说好"),
        ("ｶﾞ", "ガ"),
    ],
)
def test_a_key_has_folded_letters_and_digits_only(text, key):
    assert text_key(text) == key


def test_the_share_of_a_text_that_is_in_its_source():
    source = list("邓超在北京大学读书的时候")
    assert shared_share(list("邓超在北京大学读书"), source, tokenisation=CHARACTERS) == 1
    assert shared_share(list("李明去上海出差了"), source, tokenisation=CHARACTERS) == 0
    assert 0 < shared_share(list("李明在北京大学工作"), source, tokenisation=CHARACTERS) < 0.5
    assert shared_share(["Rome"], ["Rome", "is", "old"], tokenisation=WORDS) == 0


def test_the_share_of_a_text_that_repeats_itself():
    assert (
        repeated_share(list("苹果公司有多个USB数据线，包括USB数据线，USB数据线，USB数据线。"), tokenisation=CHARACTERS)
        > 0.25
    )
    assert (
        repeated_share(
            ["Ann", "has", "a", "cat", "and", "a", "cat", "and", "a", "cat", "and", "a", "cat", "and", "a", "cat", "."],
            tokenisation=WORDS,
        )
        > 0.25
    )
    assert repeated_share(list("邓超在北京大学读书的时候认识了李明。"), tokenisation=CHARACTERS) == 0
    assert repeated_share(["no", "no", "no", "no"], tokenisation=WORDS) == 0
