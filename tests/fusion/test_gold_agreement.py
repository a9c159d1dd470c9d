"""How extension spans agree with gold spans, compared with random positions."""

from __future__ import annotations

import logging
import random
import re
from collections import Counter

import pytest

from tests.helpers.builders import CHINESE, ENGLISH, call, read_lines, write_rows
from tests.helpers.workspace import Workspace
from utils.dataset.records import Span
from utils.fusion.gold_agreement import GoldAgreement, SpanAgreement, _chances, _relation, labels_below


def extensions(*spans, origin="entity", label="X"):
    return [Span(start, end, label, origin) for start, end in spans]


@pytest.mark.parametrize(
    ("span", "gold", "relation"),
    [
        ((2, 4), [(2, 4)], "same"),
        ((2, 3), [(2, 4)], "inside"),
        ((3, 4), [(2, 4)], "inside"),
        ((1, 4), [(2, 4)], "around"),
        ((2, 5), [(2, 4)], "around"),
        ((1, 3), [(2, 4)], "crossing"),
        ((3, 5), [(2, 4)], "crossing"),
        ((0, 2), [(2, 4)], "apart"),
        ((4, 5), [(2, 4)], "apart"),
        ((2, 4), [(1, 3), (2, 4)], "same"),
        ((2, 4), [(1, 3), (0, 9)], "crossing"),
        ((2, 4), [(0, 9), (2, 3)], "inside"),
    ],
)
def test_the_relation_of_a_span_to_gold_spans(span, gold, relation):
    assert _relation(extensions(span)[0], gold) == relation


def test_chances_are_those_of_all_positions():
    draw = random.Random(5)
    for _ in range(300):
        tokens, length = draw.randint(4, 12), draw.randint(1, 4)
        starts = [draw.randrange(tokens) for _ in range(draw.randint(1, 3))]
        gold = {(start, draw.randint(start + 1, tokens)) for start in starts}
        positions = [(start, start + length) for start in range(tokens - length + 1)]
        counts = Counter(_relation(extensions(span)[0], gold) for span in positions)
        same, crossing = _chances(length, tokens, gold)
        assert (same, crossing) == (counts["same"] / len(positions), counts["crossing"] / len(positions))


def test_a_sentence_without_gold_spans_says_nothing():
    agreement = GoldAgreement()
    agreement.add_spans(9, [], extensions((0, 2)))
    assert agreement.to_json() == {
        origin: {"all": SpanAgreement().to_json(), "labels": {}} for origin in ("entity", "pos")
    }
    assert str(agreement) == "compared no extra entity with gold spans"
    assert agreement.advice is None


def test_the_file_has_the_numbers_of_each_origin_and_label():
    agreement = GoldAgreement()
    gold = [Span(1, 3, "PER")]
    agreement.add_spans(
        5, gold, [*extensions((1, 3), (0, 2)), *extensions((3, 5), label="Y"), *extensions((1, 2), origin="pos")]
    )
    rows = agreement.to_json()
    assert rows["entity"]["labels"]["X"] == {
        "spans": 2,
        "same": 1,
        "inside": 0,
        "around": 0,
        "crossing": 1,
        "apart": 0,
        "same_by_chance": 0.5,
        "crossing_by_chance": 1.0,
        "agreement": None,
        "better_than_chance": None,
    }
    assert (rows["entity"]["all"]["spans"], rows["entity"]["labels"]["Y"]["apart"]) == (3, 1)
    assert (rows["pos"]["all"]["inside"], list(rows["pos"]["labels"])) == (1, ["X"])


def random_sentences(make, number=300):
    """Return the agreement of extension spans that `make` returns for a gold span in 12 tokens."""
    draw = random.Random(1)
    agreement = GoldAgreement()
    for _ in range(number):
        start = draw.randrange(10)
        agreement.add_spans(12, [Span(start, start + 3, "PER")], make(start, draw))
    return agreement


def test_spans_at_random_positions_are_no_better_than_chance():
    agreement = random_sentences(lambda start, draw: extensions((at := draw.randrange(10), at + 3)))
    total = agreement.of_origin("entity")
    assert total.agreement == pytest.approx(0, abs=0.2)
    assert total.is_better_than_chance is False
    assert str(agreement).endswith("; no better than chance")
    assert "are noise: try a larger LLM" in (agreement.advice or "")


def test_spans_that_respect_the_gold_bounds_are_better_than_chance():
    same = random_sentences(lambda start, draw: extensions((start, start + 3)))
    assert same.of_origin("entity").is_better_than_chance is True
    apart = random_sentences(lambda start, draw: extensions(((start + 3) % 10, (start + 3) % 10 + 2)))
    assert apart.of_origin("entity").relations["same"] == 0
    assert apart.of_origin("entity").is_better_than_chance is True
    assert same.advice is None


def test_labels_that_are_no_better_than_chance_are_named():
    agreement = random_sentences(
        lambda start, draw: [
            *extensions((start, start + 3)),
            *extensions((at := draw.randrange(10), at + 3), label="EVENT"),
            *extensions((at, at + 3), label="NOUN", origin="pos"),
        ]
    )
    assert str(agreement).endswith("apart; better than chance; labels that are not: EVENT")
    assert agreement.to_json()["pos"]["labels"]["NOUN"]["better_than_chance"] is False


@pytest.mark.parametrize("corpus", [CHINESE, ENGLISH], ids=["chinese", "english"])
def test_s5_compares_the_extra_entities_with_gold_spans_in_one_line(tmp_path, caplog, corpus):
    caplog.set_level(logging.INFO)
    work = Workspace(tmp_path, corpus)
    work.annotate()
    work.merge()
    (line,) = [one for one in caplog.messages if one.startswith("compared")]
    assert re.search(r"parts of speech cover \d+% of the text -> .*agreement_fusion\.json", caplog.text)
    assert "extra entity spans with the gold spans of their sentences: " in line
    assert line.endswith(str(work.results / "1000" / "agreement_fusion.json"))
    rows = work.json("agreement_fusion.json", "1000")
    spans = [
        span
        for row in work.lines("train_1000_fusion.jsonl", "1000")
        if any("origin" not in span for span in row["entities"])
        for span in row["entities"]
    ]
    assert rows["entity"]["all"]["spans"] == sum(span.get("origin") == "entity" for span in spans)
    assert rows["pos"]["all"]["spans"] == sum(span.get("origin") == "pos" for span in spans)
    assert not (work.results / "1000" / "agreement_syn.json").exists()


# --- --min_agreement


def test_labels_below_a_minimum_are_those_whose_agreement_is_known_and_lower():
    rows = {
        "entity": {"labels": {"A": {"agreement": 0.1}, "B": {"agreement": None}, "C": {"agreement": -0.5}}},
        "pos": {"labels": {"A": {"agreement": 0.9}}},
    }
    assert labels_below(0.0, rows) == {("entity", "C")}
    assert labels_below(0.5, rows) == {("entity", "A"), ("entity", "C")}
    assert labels_below(1.0, rows) == {("entity", "A"), ("entity", "C"), ("pos", "A")}


@pytest.fixture
def work(tmp_path):
    """A dataset in which LOCATION entities are the gold spans, and EVENT entities cross them."""
    made = Workspace(tmp_path, ENGLISH)
    rows = [
        {"text": ["a", "b", "c", "d", f"w{number}"], "entities": [{"start": 1, "end": 3, "entity": "PERSON"}]}
        for number in range(40)
    ]
    write_rows(made.dataset / "train_1000.jsonl", rows)
    answer = '[{"entity": "b c", "type": "city"}, {"entity": "a b", "type": "event"}]'
    entities = [{"id": str(number), "task": "entity", "answer": answer} for number in range(1, 41)]
    made_up = [{"id": str(number), "task": "explain", "answer": "The a b c d is old ."} for number in range(1, 41)]
    synthetic = [{"id": f"{number}-1", "task": "entity", "answer": answer} for number in range(1, 41)]
    write_rows(made.recording, [*entities, *made_up, *synthetic])
    call("s1", **made.llm)
    write_rows(
        made.results / "train_1000_synthetic.jsonl",
        [
            {"id": f"{number}-1", "source": number, "text": ["the", "a", "b", "c"], "entities": [], "synthetic": True}
            for number in range(1, 41)
        ],
    )
    call("s3", **made.llm)
    call("s4", **made.data)
    return made


def labels_of(work, name):
    return {span["entity"] for row in work.lines(name, "1000") for span in row["entities"]}


def test_labels_that_cross_gold_spans_too_often_are_left_out_of_both_sides(work, caplog):
    call("s5", **work.data)
    assert labels_of(work, "train_1000_fusion.jsonl") == {"PERSON", "LOCATION", "EVENT"}
    before = work.json("agreement_fusion.json", "1000")
    caplog.clear()
    caplog.set_level(logging.INFO)
    for is_syn in (0, 1):
        call("s5", **work.data, is_syn=is_syn, min_agreement=0)
    assert labels_of(work, "train_1000_fusion.jsonl") == {"PERSON", "LOCATION"}
    assert labels_of(work, "train_1000_synthetic_fusion.jsonl") == {"LOCATION"}
    assert work.json("agreement_fusion.json", "1000") == before  # of all labels
    assert "40 spans of labels below --min_agreement left out" in caplog.text
    manifest = work.json("train_1000_synthetic_fusion.jsonl.meta.json", "1000")
    assert manifest["parameters"]["min_agreement"] == 0
    assert "GLM4/1000/agreement_fusion.json" in manifest["inputs"]
    assert work.json("label_fusion.json", "1000").keys() == {"O", "PERSON", "VESSEL", "LOCATION"}


def test_dropping_crossing_spans_does_not_hide_that_they_cross(work):
    call("s5", **work.data, drop_crossing=1)
    dropped = work.json("agreement_fusion.json", "1000")
    call("s5", **work.data)
    assert dropped == work.json("agreement_fusion.json", "1000")
    assert dropped["entity"]["labels"]["EVENT"]["crossing"] == 40


def test_the_synthetic_side_needs_the_agreement_of_the_original_side(work):
    with pytest.raises(FileNotFoundError, match=r"agreement_fusion\.json is missing: run s5 --is_syn=0 first"):
        call("s5", **work.data, is_syn=1, min_agreement=0)
    assert not (work.results / "250" / "train_250_synthetic_fusion.jsonl").exists()


def test_a_size_leaves_out_labels_by_its_own_sentences(work):
    """In size 250 alone, EVENT never crosses a gold span."""
    file = work.results / "250" / "entity_train_250.jsonl"
    rows = read_lines(file)
    write_rows(file, [{**row, "items": [{"entity": "b c", "type": "event"}]} for row in rows])
    call("s5", **work.data, min_agreement=0)
    size_250 = {span["entity"] for row in work.lines("train_250_fusion.jsonl", "250") for span in row["entities"]}
    assert "EVENT" in size_250
    assert "EVENT" not in labels_of(work, "train_1000_fusion.jsonl")
