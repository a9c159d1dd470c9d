"""Rounds of answers: ids, targets, and results that depend on the journal alone."""

from __future__ import annotations

import random

import pytest

from tests.helpers.builders import sentence
from tests.helpers.syntheses import generator, synthesis_of
from utils.asking.entries import Entry
from utils.synthesis.generator import TASK
from utils.synthesis.quota import Quota

PEOPLE = ["Agnes", "Tom", "Ellen", "Gustav", "Nora", "Oskar"]
PLACES = ["Rome", "Oslo", "Lerwick", "Bergen", "Dublin", "Turin"]
SOURCES = [
    sentence(f"{name} left {place} in a hurry .", (0, 1, "PER"), (2, 3, "LOC"), id=str(number))
    for number, (name, place) in enumerate(zip(PEOPLE, PLACES, strict=True), start=1)
]


def says(source, sample):
    """Return two sentences that are different for each source and sample."""
    number = int(source.id) * 7 + sample
    chance = random.Random(number)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(9)]
    name, place = source.tokens[0], source.tokens[2]
    return (
        f"{name} {words[0]} {words[1]} {words[2]} {words[3]}. In {place} {words[4]} {words[5]} {words[6]} {words[7]}."
    )


def recorded(answers):
    """Return answers as a journal has them."""
    entries = [
        Entry(source.id, TASK, generator().input_hash(source), "f", text, "stop", 1, 1, sample)
        for source, sample, text in answers
    ]
    return {entry.key: entry for entry in entries}


def every(samples, sources=SOURCES, text=says):
    return [(source, sample, text(source, sample)) for sample in range(samples) for source in sources]


def run(answers, sources=SOURCES, **settings):
    """Take all rounds. Return the rows of kept and of dropped sentences, and the counts."""
    made = synthesis_of(sources, **settings)
    while made.wants_more:
        made.take_round(recorded(answers))
    return made.result()


def ids(rows):
    return [row["id"] for row in rows]


def test_sentences_are_ordered_by_source_and_numbered_across_its_answers():
    rows, _, counts = run(every(2), quota=Quota(rounds=2))
    assert ids(rows) == [f"{number}-{place}" for number in range(1, 7) for place in range(1, 5)]
    assert (counts.rounds, counts.answers, counts.asked, counts.kept) == (2, 12, 6, 24)
    assert "in 12 answers of 2 rounds" in str(counts)


def test_the_order_in_which_answers_came_changes_nothing():
    answers = every(3)
    expected = run(answers, quota=Quota(rounds=3))
    for seed in range(3):
        shuffled = random.Random(seed).sample(answers, len(answers))
        assert run(shuffled, quota=Quota(rounds=3)) == expected


def test_asking_for_more_rounds_renumbers_nothing():
    answers = every(3)
    few, _, _ = run(answers, quota=Quota(rounds=1))
    many, _, _ = run(answers, quota=Quota(rounds=3))
    texts = {row["id"]: row["text"] for row in many}
    assert all(texts[row["id"]] == row["text"] for row in few)
    assert len(many) == 3 * len(few)


def test_the_first_round_of_a_size_is_the_same_without_the_sentences_outside_it():
    whole, _, _ = run(every(1))
    small, _, _ = run(every(1, SOURCES[:3]), SOURCES[:3])
    assert small == [row for row in whole if row["source"] <= 3]


def test_of_near_duplicates_the_one_of_the_first_source_is_kept_whatever_the_order():
    def alike(source, sample):
        return f"The {source.tokens[0]} family keeps bees in the old mill by the river."

    for answers in (every(1, text=alike), every(1, text=alike)[::-1]):
        rows, dropped, counts = run(answers)
        assert ids(rows) == ["1-1"]
        assert counts.dropped == {"nearly repeated": 5}
        assert [row["source"] for row in dropped] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("target", [1, 5, 12, 13, 20])
def test_a_target_is_reached_exactly_and_no_round_follows(target):
    rows, dropped, counts = run(every(5), quota=Quota(rounds=5, target=target))
    assert len(rows) == counts.kept == target
    assert counts.rounds == -(-target // 12)
    assert counts.dropped.get("beyond the target", 0) == 12 * counts.rounds - target == len(dropped)


def test_a_target_that_is_not_reached_keeps_every_sentence():
    rows, _, counts = run(every(2), quota=Quota(rounds=2, target=100))
    assert (len(rows), counts.rounds) == (24, 2)


def test_sentences_beyond_the_target_are_dropped_from_random_answers():
    rows, _, _ = run(every(1), quota=Quota(target=6))
    assert {row["source"] for row in rows} != {1, 2, 3}
    assert len({row["source"] for row in rows}) == 3  # whole answers


def test_rounds_end_when_few_ngrams_are_new():
    def same(source, sample):
        return says(source, 0)

    _, _, counts = run(every(9, text=same), quota=Quota(rounds=9, stop_below=0.1))
    assert counts.rounds == 2
    _, _, counts = run(every(9), quota=Quota(rounds=9, stop_below=0.1))
    assert counts.rounds == 9


def test_sentences_with_rare_labels_are_asked_first_and_more_often():
    weights = {"5": 3.0}
    made = synthesis_of(SOURCES, quota=Quota(rounds=2, weights=weights))
    asked = [(one.request.id, one.request.sample) for one in made.questions()]
    assert asked == [("5", 0), ("5", 1), ("5", 2), ("1", 0), ("2", 0), ("3", 0), ("4", 0), ("6", 0)]
    made.take_round(recorded(every(1)))
    assert [one.request.sample for one in made.questions(limit=5)] == [3, 4, 5, 1, 1, 1, 1]


def test_every_sample_has_its_own_seed():
    made = synthesis_of(SOURCES, quota=Quota(rounds=1, weights={source.id: 4.0 for source in SOURCES}))
    seeds = [one.request.sampling.seed for one in made.questions() if one.request.sampling is not None]
    assert len(set(seeds)) == len(seeds) == 24


def test_a_sentence_without_a_required_mention_is_dropped():
    def answer(source, sample):
        return f"{source.tokens[0]} has {says(source, 9).split()[1]} to sell here. It rained {says(source, 5)[6:30]}."

    rows, _, counts = run(every(1, text=answer), require_mention=True)
    assert all(row["mentions"] == [SOURCES[row["source"] - 1].tokens[0]] for row in rows)
    assert (counts.kept, counts.dropped["without an asked entity"]) == (6, 6)
    assert run(every(1, text=answer))[2].kept == 12


def test_a_dropped_row_has_its_source_its_sample_and_its_reason():
    _, dropped, _ = run([(SOURCES[1], 0, "Sure! Oslo is a very old town. And so")])
    assert dropped == [
        {"source": 2, "sample": 0, "text": "Sure!", "reason": "a preamble"},
        {"source": 2, "sample": 0, "text": "And so", "reason": "unfinished"},
    ]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Agnes: a woman of the north.", "a list item"),
        ("She has a cat and a cat and a cat and a cat and a cat.", "repeats itself"),
        ("Agnes left Rome in a great hurry.", "nearly copied"),
    ],
)
def test_an_answer_without_a_new_sentence_is_dropped_with_the_reason(answer, reason):
    assert run([(SOURCES[0], 0, answer)])[2].dropped == {reason: 1}


def test_every_piece_is_kept_or_dropped_with_one_reason():
    _, dropped, counts = run(every(2), quota=Quota(rounds=2, target=13))
    assert counts.made == counts.kept + counts.dropped.total()
    assert counts.as_row()["dropped"] == {"beyond the target": len(dropped)}


def test_without_questions_there_are_no_sentences():
    bare = [sentence("It rained all day .", id="1")]
    rows, dropped, counts = run([], bare)
    assert (rows, dropped, counts.without_entity) == ([], [], 1)
    assert synthesis_of(bare).result()[0] == []
