"""All checks of a dataset's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils.dataset.checkup.copies import check_copies
from utils.dataset.checkup.findings import Finding, by_level
from utils.dataset.checkup.lines import SplitLines, read_lines
from utils.dataset.checkup.spans import check_labels, check_mentions, check_sizes, check_spans, label_counts
from utils.dataset.checkup.summary import Summary
from utils.dataset.checkup.texts import check_scripts, check_texts
from utils.dataset.formats.collection import LABELS, PROJECT_FILES
from utils.dataset.formats.detection import detect_format
from utils.dataset.reading import read_labels, tokenisation_of_file
from utils.dataset.tokens import WORDS, Tokenisation, tokenisation_of
from utils.files.compressed import find_input
from utils.wording import counted

FEW = 20  # sentences of a file: fewer say little about a model


@dataclass(frozen=True)
class Checkup:
    """The numbers of a dataset, and what was found in it, the errors first."""

    folder: Path
    tokenisation: Tokenisation
    summary: Summary
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        """The number of findings for which a step refuses the dataset, or reads it wrongly."""
        return sum(finding.level == "error" for finding in self.findings)

    def __str__(self) -> str:
        warnings = sum(finding.level == "warning" for finding in self.findings)
        fit = f"not fit for use: {counted(self.errors, 'error')}" if self.errors else "fit for use"
        return f"{fit}, {counted(warnings, 'warning')}"

    def lines(self) -> list[str]:
        """Return the report for the screen."""
        token = "a character" if self.tokenisation.is_dense else "a word"
        found = [str(finding) for finding in self.findings] or ["nothing found"]
        return [f"{self.folder}: a token is {token}", *self.summary.lines(), "", *found]

    def to_json(self) -> dict[str, Any]:
        """Return the report as --json shows it."""
        findings = [finding.to_json() for finding in self.findings]
        return {
            "fit": not self.errors,
            "dense": self.tokenisation.is_dense,
            **self.summary.to_json(),
            "findings": findings,
        }


def check_dataset(folder: Path, tokenisation: Tokenisation | None = None) -> Checkup:
    """Return the report about a dataset's folder; raise FileNotFoundError if it has no training file."""
    found = {name: find_input(folder / file) for name, file in PROJECT_FILES.items()}
    files = {name: file for name, file in found.items() if file.is_file()}
    if "train" not in files:
        raise FileNotFoundError(_without_train(folder))
    made = tokenisation or _tokenisation(files["train"])
    splits: dict[str, SplitLines] = {name: read_lines(path, made) for name, path in files.items()}
    listed, findings = _listed_labels(folder / LABELS)
    counts = label_counts(splits)
    findings += [finding for split in splits.values() for finding in split.findings]
    findings += check_labels(counts, listed, folder / LABELS)
    findings += [finding for split in splits.values() for finding in check_spans(split, made)]
    findings += check_copies(splits)
    findings += check_mentions(splits, made)
    findings += check_sizes(splits["train"], counts["train"])
    findings += [finding for split in splits.values() for finding in check_texts(split, made)]
    findings += check_scripts(splits.values())
    findings += _check_files(splits)
    summary = Summary.of(splits, listed or (), made)
    return Checkup(folder, made, summary, tuple(by_level(findings)))


def _tokenisation(train: Path) -> Tokenisation:
    """Return the tokenisation of a file, of which some lines may not be readable."""
    try:
        return tokenisation_of_file(train)
    except ValueError:  # of a line that is no JSON object
        return tokenisation_of(sentence.tokens for sentence in read_lines(train, WORDS).sentences)


def _listed_labels(path: Path) -> tuple[list[str] | None, list[Finding]]:
    """Return the labels of labels.txt without "O", and what is wrong with the file; None if it cannot be read."""
    try:
        return read_labels(path)[1:], []
    except (ValueError, FileNotFoundError) as error:
        return None, [Finding("error", "labels file", str(error))]


def _check_files(splits: Mapping[str, SplitLines]) -> list[Finding]:
    """Return the files that are missing or have few sentences."""
    findings = []
    for name, file in PROJECT_FILES.items():
        if name not in splits:
            findings.append(Finding("note", "missing file", f"{file} is missing: training and evaluation need it"))
        elif not splits[name].sentences:
            findings.append(Finding("error", "empty file", f"{file} has no sentence that can be read"))
        elif len(splits[name].sentences) < FEW:
            number = counted(len(splits[name].sentences), "sentence")
            findings.append(Finding("warning", "few sentences", f"{file} has only {number}"))
    return findings


def _without_train(folder: Path) -> str:
    """Return the reason why a folder is no dataset, and what to do."""
    train = folder / PROJECT_FILES["train"]
    if not folder.is_dir():
        return f"{folder} is missing: name the folder of a dataset"
    if (other := find_input(folder / "train.jsonl")).is_file():
        return f"{train} is missing: rename {other.name}, or run convert.py --input={folder} --output=DATASET"
    try:
        name, _ = detect_format(folder)
    except (ValueError, OSError):
        return f"{train} is missing: it must contain the annotated sentences of the dataset"
    return f"{train} is missing; the files look like {name}: run convert.py --input={folder} --output=DATASET"
