"""The sizes: the first 25 %, 50 % and 100 % of the sentences, with everything made from them."""

from __future__ import annotations

import itertools

import pytest

from tests.helpers.builders import sentence
from utils.dataset.records import Sentence
from utils.dataset.splits import Share


def synthetic(id_, source, text="new words"):
    tokens = tuple(text.split())
    return Sentence(id_, tokens, (), {"id": id_, "source": source, "text": list(tokens), "entities": []})


def annotation(id_, text):
    return {"id": id_, "text": text.split(), "mode": "entity", "items": [], "answers": [], "status": "ok"}


def share(number=8, made=(), annotations=(), synthetic_annotations=()):
    sentences = [sentence(f"sentence {n}", id=str(n)) for n in range(1, number + 1)]
    return Share(sentences, list(made), {"entity": list(annotations)}, {"pos": list(synthetic_annotations)})


@pytest.mark.parametrize(
    ("number", "percent", "first"),
    [(8, 25, 2), (8, 50, 4), (8, 100, 8), (1, 25, 1), (1, 50, 1), (3, 25, 1), (3, 50, 1), (7, 50, 3), (1350, 25, 337)],
)
def test_a_size_is_the_first_sentences_rounded_down_but_at_least_one(number, percent, first):
    part = share(number).first(percent)
    assert [one.id for one in part.sentences] == [str(n) for n in range(1, first + 1)]


def test_a_synthetic_sentence_is_in_a_size_exactly_if_its_source_is():
    # Many come from the last sentences and few from the first: a split by line count would go wrong.
    made = [synthetic("2-1", 2), *(synthetic(f"8-{n}", 8, f"s {n}") for n in range(1, 6)), synthetic("4-1", 4)]
    whole = share(8, made)
    assert [one.id for one in whole.first(25).synthetic] == ["2-1"]
    assert [one.id for one in whole.first(50).synthetic] == ["2-1", "4-1"]
    assert [one.id for one in whole.first(100).synthetic] == [one.id for one in made]


def test_a_source_is_compared_by_its_number_and_not_by_its_first_digits():
    made = [synthetic("1-1", 1), synthetic("11-1", 11), synthetic("10-1", 10)]
    assert [one.id for one in share(12, made).first(25).synthetic] == ["1-1"]


def test_a_size_may_be_without_synthetic_sentences():
    assert list(share(8, [synthetic("8-1", 8)]).first(25).synthetic) == []


def test_the_smaller_sizes_are_part_of_the_larger_ones():
    made = [synthetic(f"{n}-1", n, f"s {n}") for n in range(1, 9)]
    parts = [share(8, made).first(percent) for percent in (25, 50, 100)]
    for smaller, larger in itertools.pairwise(parts):
        assert set(smaller.sentences) <= set(larger.sentences)
        assert set(smaller.synthetic) <= set(larger.synthetic)


def test_annotations_belong_to_sentences_by_id_and_not_by_position():
    rows = [annotation(str(n), f"sentence {n}") for n in (8, 2, 1)]
    part = share(8, annotations=rows).first(25)
    assert [row["id"] for row in part.annotations["entity"]] == ["2", "1"]


def test_annotations_of_synthetic_sentences_are_in_the_sizes_of_the_sources():
    made = [synthetic("1-1", 1), synthetic("8-1", 8, "other words")]
    rows = [annotation("1-1", "new words"), annotation("8-1", "other words")]
    part = share(8, made, synthetic_annotations=rows).first(25)
    assert [row["id"] for row in part.synthetic_annotations["pos"]] == ["1-1"]


@pytest.mark.parametrize(
    "stray",
    [
        annotation("1", "another text"),
        annotation("99", "sentence 1"),
        annotation("1-1", "sentence 1"),
        {"answers": []},
    ],
)
def test_an_annotation_of_another_text_is_in_no_size_and_is_counted(stray):
    whole = share(8, annotations=[annotation("1", "sentence 1"), stray])
    assert [row.get("id") for row in whole.first(100).annotations["entity"]] == ["1"]
    assert whole.stray_rows == 1


def test_an_id_may_be_a_number():
    whole = share(8, annotations=[{**annotation("1", "sentence 1"), "id": 1}])
    assert [row["id"] for row in whole.first(25).annotations["entity"]] == [1]
    assert whole.stray_rows == 0


def test_without_stray_annotations_the_count_is_zero():
    made = [synthetic("1-1", 1)]
    whole = share(8, made, [annotation("1", "sentence 1")], [annotation("1-1", "new words")])
    assert whole.stray_rows == 0
