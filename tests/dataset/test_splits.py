"""The sizes: the first 25 %, 50 % and 100 %, and what belongs to each."""

from __future__ import annotations

import itertools

import pytest

from tests.helpers.builders import sentence
from utils.dataset.records import Sentence
from utils.dataset.splits import Share


def synthetic(id_, source, text="new words"):
    tokens = tuple(text.split())
    return Sentence(id_, tokens, (), {"id": id_, "source": source, "text": list(tokens), "entities": []})


def answer(id_, text):
    return {"id": id_, "text": text.split(), "mode": "entity", "items": [], "answers": [], "status": "ok"}


def share(number=8, made=(), answers=(), synthetic_answers=()):
    sentences = [sentence(f"sentence {n}", id=str(n)) for n in range(1, number + 1)]
    return Share(sentences, list(made), {"entity": list(answers)}, {"pos": list(synthetic_answers)})


@pytest.mark.parametrize(
    ("number", "percent", "first"),
    [(8, 25, 2), (8, 50, 4), (8, 100, 8), (1, 25, 1), (1, 50, 1), (3, 25, 1), (3, 50, 1), (7, 50, 3), (1350, 25, 337)],
)
def test_a_size_is_the_first_sentences_rounded_down_and_at_least_one(number, percent, first):
    part = share(number).first(percent)
    assert [one.id for one in part.sentences] == [str(n) for n in range(1, first + 1)]


def test_a_synthetic_sentence_belongs_to_a_size_exactly_if_its_source_does():
    # Many come from the last sentences and few from the first: a split by line count would go wrong.
    made = [synthetic("2-1", 2), *(synthetic(f"8-{n}", 8, f"s {n}") for n in range(1, 6)), synthetic("4-1", 4)]
    whole = share(8, made)
    assert [one.id for one in whole.first(25).synthetic] == ["2-1"]
    assert [one.id for one in whole.first(50).synthetic] == ["2-1", "4-1"]
    assert [one.id for one in whole.first(100).synthetic] == [one.id for one in made]


def test_a_source_is_known_by_its_number_and_not_by_how_it_begins():
    made = [synthetic("1-1", 1), synthetic("11-1", 11), synthetic("10-1", 10)]
    assert [one.id for one in share(12, made).first(25).synthetic] == ["1-1"]


def test_a_size_may_have_no_synthetic_sentence():
    assert list(share(8, [synthetic("8-1", 8)]).first(25).synthetic) == []


def test_the_smaller_sizes_are_part_of_the_larger_ones():
    made = [synthetic(f"{n}-1", n, f"s {n}") for n in range(1, 9)]
    parts = [share(8, made).first(percent) for percent in (25, 50, 100)]
    for smaller, larger in itertools.pairwise(parts):
        assert set(smaller.sentences) <= set(larger.sentences)
        assert set(smaller.synthetic) <= set(larger.synthetic)


def test_answers_follow_their_sentences_by_id_and_not_by_place():
    answers = [answer(str(n), f"sentence {n}") for n in (8, 2, 1)]
    part = share(8, answers=answers).first(25)
    assert [row["id"] for row in part.answers["entity"]] == ["2", "1"]


def test_answers_to_synthetic_sentences_follow_their_sources():
    made = [synthetic("1-1", 1), synthetic("8-1", 8, "other words")]
    answers = [answer("1-1", "new words"), answer("8-1", "other words")]
    part = share(8, made, synthetic_answers=answers).first(25)
    assert [row["id"] for row in part.synthetic_answers["pos"]] == ["1-1"]


@pytest.mark.parametrize(
    "stray",
    [
        answer("1", "another text"),
        answer("99", "sentence 1"),
        answer("1-1", "sentence 1"),
        {"answers": []},
    ],
)
def test_an_answer_to_another_text_belongs_to_no_size_and_is_counted(stray):
    whole = share(8, answers=[answer("1", "sentence 1"), stray])
    assert [row.get("id") for row in whole.first(100).answers["entity"]] == ["1"]
    assert whole.strays == 1


def test_an_id_may_be_a_number():
    whole = share(8, answers=[{**answer("1", "sentence 1"), "id": 1}])
    assert [row["id"] for row in whole.first(25).answers["entity"]] == [1]
    assert whole.strays == 0


def test_answers_that_all_fit_leave_no_stray():
    made = [synthetic("1-1", 1)]
    whole = share(8, made, [answer("1", "sentence 1")], [answer("1-1", "new words")])
    assert whole.strays == 0
