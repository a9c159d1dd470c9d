"""The work of train_ner.py: train with one or several seeds, and evaluate each model on the test file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from utils.dataset.reading import read_sentences
from utils.dataset.records import Sentence
from utils.dataset.tokens import Tokenisation
from utils.files.jsonl import read_json, write_json
from utils.files.locks import exclusive_lock
from utils.files.manifest import hash_file
from utils.files.own_files import check_folders
from utils.files.run_log import logged_run
from utils.ner.kept_models import has_training
from utils.ner.training.data import NerData, read_ner_data, warn_of_dev_in_test, warn_of_leaks
from utils.ner.training.record import (
    BEST,
    LAST,
    RECORD,
    SAVE_MINUTES,
    SEEDS,
    TEST_REPORT,
    discard_training,
    has_failed,
    is_finished,
    read_record,
    remove_state,
    training_record,
)
from utils.ner.training.seeds import check_folder, conclude, seed_folder, seed_result
from utils.ner.training.settings import TrainSettings
from utils.wording import counted

log = logging.getLogger(__name__)

EVALUATION_BATCH = 16  # sentences


@dataclass(frozen=True)
class TrainingFiles:
    """The files of a training, and the folder of the trained model."""

    train: Path
    dev: Path | None
    test: Path | None
    labels: Path
    save_dir: Path
    old_save_dir: Path | None = None  # where an older version saved the model


@dataclass(frozen=True)
class TrainingConfig:
    """The files, the encoder, the settings and the hardware of a training."""

    files: TrainingFiles
    encoder: str  # a folder or hub id
    settings: TrainSettings
    seeds: tuple[int, ...] = ()  # none: the seed of `settings` alone
    tokenisation: Tokenisation | None = None  # None: detected from the training sentences
    gpus: tuple[int, ...] = ()  # none: the CPU
    checkpoint_gradients: bool = False
    save_minutes: float = SAVE_MINUTES
    overwrite: bool = False


@dataclass(frozen=True)
class SeedTraining:
    """The training with one seed, and its folder."""

    data: NerData
    settings: TrainSettings
    record: dict[str, Any]
    folder: Path


def run_trainings(config: TrainingConfig) -> None:
    """Train with each seed and evaluate on test. Finished trainings and evaluations are skipped.

    Raises RuntimeError if the best dev F1 of a training is 0; its model is kept.
    """
    config = _continue_in_old_folder(config)
    files = config.files
    trainings = _plan(config)
    test = _read_test(files.test, trainings[0].data)
    warn_of_leaks(trainings[0].data, "dev", trainings[0].data.dev)
    warn_of_leaks(trainings[0].data, "test", test)
    warn_of_dev_in_test(trainings[0].data, test)
    folders = {files.save_dir, *(training.folder for training in trainings)}
    check_folders([*folders, *(folder / part for folder in folders for part in (BEST, LAST))], inside=files.save_dir)
    with exclusive_lock(files.save_dir / BEST), logged_run(files.save_dir / "run.log.jsonl", "train_ner"):
        if config.overwrite:
            for folder in folders:
                discard_training(folder)
        finished = [is_finished(training.folder, training.record) for training in trainings]
        if config.seeds:
            check_folder(files.save_dir, trainings[0].record)
        for training, is_done in zip(trainings, finished, strict=True):
            _train(training, config, is_done=is_done)
            if files.test:
                _evaluate_on_test(files.test, test, training, config.gpus)
        if config.seeds:
            _report_seeds(trainings, files.save_dir)
    _check_success(trainings)


def _continue_in_old_folder(config: TrainingConfig) -> TrainingConfig:
    """Return the config with the old folder, if the same training is there and nothing is in the new folder."""
    files = config.files
    if files.old_save_dir is None or config.overwrite or has_training(files.save_dir):
        return config
    old = replace(config, files=replace(files, save_dir=files.old_save_dir, old_save_dir=None))
    if not has_training(files.old_save_dir) or not any(_is_in_folder(training) for training in _plan(old)):
        return config
    log.info("%s has this training: it is used instead of %s", files.old_save_dir, files.save_dir)
    return old


def _is_in_folder(training: SeedTraining) -> bool:
    path = training.folder / BEST / RECORD
    return path.is_file() and read_record(path).get("fingerprint") == training.record["fingerprint"]


def _plan(config: TrainingConfig) -> list[SeedTraining]:
    """Return the training with each seed. Without a dev file, the seed also chooses the sentences held out as dev."""
    files = config.files
    trainings = []
    for seed in config.seeds or (config.settings.seed,):
        data = read_ner_data(files.train, files.dev, files.labels, tokenisation=config.tokenisation, seed=seed)
        settings = replace(config.settings, seed=seed)
        folder = seed_folder(files.save_dir, seed) if config.seeds else files.save_dir
        trainings.append(SeedTraining(data, settings, training_record(data, settings, config.encoder), folder))
    return trainings


def _read_test(file: Path | None, data: NerData) -> list[Sentence]:
    return read_sentences(file, labels=data.labels.targets, tokenisation=data.tokenisation) if file else []


def _train(training: SeedTraining, config: TrainingConfig, *, is_done: bool) -> None:
    if is_done:
        remove_state(training.folder)  # it still exists if the finished run was killed before removing it
        log.info("already trained with these data and settings -> %s", training.folder / BEST)
        return
    from utils.compute.devices import choose_device
    from utils.ner.training.trainer import Trainer, TrainRun

    device = choose_device(config.gpus)
    run = TrainRun(config.encoder, training.folder, device, config.checkpoint_gradients, config.save_minutes)
    Trainer(training.data, training.settings, run, training.record).train()


def _evaluate_on_test(file: Path, test: Sequence[Sentence], training: SeedTraining, gpus: tuple[int, ...]) -> None:
    """Write the best model's test report, unless it exists. It is never used to choose a model."""
    path = training.folder / TEST_REPORT
    identity = {"training": training.record["fingerprint"], "test": hash_file(file)}
    known = read_json(path) if path.is_file() else None
    if isinstance(known, dict) and identity.items() <= known.items():
        log.info("already evaluated on %s -> %s", file, path)
        return
    from utils.compute.devices import choose_device
    from utils.ner import SpanNer
    from utils.ner.scoring.evaluation import evaluate

    ner = SpanNer.from_pretrained(training.folder / BEST, device=choose_device(gpus))
    report = evaluate(ner, test, batch_size=EVALUATION_BATCH, progress=True)
    write_json(path, {**identity, **report.to_dict()})
    sentences = counted(len(test), "test sentence")
    table, f1 = report.to_text(), 100 * report.micro.f1
    log.info("scores on %s, in per cent:\n%s\nmicro-F1 %.2f on %s -> %s", file, table, f1, sentences, path)


def _check_success(trainings: Sequence[SeedTraining]) -> None:
    """Raise RuntimeError if the best model of a training finds no dev span."""
    failed = [one for one in trainings if has_failed(read_json(one.folder / BEST / RECORD))]
    if not failed:
        return
    first = failed[0]
    if not any(span.label in first.data.labels.targets for sentence in first.data.dev for span in sentence.spans):
        reason = "the dev data has no target span: give other sentences with --dev"
    else:
        reason = 'check the spans of the training data ("end" is exclusive), or train longer (--epochs, --min_steps)'
    folders = ", ".join(str(one.folder / BEST) for one in failed)
    raise RuntimeError(f"dev F1 is 0, so the training has failed; its last model is kept in {folders}; {reason}")


def _report_seeds(trainings: Sequence[SeedTraining], folder: Path) -> None:
    """Copy the model of the seed with the best dev F1 to `folder`, and write the results of all seeds."""
    results = [seed_result(training.folder, training.settings.seed) for training in trainings]
    table = conclude(results, folder)
    seeds = counted(len(results), "seed")
    log.info("%s\n%s; the best on dev -> %s, all -> %s", table, seeds, folder / BEST, folder / SEEDS)
