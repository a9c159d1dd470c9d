"""The flags that name a dataset, its results and its trained models."""

from __future__ import annotations

import argparse
import shlex

from utils.cli.parser import Parser
from utils.cli.values import auto_tokenisation, path, shortest
from utils.dataset.layout import FEW_SHOT, SAVE_MODEL, SIZES, Layout, require_folder


def add_dataset_flags(parser: Parser) -> None:
    """Add the flags that name a dataset and its results, and say what a token is."""
    flags = parser.add_argument_group("data")
    add_location_flags(flags)
    add_dense_flag(flags)


def add_location_flags(group: argparse._ActionsContainer, *, required: bool = True) -> None:
    """Add the flags of a dataset's folder and of the folder of its results."""
    group.add_argument("--file_dir", type=path, default=shortest(FEW_SHOT), help="folder that contains all datasets")
    group.add_argument("--file_name", required=required, help="name of the dataset, and of its folder in --file_dir")
    group.add_argument(
        "--save_type_name", default="GLM4", help="name of the subfolder for the results, usually the LLM's name"
    )


def add_dense_flag(group: argparse._ActionsContainer, *, auto: str = "detected from the dataset") -> None:
    """Add the flag that says what a token is; `auto` says what --dense_lang=auto does."""
    group.add_argument(
        "--dense_lang",
        type=auto_tokenisation,
        default="auto",
        help=f"1: a token is a character (as for Chinese and Japanese), 0: a token is a word; auto: {auto}",
    )


def add_size_flag(group: argparse._ActionsContainer) -> None:
    """Add the flag that chooses a size."""
    group.add_argument(
        "--size", choices=tuple(SIZES), default="1000", help="size: 25 %%, 50 %% or 100 %% of the training sentences"
    )


def add_models_flag(parser: Parser) -> None:
    """Add the flag that names the folder of the trained span models."""
    parser.add_argument("--models", type=path, default=shortest(SAVE_MODEL), help="folder of the trained span models")


def layout_of(args: argparse.Namespace) -> Layout:
    """Return the paths of the dataset that the flags name; raise FileNotFoundError if its folder is missing."""
    layout = unchecked_layout(args)
    require_folder(layout.dataset)
    return layout


def unchecked_layout(args: argparse.Namespace) -> Layout:
    """Return the paths of the dataset that the flags name; its folder may be missing."""
    return Layout(args.file_dir, args.file_name, args.save_type_name)


def dataset_words(args: argparse.Namespace) -> str:
    """Return the flags that name the dataset, as words of a command; a flag with its default is left out."""
    words = [f"--file_name={args.file_name}", f"--save_type_name={args.save_type_name}"]
    if args.file_dir.resolve() != FEW_SHOT:
        words.insert(0, f"--file_dir={args.file_dir}")
    return shlex.join(words)
