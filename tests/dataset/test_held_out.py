"""Sentences that are in train and in dev or test cause a warning with their number and an example."""

from __future__ import annotations

import pytest

from tests.helpers.builders import ENGLISH, call, write_rows
from tests.helpers.workspace import Workspace
from utils.dataset.held_out import HeldOutTexts, warn_of_shared_sentences

SHARED: list[dict[str, object]] = [
    {"text": ["NOBODY", "in PortEllis", "knew about it ."], "entities": []},
    {"text": "Tom Reid never saw the Swift again."},
]


def test_shared_sentences_are_counted_with_the_lines_of_the_first(tmp_path, caplog):
    train = write_rows(tmp_path / "train.jsonl", [{"text": ["x"]}, *ENGLISH.rows])
    test = write_rows(tmp_path / "test.jsonl", [{"text": ["new"]}, *SHARED, {"text": []}])
    warn_of_shared_sentences(train, [tmp_path / "dev.jsonl", test])
    assert f"2 sentences of {test} are also in the training file, such as {train}:4 = {test}:2" in caplog.text
    assert len(caplog.records) == 1


def test_a_file_that_cannot_be_compared_is_reported_and_stops_nothing(tmp_path, caplog):
    train = write_rows(tmp_path / "train.jsonl", ENGLISH.rows)
    (tmp_path / "dev.jsonl").write_text("no JSON\n", encoding="utf-8")
    warn_of_shared_sentences(train, [tmp_path / "dev.jsonl"])
    assert "dev.jsonl is not compared with the training sentences: " in caplog.text


@pytest.mark.parametrize("step", ["s1", "s2", "s4"])
def test_the_steps_warn_once(tmp_path, caplog, step):
    work = Workspace(tmp_path, ENGLISH)
    call("s1", **work.llm)
    write_rows(work.dataset / "test.jsonl", [ENGLISH.rows[1]])
    caplog.clear()
    call(step, **(work.data if step == "s4" else work.llm))
    warnings = [line for line in caplog.messages if "in the training file" in line]
    assert len(warnings) == 1
    assert "train_1000.jsonl:2 = " in warnings[0]


WIDE = {number: number + 0xFEE0 for number in range(0x21, 0x7F)}
SAME = {
    "case and spaces": "ANNA LEE lives in  oslo .",
    "tokens": "AnnaLee livesinOslo.",
    "full width": "Anna Lee lives in Oslo .".translate(WIDE),
    "zero-width space": "An\u200bna Lee lives\u200b in Oslo .",
    "soft hyphen and joiner": "Anna Lee li\u00adves in O\u200dslo .\ufeff",
    "direction marks": "\u202aAnna Lee\u202c lives in\u200e Oslo .",
    "variation selector": "Anna\ufe0f Lee lives in Oslo .",
    "control characters": "Anna Lee lives\x07 in Oslo .",
}


@pytest.mark.parametrize("name", SAME)
def test_texts_that_look_the_same_are_the_same(name):
    held_out = HeldOutTexts([(["Anna", "Lee", "lives", "in", "Oslo", "."], 1)])
    assert held_out.equal([SAME[name]]) == [1]


@pytest.mark.parametrize(
    ("own", "longer"),
    [
        ("Anna Lee lives in Oslo .", "It is known that Anna Lee lives in Oslo, and so does Tom ."),
        ("Anna Lee lives in Oslo .", "ＡＮＮＡ lee\u200b lives in oslo!"),
        ("邓超在北京拍戏", "据说邓超在北京拍戏。"),
        ("東京タワー に行く", "明日は東京タワーに行くつもりだ"),
    ],
)
def test_a_held_out_sentence_inside_a_longer_one_is_found(own, longer):
    held_out = HeldOutTexts([(own.split(), "own"), (["another"], "another")])
    assert held_out.contained(longer.split()) == ["own"]
    assert held_out.equal(longer.split()) == []


@pytest.mark.parametrize(("own", "longer"), [("Hello !", "Hello ! How are you ?"), ("你好", "你好，请问"), ("", "a")])
def test_a_very_short_sentence_inside_a_longer_one_is_chance(own, longer):
    assert HeldOutTexts([(own.split(), 1)]).find(longer.split()) == []
