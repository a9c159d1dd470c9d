"""The flags of train_ner.py: what is learnt from, where the model goes, and how it learns."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from utils.cli.flags import layout_of
from utils.cli.script import (
    Parser,
    UsageError,
    auto_tokenisation,
    count,
    decimal,
    gpus,
    path,
    positive_number,
    shortest,
    whole_number,
)
from utils.dataset.layout import FEW_SHOT, SIZES, TrainingData, model_folder, require_files
from utils.files.manifest import warn_if_stale
from utils.ner.config import Architecture
from utils.ner.training.record import SAVE_MINUTES, Precision, TrainSettings

MADE_BY = {
    "base": "run s4",
    "fusion": "run s5 with --is_syn=0",
    "syn_fusion": "run s5 with --is_syn=1, s6, s7 and s8",
}


@dataclass(frozen=True)
class TrainingFiles:
    """What a training reads, and the folder that it writes to."""

    train: Path
    dev: Path | None
    test: Path | None
    labels: Path
    save_dir: Path


def add_file_flags(parser: Parser) -> None:
    """Add the flags that name the encoder and the data."""
    parser.add_argument(
        "--from_pretrained", type=encoder_source, required=True, help="base encoder: a folder or hub id"
    )
    data = parser.add_argument_group("data of the pipeline")
    data.add_argument("--file_dir", type=path, default=shortest(FEW_SHOT), help="root folder of all datasets")
    data.add_argument("--file_name", help="dataset: the name of its folder in file_dir")
    data.add_argument("--save_type_name", default="GLM4", help="folder of the results, usually the LLM's name")
    data.add_argument("--size", choices=tuple(SIZES), default="1000", help="which share of the dataset")
    data.add_argument("--data", choices=get_args(TrainingData), default="fusion", help="what to train on")
    data.add_argument(
        "--dense_lang", type=auto_tokenisation, default="auto", help="1: a token is a character, 0: a word"
    )
    files = parser.add_argument_group("other files, in the place of the pipeline's")
    for name, meaning in (("train", "training sentences"), ("dev", "sentences to choose by"), ("test", "for a report")):
        files.add_argument(f"--{name}", type=path, help=f"{meaning}, JSON Lines")
    files.add_argument("--labels", type=path, help="labels.txt, or a label_*.json")
    files.add_argument("--save_dir", type=Path, help="folder of the trained model")
    files.add_argument("--overwrite", action="store_true", help="replace another training in that folder")


def add_learning_flags(parser: Parser) -> None:
    """Add the flags that change what is learnt."""
    default = TrainSettings()
    which = parser.add_argument_group("what learns, and how often")
    which.add_argument("--model", choices=get_args(Architecture), default=default.span_model, help="architecture")
    which.add_argument("--seed", type=whole_number, default=default.seed, help="of all that is random")
    which.add_argument("--seeds", type=seeds, help="several, as 1,2,3: trains with each; reports mean and deviation")
    which.add_argument(
        "--encoder_layers",
        type=positive_number,
        help="keep only so many of the encoder's layers, the lowest; default: all. Fewer are faster, and may do "
        "better in encoders that were trained to compare whole sentences (E5, MiniLM, BGE)",
    )
    time = parser.add_argument_group("how long it learns")
    for name, number, meaning in (
        ("epochs", default.epochs, "passes over the training data, unless they are fewer steps than --min_steps"),
        ("min_steps", default.min_steps, "passes over tiny data go on for so many steps"),
        ("patience", default.patience, "so many evaluations in a row without a better dev F1 end it"),
    ):
        time.add_argument(f"--{name}", type=positive_number, default=number, help=meaning)
    how = parser.add_argument_group("how it learns")
    how.add_argument("--batch_size", type=positive_number, help="sentences; default: 4, above 1000 sentences 8")
    how.add_argument("--accumulate", type=positive_number, default=default.accumulate, help="batches that make a step")
    how.add_argument("--warmup_steps", type=count, default=default.warmup_steps, help="at most a tenth of all steps")
    for name, value, meaning in (
        ("lr", default.encoder_lr, "learning rate of the encoder's top layer"),
        ("layer_decay", default.layer_decay, "of that rate, from each layer of the encoder to the one below it"),
        ("head_lr", default.head_lr, "learning rate of all else"),
        ("weight_decay", default.weight_decay, "of all weights but biases and norms"),
        ("clip_norm", default.clip_norm, "longer gradients are cut to this length"),
        ("ema", default.ema, "decay of the moving average of the weights that is released; 0: the weights themselves"),
        ("adversarial", default.adversarial, "share by which embeddings are shifted, to learn harder ones; 0: none"),
        ("synthetic_weight", default.synthetic_weight, "of a synthetic sentence in the loss; others weigh 1"),
    ):
        how.add_argument(f"--{name}", type=decimal, default=value, help=meaning)


def add_computing_flags(parser: Parser) -> None:
    """Add the flags that say where and how a training computes."""
    group = parser.add_argument_group("computing")
    group.add_argument("--n_gpu", type=gpus, default="0", help="index of the GPU; -1 the CPU")
    group.add_argument(
        "--precision",
        choices=get_args(Precision),
        default=TrainSettings().precision,
        help="of training; auto: bf16 on a GPU that computes in it, else fp32. Evaluation, and the model, are fp32",
    )
    group.add_argument(
        "--checkpoint_gradients", action="store_true", help="compute the encoder twice, to keep less of it in memory"
    )
    group.add_argument(
        "--save_minutes", type=decimal, default=SAVE_MINUTES, help="how much work an interruption may cost at most"
    )


def settings_of(args: Namespace, seed: int) -> TrainSettings:
    """Return the hyper-parameters that the flags give."""
    return TrainSettings(
        span_model=args.model,
        seed=seed,
        encoder_layers=args.encoder_layers,
        epochs=args.epochs,
        min_steps=args.min_steps,
        batch_size=args.batch_size,
        encoder_lr=args.lr,
        head_lr=args.head_lr,
        weight_decay=args.weight_decay,
        warmup_steps=args.warmup_steps,
        clip_norm=args.clip_norm,
        patience=args.patience,
        accumulate=args.accumulate,
        synthetic_weight=args.synthetic_weight,
        precision=args.precision,
        ema=args.ema,
        layer_decay=args.layer_decay,
        adversarial=args.adversarial,
    )


def training_files(args: Namespace) -> TrainingFiles:
    """Return the files that the flags name: single ones, or those of the pipeline."""
    if args.train:
        missing = [f"--{name}" for name in ("labels", "save_dir") if getattr(args, name) is None]
        if missing:
            raise UsageError(f"--train also needs {' and '.join(missing)}")
        return TrainingFiles(args.train, args.dev, args.test, args.labels, args.save_dir)
    if not args.file_name:
        raise UsageError("give --file_name, or --train with --labels and --save_dir")
    layout = layout_of(args)
    train, labels = {
        "base": (layout.size_sentences(args.size), layout.labels),
        "fusion": (layout.size_fusion(args.size), layout.label_file("fusion", args.size)),
        "syn_fusion": (layout.size_fusion(args.size, synthetic=True), layout.label_file("syn_fusion", args.size)),
    }[args.data]
    labels = args.labels or labels
    require_files({"train": train, "labels": labels}, MADE_BY[args.data], at_least=2)
    warn_if_stale(train, layout.find)
    return TrainingFiles(
        train=train,
        dev=args.dev or (layout.dev if layout.dev.is_file() else None),
        test=args.test or (layout.test if layout.test.is_file() else None),
        labels=labels,
        save_dir=args.save_dir or model_folder(args.file_name, args.size, args.data),
    )


# --- types of values


def encoder_source(text: str) -> str:
    """Return a folder as other paths are found, or else the text: a hub id."""
    folder = path(text)
    return str(folder) if folder.is_dir() else text


def seeds(text: str) -> tuple[int, ...]:
    """Read whole numbers, as 1,2,3, each once."""
    numbers = tuple(whole_number(number) for number in text.split(","))
    if len(set(numbers)) < len(numbers):
        raise ArgumentTypeError(f"{text!r} names a seed twice")
    return numbers
