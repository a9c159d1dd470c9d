"""Similar shots: which sentences are similar, and which ones a prompt may show."""

from __future__ import annotations

import math
import random

import pytest

from tests.helpers.builders import sentence
from utils.annotation.few_shot import Shot, ShotFormat, Shots
from utils.annotation.targets.sentence_index import MAX_ENTRIES, SentenceIndex
from utils.annotation.targets.similar_shots import SimilarShots
from utils.dataset.records import Sentence
from utils.dataset.tokens import CHARACTERS, WORDS, same_text_key
from utils.parsing import ITEM_KEYS
from utils.prompts import load_prompt

ENGLISH = ShotFormat(load_prompt("example", "en"), ITEM_KEYS["target"], str, WORDS)
CHINESE = ShotFormat(load_prompt("example", "zh"), ITEM_KEYS["target"], str, CHARACTERS)


def everything(number):
    return True


def synthetic(text, source, id="9-1"):  # noqa: A002
    row = {"synthetic": True} if source is None else {"synthetic": True, "source": source}
    return Sentence(id, tuple(text.split()), (), row)


def shown(shots, one):
    """Return the sentences that the prompt for a sentence shows."""
    lines = shots.text_for(one).splitlines()
    return [line.removeprefix("Example sentence: ") for line in lines if line.startswith("Example sentence: ")]


# --- the index


def test_the_most_similar_sentences_come_first():
    texts = ["the cat sat", "a dog ran home", "the dog sat at home", "rome"]
    index = SentenceIndex([text.split() for text in texts], WORDS)
    assert index.nearest(["my", "Dog", "sat", "at", "home"], 4, everything) == [2, 1, 0]
    assert index.nearest(["my", "dog", "sat", "at", "home"], 1, everything) == [2]
    assert index.nearest(["my", "dog", "sat", "at", "home"], 2, lambda number: number != 2) == [1, 0]
    assert index.nearest(["nothing"], 4, everything) == []


def test_dense_text_is_compared_by_pairs_of_characters():
    index = SentenceIndex([list("北京大学"), list("大学生"), list("京北学大"), list("京")], CHARACTERS)
    assert index.nearest(list("北京的大学"), 4, everything) == [0, 1]
    assert index.nearest(list("京"), 4, everything) == [3]


def test_rare_features_count_more_than_frequent_ones():
    index = SentenceIndex([["the", "x"], ["the", "y"], ["the", "z"], ["zebra", "the"]], WORDS)
    assert index.nearest(["the", "zebra"], 1, everything) == [3]


def test_of_equally_similar_sentences_the_first_is_taken():
    index = SentenceIndex([["a", "b"], ["b", "a"], ["a", "b"]], WORDS)
    assert index.nearest(["a", "b"], 2, everything) == [0, 1]


def test_the_ranking_is_that_of_all_cosines():
    draw = random.Random(3)
    texts = [[draw.choice("abcdefghij") for _ in range(draw.randint(1, 9))] for _ in range(60)]

    def vector(text):
        shares = {word: sum(word in other for other in texts) / len(texts) for word in text}
        weights = {word: text.count(word) * (1 - math.log(share)) for word, share in shares.items()}
        length = math.hypot(*weights.values())
        return {word: weight / length for word, weight in weights.items()}

    index = SentenceIndex(texts, WORDS)
    for query in texts[:20]:
        own = vector(query)
        cosines = [sum(own.get(word, 0) * weight for word, weight in vector(text).items()) for text in texts]
        found = index.nearest(query, 60, everything)
        assert {number for number, cosine in enumerate(cosines) if cosine > 0} == set(found)
        assert [cosines[number] for number in found] == pytest.approx(sorted(map(cosines.__getitem__, found))[::-1])


def test_a_search_reads_a_limited_number_of_entries():
    texts = [["the", "of", f"w{number}"] for number in range(MAX_ENTRIES)]
    index = SentenceIndex(texts, WORDS)
    assert index.nearest(["the", "of", "w77"], 3, everything) == [77]
    assert len(index.nearest(["of", "the"], MAX_ENTRIES, everything)) == MAX_ENTRIES


# --- the shots


def test_shots_show_their_gold_spans_by_position_and_the_most_similar_is_last():
    sentences = [
        sentence("Rome is old .", (0, 1, "LOC")),
        sentence("Ann met Bob in Rome .", (4, 5, "LOC"), (0, 1, "PER"), (2, 3, "PER"), id="2"),
    ]
    shots = SimilarShots(sentences * 4, ENGLISH, number=2, is_held_out=True)
    assert shots.text_for(sentence("Ann met him in Rome .")) == (
        '\nExample sentence: Rome is old .\nExample answer: [{"entity":"Rome","type":"LOC"}]'
        '\nExample sentence: Ann met Bob in Rome .\nExample answer: [{"entity":"Ann","type":"PER"},'
        '{"entity":"Bob","type":"PER"},{"entity":"Rome","type":"LOC"}]'
    )


def test_a_sentence_is_never_shown_in_its_own_prompt_nor_twice():
    texts = ["Ann left .", "ANN  left .", "Ann stayed .", "Ann stayed .", "Bob left .", "Bob stayed .", "x", "y"]
    sentences = [sentence(text, id=str(number)) for number, text in enumerate(texts, start=1)]
    shots = SimilarShots(sentences, ENGLISH, number=3)
    for one in sentences:
        others = shown(shots, one)
        assert one.tokens not in [tuple(other.split()) for other in others]
        assert len(set(others)) == len(others)
    assert "ANN left ." not in shown(shots, sentences[0])


def test_sentences_with_nothing_in_common_fill_up_those_with_an_entity_first():
    sentences = [sentence("a b"), sentence("c d", (0, 1, "X"), id="2"), sentence("e f", id="3")]
    shots = SimilarShots(sentences * 4, ENGLISH, number=3, is_held_out=True)
    assert shown(shots, sentence("e z")) == ["a b", "c d", "e f"]


EIGHT = [sentence(f"we saw number {number}", id=str(number)) for number in range(1, 9)]  # sizes 2, 4 and 8


@pytest.mark.parametrize(
    ("one", "allowed"),
    [
        (EIGHT[0], 2),
        (EIGHT[1], 2),
        (EIGHT[2], 4),
        (EIGHT[3], 4),
        (EIGHT[4], 8),
        (EIGHT[7], 8),
        (synthetic("we saw number 8 again", 2), 2),
        (synthetic("we saw number 8 again", 4), 4),
        (synthetic("we saw number 8 again", 5), 8),
        (synthetic("we saw number 8 again", 0), 8),  # of an unknown source: in size 1000 alone
        (synthetic("we saw number 8 again", None, "raw-1"), 2),  # in every size
    ],
)
def test_a_prompt_only_shows_sentences_of_every_size_of_its_sentence(one, allowed):
    shots = SimilarShots(EIGHT, ENGLISH, number=8)
    numbers = {int(text.split()[-1]) for text in shown(shots, one)}
    assert numbers == set(range(1, allowed + 1)) - ({int(one.id)} if not one.is_synthetic else set())


def test_no_sentence_outside_a_size_changes_the_shots_of_the_size():
    """Frequencies of words are those of the size, too."""
    others = [*EIGHT[:2], *(sentence(f"saw saw {number}", id=one.id) for number, one in enumerate(EIGHT[2:]))]
    before, after = (SimilarShots(sentences, ENGLISH, number=2) for sentences in (EIGHT, others))
    for one in (EIGHT[0], synthetic("we saw them", 1), synthetic("we saw them", None, "raw-1")):
        assert before.text_for(one) == after.text_for(one)


def test_dev_and_test_are_shown_the_smallest_size_alone():
    shots = SimilarShots(EIGHT, ENGLISH, number=8, is_held_out=True)
    assert {text.split()[-1] for text in shown(shots, sentence("we saw number 8 there", id="8"))} == {"1", "2"}


def test_sentences_that_the_prompt_shows_already_are_left_out():
    drawn = [Shot(same_text_key(EIGHT[number].tokens), "…") for number in (4, 5)]
    shots = SimilarShots(EIGHT, ENGLISH, number=8, fixed=Shots(drawn, number=1, seed=0))
    assert {text[-1] for text in shown(shots, EIGHT[6])} == set("123468")
    assert {text[-1] for text in shown(shots, EIGHT[4])} == set("123478")  # its prompt shows the other fixed shot


def test_only_the_number_of_shots_is_a_parameter():
    assert SimilarShots(EIGHT, ENGLISH, number=3).parameters == {"number": 3}
