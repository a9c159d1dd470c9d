"""Target spans of an LLM: where its items are, and their scores against gold spans."""

from __future__ import annotations

import pytest

from tests.helpers.builders import sentence
from utils.annotation.answers import read_answers
from utils.annotation.rows import AnnotationRow
from utils.annotation.targets.spans import score_rows, target_spans
from utils.annotation.voting import VotedItem, Voting
from utils.dataset.scores import Scores
from utils.labels.targets import TargetLabels
from utils.parsing import Item

LABELS = TargetLabels.of(["PER.NAM", "LOC.NAM"])


def row(text, *items, status="ok"):
    return AnnotationRow("1", tuple(text), "target", [Item(*item) for item in items], ["…"], status)


def keys(spans):
    return [span.key for span in spans]


def test_every_occurrence_of_an_item_is_a_span_once_for_each_label():
    found = target_spans(
        row("北京人爱北京", ("北京", "LOC"), ("北京人", "PER"), ("北京", "LOC"), ("北京", "GPE"), ("上海", "LOC")),
        nested=True,
    )
    assert keys(found) == [(0, 2, "GPE"), (0, 2, "LOC"), (0, 3, "PER"), (4, 6, "GPE"), (4, 6, "LOC")]
    assert {span.origin for span in found} == {"llm"}


def test_spans_of_flat_data_do_not_overlap():
    found = target_spans(row("北京人爱北京", ("北京", "LOC"), ("北京人", "PER"), ("北京", "GPE")), nested=False)
    assert keys(found) == [(0, 3, "PER"), (4, 6, "LOC")]


def test_an_item_chosen_by_vote_keeps_its_position_and_its_score():
    voted = AnnotationRow("1", tuple("北京爱北京"), "target", [VotedItem("北京", "LOC", 3, 5, 0.6667)], ["…"], "ok")
    (span,) = target_spans(voted, nested=True)
    assert (span.start, span.end, span.label, span.score) == (3, 5, "LOC", 0.6667)


def test_labels_are_written_as_in_the_dataset_and_others_are_left_out_and_counted():
    answer = (
        '[{"entity":"邓超","type":"per.nam"},{"entity":"北京","type":"城市"},{"entity":"上海","type":"ＬＯＣ.NAM"}]'
    )
    found = read_answers([answer], sentence(list("邓超在北京")), "target", None, LABELS)
    assert found.items == [Item("邓超", "PER.NAM"), Item("上海", "LOC.NAM")]
    assert (found.num_items, found.lost, found.unknown, found.readable) == (3, 1, 1, True)


@pytest.mark.parametrize(
    ("answer", "status"),
    [("[]", "ok"), ("I do not know.", "unreadable"), ('[{"entity":"邓超","type":"城市"}]', "ok")],
)
def test_an_answer_without_a_target_label_can_still_be_read(answer, status):
    one = sentence(list("邓超在北京"))
    found = read_answers([answer], one, "target", None, LABELS)
    assert (list(found.items), found.row_of(one, "target").status) == ([], status)


def test_votes_count_spellings_of_a_label_as_one():
    answers = ['[{"entity":"邓超","type":"per.nam"}]', '[{"entity":"邓超","type":"PER.NAM"}]', "[]"]
    found = read_answers(answers, sentence(list("邓超在北京")), "target", Voting(3, 2, str), LABELS)
    assert found.items == [VotedItem("邓超", "PER.NAM", 0, 2, 0.6667)]
    assert found.outvoted == 0


def test_scores_compare_with_gold_spans_of_the_sentences_that_were_asked_about():
    sentences = [
        sentence(list("邓超在北京"), (0, 2, "PER"), (3, 5, "LOC")),
        sentence(list("北京很大"), (0, 2, "LOC"), id="2"),
        sentence(list("上海很大"), (0, 2, "LOC"), id="3"),
    ]
    rows = [
        row("邓超在北京", ("邓超", "PER"), ("超在", "PER"), ("北京", "ORG")),
        row("北京很大", status="unreadable"),
        row("上海很大", status="skipped"),
    ]
    scored, scores = score_rows(sentences, rows, nested=True)
    assert (scored, scores) == (2, Scores(correct=1, predicted=3, gold=3))
    assert str(scores) == "P 33.3, R 33.3, F1 33.3"


def test_scores_of_nothing_are_0():
    assert str(score_rows([], [], nested=True)[1]) == "P 0.0, R 0.0, F1 0.0"
