"""The table of report.py: the training data of a size, and the test scores of the models trained on it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from utils.dataset.layout import Layout, Size, TrainingData, model_folder
from utils.dataset.reading import read_sentences
from utils.dataset.tokens import WORDS
from utils.files.jsonl import read_json

HEAD = f"{'data':<12}{'sentences':>10}{'target spans':>14}{'extension spans':>17}{'test micro-F1':>15}"


def result_lines(layout: Layout, size: Size, models: Path) -> list[str]:
    """Return the table's lines: one for each kind of training data, after the headings."""
    lines = [HEAD]
    for data in get_args(TrainingData):
        model = model_folder(layout.file_name, size, data, parent=models)
        lines.append(_line(data, _training_file(layout, size, data), model))
    return lines


def _training_file(layout: Layout, size: Size, data: TrainingData) -> Path:
    if data == "base":
        return layout.size_sentences(size)
    return layout.size_fusion(size, synthetic=data == "syn_fusion")


def _line(data: TrainingData, file: Path, model: Path) -> str:
    """Return the line of one kind of data; a file that does not exist has dashes instead of numbers."""
    counts = ["-"] * 3
    if file.is_file():
        sentences = read_sentences(file, tokenisation=WORDS)
        spans = [span for sentence in sentences for span in sentence.spans]
        extensions = sum(span.origin in ("entity", "pos") for span in spans)
        counts = [str(len(sentences)), str(len(spans) - extensions), str(extensions)]
    score = _score(model) if (model / "test_report.json").is_file() else "no model"
    return f"{data:<12}{counts[0]:>10}{counts[1]:>14}{counts[2]:>17}{score:>15}"


def _score(model: Path) -> str:
    """Return a model's micro-F1 on test; after training with several seeds, their mean and standard deviation."""
    seeds, report = model / "seeds.json", model / "test_report.json"
    file = seeds if seeds.is_file() else report
    found = read_json(file)
    try:
        if file == report:
            return f"F1 {100 * float(found['micro']['f1']):.1f}"
        f1 = found["test"]["f1"]
        return f"F1 {100 * f1['mean']:.1f} ± {100 * f1['sd']:.1f}"
    except (KeyError, TypeError):
        raise ValueError(f"{file} is not a report of train_ner.py: delete it, and train again") from None
