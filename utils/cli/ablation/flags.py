"""The flags of ablate.py."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace

from utils.ablation.cells import Experiment
from utils.ablation.experiment import AblationPlan
from utils.ablation.grid import built_in_grid
from utils.ablation.training_sets import TrainingSetBuilder
from utils.ablation.variants import BASE, Variant
from utils.cli import data_flags, merge_flags
from utils.cli.ablation.variants import check_flags, read_grid, read_variants, settings_maker
from utils.cli.exits import UsageError
from utils.cli.parser import Parser
from utils.cli.training import learning_flags
from utils.cli.values import path, path_or_hub_id, positive_number
from utils.dataset.layout import SIZES, Layout, Size
from utils.dataset.tokens import Tokenisation

SEEDS = "1,2,3"


def add_ablation_flags(parser: Parser) -> None:
    """Add all flags of the script."""
    data_flags.add_dataset_flags(parser)
    flags = parser.add_argument_group("what is compared")
    flags.add_argument(
        "--from_pretrained", type=path_or_hub_id, required=True, help="base encoder: a checkpoint folder or a Hub id"
    )
    flags.add_argument("--sizes", type=sizes, default=",".join(SIZES), help="sizes, separated by commas")
    flags.add_argument(
        "--base_sizes",
        type=sizes,
        help="more sizes for base alone, to measure how many annotated sentences a gain is worth",
    )
    flags.add_argument(
        "--variants", type=path, help="JSON file with more variants, or null to leave out a built-in one"
    )
    flags.add_argument("--only", type=names, help="names of the variants to compare with base; default: all")
    flags.add_argument(
        "--base_grid",
        type=path,
        help="JSON file with a list of flags of train_ner.py; each is tried for base. Default: a built-in list",
    )
    flags.add_argument(
        "--base_trials",
        type=positive_number,
        help="how many sets of flags of the list to try for base; default: as many as there are other variants; with "
        "--base_grid, all",
    )
    flags.add_argument(
        "--choose",
        action="store_true",
        help="name the variant that is best on dev, and show the test scores of this variant and of base only",
    )
    flags.add_argument("--jobs", type=positive_number, help="trainings at a time; default: one for each core or GPU")
    flags.add_argument("--keep_models", action="store_true", help="keep the models of all trainings")
    merge_flags.add_patch_flag(flags)
    merge_flags.add_merge_setting_flags(parser)
    learning_flags.add_learning_flags(parser)
    learning_flags.add_computing_flags(parser)
    parser.set_defaults(seeds=SEEDS)


def sizes(text: str) -> tuple[Size, ...]:
    """Read sizes, such as `250,500`; they are returned in ascending order."""
    words = names(text)
    for word in words:
        if word not in SIZES:
            raise ArgumentTypeError(f"{word!r} is not a size; the sizes are {', '.join(SIZES)}")
    return tuple(size for size in SIZES if size in words)


def names(text: str) -> tuple[str, ...]:
    """Read names that are separated by commas."""
    words = tuple(word.strip() for word in text.split(","))
    if not all(words):
        raise ArgumentTypeError(f"{text!r} must be names, separated by commas")
    return words


def ablation_plan(args: Namespace, builder: TrainingSetBuilder) -> AblationPlan:
    """Return what is compared. Raises ValueError for flags and files that cannot be used.

    Built-in variants that lack the results of an earlier step are left out, with a line that says so.
    """
    if args.seed is not None:
        raise UsageError("--seed: give --seeds; each variant is trained with the same seeds")
    known = read_variants(args)
    compared = _chosen(known, args.only)
    compared = builder.with_inputs(compared, required=args.only or ())
    grid = read_grid(args.base_grid) if args.base_grid else built_in_grid(args.from_pretrained, vars(args))
    trials = args.base_trials or (len(grid) if args.base_grid else max(1, len(compared) - 1))
    make_settings = settings_maker(args)
    for flags in grid[:trials]:
        check_flags(make_settings, str(args.base_grid or "the built-in grid"), flags)
        for variant in known.values():
            check_flags(make_settings, f"{args.variants}: variant {variant.name!r}: train", flags, variant.train)
    base_sizes = [size for size in SIZES if size in (*args.sizes, *(args.base_sizes or ()))]
    plan = AblationPlan(
        compared, known, args.sizes, base_sizes, args.seeds, grid[:trials], make_settings, args.keep_models
    )
    builder.require_inputs(plan.others)
    return plan


def _chosen(known: dict[str, Variant], only: tuple[str, ...] | None) -> list[Variant]:
    for name in only or ():
        if name not in known:
            raise UsageError(f"--only: {name!r} is not a variant; the variants are {', '.join(known)}")
    return [variant for name, variant in known.items() if only is None or name in (BASE, *only)]


def experiment_of(args: Namespace, layout: Layout, tokenisation: Tokenisation) -> Experiment:
    """Return what all trainings share."""
    return Experiment(
        root=layout.ablation,
        dev=layout.dev,
        test=layout.test,
        tokenisation=tokenisation,
        encoder=args.from_pretrained,
        checkpoint_gradients=args.checkpoint_gradients,
        save_minutes=args.save_minutes,
    )
