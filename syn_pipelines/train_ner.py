"""Train a span model (KnowFREE or CNN Nested NER); the best model is chosen on dev, never on test.

    python syn_pipelines/train_ner.py --file_name=weibo --save_type_name=GLM4 --size=250 --data=fusion \\
        --from_pretrained=/models/chinese-bert-wwm-ext/
    python syn_pipelines/train_ner.py --train FILE --dev FILE --labels FILE --save_dir DIR --from_pretrained=…

Reads   --data=base        <size>/train_<size>.jsonl                   and the dataset's labels.txt
        --data=fusion      <size>/train_<size>_fusion.jsonl            and <size>/label_fusion.json
        --data=syn_fusion  <size>/train_<size>_synthetic_fusion.jsonl  and <size>/label_syn_fusion.json
        and the dataset's dev.jsonl (without one, a tenth of the training sentences is held out) and test.jsonl
Writes  save_model/<file_name>_<size>_<data>/: best/ (the model), last/ (the newest), train_log.jsonl and, if there is
        a test file, test_report.json. With --seeds=1,2,3 all this in seed_1/, …, the model with the best dev F1 in
        best/, and mean and deviation in seeds.json. Run again, an interrupted training goes on where it stopped.
"""

import contextlib
import logging
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

with contextlib.suppress(ModuleNotFoundError):  # not needed, nor found, in a notebook started in the root
    import _repo_root  # noqa: F401

from utils.cli import training_flags
from utils.cli.parser import Parser
from utils.cli.script import start
from utils.cli.training_flags import TrainingFiles
from utils.dataset.reading import read_sentences
from utils.dataset.records import Sentence
from utils.files.jsonl import read_json, write_json
from utils.files.locks import exclusive_lock
from utils.files.manifest import hash_file
from utils.files.run_log import logged_run
from utils.ner.training.data import NerData, read_ner_data, warn_of_leaks
from utils.ner.training.record import (
    BEST,
    SEEDS,
    TEST_REPORT,
    discard_training,
    is_finished,
    remove_state,
    training_record,
)
from utils.ner.training.seeds import check_folder, conclude, seed_folder, seed_result
from utils.ner.training.settings import TrainSettings

cmd_args = True  # set to False inside a notebook
log = logging.getLogger(__name__)

EVALUATION_BATCH = 16


@dataclass(frozen=True)
class Training:
    """A training with one seed, in a folder of its own."""

    data: NerData
    settings: TrainSettings
    record: dict[str, Any]
    folder: Path


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    training_flags.add_file_flags(parser)
    training_flags.add_learning_flags(parser)
    training_flags.add_computing_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Train with each seed, unless that is done already, and report on test, unless that is."""
    files = training_flags.training_files(args)
    trainings = plan_trainings(args, files)
    first = trainings[0].data
    test = (
        read_sentences(files.test, labels=first.labels.targets, tokenisation=first.tokenisation) if files.test else []
    )
    warn_of_leaks(first, "dev", first.dev)
    warn_of_leaks(first, "test", test)
    with exclusive_lock(files.save_dir / BEST), logged_run(files.save_dir / "run.log.jsonl", "train_ner"):
        if args.overwrite:
            for folder in {files.save_dir, *(training.folder for training in trainings)}:
                discard_training(folder)
        finished = [is_finished(training.folder, training.record) for training in trainings]
        if args.seeds:
            check_folder(files.save_dir, trainings[0].record)
        for training, is_done in zip(trainings, finished, strict=True):
            train(training, is_done, args)
            if files.test:
                report_on_test(files.test, test, training, args)
        if args.seeds:
            tell_of_seeds(trainings, files.save_dir)


def plan_trainings(args: Namespace, files: TrainingFiles) -> list[Training]:
    """Return the training with each seed; it also chooses what is held out where there is no dev file."""
    trainings = []
    for seed in args.seeds or (args.seed,):
        data = read_ner_data(files.train, files.dev, files.labels, tokenisation=args.dense_lang, seed=seed)
        settings = training_flags.train_settings(args, seed)
        folder = seed_folder(files.save_dir, seed) if args.seeds else files.save_dir
        trainings.append(Training(data, settings, training_record(data, settings, args.from_pretrained), folder))
    return trainings


def train(training: Training, is_done: bool, args: Namespace) -> None:
    """Train the model, if that is not done."""
    if is_done:
        remove_state(training.folder)  # where the run that finished was killed before it did
        log.info("already trained with these data and settings -> %s", training.folder / BEST)
        return
    from utils.compute.devices import choose_device
    from utils.ner.training.trainer import Trainer, TrainRun

    device = choose_device(args.n_gpu)
    how = TrainRun(args.from_pretrained, training.folder, device, args.checkpoint_gradients, args.save_minutes)
    Trainer(training.data, training.settings, how, training.record).train()


def report_on_test(file: Path, test: list[Sentence], training: Training, args: Namespace) -> None:
    """Evaluate the best model on test, unless that report is there already. Nothing is chosen by it."""
    path = training.folder / TEST_REPORT
    identity = {"training": training.record["fingerprint"], "test": hash_file(file)}
    known = read_json(path) if path.is_file() else None
    if isinstance(known, dict) and identity.items() <= known.items():
        log.info("reported on %s already -> %s", file, path)
        return
    from utils.compute.devices import choose_device
    from utils.ner import SpanNer
    from utils.ner.scoring.evaluation import evaluate

    ner = SpanNer.from_pretrained(training.folder / BEST, device=choose_device(args.n_gpu))
    report = evaluate(ner, test, batch_size=EVALUATION_BATCH, progress=True)
    write_json(path, {**identity, **report.to_dict()})
    log.info("%s\nmicro-F1 %.2f on %d test sentences -> %s", report.to_text(), 100 * report.micro.f1, len(test), path)


def tell_of_seeds(trainings: list[Training], folder: Path) -> None:
    """Release the model of the seed with the best dev F1, and write what all seeds reached."""
    results = [seed_result(training.folder, training.settings.seed) for training in trainings]
    table = conclude(results, folder)
    log.info("%s\n%d seeds; the best on dev -> %s, all -> %s", table, len(results), folder / BEST, folder / SEEDS)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Train with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


if __name__ == "__main__":
    main()
