"""Corrections of a patch file: how they are read, how they change merged sentences, and which no longer fit."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from tests.helpers.builders import ENGLISH, bytes_below, call, read_lines, sentence, write_rows
from tests.helpers.workspace import SIZES, Workspace
from utils.audit.checks import audit
from utils.audit.status import Survey
from utils.dataset.layout import Layout
from utils.dataset.records import Span
from utils.dataset.sentence_file import read_dataset_info
from utils.fusion.corrections import read_patch
from utils.fusion.merge import MergedSentence
from utils.fusion.patch import apply_patch
from utils.ner.training.data import hold_out

TEXT = "Agnes Muir saw the Petrel ."
PERSON = {"start": 0, "end": 2, "entity": "PERSON"}


def merged(*extensions, row=None):
    own = sentence(TEXT, (0, 2, "PERSON"))
    built = type(own)(own.id, own.tokens, (*own.spans, *extensions), {**own.row, **(row or {})})
    return MergedSentence(built, extensions, extensions, True, 1, 0, 0, 0, 0, (), frozenset())


def patched(tmp_path, *rows, of=None, targets=("PERSON", "VESSEL")):
    full = [{"id": "1", "text": TEXT, **row} for row in rows]
    patch = read_patch(write_rows(tmp_path / "fixes.jsonl", full))
    return apply_patch(patch.by_id["1"], of or merged(Span(4, 5, "LOCATION", "entity")), targets)


def spans(found):
    return [(span.start, span.end, span.label, span.origin) for span in found.merged.sentence.spans]


def test_a_wrong_span_is_removed(tmp_path):
    found = patched(tmp_path, {"action": "wrong", "span": {"start": 4, "end": 5, "entity": "LOCATION"}})
    assert spans(found) == [(0, 2, "PERSON", None)]
    assert list(found.merged.extensions) == []


def test_an_extension_span_with_a_target_label_becomes_a_target_span(tmp_path):
    span = {"start": 4, "end": 5, "entity": "LOCATION", "origin": "entity"}
    found = patched(tmp_path, {"action": "relabel", "span": span, "to": {"entity": "VESSEL"}})
    assert spans(found) == [(0, 2, "PERSON", None), (4, 5, "VESSEL", "patch")]


def test_moved_and_added_spans_are_in_the_order_of_the_format(tmp_path):
    span = {"start": 4, "end": 5, "entity": "LOCATION"}
    found = patched(
        tmp_path,
        {"action": "move", "span": span, "to": {"start": 3}},
        {"action": "add", "to": {"start": 2, "end": 3, "entity": "VERB"}},
        {"action": "add", "to": {"start": 4, "end": 5, "entity": "VESSEL"}},
    )
    assert spans(found) == [
        (0, 2, "PERSON", None),
        (4, 5, "VESSEL", "patch"),
        (2, 3, "VERB", "entity"),
        (3, 5, "LOCATION", "entity"),
    ]


def test_a_correction_of_a_gold_span_is_counted(tmp_path):
    found = patched(tmp_path, {"action": "wrong", "span": {**PERSON, "origin": None}})
    assert found.gold == 1
    assert spans(found) == [(4, 5, "LOCATION", "entity")]


def test_the_scores_of_s7_follow_a_correction(tmp_path):
    scores = [{**PERSON, "score": 0.9}, {"start": 4, "end": 5, "entity": "VESSEL", "score": 0.2}]
    of = merged(row={"target_scores": scores, "llm_spans": []})
    found = patched(tmp_path, {"action": "move", "span": PERSON, "to": {"start": 1}}, of=of)
    row = found.merged.sentence.row
    assert row["target_scores"] == [scores[1], {**PERSON, "start": 1, "score": 1.0}]
    assert row["llm_spans"] == [{**PERSON, "start": 1}]


def test_two_spans_do_not_become_the_same(tmp_path):
    rows = [
        {"action": "add", "to": {"start": 0, "end": 1, "entity": "PERSON"}},
        {"action": "move", "span": {"start": 0, "end": 1, "entity": "PERSON"}, "to": {"end": 2}},
    ]
    assert spans(patched(tmp_path, *rows, of=merged())) == [(0, 2, "PERSON", None)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"action": "drop", "text": "Another text ."}, "its text has changed"),
        ({"action": "wrong", "span": {**PERSON, "end": 3}}, "it has no span PERSON from 0 to 3"),
        ({"action": "wrong", "span": {**PERSON, "origin": "pos"}}, "it has no span PERSON from 0 to 2"),
        ({"action": "wrong", "span": {**PERSON, "end": 3, "origin": "ner"}}, "which s8 adds after s7"),
        ({"action": "add", "to": PERSON}, "is there already"),
        ({"action": "move", "span": PERSON, "to": {"end": 7}}, "ends after the sentence"),
    ],
)
def test_a_correction_that_no_longer_fits_is_named_and_changes_nothing(tmp_path, row, reason):
    found = patched(tmp_path, row)
    assert [reason in misfit.reason for misfit in found.misfits] == [True]
    assert spans(found) == [(0, 2, "PERSON", None), (4, 5, "LOCATION", "entity")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": 1}, '"id" must be the id of a sentence'),
        ({"id": "../1"}, '"id" must be the id of a sentence'),
        ({"action": "delete"}, '"action" must be one of wrong, relabel, move, add, drop'),
        ({"text": None}, '"text" must be the tokens'),
        ({"action": "wrong"}, '"span" must be an object'),
        ({"action": "wrong", "span": {**PERSON, "start": True}}, "must be offsets of tokens"),
        ({"action": "add", "to": {**PERSON, "start": 2}}, "must be offsets of tokens"),
        ({"action": "add", "to": {**PERSON, "entity": "O"}}, "must be a label other than O"),
        ({"action": "wrong", "span": {**PERSON, "origin": 3}}, '"origin" must be a text or null'),
        ({"text": ["Agnes"], "action": "wrong", "span": PERSON}, "but the sentence has 1 token"),
    ],
)
def test_a_bad_line_is_named(tmp_path, row, message):
    path = write_rows(
        tmp_path / "fixes.jsonl",
        [{"id": "1", "text": TEXT, "action": "drop"}, {"id": "1", "text": TEXT, "action": "drop", **row}],
    )
    with pytest.raises(ValueError, match=r"fixes\.jsonl:2: ") as error:
        read_patch(path)
    assert message in str(error.value)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A dataset on which s1 to s6 have run, with target spans as s7 writes them, but without a model."""
    work = Workspace(tmp_path_factory.mktemp("labelled"), ENGLISH)
    work.annotate()
    work.merge()
    for size in SIZES:
        rows = work.lines(f"train_{size}_synthetic.jsonl", size)
        span = {"start": 1, "end": 2, "entity": "VESSEL", "origin": "ner", "score": 0.9}
        made = [{**row, "entities": [{**span, "text": row["text"][1:2]}]} for row in rows]
        write_rows(work.results / size / f"train_{size}_synthetic_target.jsonl", made)
    call("s8", **work.data)
    return work


@pytest.fixture
def work(labelled, tmp_path):
    return labelled.copy(tmp_path)


def write_fixes(work):
    texts = [" ".join(row["text"]) for row in work.corpus.rows]
    made = work.lines("train_1000_synthetic_fusion.jsonl", "1000")[0]
    rows: list[dict[str, Any]] = [
        {
            "id": "1",
            "text": texts[0].split(),
            "action": "relabel",
            "span": {"start": 1, "end": 2, "entity": "VESSEL", "origin": None},
            "to": {"entity": "PERSON"},
        },
        {"id": "3", "text": texts[2], "action": "drop"},
        {"id": "8", "text": texts[7], "action": "add", "to": {"start": 0, "end": 3, "entity": "CLAUSE"}},
        {"id": made["id"], "text": made["text"], "action": "add", "to": {"start": 0, "end": 1, "entity": "PERSON"}},
        {"id": "7", "text": "It was another sentence .", "action": "drop"},
        {"id": "99", "text": "There is none .", "action": "drop"},
    ]
    return write_rows(work.dataset / "fixes.jsonl", rows)


def test_s5_and_s8_apply_a_patch_again_and_name_what_no_longer_fits(work, caplog):
    fixes = write_fixes(work)
    call("s8", **work.data, patch=fixes)
    first = bytes_below(work.results)
    assert "fixes.jsonl:5: sentence 7: its text has changed" in caplog.text
    assert "fixes.jsonl:6: sentence 99: there is no such sentence" in caplog.text
    assert "only corrections use the label CLAUSE" in caplog.text
    lines = work.lines("train_1000_fusion.jsonl", "1000")
    assert lines[0]["entities"][0] == {
        "start": 1,
        "end": 2,
        "entity": "PERSON",
        "text": ["Mary-Ann"],
        "origin": "patch",
    }
    assert [line["number_in_train_1000"] for line in lines] == [1, 2, 4, 5, 6, 7, 8]
    assert work.json("label_fusion.json", "1000")["CLAUSE"]["count"] == 1
    assert "CLAUSE" not in work.json("label_fusion.json", "250")
    combined = work.lines("train_1000_synthetic_fusion.jsonl", "1000")
    added = [span for span in combined[0]["entities"] if span.get("origin") == "patch"]
    assert [(span["start"], span["end"], span["entity"]) for span in added] == [(0, 1, "PERSON")]
    assert combined[-7:] == lines
    call("s8", **work.data, patch=fixes)
    assert bytes_below(work.results) == first
    call("s5", **work.data, is_syn=0, patch=fixes, overwrite=True)
    assert work.lines("train_1000_fusion.jsonl", "1000") == lines


def test_a_patch_belongs_to_the_fingerprint(work):
    fixes = write_fixes(work)
    found = set()
    for number in (6, 1):
        write_rows(fixes, read_lines(fixes)[:number])
        call("s8", **work.data, patch=fixes)
        manifest = work.json("train_1000_fusion.jsonl.meta.json", "1000")
        assert manifest["parameters"]["patch"] == "fixes.jsonl"
        found.add(manifest["fingerprint"])
    assert len(found) == 2


def test_a_run_without_the_patch_says_that_corrections_are_lost(work, caplog):
    call("s8", **work.data, patch=write_fixes(work))
    caplog.clear()
    call("s8", **work.data)
    assert caplog.text.count("has the corrections of fixes.jsonl: to keep them, add --patch=") == 2  # a side each
    caplog.clear()
    call("s8", **work.data)
    assert "corrections" not in caplog.text


def problems(work):
    report = audit(Layout(work.file_dir, "tiny"), work.folder / "none", tokenisation=None)
    return [str(one) for one in report.problems], [one.message for one in report.not_seen]


def test_the_audit_accepts_what_corrections_change_and_nothing_else(work):
    fixes = write_fixes(work)
    before = problems(work)[0]
    call("s8", **work.data, patch=fixes)
    assert problems(work)[0] == before
    path = work.results / "1000" / "train_1000_fusion.jsonl"
    rows = read_lines(path)
    rows[0]["entities"] = [one for one in rows[0]["entities"] if one.get("origin") != "patch"]
    rows[0]["entities"].insert(0, {"start": 3, "end": 4, "entity": "PERSON"})
    write_rows(path, rows)
    assert any("sentence 1 were changed, and not only by corrections" in one for one in problems(work)[0])
    fixes.unlink()
    assert any("was made with fixes.jsonl, which is missing" in one for one in problems(work)[1])


def test_status_repeats_the_patch_in_its_commands(work):
    fixes = write_fixes(work)
    call("s8", **work.data, patch=fixes)
    layout = Layout(work.file_dir, "tiny")
    dataset = read_dataset_info(layout.train, layout.labels)
    commands = [one.command for one in Survey(layout, dataset, work.folder, "--file_name=tiny").statuses()]
    merging = [command for command in commands if "s5_" in command or "s8_" in command]
    assert len(merging) == 9
    assert all(f"--patch={shlex.quote(str(fixes))}" in command for command in merging)


def test_held_out_sentences_keep_their_numbers_when_a_patch_drops_others():
    """Without sentence 1, line 1 is sentence 2: what s2 made from sentence 2 must go with it."""
    own = [sentence(TEXT, (0, 2, "PERSON")) for _ in range(2)]
    rows = [type(one)(one.id, one.tokens, one.spans, {"number_in_train_1000": n}) for n, one in enumerate(own, 2)]
    made = [type(rows[0])("x", own[0].tokens, (), {"synthetic": True, "source": n}) for n in (1, 2, 3)]
    rest, chosen = hold_out([*rows, *made], seed=0)
    held = {one.number for one in chosen}
    assert len(held) == 1
    assert {one.source for one in rest if one.is_synthetic} == {1, 2, 3} - held


def test_a_missing_patch_is_named(work):
    with pytest.raises(FileNotFoundError, match="--patch must name a file of corrections"):
        call("s5", **work.data, patch=work.dataset / "none.jsonl")
    assert json.loads((work.results / "1000" / "label_fusion.json").read_text(encoding="utf-8"))
