"""One cell of an ablation: the training of a variant with one size and one seed, and its scores."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from utils.ablation.jobs import LOG_FILE, logged_to
from utils.ablation.training_sets import COUNTS, Teacher, TrainingSet
from utils.dataset.layout import Size
from utils.dataset.reading import read_sentences
from utils.dataset.scores import RATIOS, Scores
from utils.dataset.tokens import Tokenisation
from utils.files.jsonl import read_json, read_rows, write_json
from utils.files.manifest import fingerprint, hash_file
from utils.files.own_files import check_folders_above
from utils.ner.training.data import read_ner_data
from utils.ner.training.record import BEST, LAST, LOG, RECORD, has_failed, is_finished, training_record
from utils.ner.training.runs import TrainingConfig, TrainingFiles, run_trainings
from utils.ner.training.settings import TrainSettings

RESULT = "cell.json"
EVALUATION_BATCH = 16  # sentences


@dataclass(frozen=True)
class Experiment:
    """What all cells of an ablation share."""

    root: Path  # the folder of the ablation
    dev: Path
    test: Path
    tokenisation: Tokenisation
    encoder: str
    checkpoint_gradients: bool = False
    save_minutes: float = 10.0


@dataclass(frozen=True)
class Cell:
    """A variant, a size and a seed, and the settings of the training."""

    variant: str
    size: Size
    settings: TrainSettings  # with the seed
    keeps_model: bool = False  # after the training, because it may label sentences of other variants
    needs_model: bool = False  # train again if the result is there, but not the model

    @property
    def seed(self) -> int:
        return self.settings.seed


@dataclass(frozen=True)
class CellResult:
    """The scores of a cell, and what it was trained on."""

    variant: str
    size: Size
    seed: int
    fingerprint: str  # of the training and of the test file
    dev: dict[str, float]  # micro precision, recall and F1
    test: dict[str, float]
    test_counts: list[list[int]]  # for each sentence: correct, predicted and gold spans
    threshold: float  # chosen on dev, like the epoch
    best_epoch: int
    seconds: float  # of the training
    data: dict[str, int]  # numbers of sentences and spans
    answers: list[str]  # files of s1, s2 and s3 that the data were made from
    settings: dict[str, Any]
    folder: str  # below the folder of the ablation

    def teacher(self, root: Path) -> Teacher:
        """Return the trained model, for other variants."""
        return Teacher(root / self.folder / BEST, self.fingerprint)


def run_cell(cell: Cell, experiment: Experiment, data: TrainingSet, *, gpus: tuple[int, ...] = ()) -> CellResult:
    """Train a cell and evaluate it on test; if it is finished, return its result.

    The model is chosen on dev. An interrupted training resumes.
    """
    loaded = read_ner_data(
        data.train, experiment.dev, data.labels, tokenisation=experiment.tokenisation, seed=cell.seed
    )
    record = training_record(loaded, cell.settings, experiment.encoder)
    key = fingerprint(record["fingerprint"], hash_file(experiment.test))
    name = f"{cell.variant}/{cell.size}/seed_{cell.seed}-{key[:12]}"
    folder = experiment.root / name
    for part in (BEST, LAST):
        check_folders_above(folder / part, inside=experiment.root)
    result, model = folder / RESULT, folder / BEST / "config.json"
    if not result.is_file() or (cell.needs_model and not model.is_file()):
        with logged_to(folder / LOG_FILE):
            _train(folder, record, cell, experiment, data, gpus)
            test_counts = _test_counts(folder / BEST, experiment, gpus)
        found = _result(cell, key, data, folder, test_counts)
        write_json(result, asdict(replace(found, folder=name)))
    shutil.rmtree(folder / LAST, ignore_errors=True)
    if not cell.keeps_model:
        discard_model(folder)
    return read_result(result, name, key)


def read_result(path: Path, name: str, key: str) -> CellResult:
    """Return the result of a cell; raise ValueError if the file is not the result of this training.

    A result names its folder, in which models are removed, so it must be the folder that it is in.
    """
    row = read_json(path)
    try:
        result = _checked(CellResult(**row))
    except (AttributeError, KeyError, TypeError, ValueError):
        result = None
    if result is None or (result.folder, result.fingerprint) != (name, key):
        raise ValueError(f"{path} is not the result of this training: delete it, and run the same command again")
    return result


def _checked(result: CellResult) -> CellResult | None:
    """Return a result, or None if it has values that cannot be used; some of these raise an error."""
    shares = [result.threshold, *(scores[name] for scores in (result.dev, result.test) for name in RATIOS)]
    counts = [result.best_epoch, *(result.data[name] for name in COUNTS)]
    for correct, predicted, gold in result.test_counts:
        counts += [correct, predicted, gold]
    is_valid = (
        all(0 <= share <= 1 for share in shares)
        and all(type(count) is int and count >= 0 for count in counts)
        and 0 <= result.seconds < float("inf")
        and all(isinstance(text, str) for text in (result.variant, result.size, *result.answers))
        and type(result.seed) is int
    )
    return result if is_valid else None


def discard_model(folder: Path) -> None:
    """Remove the model of a finished cell; its result stays."""
    shutil.rmtree(folder / BEST, ignore_errors=True)


def _train(
    folder: Path,
    record: dict[str, Any],
    cell: Cell,
    experiment: Experiment,
    data: TrainingSet,
    gpus: tuple[int, ...],
) -> None:
    """Train the model; one that finds no dev span is a result, too."""
    config = TrainingConfig(
        files=TrainingFiles(data.train, experiment.dev, None, data.labels, folder),
        encoder=experiment.encoder,
        settings=cell.settings,
        tokenisation=experiment.tokenisation,
        gpus=gpus,
        checkpoint_gradients=experiment.checkpoint_gradients,
        save_minutes=experiment.save_minutes,
    )
    try:
        run_trainings(config)
    except RuntimeError:
        if not (is_finished(folder, record) and has_failed(read_json(folder / BEST / RECORD))):
            raise


def _test_counts(model: Path, experiment: Experiment, gpus: tuple[int, ...]) -> list[list[int]]:
    """Return the numbers of correct, predicted and gold spans of each test sentence."""
    from utils.compute.devices import choose_device
    from utils.ner import SpanNer
    from utils.ner.scoring.bootstrap import sentence_counts
    from utils.ner.scoring.evaluation import scored_labels

    ner = SpanNer.from_pretrained(model, device=choose_device(gpus))
    sentences = read_sentences(experiment.test, tokenisation=experiment.tokenisation)
    predicted = ner.predict([sentence.tokens for sentence in sentences], EVALUATION_BATCH)
    gold, labels = [sentence.spans for sentence in sentences], scored_labels(ner, sentences)
    return sentence_counts(gold, predicted, labels).tolist()


def _result(cell: Cell, key: str, data: TrainingSet, folder: Path, test_counts: list[list[int]]) -> CellResult:
    record = read_json(folder / BEST / RECORD)
    return CellResult(
        variant=cell.variant,
        size=cell.size,
        seed=cell.seed,
        fingerprint=key,
        dev={name: record["dev"]["micro"][name] for name in RATIOS},
        test=Scores(*map(sum, zip(*test_counts, strict=True))).rounded(),
        test_counts=test_counts,
        threshold=read_json(folder / BEST / "config.json")["span_threshold"],
        best_epoch=record["best_epoch"],
        seconds=round(sum(row["seconds"] for _, row in read_rows(folder / LOG)), 1),
        data={name: getattr(data, name) for name in COUNTS},
        answers=list(data.answers),
        settings=asdict(cell.settings),
        folder="",
    )
