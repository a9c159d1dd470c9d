"""Votes of several answers to one question: the kept spans, their labels and their scores."""

from __future__ import annotations

import json

import pytest
import s1_predict_data

from tests.helpers.builders import call, read_lines, row_of, sentence, write_rows
from utils.annotation.annotator import Annotator
from utils.annotation.answers import place_items, read_answers
from utils.annotation.rows import AnnotationRow
from utils.annotation.voting import VotedItem, Voting
from utils.cli.annotation.flags import annotation_settings
from utils.cli.exits import UsageError
from utils.dataset.reading import Dataset
from utils.dataset.tokens import WORDS
from utils.parsing import Item
from utils.placing import PlacedItem

KINDS = {"city": "CITY", "town": "CITY", "person": "PERSON"}


def placed(*items):
    return [PlacedItem(start, end, Item(text, label)) for start, end, text, label in items]


def count(answers, *, min_votes, of=None):
    return Voting(of or len(answers), min_votes, KINDS.get).count([placed(*items) for items in answers])


ROME = (2, 3, "Rome", "city")
PARIS = (4, 5, "Paris", "city")


@pytest.mark.parametrize(("min_votes", "kept"), [(1, ["Rome", "Paris"]), (2, ["Rome"]), (3, ["Rome"]), (4, [])])
def test_a_span_is_kept_with_enough_votes(min_votes, kept):
    result = count([[ROME, PARIS], [ROME], [ROME], []], min_votes=min_votes)
    assert [item.text for item in result.items] == kept
    assert result.outvoted == 2 - len(kept)


def test_the_score_is_the_share_of_all_answers_including_unreadable_ones():
    assert [item.score for item in count([[ROME], [ROME], [], []], min_votes=2).items] == [0.5]
    assert [item.score for item in count([[ROME], [ROME]], min_votes=2, of=3).items] == [0.6667]


def test_an_answer_that_repeats_a_span_has_one_vote():
    assert count([[ROME, ROME, ROME], []], min_votes=2).items == []


def test_answers_vote_for_positions_and_not_for_texts():
    first, second = (0, 1, "Rome", "city"), (5, 6, "Rome", "city")
    assert [item.start for item in count([[first], [second], [second]], min_votes=2).items] == [5]


def test_spellings_of_one_label_vote_together_and_the_first_is_kept():
    town = (2, 3, "Rome", "town")
    assert count([[town], [ROME], [ROME]], min_votes=3).items == [VotedItem("Rome", "town", 2, 3, 1.0)]


def test_a_label_with_too_few_votes_is_dropped_but_counts_for_the_span():
    person = (2, 3, "Rome", "person")
    assert count([[ROME], [person], [ROME]], min_votes=2).items == [VotedItem("Rome", "city", 2, 3, 1.0)]


def test_a_span_with_two_labels_in_enough_answers_keeps_both():
    both = [ROME, (2, 3, "Rome", "person")]
    assert [item.label for item in count([both, both, [ROME]], min_votes=2).items] == ["city", "person"]


def test_a_span_without_an_agreed_label_keeps_the_most_frequent_one():
    answers = [[(2, 3, "Rome", label)] for label in ("person", "x", "X", "town")]
    assert [item.label for item in count(answers, min_votes=3).items] == ["x"]


def test_voted_items_are_sorted_and_unchanged_after_writing_and_reading():
    items = count([[PARIS, ROME], [ROME, PARIS]], min_votes=2).items
    assert [item.start for item in items] == [2, 4]
    row = AnnotationRow("1", ("In",), "entity", items, (), "ok").to_json()
    assert row["items"][0] == {"entity": "Rome", "type": "city", "start": 2, "end": 3, "score": 1.0}
    assert AnnotationRow.from_json(json.loads(json.dumps(row))).items == items


def test_a_voted_word_keeps_its_position_and_not_the_first_occurrence():
    items = [VotedItem("a", "x", 2, 3, 0.6), VotedItem("b", "x", 5, 6, 1.0)]
    found = place_items(items, ["a", "b", "a", "b", "a", "b"], "pos").placed
    assert [(one.start, one.end) for one in found] == [(2, 3), (5, 6)]


def test_without_votes_items_are_those_of_the_answer():
    one = sentence("In Rome")
    found = read_answers(['[{"entity":"Rome","type":"city"}]'], one, "entity", None)
    assert found.items == [Item("Rome", "city")]
    assert found.row_of(one, "entity").to_json()["items"] == [{"entity": "Rome", "type": "city"}]


# --- the flags


@pytest.fixture
def settings_of():
    def parse(**given):
        values = {"file_name": "tiny", "model_from_pretrained": "m", **given}
        return annotation_settings(s1_predict_data.build_parser().parse_values(values))

    return parse


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, None), ({"votes": 1}, None), ({"votes": 2}, (2, 2)), ({"votes": 4}, (4, 3)), ({"votes": 5}, (5, 3))],
)
def test_a_majority_is_needed_unless_min_votes_is_given(settings_of, given, expected):
    settings = settings_of(**given)
    assert (settings.votes, settings.min_votes) == (expected or (1, 1))
    voting = Annotator.for_dataset(Dataset((sentence("In Rome"),), ("O", "X"), WORDS), settings).voting
    assert (None if voting is None else (voting.num_answers, voting.min_votes)) == expected
    assert settings.sampling.temperature == (0.7 if expected else 0)


def test_min_votes_and_a_temperature_can_be_given(settings_of):
    settings = settings_of(votes=5, min_votes=2, temperature=0.3)
    assert (settings.min_votes, settings.sampling.temperature) == (2, 0.3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"votes": 3, "min_votes": 4}, "--min_votes=4 is greater than --votes=3: no span could be kept"),
        ({"min_votes": 2}, "--min_votes=2 is greater than --votes=1: no span could be kept"),
        ({"votes": 3, "temperature": 0}, "--votes=3: at --temperature=0 all answers are equal"),
    ],
)
def test_impossible_votes_are_refused(settings_of, given, message):
    with pytest.raises(UsageError, match=message):
        settings_of(**given)


# --- s1, s4, s5


def answer(*words):
    return json.dumps([{"word": word, "pos": label} for word, label in words], ensure_ascii=False)


@pytest.fixture
def data(tmp_path):
    """A sentence, and four answers to it that contain different words."""
    folder = tmp_path / "tiny"
    write_rows(folder / "train_1000.jsonl", [row_of(list("李明去北京大学"), ("李明", "PER"))])
    (folder / "labels.txt").write_text("O\nPER\n", encoding="utf-8")
    answers = [
        answer(("李明", "人名"), ("去", "动词"), ("北京", "地名"), ("大学", "名词")),
        answer(("李明", "nr"), ("去北", "动词"), ("京", "名词"), ("大学", "n")),
        answer(("李明", "名词"), ("去", "v"), ("北京大学", "机构名")),
        "I cannot say.",
    ]
    rows = [{"id": "1", "task": "pos", "answer": text} for text in answers]
    recording = write_rows(tmp_path / "answers.jsonl", rows)
    where = {"file_dir": tmp_path, "file_name": "tiny"}
    return folder, where, {**where, "mode": "pos", "backend": "scripted", "model_from_pretrained": recording}


def test_votes_of_s1_become_the_scores_of_the_merged_spans(data):
    folder, where, llm = data
    call("s1", **llm, votes=3)
    (line,) = read_lines(folder / "GLM4" / "pos_train_1000.jsonl")
    assert [(item["word"], item["start"], item["end"], item["score"]) for item in line["items"]] == [
        ("李明", 0, 2, 1.0),
        ("去", 2, 3, 0.6667),
        ("大学", 5, 7, 0.6667),
    ]
    assert len(line["answers"]) == 3
    call("s4", **where)
    call("s5", **where)
    (merged,) = read_lines(folder / "GLM4" / "1000" / "train_1000_fusion.jsonl")
    assert [(span["start"], span["end"], span["score"]) for span in merged["entities"] if "origin" in span] == [
        (0, 2, 1.0),
        (5, 7, 0.6667),
    ]


def test_more_votes_ask_only_for_the_missing_answers(data):
    folder, _, llm = data
    call("s1", **llm, votes=3)
    journal = folder / "GLM4" / "pos_train_1000.jsonl.journal.jsonl"
    before = journal.read_bytes()
    call("s1", **llm, votes=4)
    assert journal.read_bytes().startswith(before)
    assert [entry["sample"] for entry in read_lines(journal)] == [0, 1, 2, 3]
    (line,) = read_lines(folder / "GLM4" / "pos_train_1000.jsonl")
    assert [(item["word"], item["score"]) for item in line["items"]] == [("李明", 0.75)]
    manifest = json.loads((folder / "GLM4" / "pos_train_1000.jsonl.meta.json").read_text(encoding="utf-8"))
    assert (manifest["parameters"]["votes"], manifest["parameters"]["min_votes"]) == (4, 3)
    assert manifest["counts"]["outvoted"] == 6


def test_another_min_votes_asks_no_question(data):
    folder, _, llm = data
    call("s1", **llm, votes=3)
    journal = (folder / "GLM4" / "pos_train_1000.jsonl.journal.jsonl").read_bytes()
    call("s1", **llm, votes=3, min_votes=3)
    (line,) = read_lines(folder / "GLM4" / "pos_train_1000.jsonl")
    assert [item["word"] for item in line["items"]] == ["李明"]
    assert (folder / "GLM4" / "pos_train_1000.jsonl.journal.jsonl").read_bytes() == journal
