"""The flags of s5 and s8: how extension labels are normalised and merged."""

from __future__ import annotations

import argparse

from utils.cli.parser import Parser
from utils.cli.values import decimal, path, positive_number, shortest, switch
from utils.dataset.layout import ENTITY_LABELS, POS_LABELS
from utils.fusion.corrections import Patch, read_patch
from utils.fusion.settings import MergeSettings


def add_label_file_flags(parser: Parser) -> None:
    """Add the flags that name the label files."""
    flags = parser.add_argument_group("label files")
    flags.add_argument(
        "--entity_label",
        type=path,
        default=shortest(ENTITY_LABELS),
        help="JSON file that maps each canonical entity label to its spellings",
    )
    flags.add_argument(
        "--pos_label",
        type=path,
        default=shortest(POS_LABELS),
        help="JSON file that maps each canonical part-of-speech label to its spellings",
    )


def add_merge_flags(parser: Parser, *, is_syn: str) -> None:
    """Add the flags of s5 and s8; `is_syn` describes --is_syn."""
    flags = parser.add_argument_group("merge")
    flags.add_argument("--is_syn", type=switch, default="0", help=is_syn)
    _add_setting_flags(flags)
    add_patch_flag(flags)
    add_label_file_flags(parser)


def add_merge_setting_flags(parser: Parser) -> None:
    """Add the flags of `merge_settings`, without the choice of the sentences."""
    _add_setting_flags(parser.add_argument_group("merge"))
    add_label_file_flags(parser)


def add_patch_flag(flags: argparse._ActionsContainer) -> None:
    """Add the flag that names corrections of a person."""
    flags.add_argument(
        "--patch", type=path, default=None, help="file of corrections, exported by report.py --html; default: none"
    )


def _add_setting_flags(flags: argparse._ActionsContainer) -> None:
    flags.add_argument(
        "--label_prefix",
        default="",
        help="prefix of every extension label, to distinguish it from a target label of the same name",
    )
    flags.add_argument(
        "--drop_crossing",
        type=switch,
        nargs="?",
        const=True,
        default=False,
        help="1: drop extension spans that partly overlap a target span; 0: keep and count them",
    )
    flags.add_argument(
        "--min_agreement",
        type=decimal,
        default=None,
        help="leave out extension labels whose spans agree less with the gold spans of the size; 1: they never cross "
        "one, 0: they do so as often as spans at random positions; default: keep all labels",
    )


def add_worker_flags(parser: Parser) -> None:
    """Add the flags for the processes that merge; their number does not change a result."""
    flags = parser.add_argument_group("processes")
    flags.add_argument(
        "--num_workers",
        type=positive_number,
        default=None,
        help="number of processes that read the answers and merge them; default: 1, or 1 for each machine of Ray",
    )
    flags.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="local: processes of this machine; ray: processes of the Ray cluster at RAY_ADDRESS, or of this machine",
    )


def merge_settings(args: argparse.Namespace) -> MergeSettings:
    """Return how extension labels are merged."""
    return MergeSettings(args.entity_label, args.pos_label, args.label_prefix, args.drop_crossing, args.min_agreement)


def patch(args: argparse.Namespace) -> Patch | None:
    """Return the corrections to apply; None without --patch."""
    return read_patch(args.patch) if args.patch is not None else None
