"""The flags that choose a trained span model, and how its scores become spans."""

from __future__ import annotations

import argparse

from utils.cli.parser import Parser
from utils.cli.run_flags import add_device_flags
from utils.cli.values import path, probability
from utils.ner.prediction.settings import PredictionSettings


def add_trained_model_flags(group: argparse._ActionsContainer, *, required: bool = True) -> None:
    """Add the flags that name a trained span model and its encoder."""
    group.add_argument(
        "--model_from_pretrained",
        type=path,
        required=required,
        help="folder of a trained span model, such as save_model/GLM4/weibo_250_fusion/best",
    )
    add_encoder_flag(group)


def add_encoder_flag(group: argparse._ActionsContainer) -> None:
    """Add the flag that names the encoder of a trained model."""
    group.add_argument(
        "--from_pretrained",
        type=path,
        help="folder of the base encoder; only needed for a checkpoint without tokenizer files",
    )


def add_labelling_flags(parser: Parser) -> None:
    """Add the flags of s7 that change its results."""
    parser.add_argument(
        "--drop_disagreeing",
        action="store_true",
        help="drop the sentences in which the model's label of an entity differs from the one that s2 asked for",
    )


def add_span_model_flags(parser: Parser, *, batch_size: int, required: bool = True) -> None:
    """Add the flags that choose a trained span model, and how its scores become spans."""
    flags = parser.add_argument_group("span model")
    add_trained_model_flags(flags, required=required)
    flags.add_argument(
        "--threshold", type=probability, help="minimum score of a span; default: the threshold in the checkpoint"
    )
    overlaps = flags.add_mutually_exclusive_group()
    overlaps.add_argument(
        "--flat",
        dest="nested",
        action="store_const",
        const=False,
        help="of overlapping spans, keep only the one with the highest score",
    )
    overlaps.add_argument(
        "--nested",
        dest="nested",
        action="store_const",
        const=True,
        help="also keep spans inside other spans; default: only if the training data has nested spans",
    )
    flags.add_argument(
        "--multi_label", action="store_true", help="give a span every label above the threshold, not only the best one"
    )
    add_device_flags(parser, batch_size=batch_size)


def prediction_settings(args: argparse.Namespace) -> PredictionSettings:
    """Return which model predicts, and how."""
    return PredictionSettings(
        model=args.model_from_pretrained,
        encoder=args.from_pretrained,
        gpus=args.n_gpu,
        batch_size=args.batch_size,
        threshold=args.threshold,
        nested=args.nested,
        multi_label=args.multi_label,
    )
