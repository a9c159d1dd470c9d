"""The variants of an ablation: flags of s5, s7, s8 and train_ner.py, read by the parsers of these scripts."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from utils.ablation.experiment import MakeSettings
from utils.ablation.variants import DataRecipe, Flags, Variant, VariantSpec, read_specs
from utils.cli import merge_flags, span_model_flags
from utils.cli.exits import UsageError
from utils.cli.parser import Parser
from utils.cli.training import learning_flags
from utils.files.jsonl import read_json
from utils.fusion.settings import MergeSettings
from utils.ner.training.settings import TrainSettings

NO_SETTINGS = ("debug", "version")  # flags that every script has


def read_variants(args: Namespace) -> dict[str, Variant]:
    """Return the built-in variants and those of the file --variants, by name; base is the first."""
    path: Path | None = args.variants
    specs = read_specs(read_json(path) if path else {}, str(path))
    return {spec.name: _variant(spec, args) for spec in specs}


def settings_maker(args: Namespace) -> MakeSettings:
    """Return the function that gives the settings of a training, from flags that replace those of the command line."""

    def make_settings(flags: Flags) -> TrainSettings:
        parser = Parser("")
        learning_flags.add_learning_flags(parser)
        found = _parse(parser, flags, vars(args), refused=("seed", "seeds"))
        return learning_flags.train_settings(Namespace(**{**vars(args), **vars(found), "seed": None}))

    return make_settings


def read_grid(path: Path) -> list[Flags]:
    """Return the sets of flags in a file that are tried for base."""
    value = read_json(path)
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        raise ValueError(f'{path}: expected a list of flags of train_ner.py, such as [{{}}, {{"lr": 1e-4}}]')
    return value


def check_flags(make_settings: MakeSettings, source: str, *sets: Flags) -> None:
    """Raise UsageError that names the source of flags that train_ner.py refuses; later sets replace earlier ones."""
    with _named(source):
        make_settings({name: value for flags in sets for name, value in flags.items()})


def _variant(spec: VariantSpec, args: Namespace) -> Variant:
    where = f"{args.variants}: variant {spec.name!r}"
    original = _merge_settings(f"{where}: s5", spec.flags.get("s5", {}), merge_flags.merge_settings(args))
    synthetic = _merge_settings(f"{where}: s8", spec.flags.get("s8", {}), original)
    values = {key: value for key, value in spec.values.items() if (key, value) != ("answers", args.save_type_name)}
    parser = Parser("")
    span_model_flags.add_labelling_flags(parser)
    with _named(f"{where}: s7"):
        labelling = _parse(parser, spec.flags.get("s7", {}), {})
    recipe = DataRecipe(spec.data, original, synthetic, drop_disagreeing=labelling.drop_disagreeing, **values)
    train = spec.flags.get("train", {})
    with _named(f"{where}: train"):
        settings = settings_maker(args)(train)
    if recipe.has_synthetic and settings.synthetic_targets in ("agreed", "fused"):  # what the LLM finds is needed, too
        recipe = replace(recipe, modes=tuple(dict.fromkeys((*recipe.modes, "target"))))
    return Variant(spec.name, recipe, train)


def _merge_settings(source: str, flags: Flags, default: MergeSettings) -> MergeSettings:
    """Return how extension labels are merged; the flags replace those of `default`."""
    parser = Parser("")
    merge_flags.add_merge_setting_flags(parser)
    with _named(source):
        return merge_flags.merge_settings(_parse(parser, flags, asdict(default)))


def _parse(parser: Parser, flags: Flags, defaults: Flags, *, refused: Collection[str] = ()) -> Namespace:
    """Return the values of flags by a script's own parser; raise UsageError for flags that it refuses."""
    for name in flags:
        if name in (*refused, *NO_SETTINGS):
            raise UsageError(f"{name!r} cannot be set for a variant")
    parser.set_defaults(**defaults)
    return parser.parse_values(flags)


@contextmanager
def _named(source: str) -> Iterator[None]:
    """Add the source of a value to the errors about it."""
    try:
        yield
    except ValueError as error:
        raise UsageError(f"{source}: {error}") from None
