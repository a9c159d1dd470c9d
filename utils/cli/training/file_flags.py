"""The flags of train_ner.py that name its files, and the training that all of its flags describe."""

from __future__ import annotations

import logging
from argparse import Namespace
from typing import get_args

from utils.cli.data_flags import add_dense_flag, add_location_flags, add_size_flag, layout_of
from utils.cli.exits import UsageError
from utils.cli.parser import Parser
from utils.cli.training.learning_flags import train_settings
from utils.cli.values import new_path, path, path_or_hub_id
from utils.dataset.layout import TrainingData, require_files
from utils.files.manifest import warn_if_stale
from utils.ner.training.runs import TrainingConfig, TrainingFiles

log = logging.getLogger(__name__)

MADE_BY = {
    "base": "run s4",
    "fusion": "run s5 with --is_syn=0",
    "syn_fusion": "run s5 with --is_syn=1, s6, s7 and s8",
}


def add_file_flags(parser: Parser) -> None:
    """Add the flags that name the encoder, the training data and the folder of the trained model."""
    parser.add_argument(
        "--from_pretrained", type=path_or_hub_id, required=True, help="base encoder: a checkpoint folder or a Hub id"
    )
    data = parser.add_argument_group("data of the pipeline")
    add_location_flags(data, required=False)
    add_size_flag(data)
    data.add_argument(
        "--data",
        choices=get_args(TrainingData),
        default="fusion",
        help="training data: base (target labels), fusion (plus extension labels) or syn_fusion (plus synthetic "
        "sentences)",
    )
    add_dense_flag(data)
    files = parser.add_argument_group("your own files, instead of the pipeline's")
    files.add_argument("--train", type=path, help="training sentences, JSON Lines")
    files.add_argument("--dev", type=path, help="dev sentences, which choose the best model, JSON Lines")
    files.add_argument("--test", type=path, help="test sentences, to evaluate the best model, JSON Lines")
    files.add_argument("--labels", type=path, help="labels.txt, or a label_*.json file")
    files.add_argument(
        "--save_dir",
        type=new_path,
        help="folder to save the trained model in; default: "
        "save_model/<save_type_name>/<file_name>_<size>_<data>, for base without <save_type_name>",
    )
    files.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an existing model that was trained with other data or settings",
    )


def training_config(args: Namespace) -> TrainingConfig:
    """Return what is trained on which files; raise ValueError for flags that cannot be used."""
    if args.seeds and args.seed is not None:
        raise UsageError("--seed and --seeds both choose the random seed: use only one of them")
    return TrainingConfig(
        files=training_files(args),
        encoder=args.from_pretrained,
        settings=train_settings(args),
        seeds=args.seeds or (),
        tokenisation=args.dense_lang,
        gpus=args.n_gpu,
        checkpoint_gradients=args.checkpoint_gradients,
        save_minutes=args.save_minutes,
        overwrite=args.overwrite,
    )


def training_files(args: Namespace) -> TrainingFiles:
    """Return the files that the flags name: the pipeline's, or others with --train.

    Raises UsageError for flags that are missing, and FileNotFoundError for missing files of the pipeline.
    """
    if args.train:
        missing = [f"--{name}" for name in ("labels", "save_dir") if getattr(args, name) is None]
        if missing:
            raise UsageError(f"--train also needs {' and '.join(missing)}")
        if args.file_name:
            log.info("--train is given: the files of --file_name=%s are not used", args.file_name)
        return TrainingFiles(args.train, args.dev, args.test, args.labels, args.save_dir)
    if not args.file_name:
        raise UsageError("give --file_name, or --train together with --labels and --save_dir")
    layout = layout_of(args)
    train, labels = layout.training_files(args.size, args.data)
    labels = args.labels or labels
    require_files({"train": train, "labels": labels}, MADE_BY[args.data], at_least=2)
    warn_if_stale(train, layout.find)
    return TrainingFiles(
        train=train,
        dev=args.dev or (layout.dev if layout.dev.is_file() else None),
        test=args.test or (layout.test if layout.test.is_file() else None),
        labels=labels,
        save_dir=args.save_dir or layout.model_folder(args.size, args.data),
        old_save_dir=None if args.save_dir else layout.old_model_folder(args.size, args.data),
    )
