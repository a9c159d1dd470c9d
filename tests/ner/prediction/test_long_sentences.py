"""A sentence of 2,000 characters with an entity at its end, one of one token and an empty one, in all scripts."""

from __future__ import annotations

import pytest

from tests.helpers.builders import call, read_lines, write_rows
from utils.files.jsonl import read_json
from utils.ner import SpanNer
from utils.ner.config import NerConfig
from utils.ner.training import settings as training_settings
from utils.ner.training import trainer

TEXTS = ["在北" * 998 + "在在邓超", "邓", "", "北邓超"]
SPANS = [[(1998, 2000, "PER")], [], [], [(1, 3, "PER")]]


@pytest.fixture(scope="module")
def trained(encoder_folder, tmp_path_factory):
    """The folder of a training on these sentences, all in one batch, and the file of the sentences."""
    folder = tmp_path_factory.mktemp("long")
    rows = [
        {"text": list(text), "entities": [{"start": start, "end": end, "entity": label} for start, end, label in spans]}
        for text, spans in zip(TEXTS, SPANS, strict=True)
    ]
    file = write_rows(folder / "sentences.jsonl", rows)
    (folder / "labels.txt").write_text("O\nPER\n", encoding="utf-8")
    files = {**dict.fromkeys(("train", "dev", "test"), file), "labels": folder / "labels.txt", "save_dir": folder}
    how = {"lr": 0.001, "head_lr": 0.005, "epochs": 1, "min_steps": 24, "batch_size": 8, "n_gpu": -1, "ema": 0}
    how |= {"adversarial": 0, "layer_decay": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_settings, "STEPS_BETWEEN_EVALUATIONS", 1)
        patch.setattr(trainer, "NerConfig", NerConfig)  # small layers learn nothing in so few steps
        call("train", **files, from_pretrained=encoder_folder, **how)
    return folder, file


def places(spans):
    return [(span["start"], span["end"], span["entity"]) for span in spans]


def test_train_ner_learns_and_scores_long_sentences_to_the_end(trained):
    folder, _ = trained
    record = read_json(folder / "best" / "training.json")
    assert record["dev"]["micro"]["f1"] == 1.0
    report = read_json(folder / "test_report.json")["micro"]
    assert (report["f1"], report["gold"], report["predicted"]) == (1.0, 2, 2)


def test_evaluate_ner_finds_all_spans_in_one_batch(trained, tmp_path):
    folder, file = trained
    report = {"output": tmp_path / "found.jsonl", "report": tmp_path / "report.json"}
    call("evaluate", model_from_pretrained=folder / "best", test=file, batch_size=8, n_gpu=-1, **report)
    assert read_json(tmp_path / "report.json")["micro"]["f1"] == 1.0
    assert [places(row["predicted"]) for row in read_lines(tmp_path / "found.jsonl")] == SPANS


def test_predict_ner_and_python_find_all_spans_in_one_batch(trained, tmp_path):
    folder, _ = trained
    (tmp_path / "in.txt").write_text("\n".join([*TEXTS, ""]), encoding="utf-8")
    files = {"input": tmp_path / "in.txt", "output": tmp_path / "out.jsonl"}
    call("predict", model_from_pretrained=folder / "best", batch_size=8, n_gpu=-1, **files)
    assert [places(row["entities"]) for row in read_lines(tmp_path / "out.jsonl")] == SPANS
    found = SpanNer.from_pretrained(folder / "best", device="cpu").predict(TEXTS, batch_size=8)
    assert [[span.key for span in spans] for spans in found] == SPANS
