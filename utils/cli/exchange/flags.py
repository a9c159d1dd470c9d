"""The flags of convert.py and check.py."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from utils.cli import data_flags
from utils.cli.exchange.values import new_names, shares
from utils.cli.exits import UsageError
from utils.cli.parser import Parser
from utils.cli.values import new_path, not_empty, path, shortest, whole_number
from utils.dataset.formats.reading import Lines, ReadSettings
from utils.dataset.formats.registry import READABLE, WRITABLE
from utils.dataset.formats.spans.conventions import Ends
from utils.dataset.formats.spans.cutting import Discontinuous, Words
from utils.dataset.formats.spans.positions import OffsetUnit
from utils.dataset.layout import FEW_SHOT, Layout


def add_conversion_flags(parser: Parser) -> None:
    """Add the flags of convert.py."""
    parser.add_argument(
        "--from_format",
        "--from",
        dest="from_format",
        choices=("auto", *READABLE),
        default="auto",
        metavar="FORMAT",
        help=f"format of the input: {', '.join(READABLE)}; auto: recognised from the files",
    )
    parser.add_argument(
        "--to",
        choices=WRITABLE,
        default="project",
        metavar="FORMAT",
        help=f"format of the output: {', '.join(WRITABLE)}",
    )
    parser.add_argument("--input", type=path, required=True, help="file, or folder with files for train, dev and test")
    parser.add_argument(
        "--output",
        type=new_path,
        required=True,
        help="file, or folder; for --to=project, a folder gets all files of a dataset, with labels.txt",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
    _add_reading_flags(parser.add_argument_group("reading"))
    group = parser.add_argument_group("what is written")
    group.add_argument("--labels", type=new_names, default=None, help="new names of labels: OLD=NEW,…; OLD= drops one")
    group.add_argument(
        "--split", type=shares, default=None, help="shares of train, dev and test at random, such as 0.8,0.1,0.1"
    )
    group.add_argument("--seed", type=whole_number, default=42, help="seed of --split")
    group.add_argument("--card", action="store_true", help="also write a dataset card, README.md, with what is known")
    group.add_argument("--license", type=not_empty, default="unknown", help="licence in the card, such as cc-by-sa-4.0")


def _add_reading_flags(group: argparse._ActionsContainer) -> None:
    data_flags.add_dense_flag(group, auto="detected from the texts")
    group.add_argument(
        "--unit",
        choices=("auto", *get_args(OffsetUnit)),
        default="auto",
        help="what the offsets count; auto: found by comparing them with the text of the spans",
    )
    group.add_argument(
        "--ends",
        choices=("auto", *get_args(Ends)),
        default="auto",
        help="whether the last character or token belongs to a span; auto: found like --unit",
    )
    group.add_argument(
        "--words",
        choices=get_args(Words),
        default="auto",
        help="where text that is not dense is cut: at spaces, or also at punctuation; auto: at punctuation if it is "
        "attached to words",
    )
    group.add_argument(
        "--lines",
        choices=get_args(Lines),
        default="auto",
        help="split: each line of a text becomes a sentence; keep: a text is one sentence; auto: split for brat",
    )
    group.add_argument(
        "--discontinuous",
        choices=get_args(Discontinuous),
        default="drop",
        help="spans with gaps: drop them, or make them continuous, from their first to their last token",
    )
    group.add_argument("--token_column", type=not_empty, default=None, help="bio: number of the column; hf: its name")
    group.add_argument("--tag_column", type=not_empty, default=None, help="bio: number of the column; hf: its name")


def read_settings(args: argparse.Namespace) -> ReadSettings:
    """Return how the input is read."""
    return ReadSettings(
        tokenisation=args.dense_lang,
        unit=None if args.unit == "auto" else args.unit,
        ends=None if args.ends == "auto" else args.ends,
        discontinuous=args.discontinuous,
        words=args.words,
        lines=args.lines,
        token_column=args.token_column,
        tag_column=args.tag_column,
        names=args.labels or {},
    )


def add_check_flags(parser: Parser) -> None:
    """Add the flags of check.py."""
    parser.add_argument("folder", type=path, nargs="?", default=None, help="folder of the dataset")
    parser.add_argument("--file_dir", type=path, default=shortest(FEW_SHOT), help="folder that contains all datasets")
    parser.add_argument("--file_name", default=None, help="name of the dataset in --file_dir, instead of its folder")
    data_flags.add_dense_flag(parser)
    parser.add_argument("--json", action="store_true", help="write the report as JSON")


def checked_folder(args: argparse.Namespace) -> Path:
    """Return the folder that check.py is to check; raise UsageError unless it is named once."""
    if (args.folder is None) == (args.file_name is None):
        raise UsageError("name the dataset once, by its folder or with --file_name (--help lists the flags)")
    return args.folder if args.folder is not None else Layout(args.file_dir, args.file_name).dataset
