"""Files of the first implementation, `sentence<TAB>answer`: matched by text, and merged like others."""

from __future__ import annotations

import json
import logging

from tests.helpers.builders import CHINESE, call, read_lines
from utils.annotation.files import read_annotation_rows
from utils.dataset.layout import Layout
from utils.dataset.records import Sentence

SENTENCES = [
    Sentence("1", tuple("邓超在北京")),
    Sentence("2", tuple("他 说")),
    Sentence("3", ("New", "York", "\r", "is", "big")),
    Sentence("4", tuple("邓超在北京")),
    Sentence("5", tuple("一\t二")),
]
ANSWER = '[{"entity": "北京", "type": "地名"}]'


def rows(tmp_path, content, sentences=SENTENCES):
    path = tmp_path / "entity_train_1000.jsonl"
    path.write_bytes(content.encode())
    return [row for _, row in read_annotation_rows(path, "entity", sentences)]


def read(found):
    return {row["id"]: [(item["entity"], item["type"]) for item in row["items"]] for row in found}


def test_lines_are_matched_by_text_and_not_by_position(tmp_path):
    found = rows(tmp_path, f'New York is big\t[["New York", "GPE"]]\n邓超在北京\t{ANSWER}\n')
    assert read(found) == {"1": [("北京", "地名")], "3": [("New York", "GPE")], "4": [("北京", "地名")]}
    assert [row["status"] for row in found] == ["ok"] * 3
    assert found[0]["text"] == list("邓超在北京")
    assert found[0]["answers"] == [ANSWER]


def test_two_lines_with_one_text_answer_its_sentences_in_order(tmp_path):
    found = rows(tmp_path, '邓超在北京\t[["邓超", "人名"]]\n邓超在北京\t[["北京", "地名"]]\n')
    assert read(found) == {"1": [("邓超", "人名")], "4": [("北京", "地名")]}


def test_tabs_and_carriage_returns_in_texts_and_answers_are_kept(tmp_path):
    found = rows(tmp_path, '一\t二\t[["二",\t"数"]]\r\n他 说\t[["他",\r"代词"]]\r\nNew York \r is big\t[["York", "x"]]')
    assert read(found) == {"2": [("他", "代词")], "3": [("York", "x")], "5": [("二", "数")]}
    assert next(row for row in found if row["id"] == "2")["answers"] == ['[["他",\r"代词"]]']


def test_an_answer_can_have_several_lines(tmp_path):
    found = rows(tmp_path, '邓超在北京\t```json\n[\n  ["北京", "地名"]\n]\n```\n他 说\t[]\n')
    assert read(found) == {"1": [("北京", "地名")], "2": [], "4": [("北京", "地名")]}


def test_lines_that_match_no_sentence_have_no_id_and_are_reported(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        found = rows(tmp_path, f"邓超在上海\t{ANSWER}\n他 说\t抱歉，我无法回答。\n")
    assert [(row["id"], row["status"]) for row in found] == [("2", "unreadable"), (None, "ok")]
    assert "1 line matches no sentence and is skipped; the first is line 1" in caplog.text


def test_lines_of_this_project_are_returned_unchanged(tmp_path):
    row = {"id": "1", "text": list("邓超在北京"), "mode": "entity", "items": [], "answers": ["a\tb"], "status": "ok"}
    assert rows(tmp_path, json.dumps(row) + "\n") == [row]


def legacy_file(path, mode):
    """Write the answers of a corpus in the earlier format, the last sentence first."""
    answers = CHINESE.entities if mode == "entity" else CHINESE.words
    keys = ("entity", "type") if mode == "entity" else ("word", "pos")
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = {str(number): "".join(row["text"]) for number, row in enumerate(CHINESE.rows, start=1)}
    content = [
        f"{texts[id_]}\t{json.dumps([dict(zip(keys, item, strict=True)) for item in items], ensure_ascii=False)}"
        for id_, items in answers.items()
        if id_ in texts
    ]
    path.write_bytes("\n".join(["没有这句话。\t[]", *reversed(content)]).encode())


def test_s4_and_s5_give_the_same_result_for_legacy_files_and_files_of_s1(tmp_path, caplog):
    fusion = {}
    for name in ("old", "new"):
        CHINESE.write(tmp_path, name)
        layout = Layout(tmp_path, name)
        data = {"file_dir": tmp_path, "file_name": name}
        if name == "old":
            for mode in ("entity", "pos"):
                legacy_file(layout.annotation_file(mode), mode)
        else:
            llm = {"backend": "scripted", "model_from_pretrained": CHINESE.record(tmp_path / "answers.jsonl")}
            for mode in ("entity", "pos"):
                call("s1", **data, **llm, mode=mode)
        with caplog.at_level(logging.INFO):
            call("s4", **data)
        call("s5", **data, is_syn=0)
        fusion[name] = {size: read_lines(layout.size_fusion(size)) for size in ("250", "500", "1000")}
    assert fusion["old"] == fusion["new"]
    assert "2 annotations of other texts dropped" in caplog.text


def test_s5_reads_a_legacy_file_of_a_size(tmp_path):
    CHINESE.write(tmp_path)
    layout = Layout(tmp_path, "tiny")
    data = {"file_dir": tmp_path, "file_name": "tiny"}
    for mode in ("entity", "pos"):
        legacy_file(layout.annotation_file(mode), mode)
    call("s4", **data)
    call("s5", **data, is_syn=0)
    first = read_lines(layout.size_fusion("1000"))
    for size in ("250", "500", "1000"):
        legacy_file(layout.size_annotation_file(size, "entity"), "entity")
    call("s5", **data, is_syn=0)
    assert read_lines(layout.size_fusion("1000")) == first


def test_crossing_spans_are_counted_and_dropped_on_request(tmp_path, caplog):
    CHINESE.write(tmp_path)
    layout = Layout(tmp_path, "tiny")
    data = {"file_dir": tmp_path, "file_name": "tiny"}
    gold = next(row for row in CHINESE.rows if any(entity["start"] > 0 for entity in row["entities"]))
    start = next(entity["start"] for entity in gold["entities"] if entity["start"] > 0)
    text = "".join(gold["text"])
    layout.results.mkdir(parents=True)
    layout.annotation_file("entity").write_text(
        f'{text}\t[["{text[start - 1 : start + 1]}", "地名"]]\n', encoding="utf-8"
    )
    call("s4", **data)
    spans = {}
    for drop in (0, 1):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            call("s5", **data, is_syn=0, drop_crossing=drop)
        assert f"1 span that crosses a target span{', dropped' if drop else ''}" in caplog.text
        spans[drop] = sum(
            "origin" in entity for row in read_lines(layout.size_fusion("1000")) for entity in row["entities"]
        )
    assert spans == {0: 1, 1: 0}
