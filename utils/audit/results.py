"""The table of report.py: the training data of a size, the test scores of the models trained on it, and a legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import get_args

from utils.audit.commands import recorded_llm
from utils.dataset.layout import SIZES, Layout, Size, TrainingData, require_folder, require_results
from utils.dataset.reading import read_sentences
from utils.dataset.scores import RATIOS
from utils.dataset.tokens import WORDS, Tokenisation
from utils.files.jsonl import read_json, read_rows
from utils.files.manifest import hash_file, read_manifest
from utils.ner.kept_models import KeptModel, find_kept_model
from utils.ner.training.record import BEST, SEEDS, TEST_REPORT
from utils.wording import agreeing, counted, listed

HEAD = f"{'data':<12}{'sentences':>10}{'target spans':>14}{'extension spans':>17}{'test micro-F1':>15}"
LEGEND = (
    "base: the sentences of the dataset; fusion: the same with extension spans; syn_fusion: these and synthetic ones",
    "extension spans: added by the LLM, used for training, never predicted",
)


@dataclass(frozen=True)
class TestScores:
    """The scores of a trained model on test; after training with several seeds, their means."""

    f1: float
    deviation: float | None  # of F1; None: one seed
    precision: float
    recall: float
    per_label: Mapping[str, float]  # F1 of the released model

    def __str__(self) -> str:
        return f"F1 {100 * self.f1:.1f}" + (f" ± {100 * self.deviation:.1f}" if self.deviation is not None else "")


def read_scores(folder: Path) -> TestScores:
    """Return the scores of the model in a folder; raise ValueError if a file is not a report of train_ner.py."""
    report = read_json(folder / TEST_REPORT)
    seeds = read_json(folder / SEEDS) if (folder / SEEDS).is_file() else None
    file, deviation = TEST_REPORT, None
    try:
        ratios = report["micro"]
        per_label = {str(label): float(row["f1"]) for label, row in report["per_label"].items()}
        if seeds is not None:
            file = SEEDS  # from here on, an error is in this file
            test = seeds["test"]
            ratios, deviation = {name: value["mean"] for name, value in test.items()}, float(test["f1"]["sd"])
        precision, recall, f1 = (float(ratios[name]) for name in RATIOS)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError(f"{folder / file} is not a report of train_ner.py: delete it, and train again") from None
    return TestScores(f1, deviation, precision, recall, per_label)


def result_lines(layout: Layout, size: Size, models: Path, *, tokenisation: Tokenisation | None = None) -> list[str]:
    """Return a title, the table's head, a line for each kind of training data, and a legend."""
    kinds = get_args(TrainingData)
    kept = [find_kept_model(layout, size, data, models=models, tokenisation=tokenisation) for data in kinds]
    if all(model.state == "missing" for model in kept):
        require_folder(layout.dataset)
        require_results(layout)
    lines = [_line(layout, size, data, model) for data, model in zip(kinds, kept, strict=True)]
    return [
        _title(layout, size),
        HEAD,
        *lines,
        *LEGEND,
        *_raw_legend(layout, size),
        *_labeller_legend(layout, size, kept[kinds.index("fusion")].folder / BEST),
        _score_legend(layout),
        *_conclusions(layout, size, kept),
    ]


def _title(layout: Layout, size: Size) -> str:
    """Return what the table is of: dataset, results, size and, if it is known, the LLM."""
    llm = recorded_llm(layout)
    return (
        f"dataset {layout.file_name}, save_type_name {layout.save_type_name}{f', LLM {llm}' if llm else ''}, "
        f"size {size} ({SIZES[size]} % of the training sentences)"
    )


def _conclusions(layout: Layout, size: Size, models: Sequence[KeptModel]) -> list[str]:
    """Return how good the LLM is as far as it was measured, and whether the scores can be compared."""
    lines = [] if (words := _llm_measure(layout.gold_agreement(size))) is None else [words]
    tested = [model.folder for model in models if (model.folder / TEST_REPORT).is_file()]
    if len(tested) > 1 and not all((folder / SEEDS).is_file() for folder in tested):
        lines.append(
            "one training each: other seeds alone change F1 by a point or more, so these differences may be noise; "
            "train with --seeds=1,2,3, or run ablate.py, which says what is noise"
        )
    return lines


def _llm_measure(file: Path) -> str | None:
    """Return what the merge has measured of the LLM: agreement with gold spans, and coverage; None if not known."""
    if not file.is_file():
        return None
    found = read_json(file)
    try:
        entities, answers = found["entity"]["all"], found.get("answers", {})
        if not entities["spans"]:
            return None
        same, chance = (100 * entities[key] / entities["spans"] for key in ("same", "same_by_chance"))
        verdict = {
            True: "better than chance",
            False: "no better than chance, so it may be too weak for this data: use base, or a larger LLM",
            None: "too few to compare with chance",
        }[entities["better_than_chance"]]
        coverage = (
            f"; its parts of speech cover {answers['pos_coverage']:.0%} of the text"
            if "pos_coverage" in answers
            else ""
        )
        entities_words = f"{same:.0f} % of its extra entities are gold spans (by chance {chance:.0f} %)"
        return f"the LLM: {entities_words}: {verdict}{coverage}"
    except (KeyError, TypeError):  # written by another version
        return None


def _raw_legend(layout: Layout, size: Size) -> list[str]:
    """Return a line about the sentences of raw text in a size, or no line if there are none."""
    file = layout.size_fusion(size, synthetic=True)
    raw = sum(row.get("raw") is True for _, row in read_rows(file)) if file.is_file() else 0
    is_ = agreeing(raw, "is", "are")
    return [f"raw text: {raw} of the synthetic sentences {is_} from s2 --raw, and belong to every size"] if raw else []


def _labeller_legend(layout: Layout, size: Size, own: Path) -> list[str]:
    """Return a line about the models that labelled the synthetic sentences, or no line if it was the size's own."""
    others = other_labellers(layout, size, own)
    return [f"syn_fusion: the synthetic sentences have their target labels from {listed(others)}"] if others else []


def other_labellers(layout: Layout, size: Size, own: Path) -> list[str]:
    """Return the folders of the models that labelled a size in s7; none if they include `own`, the size's own one."""
    manifest = read_manifest(layout.size_target(size))
    if manifest is None or layout.portable_name(own / "config.json") in manifest.inputs:
        return []
    return [str(PurePosixPath(name).parent) for name in manifest.inputs if name.endswith("/config.json")]


def _score_legend(layout: Layout) -> str:
    """Return what the scores mean."""
    test = "a test file"
    if layout.test.is_file():
        test = f"the {counted(len(read_sentences(layout.test, tokenisation=WORDS)), 'sentence')} of {layout.test.name}"
    return f"test micro-F1: of the model trained on these sentences, on {test}"


def _line(layout: Layout, size: Size, data: TrainingData, model: KeptModel) -> str:
    """Return the line of one kind of data; a file that does not exist has dashes instead of numbers."""
    file, _ = layout.training_files(size, data)
    counts = ["-"] * 3
    if file.is_file():
        sentences = read_sentences(file, tokenisation=WORDS)
        spans = [span for sentence in sentences for span in sentence.spans]
        extensions = sum(span.origin in ("entity", "pos") for span in spans)
        counts = [str(len(sentences)), str(len(spans) - extensions), str(extensions)]
    score = str(read_scores(model.folder)) if (model.folder / TEST_REPORT).is_file() else "no model"
    line = f"{data:<12}{counts[0]:>10}{counts[1]:>14}{counts[2]:>17}{score:>15}"
    return "  ".join([line, *_notes(layout, model)])


def _notes(layout: Layout, model: KeptModel) -> list[str]:
    """Return why a score may not be that of the data of today; [] if it is."""
    if model.state == "missing":
        return [model.note] if model.note else []
    notes = []
    if model.note:
        notes.append(f"{model.folder}: {model.note}" + ("; train it again" if model.state == "changed" else ""))
    report = read_json(model.folder / TEST_REPORT) if (model.folder / TEST_REPORT).is_file() else {}
    if "test" in report and layout.test.is_file() and report["test"] != hash_file(layout.test):
        notes.append(f"{model.folder}: {layout.test.name} has changed since, or is another file")
    return notes
