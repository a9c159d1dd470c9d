"""Answers of another model, prompt or setting: the message names each difference, with the old and the new value."""

from __future__ import annotations

import json

import pytest

from tests.helpers.builders import CHINESE, ENGLISH, call, read_lines, write_json, write_rows
from tests.helpers.workspace import Workspace
from utils.files.differences import find_differences
from utils.wording import listed

RESULT = "entity_train_1000.jsonl"


@pytest.fixture
def work(tmp_path):
    return Workspace(tmp_path, ENGLISH)


def forget_settings(work, name=RESULT):
    """Make a journal as an older version wrote it, without the settings of the answers."""
    journal = work.results / f"{name}.journal.jsonl"
    rows = read_lines(journal)
    assert any("settings" in row for row in rows)
    write_rows(journal, [{key: value for key, value in row.items() if key != "settings"} for row in rows])


def forget_result(work, name=RESULT):
    """Leave only the journal, as a killed run does."""
    for path in (work.results / name, work.results / f"{name}.meta.json"):
        path.unlink()


def refusal(step, **values):
    """Return the message of a step that refuses other settings."""
    with pytest.raises(ValueError, match="another model, prompt or setting") as caught:
        call(step, **values)
    message = str(caught.value)
    assert "--overwrite" in message and "--save_type_name" in message
    return message


@pytest.mark.parametrize(
    ("flags", "changed", "difference"),
    [
        ({}, {"temperature": 0.7}, "decoding (greedy before, temperature 0.7, top_p 0.9, seed 42 now)"),
        ({"temperature": 0.7}, {"temperature": 0.2}, "decoding.temperature (0.7 before, 0.2 now)"),
        ({"temperature": 0.7}, {"temperature": 0.7, "seed": 1}, "decoding.seed (42 before, 1 now)"),
        ({}, {"max_new_tokens": 9}, "max_new_tokens (from each sentence before, 9 now)"),
        ({}, {"dense_lang": 1}, "dense (false before, true now)"),
        ({}, {"shots": 1}, "shots (not set before, number 1, seed 42 now)"),
        ({"votes": 3, "temperature": 0.7}, {"temperature": 0.1}, "decoding.temperature (0.7 before, 0.1 now)"),
    ],
)
@pytest.mark.parametrize("state", ["new", "old version", "killed"])
def test_a_setting_that_differs_is_named_with_both_values(work, flags, changed, difference, state):
    call("s1", **work.llm, **flags)
    if state == "old version":
        forget_settings(work)
    if state == "killed":
        forget_result(work)
    message = refusal("s1", **work.llm, **changed)
    assert f"; different: {difference}" in message
    assert "votes" not in message  # other votes need no other answers


def test_several_differences_are_all_named(work):
    call("s2", **work.llm)
    message = refusal("s2", **work.llm, temperature=0.1, max_new_tokens=9, min_tokens=2)
    assert message.endswith("different: decoding.temperature (0.8 before, 0.1 now), max_new_tokens (256 before, 9 now)")


def test_another_prompt_is_named_by_the_start_of_its_hash(work):
    call("s1", **work.llm)
    (work.folder / "own.txt").write_text("Find names in {sentence}", encoding="utf-8")
    assert "different: prompt (" in refusal("s1", **work.llm, prompt=work.folder / "own.txt")


def test_labels_that_were_added_or_removed_are_named(work):
    own = write_json(work.folder / "own.json", {"PERSON": ["person"], "CITY": ["city"]})
    call("s1", **work.llm, entity_label=own)
    write_json(own, {"PERSON": ["person"], "SHIP": ["ship"]})
    assert "labels (added: SHIP; removed: CITY)" in refusal("s1", **work.llm, entity_label=own)


@pytest.mark.parametrize("state", ["new", "killed"])
def test_a_model_of_another_name_and_one_with_other_files_are_named(work, state):
    call("s1", **work.llm)
    if state == "killed":
        forget_result(work)
    other = work.folder / "other.jsonl"
    other.write_bytes(work.recording.read_bytes())
    message = refusal("s1", **{**work.llm, "model_from_pretrained": other})
    assert "different: model (answers.jsonl before, other.jsonl now)" in message
    CHINESE.record(work.recording)
    message = refusal("s1", **work.llm)
    assert "different: the model's answers.jsonl (" in message and " before, " in message


def test_with_a_manifest_alone_equal_settings_mean_that_the_model_differs(work):
    call("s1", **work.llm)
    forget_settings(work)
    CHINESE.record(work.recording)
    assert refusal("s1", **work.llm).endswith("different: the files of the model")


def test_a_journal_of_an_older_version_says_that_nothing_is_known_and_is_continued(work):
    call("s1", **work.llm, limit=3)
    forget_settings(work)
    forget_result(work)
    assert refusal("s1", **work.llm, temperature=0.7).endswith("which of them is different was not recorded")
    call("s1", **work.llm)
    assert work.runs("s1")[-1]["answers"] == 5
    assert "different: decoding (greedy before" in refusal("s1", **work.llm, temperature=0.7)


def test_a_journal_records_its_settings_once(work):
    call("s1", **work.llm, limit=3)
    call("s1", **work.llm)
    rows = read_lines(work.results / f"{RESULT}.journal.jsonl")
    assert ["settings" in row for row in rows] == [True] + [False] * 7
    manifest = json.loads((work.results / f"{RESULT}.meta.json").read_text(encoding="utf-8"))
    assert rows[0]["settings"]["parameters"] == manifest["parameters"]
    call("s1", **work.llm, temperature=0.7, overwrite=True)
    assert "settings" in read_lines(work.results / f"{RESULT}.journal.jsonl")[0]


def test_steps_1_and_3_name_differences_in_both_modes(work):
    work.annotate()
    for step in ("s1", "s3"):
        for mode in ("entity", "pos"):
            assert "different: max_new_tokens" in refusal(step, **work.llm, mode=mode, max_new_tokens=9)


def test_differences_of_nested_settings_lists_and_missing_values_are_found():
    old = {"a": 1, "b": {"c": 2, "d": None}, "e": ["x", "y"], "f": "a" * 64, "same": [1]}
    new = {"b": {"c": 3, "d": None}, "e": ["y", "x"], "f": "b" * 64, "g": True, "same": [1]}
    assert find_differences(old, new) == [
        "a (1 before, not set now)",
        "b.c (2 before, 3 now)",
        "e (another order)",
        f"f ({'a' * 8} before, {'b' * 8} now)",
        "g (not set before, true now)",
    ]
    assert find_differences(old, old) == []


def test_of_many_differences_the_first_are_named():
    assert listed(list("abcdefg")) == "a, b, c, d, e and 2 more"
