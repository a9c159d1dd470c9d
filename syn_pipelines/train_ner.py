"""Train a span model (KnowFREE or CNN Nested NER); the best model is chosen on dev, never on test.

    python syn_pipelines/train_ner.py --file_name=weibo --save_type_name=GLM4 --size=250 --data=fusion \\
        --from_pretrained=/models/chinese-bert-wwm-ext/
    python syn_pipelines/train_ner.py --train FILE --dev FILE --labels FILE --save_dir DIR --from_pretrained=…

Reads   --data=base        <size>/train_<size>.jsonl                   and the dataset's labels.txt
        --data=fusion      <size>/train_<size>_fusion.jsonl            and <size>/label_fusion.json
        --data=syn_fusion  <size>/train_<size>_synthetic_fusion.jsonl  and <size>/label_syn_fusion.json
        and the dataset's dev.jsonl (without one, a tenth of the training sentences is held out) and test.jsonl
Writes  save_model/<file_name>_<size>_<data>/: best/ (the model), train_log.jsonl and, if there is a test file,
        test_report.json. Run again, an interrupted training goes on after its last saved epoch.
"""

import contextlib
import logging
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

with contextlib.suppress(ModuleNotFoundError):  # not needed, nor found, in a notebook started in the root
    import _repo_root  # noqa: F401

from utils import cli, flags
from utils.dataset import read_sentences
from utils.jsonl import read_json, write_json
from utils.layout import FEW_SHOT, SIZES, TrainingData, model_folder, needed
from utils.manifest import file_hash, tell_of_stale
from utils.ner.config import Architecture
from utils.ner.training_data import NerData, read_ner_data, warn_of_leaks
from utils.ner.training_record import (
    BEST,
    SAVE_MINUTES,
    TEST_REPORT,
    Precision,
    TrainSettings,
    discard_training,
    is_finished,
    remove_state,
    training_record,
)
from utils.records import Sentence
from utils.runlog import logged_run

cmd_args = True  # set to False inside a notebook
log = logging.getLogger(__name__)

EVALUATION_BATCH = 16
MADE_BY = {
    "base": "run s4",
    "fusion": "run s5 with --is_syn=0",
    "syn_fusion": "run s5 with --is_syn=1, s6, s7 and s8",
}


@dataclass(frozen=True)
class Files:
    """What a training reads, and the folder that it writes to."""

    train: Path
    dev: Path | None
    test: Path | None
    labels: Path
    save_dir: Path


def build_parser() -> cli.Parser:
    """Return the script's flags."""
    defaults = TrainSettings()
    parser = cli.Parser(__doc__ or "")
    parser.add_argument(
        "--from_pretrained", type=encoder_source, required=True, help="base encoder: a folder or hub id"
    )
    data = parser.add_argument_group("data of the pipeline")
    data.add_argument("--file_dir", type=cli.path, default=FEW_SHOT, help="root folder of all datasets")
    data.add_argument("--file_name", help="dataset: the name of its folder in file_dir")
    data.add_argument("--save_type_name", default="GLM4", help="folder of the results, usually the LLM's name")
    data.add_argument("--size", choices=tuple(SIZES), default="1000", help="which share of the dataset")
    data.add_argument("--data", choices=get_args(TrainingData), default="fusion", help="what to train on")
    data.add_argument("--dense_lang", type=cli.auto_switch, default="auto", help="1: a token is a character, 0: a word")
    files = parser.add_argument_group("other files, in the place of the pipeline's")
    for name, meaning in (("train", "training sentences"), ("dev", "sentences to choose by"), ("test", "for a report")):
        files.add_argument(f"--{name}", type=cli.path, help=f"{meaning}, JSON Lines")
    files.add_argument("--labels", type=cli.path, help="labels.txt, or a label_*.json")
    files.add_argument("--save_dir", type=Path, help="folder of the trained model")
    how = parser.add_argument_group("training")
    how.add_argument("--model", choices=get_args(Architecture), default=defaults.span_model, help="architecture")
    how.add_argument("--n_gpu", type=cli.gpus, default="0", help="index of the GPU; -1 the CPU")
    how.add_argument("--seed", type=cli.whole_number, default=defaults.seed, help="of all that is random")
    how.add_argument("--epochs", type=cli.positive_number, default=defaults.epochs, help="so many, or min_steps")
    how.add_argument("--min_steps", type=cli.positive_number, default=defaults.min_steps, help="on a tiny dataset")
    how.add_argument("--batch_size", type=cli.positive_number, help="default: 4, above 1000 sentences 8")
    how.add_argument("--accumulate", type=cli.positive_number, default=defaults.accumulate, help="batches a step")
    how.add_argument("--lr", type=cli.decimal, default=defaults.encoder_lr, help="learning rate of the encoder")
    how.add_argument("--head_lr", type=cli.decimal, default=defaults.head_lr, help="learning rate of all else")
    how.add_argument(
        "--patience", type=cli.positive_number, default=defaults.patience, help="evaluations without a better dev F1"
    )
    how.add_argument(
        "--ema", type=cli.decimal, default=defaults.ema, help="decay of the moving average of the weights; 0: none"
    )
    how.add_argument(
        "--precision",
        choices=get_args(Precision),
        default=defaults.precision,
        help="of training; auto: bf16 on a GPU that computes in it, else fp32",
    )
    how.add_argument(
        "--checkpoint_gradients", action="store_true", help="compute the encoder twice instead of keeping its layers"
    )
    how.add_argument(
        "--save_minutes", type=cli.decimal, default=SAVE_MINUTES, help="how much work an interruption may cost"
    )
    how.add_argument("--overwrite", action="store_true", help="replace another training in the folder")
    return parser


def encoder_source(text: str) -> str:
    """Return a folder as other paths are found, or else the text: a hub id."""
    folder = cli.path(text)
    return str(folder) if folder.is_dir() else text


def run(args: Namespace) -> None:
    """Train, unless that is done already, and report on test, unless that is."""
    files = find_files(args)
    data = read_ner_data(files.train, files.dev, files.labels, dense=args.dense_lang, seed=args.seed)
    test = read_sentences(files.test, labels=data.labels.targets, dense=data.dense) if files.test else []
    warn_of_leaks(data, "dev", data.dev)
    warn_of_leaks(data, "test", test)
    settings = settings_of(args)
    record = training_record(data, settings, args.from_pretrained)
    if args.overwrite:
        discard_training(files.save_dir)
    finished = is_finished(files.save_dir, record)
    with logged_run(files.save_dir / "run.log.jsonl", "train_ner"):
        if finished:
            remove_state(files.save_dir)  # where the run that finished was killed before it did
            log.info("already trained with these data and settings -> %s", files.save_dir / BEST)
        else:
            train(data, settings, record, files.save_dir, args)
        if files.test:
            report_on_test(files.test, test, record["fingerprint"], files.save_dir, args)


def find_files(args: Namespace) -> Files:
    """Return the files that the flags name: single ones, or those of the pipeline."""
    if args.train:
        missing = [f"--{name}" for name in ("labels", "save_dir") if getattr(args, name) is None]
        if missing:
            raise cli.UsageError(f"--train also needs {' and '.join(missing)}")
        return Files(args.train, args.dev, args.test, args.labels, args.save_dir)
    if not args.file_name:
        raise cli.UsageError("give --file_name, or --train with --labels and --save_dir")
    layout = flags.layout_of(args)
    train, labels = {
        "base": (layout.size_sentences(args.size), layout.labels),
        "fusion": (layout.size_fusion(args.size), layout.label_file("fusion", args.size)),
        "syn_fusion": (layout.size_fusion(args.size, synthetic=True), layout.label_file("syn_fusion", args.size)),
    }[args.data]
    labels = args.labels or labels
    needed({"train": train, "labels": labels}, MADE_BY[args.data], at_least=2)
    tell_of_stale(train, layout.find)
    return Files(
        train=train,
        dev=args.dev or (layout.dev if layout.dev.is_file() else None),
        test=args.test or (layout.test if layout.test.is_file() else None),
        labels=labels,
        save_dir=args.save_dir or model_folder(args.file_name, args.size, args.data),
    )


def settings_of(args: Namespace) -> TrainSettings:
    """Return the hyper-parameters that the flags give."""
    return TrainSettings(
        span_model=args.model,
        seed=args.seed,
        epochs=args.epochs,
        min_steps=args.min_steps,
        batch_size=args.batch_size,
        encoder_lr=args.lr,
        head_lr=args.head_lr,
        patience=args.patience,
        accumulate=args.accumulate,
        precision=args.precision,
        ema=args.ema,
    )


def train(data: NerData, settings: TrainSettings, record: dict[str, Any], folder: Path, args: Namespace) -> None:
    """Train the model."""
    from utils.devices import choose_device
    from utils.ner.trainer import Trainer, TrainRun

    device = choose_device(args.n_gpu)
    run = TrainRun(args.from_pretrained, folder, device, args.checkpoint_gradients, args.save_minutes)
    Trainer(data, settings, run, record).train()


def report_on_test(file: Path, test: list[Sentence], training: str, folder: Path, args: Namespace) -> None:
    """Evaluate the best model on test, unless that report is there already. Nothing is chosen by it."""
    path = folder / TEST_REPORT
    identity = {"training": training, "test": file_hash(file)}
    known = read_json(path) if path.is_file() else None
    if isinstance(known, dict) and identity.items() <= known.items():
        log.info("reported on %s already -> %s", file, path)
        return
    from utils.devices import choose_device
    from utils.ner import SpanNer
    from utils.ner.evaluation import evaluate

    ner = SpanNer.from_pretrained(folder / BEST, device=choose_device(args.n_gpu))
    report = evaluate(ner, test, batch_size=EVALUATION_BATCH, progress=True)
    write_json(path, {**identity, **report.to_dict()})
    log.info("%s\nmicro-F1 %.2f on %d test sentences -> %s", report.to_text(), 100 * report.micro.f1, len(test), path)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Train with the command line's flags or, with `cmd_args=False`, with `values`."""
    cli.start(build_parser(), run, cmd_args=cmd_args, values=values)


if __name__ == "__main__":
    main()
