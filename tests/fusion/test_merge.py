"""Merging: extension spans, target spans that never change, counts, and the files of a merge."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence

import pytest

from tests.helpers.builders import sentence, write_json, write_rows
from utils.dataset.label_table import LabelTable
from utils.dataset.layout import Layout
from utils.dataset.modes import Mode
from utils.dataset.records import sentence_from_row, sentence_to_row
from utils.dataset.tokens import CHARACTERS, WORDS
from utils.fusion.counts import FusionCounts, UnknownLabel
from utils.fusion.extension_labels import LabelMapping
from utils.fusion.files import MergeFiles
from utils.fusion.merge import merge_sentence
from utils.fusion.settings import MergeSettings
from utils.fusion.step import FusionStep, combine_tables
from utils.labels.normaliser import LabelNormaliser
from utils.parsing import Item, parse_items

ENTITY = {"PERSON": ["人名", "person"], "LOCATION": ["地名", "city"], "SCHOOL": ["学校"]}
POS = {"NOUN": ["名词", "n"], "VERB": ["动词"], "PROPER_NOUN": ["人名", "地名"], "PUNCTUATION": ["标点"]}


@pytest.fixture
def files(tmp_path):
    return write_json(tmp_path / "entity_label.json", ENTITY), write_json(tmp_path / "pos_label.json", POS)


@pytest.fixture
def mapping(files):
    def build(targets=("PER.NAM",), prefix=""):
        entity, pos = files
        normalisers: dict[Mode, LabelNormaliser] = {
            "entity": LabelNormaliser.from_files([entity, pos]),
            "pos": LabelNormaliser.from_files([pos, entity]),
        }
        return LabelMapping(targets, normalisers, prefix)

    return build


def merge(mapping, one, *, entity=(), pos=(), tokenisation=WORDS):
    """Merge items, written (text, label), into one sentence; return the spans of its line, and the counts."""
    given: dict[Mode, Sequence[tuple[str, str]]] = {"entity": entity, "pos": pos}
    items = {mode: [Item(*item) for item in items] for mode, items in given.items() if items}
    merged = merge_sentence(one, items, mapping, tokenisation=tokenisation)
    counts = FusionCounts()
    counts.add(merged)
    return sentence_to_row(merged.sentence)["entities"], counts


def spans(entities):
    return [(row["start"], row["end"], row["entity"]) for row in entities]


NESTED = sentence(list("邓超在北京大学"), (0, 2, "PER.NAM"))


# --- gold spans


def test_gold_spans_come_first_and_keep_their_unknown_keys(mapping):
    gold = [
        {"end": 5, "start": 3, "entity": "PER.NAM", "text": "北京", "note": {"by": ["us"]}, "origin": "hand"},
        {"start": 0, "end": 2, "entity": "PER.NAM", "score": 0.25},
    ]
    row = {"id": "z", "text": list("邓超在北京大学"), "entities": gold, "url": "u", "source": 3}
    before = copy.deepcopy(row)
    one = sentence_from_row(row, id="1", tokenisation=CHARACTERS)
    merged = sentence_to_row(
        merge_sentence(one, {"entity": [Item("邓超", "人名")]}, mapping(), tokenisation=CHARACTERS).sentence
    )
    assert json.dumps(merged["entities"][:2]) == json.dumps(gold)
    assert {key: merged[key] for key in ("id", "text", "url", "source")} == {
        key: before[key] for key in ("id", "text", "url", "source")
    }
    assert list(merged) == list(before)
    assert row == before  # the row that was read is not changed


def test_extension_spans_follow_by_start_end_and_label_with_their_origin(mapping):
    entities, _ = merge(
        mapping(),
        NESTED,
        entity=[("北京大学", "学校"), ("北京", "地名")],
        pos=[("邓超", "人名"), ("北京", "名词")],
        tokenisation=CHARACTERS,
    )
    assert entities[0] == {"start": 0, "end": 2, "entity": "PER.NAM"}
    assert entities[1:] == [
        {"start": 0, "end": 2, "entity": "PROPER_NOUN", "text": ["邓", "超"], "origin": "pos"},
        {"start": 3, "end": 5, "entity": "LOCATION", "text": ["北", "京"], "origin": "entity"},
        {"start": 3, "end": 5, "entity": "NOUN", "text": ["北", "京"], "origin": "pos"},
        {"start": 3, "end": 7, "entity": "SCHOOL", "text": ["北", "京", "大", "学"], "origin": "entity"},
    ]


def test_the_same_span_with_the_same_label_is_kept_once(mapping):
    items = [("Rome", "city"), ("rome", "LOCATION"), ("Rome", "地名")]
    entities, counts = merge(mapping(), sentence("in Rome"), entity=items, pos=[("Rome", "city")])
    assert spans(entities) == [(1, 2, "LOCATION"), (1, 2, "PROPER_NOUN")] or spans(entities) == [(1, 2, "LOCATION")]
    assert counts.spans["LOCATION"] == 1


def test_sentences_without_an_answer_keep_their_line_and_are_counted(mapping):
    entities, counts = merge(mapping(), NESTED, tokenisation=CHARACTERS)
    assert entities == [{"start": 0, "end": 2, "entity": "PER.NAM"}]
    assert (counts.sentences, counts.unanswered) == (1, 1)


def test_merging_again_gives_the_same_spans(mapping):
    results = [
        merge(mapping(), NESTED, entity=[("北京", "x"), ("北京大学", "学校")], tokenisation=CHARACTERS)[0]
        for _ in range(2)
    ]
    assert results[0] == results[1]


# --- spans of one token or character


@pytest.mark.parametrize(
    ("tokens", "item", "tokenisation", "kept"),
    [
        (["I", "saw", "Rome"], "Rome", WORDS, True),
        (["I", "saw", "Rome"], "I", WORDS, True),
        (["I", "saw", "."], ".", WORDS, True),
        (list("我在北京"), "我", CHARACTERS, False),
        (list("我在北京"), "北京", CHARACTERS, True),
        (["我", "在", "NBA", "打", "球"], "NBA", CHARACTERS, True),  # one token and not one character
        (["我", "在", "2019年", "来"], "2019年", CHARACTERS, True),
        (list("我在北京"), "我", WORDS, True),
    ],
)
def test_only_dense_text_drops_extension_spans_of_one_character(mapping, tokens, item, tokenisation, kept):
    entities, _ = merge(mapping(), sentence(tokens), entity=[(item, "地名")], tokenisation=tokenisation)
    assert bool(entities) is kept


def test_dense_text_keeps_gold_spans_of_one_character(mapping):
    entities, _ = merge(
        mapping(), sentence(list("我在北京"), (0, 1, "PER.NAM")), entity=[("我", "人名")], tokenisation=CHARACTERS
    )
    assert spans(entities) == [(0, 1, "PER.NAM")]


# --- labels


def test_an_unknown_label_becomes_word_and_is_counted_with_examples(mapping):
    items = [("Rome", "zorkmid"), ("Oslo", "zorkmid"), ("saw", "")]
    entities, counts = merge(mapping(), sentence("Rome saw Oslo"), entity=items)
    assert spans(entities) == [(0, 1, "WORD"), (1, 2, "WORD"), (2, 3, "WORD")]
    assert counts.unnamed == 3
    assert list(counts.unknown_to_json().items()) == [
        ("zorkmid", {"count": 2, "examples": ["Rome", "Oslo"]}),
        ("", {"count": 1, "examples": ["saw"]}),
    ]


def test_an_unknown_label_has_at_most_three_different_examples(mapping):
    words = ["a", "b", "a", "c", "d", "e"]
    _, counts = merge(mapping(), sentence(words), entity=[(word, "zorkmid") for word in words])
    assert counts.unknown["zorkmid"] == UnknownLabel("entity", 6, ("a", "b", "c"))


@pytest.mark.parametrize(("mode", "label"), [("entity", "LOCATION"), ("pos", "PROPER_NOUN")])
def test_a_label_is_looked_up_in_the_file_of_its_mode_first(mapping, mode, label):
    entities, _ = merge(mapping(), sentence("in Rome"), **{mode: [("Rome", "地名")]})
    assert spans(entities) == [(1, 2, label)]


@pytest.mark.parametrize(("mode", "spelling", "label"), [("entity", "动词", "VERB"), ("pos", "学校", "SCHOOL")])
def test_a_label_is_then_looked_up_in_the_other_file(mapping, mode, spelling, label):
    entities, _ = merge(mapping(), sentence("in Rome"), **{mode: [("Rome", spelling)]})
    assert spans(entities) == [(1, 2, label)]


@pytest.mark.parametrize("label", ["null", "7", "[]", '["city", "town"]', '{"a": 1}', "true"])
def test_items_whose_label_is_not_a_string_are_merged(mapping, label):
    items = parse_items(f'[{{"entity": "Rome", "type": {label}}}]', "entity")
    merged = merge_sentence(sentence("in Rome"), {"entity": items}, mapping(), tokenisation=WORDS)
    assert spans(sentence_to_row(merged.sentence)["entities"]) == [(1, 2, "LOCATION" if "city" in label else "WORD")]


# --- targets


def test_an_extension_label_with_the_name_of_a_target_is_renamed(mapping):
    one = sentence("Muir saw Rome", (0, 1, "PERSON"))
    entities, counts = merge(mapping(("PERSON",)), one, entity=[("Muir", "人名"), ("Rome", "city")])
    assert spans(entities) == [(0, 1, "PERSON"), (0, 1, "EXT_PERSON"), (2, 3, "LOCATION")]
    table = LabelTable.from_counts(("PERSON",), counts.spans).to_json()
    assert table["PERSON"] == {"idx": 1, "count": -1, "is_target": True}
    assert table["EXT_PERSON"] == {"idx": 2, "count": 1, "is_target": False}
    assert counts.renamed == {"EXT_PERSON"}


def test_an_unknown_label_is_not_called_like_the_target_word(mapping):
    entities, _ = merge(mapping(("WORD",)), sentence("Rome"), entity=[("Rome", "zorkmid")])
    assert spans(entities) == [(0, 1, "EXT_WORD")]


def test_a_prefix_makes_renaming_unnecessary(mapping):
    one = sentence("Muir saw Rome", (0, 1, "PERSON"))
    entities, counts = merge(mapping(("PERSON",), "LLM_"), one, entity=[("Muir", "人名"), ("Rome", "?")])
    assert spans(entities)[1:] == [(0, 1, "LLM_PERSON"), (2, 3, "LLM_WORD")]
    assert not counts.renamed


def test_a_prefixed_label_with_the_name_of_a_target_is_renamed_too(mapping):
    entities, _ = merge(mapping(("B.PERSON",), "B."), sentence("Muir"), entity=[("Muir", "人名")])
    assert spans(entities) == [(0, 1, "EXT_B.PERSON")]


def test_a_label_with_the_users_own_prefix_is_not_renamed(mapping):
    _, counts = merge(mapping(("PER.NAM",), "EXT_"), sentence("Muir"), entity=[("Muir", "人名")])
    assert not counts.renamed


def test_a_renamed_label_does_not_get_the_name_of_another_target(mapping):
    targets = ("PERSON", "EXT_PERSON")
    entities, counts = merge(mapping(targets), sentence("Muir", (0, 1, "EXT_PERSON")), entity=[("Muir", "人名")])
    assert entities[1]["entity"] not in targets
    table = LabelTable.from_counts(targets, counts.spans)
    assert [table.entries[name].is_target for name in targets] == [True, True]


# --- counts


def test_inserted_spans_are_counted_and_not_items(mapping):
    items = [("Rome", "city"), ("Rome", "地名"), ("Berlin", "city"), ("art", "n")]
    entities, counts = merge(mapping(), sentence("Rome and Rome party"), entity=items)
    assert spans(entities) == [(0, 1, "LOCATION"), (2, 3, "LOCATION")]
    assert dict(counts.spans) == {"LOCATION": 2}
    assert (counts.items, counts.lost) == (4, 2)


def test_dropped_spans_of_one_character_are_not_counted(mapping):
    _, counts = merge(
        mapping(), sentence(list("我在北京")), pos=[("我", "名词"), ("北京", "名词")], tokenisation=CHARACTERS
    )
    assert dict(counts.spans) == {"NOUN": 1}


def test_items_of_one_character_are_counted_once_and_apart_from_lost_ones(mapping):
    entity = [("我", "人名"), ("北京", "地名"), ("妈", "人名"), ("鲸", "人名")]
    pos = [("我", "名词"), ("我", "名词"), ("在", "动词")]
    _, counts = merge(
        mapping(), sentence(list("我妈在北京我妈")), entity=entity, pos=[*pos, ("我", "名词")], tokenisation=CHARACTERS
    )
    assert (counts.items, counts.lost, counts.one_character) == (8, 2, 5)
    assert "2 of 8 items not in their sentence, 5 of one character left out, " in str(counts)
    assert counts.as_row()["one_character"] == 5


def test_word_based_text_leaves_no_item_out(mapping):
    _, counts = merge(mapping(), sentence("I saw . "), pos=[("I", "n"), ("saw", "v"), (".", "标点")])
    assert counts.one_character == 0
    assert "left out" not in str(counts)
    assert counts.as_row()["one_character"] == 0


def test_the_last_line_of_a_merge_has_its_sentences_items_and_losses(mapping):
    _, counts = merge(mapping(), sentence("in Rome"), entity=[("Rome", "city"), ("Oslo", "city"), ("in", "zorkmid")])
    assert "2 extension spans into 1 sentence:" in str(counts)
    assert "1 of 3 items not in their sentence" in str(counts)
    assert "1 with an unknown label (66.7% known)" in str(counts)


@pytest.mark.parametrize(
    ("counts", "advice"),
    [
        (FusionCounts(sentences=10, unanswered=6), "no answer"),
        (FusionCounts(sentences=10, unanswered=5), None),
        (FusionCounts(sentences=1, items=10, lost=6), "not in their sentence"),
        (FusionCounts(sentences=1, items=10, unknown={"zorkmid": UnknownLabel("pos", 6)}), "unknown"),
        (FusionCounts(sentences=1, items=10, lost=5, unknown={"zorkmid": UnknownLabel("pos", 5)}), None),
        (FusionCounts(sentences=1, items=10, one_character=6), "most items have one character"),
        (FusionCounts(sentences=1, items=10, one_character=5), None),
        (FusionCounts(), None),
    ],
)
def test_there_is_advice_if_more_than_half_is_lost(counts, advice):
    assert (counts.advice is None) if advice is None else (advice in counts.advice)


# --- label files


def test_combining_adds_the_counts_of_extension_labels_and_keeps_targets():
    targets = ("PER", "LOC")
    tables = [LabelTable.from_counts(targets, counts) for counts in ({"NOUN": 2, "X": 1}, {"NOUN": 3, "A": 4})]
    before = copy.deepcopy(tables)
    assert combine_tables(tables, targets) == LabelTable.from_counts(targets, {"A": 4, "NOUN": 5, "X": 1})
    assert tables == before


def test_combining_a_single_table_changes_nothing():
    table = LabelTable.from_counts(("PER",), {"NOUN": 2})
    assert combine_tables([table], ("PER",)) == table


# --- the files of a merge


@pytest.fixture
def publish(tmp_path, files, mapping):
    """Merge the lines of an annotation file into one sentence; return the spans of its line, and the counts."""

    def run(*answers, targets=("PER",), prefix=""):
        layout = Layout(tmp_path, "tiny")
        write_rows(layout.size_sentences("250"), [{"text": ["in", "Rome"], "entities": []}])
        layout.labels.write_text("O\nPER\n", encoding="utf-8")
        source = write_rows(layout.size_annotation_file("250", "entity"), answers)
        merge_files = MergeFiles(
            layout.size_sentences("250"),
            {"entity": source},
            layout.size_fusion("250"),
            (layout.label_file("fusion", "250"),),
            layout.unknown_labels("fusion", "250"),
            layout.gold_agreement("250"),
            False,
        )
        step = FusionStep("s5", layout, MergeSettings(files[0], files[1], prefix), mapping(targets, prefix), WORDS)
        counts = step.publish(merge_files)
        return json.loads(merge_files.fusion.read_text(encoding="utf-8"))["entities"], counts

    return run


def answer_row(**changes):
    items = [{"entity": "Rome", "type": "city"}]
    row = {"id": "1", "text": ["in", "Rome"], "mode": "entity", "items": items, "answers": [], "status": "ok"}
    return {**row, **changes}


def test_answers_are_merged_by_sentence_id(publish):
    assert spans(publish(answer_row())[0]) == [(1, 2, "LOCATION")]


@pytest.mark.parametrize("change", [{"id": "2"}, {"text": ["in", "Oslo"]}, {"status": "unreadable"}, {"id": 1}])
def test_answers_to_another_text_and_unreadable_ones_are_skipped(publish, change):
    entities, counts = publish(answer_row(**change))
    assert entities == []
    assert counts.unanswered == 1


@pytest.mark.parametrize(("prefix", "warnings"), [("", 1), ("LLM_", 0), ("EXT_", 0)])
def test_a_renamed_label_is_warned_about_once_and_a_prefix_prevents_it(publish, caplog, prefix, warnings):
    publish(answer_row(), targets=("LOCATION",), prefix=prefix)
    assert len(caplog.records) == warnings
    assert ("EXT_LOCATION" in caplog.text) is bool(warnings)


@pytest.mark.parametrize("label", [None, 7, [], ["city"], {"a": "b"}, True])
def test_a_file_from_elsewhere_may_have_labels_that_are_not_strings(publish, label):
    entities, _ = publish(answer_row(items=[{"entity": "Rome", "type": label}]))
    assert [row["entity"] for row in entities] in (["WORD"], ["LOCATION"])


@pytest.mark.parametrize(
    "row", [{"id": "1"}, answer_row(items=[{"name": "Rome"}]), answer_row(items=None), answer_row(mode="nouns")]
)
def test_an_error_names_the_line_that_is_not_one_of_s1(publish, row):
    with pytest.raises(ValueError, match=r"entity_train_250\.jsonl:1: this is not a line that s1 or s3 wrote"):
        publish(row)


def test_the_manifests_of_a_merge_name_inputs_and_settings(publish, tmp_path):
    publish(answer_row(), prefix="L_")
    folder = tmp_path / "tiny" / "GLM4" / "250"
    manifest = json.loads((folder / "train_250_fusion.jsonl.meta.json").read_text(encoding="utf-8"))
    assert manifest["step"] == "s5"
    assert {name.split("/")[-1] for name in manifest["inputs"]} == {
        "train_250.jsonl",
        "entity_train_250.jsonl",
        "labels.txt",
        "entity_label.json",
        "pos_label.json",
    }
    assert manifest["parameters"] == {"label_prefix": "L_", "dense": False}
    labels = json.loads((folder / "label_fusion.json").read_text(encoding="utf-8"))
    assert labels["L_LOCATION"] == {"idx": 2, "count": 1, "is_target": False}
