"""The scripted backend, which replays recorded answers."""

from __future__ import annotations

import pytest

from tests.helpers.builders import write_rows
from utils.llm import LLMOptions, Request, load_llm


def request(id_, task="entity", **more):
    return Request(id_, task, "prompt", 10, **more)


def replay(path, *requests):
    return [answer.text for answer in load_llm(str(path), "scripted", LLMOptions()).generate(list(requests))]


@pytest.fixture
def recording(tmp_path):
    rows: list[dict[str, object]] = [
        {"id": "17", "task": "entity", "answer": "first"},
        {"id": "17", "task": "pos", "answer": "tags\u2028\n北京"},
        {"id": "17-2", "task": "entity", "answer": ""},
        {"id": "17", "task": "entity", "answer": "second"},
        {"id": 5, "task": "explain", "answer": "a number is an id, too"},
    ]
    return write_rows(tmp_path / "answers.jsonl", rows)


def test_each_request_gets_the_answer_of_its_sentence_and_task(recording):
    requests = [request("17", "pos"), request("17"), request("5", "explain"), request("17-2")]
    assert replay(recording, *requests) == ["tags\u2028\n北京", "first", "a number is an id, too", ""]


def test_several_answers_to_one_question_are_its_samples(recording):
    assert replay(recording, request("17", sample=1), request("17", sample=0)) == ["second", "first"]


def test_an_answer_has_its_request_and_has_stopped(recording):
    asked = request("17")
    answer = next(iter(load_llm(str(recording), "scripted", LLMOptions()).generate([asked])))
    assert answer.request is asked
    assert answer.finish == "stop"


def test_missing_answers_are_empty_and_reported_once(recording, caplog):
    assert replay(recording, request("99"), request("17"), request("98", "pos"), request("17", sample=2)) == [
        "",
        "first",
        "",
        "",
    ]
    assert len(caplog.records) == 1
    assert "3 of 4 answers are not in the recording (first: task entity of sentence 99)" in caplog.text


def test_a_complete_recording_gives_no_warning(recording, caplog):
    replay(recording, request("17"), request("17-2"))
    assert not caplog.records


@pytest.mark.parametrize("line", ['{"id": "1", "task": "pos"}', "broken", "[]", "7", '{"task": "pos", "answer": ""}'])
def test_a_line_in_another_form_is_reported_with_its_number(tmp_path, line):
    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": "1", "task": "entity", "answer": ""}\n\n' + line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"answers\.jsonl:3: expected"):
        replay(path)
