"""evaluate_ner.py: reports, predictions beside gold spans, and comparisons of two systems."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.builders import SCRIPTS, call, clean_environment, read_lines, write_rows
from utils.files.manifest import Manifest, write_manifest

LONG = "the " * 1999 + "anna"
TEXTS = [LONG, "anna", "", "the anna sees rome", "sees the"]
KINDS = {"anna": "PER", "rome": "LOC"}


def row(text: str, labels: dict[str, str]) -> dict:
    words = text.split()
    spans = [
        {"start": at, "end": at + 1, "entity": labels[word], "text": [word]}
        for at, word in enumerate(words)
        if word in labels
    ]
    return {"text": words, "entities": spans, "note": "kept"}


@pytest.fixture
def gold_file(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "test.jsonl", [row(text, KINDS) for text in TEXTS])


def evaluate(model: Path, test: Path, **more: object) -> dict:
    report = test.with_name("report.json")
    call("evaluate", model_from_pretrained=model, test=test, report=report, n_gpu=-1, **more)
    return json.loads(report.read_text(encoding="utf-8"))


def with_predictions(path: Path, texts: list[str], found: list[dict[str, str]]) -> Path:
    """Write the predictions of another system as --output does."""
    rows = [
        {**row(text, KINDS), "predicted": row(text, labels)["entities"]}
        for text, labels in zip(texts, found, strict=True)
    ]
    return write_rows(path, rows)


def test_long_short_and_empty_sentences_are_evaluated_together(learnt, gold_file):
    report = evaluate(learnt, gold_file)
    assert (report["micro"]["f1"], report["micro"]["gold"], report["sentences"]) == (1.0, 4, 5)
    assert report["errors"]["right"] == 4
    assert report["intervals"]["f1"][1] == 1.0
    assert set(report) == {"sentences", "micro", "macro", "per_label", "intervals", "errors"}


def test_predictions_are_written_beside_the_gold_spans_with_scores(learnt, gold_file, tmp_path):
    evaluate(learnt, gold_file, output=tmp_path / "found.jsonl")
    rows = read_lines(tmp_path / "found.jsonl")
    assert [{**one, "predicted": None} for one in rows] == [{**row(t, KINDS), "predicted": None} for t in TEXTS]
    assert [(s["start"], s["end"], s["entity"]) for s in rows[3]["predicted"]] == [(1, 2, "PER"), (3, 4, "LOC")]
    assert all(0.5 < span["score"] < 1 for one in rows for span in one["predicted"])
    manifest = json.loads((tmp_path / "found.jsonl.meta.json").read_text(encoding="utf-8"))
    assert manifest["step"] == "evaluate_ner"
    assert manifest["parameters"]["labels"] == ["PER", "LOC"]
    assert manifest["inputs"].keys() == {"test.jsonl"}


def test_threshold_and_nesting_are_chosen_by_flags(learnt, gold_file, caplog):
    caplog.set_level("INFO")
    assert evaluate(learnt, gold_file, threshold=0.999999)["micro"]["predicted"] == 0
    assert "missed 4" in caplog.text
    flat, nested = (evaluate(learnt, gold_file, threshold=1e-6, **how) for how in ({"flat": True}, {"nested": True}))
    assert nested["micro"]["predicted"] > flat["micro"]["predicted"] > 4


def test_gold_spans_of_unknown_labels_are_missed_with_a_warning(learnt, tmp_path, caplog):
    test = write_rows(tmp_path / "test.jsonl", [row("anna sees", {"anna": "PER", "sees": "VERB"})])
    report = evaluate(learnt, test)
    assert "the model was not trained with these labels, so their spans count as missed: VERB" in caplog.text
    assert (report["per_label"]["VERB"]["gold"], report["errors"]["missed"]) == (1, 1)


def test_a_system_compared_with_itself_does_not_differ(learnt, gold_file, tmp_path, caplog):
    caplog.set_level("INFO")
    evaluate(learnt, gold_file, output=tmp_path / "a.jsonl")
    call("evaluate", compare=[tmp_path / "a.jsonl", tmp_path / "a.jsonl"], report=tmp_path / "c.json")
    found = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    assert (found["f1_difference"], found["interval"], found["p_value"]) == (0.0, [0.0, 0.0], 1.0)
    assert "+0.00 (95 %: +0.00 to +0.00), p = 1.000" in caplog.text


def test_a_better_system_is_recognised_on_the_command_line(tmp_path):
    texts = ["the anna sees rome"] * 60
    with_predictions(tmp_path / "good.jsonl", texts, [KINDS] * 60)
    with_predictions(tmp_path / "poor.jsonl", texts, [KINDS] * 30 + [{"anna": "LOC"}] * 30)
    command = [sys.executable, str(SCRIPTS / "evaluate_ner.py"), "--compare", "poor.jsonl", "good.jsonl"]
    done = subprocess.run(
        command, cwd=tmp_path, env=clean_environment(), capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    first, second, difference = done.stderr.splitlines()
    assert first.split() == ["poor.jsonl", "P", "66.67", "R", "50.00", "F1", "57.14"]
    assert second.split() == ["good.jsonl", "P", "100.00", "R", "100.00", "F1", "100.00"]
    assert "micro-F1 of the second minus the first: +42.86" in difference
    assert "p = 0.001 (two-sided paired bootstrap, 1000 resamples of 60 sentences)" in difference


def test_labels_that_neither_system_predicts_are_not_compared(learnt, tmp_path):
    fusion = [row("anna sees rome", {**KINDS, "sees": "VERB"})] * 3
    test = write_rows(tmp_path / "test.jsonl", fusion)
    evaluate(learnt, test, output=tmp_path / "a.jsonl")
    manifest = tmp_path / "a.jsonl.meta.json"
    values = json.loads(manifest.read_text(encoding="utf-8"))
    values["parameters"]["labels"] = ["PER", "LOC"]  # as for a model that knows VERB as an extension
    manifest.write_text(json.dumps(values), encoding="utf-8")
    call("evaluate", compare=[tmp_path / "a.jsonl", tmp_path / "a.jsonl"], report=tmp_path / "c.json")
    found = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    assert found["first"]["micro"]["gold"] == 6
    assert found["first"]["micro"]["f1"] == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:-1], r"a\.jsonl has 2 sentences and .*b\.jsonl 1: compare predictions on one test file"),
        (lambda rows: [rows[0], {**rows[1], "text": ["x"]}], r"sentence 2 of .* differ in text or gold spans"),
        (lambda rows: [{**rows[0], "entities": []}, rows[1]], r"sentence 1 of .* differ in text or gold spans"),
        (lambda rows: [rows[0], {"text": ["anna"], "entities": []}], r'b\.jsonl: sentence 2 has no "predicted": give'),
        (
            lambda rows: [{**rows[0], "predicted": [{"start": 0, "end": 9, "entity": "X"}]}, rows[1]],
            r'sentence 1, "predicted": entity 1 ends at 9, but the sentence has 4 tokens',
        ),
    ],
)
def test_files_that_cannot_be_compared_are_reported_with_the_sentence(tmp_path, change, message):
    first = with_predictions(tmp_path / "a.jsonl", ["the anna sees rome", "anna"], [KINDS, {}])
    second = write_rows(tmp_path / "b.jsonl", change(read_lines(first)))
    with pytest.raises(ValueError, match=message):
        call("evaluate", compare=[first, second])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "give --model_from_pretrained and --test, or --compare with two files that --output wrote"),
        ({"test": "x"}, "give --model_from_pretrained"),
        ({"compare": ["x"]}, "expected 2 arguments"),
        ({"threshold": 1}, "must be between 0 and 1"),
        ({"nested": True, "flat": True}, "not allowed with argument"),
    ],
)
def test_conflicting_flags_are_reported_in_one_line(values, message):
    with pytest.raises(ValueError, match=message):
        call("evaluate", **values)


def test_missing_files_are_reported_with_the_command_that_writes_them(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"a\.jsonl is missing: evaluate_ner\.py --output="):
        call("evaluate", compare=[tmp_path / "a.jsonl", tmp_path / "a.jsonl"])


def test_predictions_never_replace_the_gold_file_or_another_step_s_result(learnt, gold_file, tmp_path):
    with pytest.raises(ValueError, match="is the test file itself: use another name"):
        evaluate(learnt, gold_file, output=gold_file)
    other = write_rows(tmp_path / "train_250.jsonl", [])
    manifest = Manifest("s4", {}, {}, "fingerprint", {})
    write_manifest(other, manifest)
    with pytest.raises(ValueError, match=r"train_250\.jsonl was made by s4"):
        evaluate(learnt, gold_file, output=other)
