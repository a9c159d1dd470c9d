"""Files of other tools, in the forms that their versions write, recognised and read with their traps."""

from __future__ import annotations

import json
import random

import pytest

from tests.helpers.builders import call, read_lines, write_json, write_rows
from tests.helpers.damaged_json import damaged
from utils.dataset.formats.conversion import Conversion
from utils.dataset.formats.conversion import convert as convert_files
from utils.dataset.formats.reading import ReadSettings

TEXT = "在😀北京大学和😀上海"  # 北京 at 2-4 in characters, 3-5 in UTF-16; 上海 at 8-10 and 10-12
BOTH = [("北京", "LOC"), ("上海", "LOC")]


def found(rows):
    return [[("".join(span["text"]), span["entity"]) for span in row["entities"]] for row in rows]


def taken_for(messages):
    return next(message.split(" is read as ")[1].split(",")[0] for message in messages if " is read as " in message)


PLACES = [(2, 4), (8, 10)]


def of_both(make, last=0, places=PLACES):
    """Return what `make` makes of the start, the end and the text of both mentions."""
    return [make(start, end + last, mention) for (start, end), (mention, _) in zip(places, BOTH, strict=True)]


def result(start, end, mention):
    return {"type": "labels", "value": {"start": start, "end": end, "text": mention, "labels": ["LOC"]}}


def cmeee(start, end, mention):
    return {"start_idx": start, "end_idx": end, "type": "LOC", "entity": mention}


def own(start, end, mention):
    return {"start": start, "end": end, "entity": "LOC", "text": list(mention)}


UTF16 = [(3, 5), (10, 12)]
RESULTS = of_both(result, places=UTF16)
VALUES = of_both(lambda start, end, _: {"start": start, "end": end, "label": "LOC"})
TRIPLES = of_both(lambda start, end, _: [start, end, "LOC"])
OFFSETS = of_both(lambda start, end, _: {"label": "LOC", "start_offset": start, "end_offset": end})
MENTIONS = of_both(lambda start, end, text: {"entity_type": "LOC", "start": start, "end": end, "text": text})
TAGS = ["O", "O", "B-LOC", "I-LOC", "O", "O", "O", "O", "B-LOC", "I-LOC"]
PRODIGY = {
    "text": TEXT,
    "_input_hash": 1,
    "tokens": [{"text": one, "start": at, "end": at + 1, "id": at, "ws": False} for at, one in enumerate(TEXT)],
    "spans": of_both(
        lambda start, end, _: {"start": start, "end": end, "token_start": start, "token_end": end - 1, "label": "LOC"}
    ),
    "answer": "accept",
}
UIE = [
    {
        "content": TEXT,
        "result_list": of_both(lambda start, end, text: {"text": text, "start": start, "end": end}),
        "prompt": "LOC",
    },
    {"content": TEXT, "result_list": [], "prompt": "PER"},
    {"content": TEXT, "result_list": [{"text": "上海", "start": 8, "end": 10}], "prompt": "北京的邻居"},
]
ARGILLA = {
    "id": "7",
    "fields": {"text": TEXT},
    "suggestions": {"spans": {"value": [{"start": 0, "end": 1, "label": "X"}], "agent": "m"}},
    "responses": {"spans": [{"value": VALUES, "status": "submitted", "user_id": "u"}]},
}
TASK = {
    "id": 3,
    "data": {"text": TEXT},
    "annotations": [
        {"was_cancelled": True, "result": []},
        {"result": [*RESULTS, {"type": "relation", "from_id": "a", "to_id": "b"}]},
    ],
    "predictions": [{"result": [{"value": {"start": 0, "end": 1, "labels": ["X"]}}]}],
}
FILES = {  # kind -> format, objects
    "doccano, triples": ("doccano", [{"id": 1, "text": TEXT, "label": TRIPLES, "Comments": []}]),
    "doccano, old": ("doccano", [{"text": TEXT, "labels": TRIPLES}]),
    "doccano, objects": ("doccano", [{"text": TEXT, "entities": OFFSETS, "relations": [{"from_id": 5, "to_id": 6}]}]),
    "written by hand": ("doccano", [{"text": TEXT, "entities": VALUES}]),
    "cluener": ("cluener", [{"text": TEXT, "label": {"LOC": {"北京": [[2, 3]], "上海": [[8, 9]]}}}]),
    "uie": ("uie", UIE),
    "cmeee, exclusive": ("cmeee", [{"text": TEXT, "entities": of_both(cmeee)}]),
    "cmeee, inclusive": ("cmeee", [{"text": TEXT, "entities": of_both(cmeee, last=-1)}]),
    "w2ner": (
        "w2ner",
        [{"sentence": list(TEXT), "ner": [{"index": [at, at + 1], "type": "LOC"} for at in (2, 8)], "word": [[0]]}],
    ),
    "cnnner": ("cnnner", [{"tokens": list(TEXT), "entity_mentions": MENTIONS}]),
    "gliner": ("gliner", [{"tokenized_text": list(TEXT), "ner": [[2, 3, "LOC"], [8, 9, "LOC"]]}]),
    "gliner, exclusive": ("gliner", [{"tokenized_text": list(TEXT), "ner": [[2, 4, "LOC"], [8, 10, "LOC"]]}]),
    "prodigy": ("prodigy", [PRODIGY, {"text": "no", "spans": [], "answer": "reject"}]),
    "argilla 1": ("argilla", [{"text": TEXT, "tokens": list(TEXT), "annotation": [["LOC", 2, 4], ["LOC", 8, 10]]}]),
    "argilla 2": ("argilla", [ARGILLA]),
    "argilla 2, flat": ("argilla", [{"text": TEXT, "spans.responses": [VALUES]}]),
    "labelstudio": ("labelstudio", [TASK]),
    "labelstudio, short": ("labelstudio", [{"id": 3, "text": TEXT, "ner": [one["value"] for one in RESULTS]}]),
    "labelstudio, from Python": (
        "labelstudio",
        [{"data": {"text": TEXT}, "annotations": [{"result": of_both(result)}]}],
    ),
    "project": ("project", [{"text": TEXT, "entities": of_both(own)}]),
    "hf, other names": ("hf", [{"text": list(TEXT), "labels": TAGS}]),
    "hf": ("hf", [{"id": "0", "tokens": list(TEXT), "ner_tags": TAGS}]),
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("form", ["lines", "array", "pretty"])
def test_a_file_is_recognised_and_its_spans_have_their_text(convert, tmp_path, kind, form):
    name, objects = FILES[kind]
    path = tmp_path / "given.json"
    if form == "lines":
        write_rows(path, objects)
    else:
        path.write_text(
            json.dumps(objects, ensure_ascii=False, indent=2 if form == "pretty" else None), encoding="utf-8"
        )
    rows, messages = convert(path)
    assert taken_for(messages) == name
    assert ["".join(row["text"]) for row in rows] == [TEXT]
    assert found(rows) == [BOTH]
    assert rows[0]["entities"][0]["start"] == 2


@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        ("doccano, objects", "1 relation: left out"),
        ("uie", "1 negative example: has no spans"),
        ("uie", "1 relation or class: left out"),
        ("prodigy", '1 example: its answer is "reject": left out'),
        ("labelstudio", "1 annotation: cancelled: left out"),
        ("labelstudio", "1 relation: is no span: left out"),
        ("cmeee, exclusive", "characters, ends exclusive (found by comparing 2 spans with their text)"),
        ("cmeee, inclusive", "characters, ends inclusive (found by comparing 2 spans with their text)"),
        ("labelstudio, from Python", "the offsets are characters, ends exclusive"),
        ("gliner, exclusive", "the offsets are tokens, ends exclusive"),
    ],
)
def test_what_is_left_out_or_decided_is_said(convert, tmp_path, kind, lost):
    _, messages = convert(write_rows(tmp_path / "given.jsonl", FILES[kind][1]))
    assert any(lost in message for message in messages), messages


def test_predictions_are_used_where_there_is_no_annotation_and_keep_their_scores(convert, tmp_path):
    value = {"start": 0, "end": 2, "text": "北京", "labels": ["LOC"]}
    task = {"data": {"text": "北京"}, "predictions": [{"score": 0.5, "result": [{"type": "labels", "value": value}]}]}
    rows, messages = convert(write_rows(tmp_path / "given.jsonl", [task]))
    assert rows[0]["entities"] == [
        {"start": 0, "end": 2, "entity": "LOC", "text": ["北", "京"], "origin": "ner", "score": 0.5}
    ]
    assert any("1 task: has no annotation: its prediction is used" in message for message in messages)


def test_objects_without_spans_at_the_begin_do_not_hide_the_format(convert, tmp_path):
    empty = [{"text": "好", "entities": []}] * 5
    last = {"text": "北京好", "entities": [{"start_idx": 0, "end_idx": 2, "type": "LOC", "entity": "北京"}]}
    rows, messages = convert(write_rows(tmp_path / "given.jsonl", [*empty, last]))
    assert taken_for(messages) == "cmeee"
    assert found(rows)[-1] == [("北京", "LOC")]


@pytest.mark.parametrize(("choice", "spans"), [("drop", []), ("continuous", [("疼痛和红肿", "sym")])])
def test_discontinuous_spans_are_dropped_or_made_continuous(convert, tmp_path, choice, spans):
    row = {"sentence": list("疼痛和红肿。"), "ner": [{"index": [0, 3, 4], "type": "sym"}]}
    rows, messages = convert(write_rows(tmp_path / "given.jsonl", [row]), discontinuous=choice)
    assert found(rows) == [spans]
    assert any(message.startswith("1 span: discontinuous: ") for message in messages)


def test_brat_is_read_by_lines_with_gaps_relations_and_windows_lines(convert, tmp_path):
    folder = tmp_path / "brat"
    folder.mkdir()
    text = "Anna saw Rome.\r\nLeft and right lung hurt.\r\nNew\r\nYork is big.\r\n"
    (folder / "a.txt").write_bytes(text.encode())
    lines = [
        "T1\tPER 0 4\tAnna",
        "T2\tLOC 9 13\tRome",
        "T3\tORGAN 16 20;31 35\tLeft lung",
        "T4\tLOC 43 46;48 52\tNew York",
        "R1\tsees Arg1:T1 Arg2:T2",
        "#1\tAnnotatorNotes T1\tsure?",
        "*\tEquiv T1 T2",
    ]
    (folder / "a.ann").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows, messages = convert(folder)
    assert [row["text"] for row in rows] == [
        ["Anna", "saw", "Rome", "."],
        ["Left", "and", "right", "lung", "hurt."],
        ["New", "York", "is", "big."],
    ]
    texts = [[(" ".join(span["text"]), span["entity"]) for span in row["entities"]] for row in rows]
    assert texts == [[("Anna", "PER"), ("Rome", "LOC")], [], [("New York", "LOC")]]
    assert any("2 relations: left out" in message for message in messages)
    assert any("1 span: discontinuous: dropped" in message for message in messages)
    assert any("1 place: inside a token" in message for message in messages)


def test_numbers_of_tags_are_read_by_the_names_beside_the_file(convert, tmp_path):
    row = {"tokens": ["Anna", "saw", "Rome"], "ner_tags": [1, 0, 3], "fine_ner_tags": [1, 0, 2]}
    path = write_rows(tmp_path / "hf" / "train.jsonl", [row])
    with pytest.raises(ValueError, match="the tags are numbers, and their names are missing"):
        convert(path)
    names = {"names": ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"], "_type": "ClassLabel"}
    fine = {"names": ["O", "person-artist", "location-city"], "_type": "ClassLabel"}
    features = {"ner_tags": {"feature": names}, "fine_ner_tags": {"feature": fine}}
    write_json(path.with_name("dataset_info.json"), {"features": features})
    rows, messages = convert(path)
    assert [span["entity"] for span in rows[0]["entities"]] == ["PER", "LOC"]
    assert any("--tag_column chooses another one (fine_ner_tags)" in message for message in messages)
    rows, _ = convert(path, tag_column="fine_ner_tags")
    assert [span["entity"] for span in rows[0]["entities"]] == ["person-artist", "location-city"]


def test_names_of_tags_are_read_from_the_header_of_a_card(convert, tmp_path):
    path = write_rows(tmp_path / "hf" / "train.jsonl", [{"tokens": ["Rome"], "tags": [1]}])
    header = """---
dataset_info:
  features:
  - name: tokens
    sequence: string
  - name: tags
    sequence:
      class_label:
        names:
          '0': O
          '1': B-LOC
---
"""
    path.with_name("README.md").write_text(header, encoding="utf-8")
    rows, _ = convert(path)
    assert [span["entity"] for span in rows[0]["entities"]] == ["LOC"]


def test_a_folder_keeps_its_splits_whatever_they_are_called(tmp_path):
    folder = tmp_path / "weibo"
    for name, token in (("weiboNER.train", "甲"), ("weiboNER.dev", "乙"), ("weiboNER.test", "丙")):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f"{token} B-PER.NAM\n", encoding="utf-8")
    call("convert", input=folder, output=tmp_path / "made")
    for name, token in (("train_1000", "甲"), ("dev", "乙"), ("test", "丙")):
        assert [row["text"] for row in read_lines(tmp_path / "made" / f"{name}.jsonl")] == [[token]]
    assert (tmp_path / "made" / "labels.txt").read_text(encoding="utf-8") == "O\nPER.NAM\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "a", "label": ["PER"]}', "labels of whole texts are no spans"),
        ('{"text": "a", "entities": [{"start_offset": "x", "end_offset": 2, "label": "P"}]}', "must be a whole number"),
        ('{"a": 1}', r"was not recognised by its keys \(a\)"),
        ("no table", "was not recognised, because it is neither JSON nor a table"),
        ('{"text": 3, "label": [[0, 1, "P"]]}', '"text" must be a string'),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(convert, content, message):
    with pytest.raises(ValueError, match=message):
        convert(content)


@pytest.mark.parametrize("rounds", [10, pytest.param(1_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_read_or_refused_with_its_name(tmp_path, name, rounds):
    kind, rows = FILES[name]
    source, rng = tmp_path / "in.jsonl", random.Random(name)
    for _ in range(rounds):
        changed = damaged(rows, rng)
        lines = changed if isinstance(changed, list) else [changed]
        source.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
        try:
            convert_files(Conversion(source, kind, tmp_path / "out", "project", ReadSettings(), overwrite=True))
        except ValueError as error:
            assert str(error).startswith(str(source)), error


@pytest.mark.parametrize("value", [float("inf"), float("nan"), "1", None, True, [1], 1.5])
def test_an_offset_that_is_no_whole_number_is_named(convert, value):
    row = {"text": "ab", "label": [[0, value, "X"]]}
    with pytest.raises(ValueError, match=r'given.jsonl:1: cannot be read in this format: .*"offset" must be a whole'):
        convert(json.dumps(row), name="given.jsonl", from_format="doccano")
