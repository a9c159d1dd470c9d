"""The variants of an ablation: which training data are made, and with which flags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from utils.dataset.modes import EXTENSION_MODES, MODES, Mode
from utils.fusion.settings import MergeSettings

VariantData = Literal["base", "fusion", "synthetic", "syn_fusion"]
Sentences = Literal["llm", "raw", "all"]
TeacherSeeds = Literal["own", "all"]
Script = Literal["s5", "s7", "s8", "train"]
Flags = Mapping[str, Any]  # flags of a script by their names, without "--"

BASE = "base"
BUILT_IN: tuple[VariantData, ...] = ("base", "fusion", "synthetic", "syn_fusion")
KEYS = ("data", "modes", "sentences", "teacher", "teachers", "answers", "s5", "s7", "s8", "train")
LLM_STEPS = ("s1", "s2", "s3")
NAME = re.compile(r"\w[\w.+=-]*")  # the name of a folder


@dataclass(frozen=True)
class DataRecipe:
    """How the training data of a variant are made from the results of s1, s2 and s3."""

    data: VariantData
    original: MergeSettings  # of s5, for the sentences of the dataset
    synthetic: MergeSettings  # of s8, for the synthetic sentences
    drop_disagreeing: bool = False  # of s7
    modes: tuple[Mode, ...] = EXTENSION_MODES  # of s1 and s3; target: the LLM's own target labels, for s7
    sentences: Sentences = "all"  # the synthetic sentences: the LLM's, raw ones, or both
    teacher: str = "fusion"  # the variant whose models label the synthetic sentences
    teachers: TeacherSeeds = "own"  # own: the model with the same seed; all: the models of all seeds together
    answers: str | None = None  # another folder with results of s1, s2 and s3; None: --save_type_name

    @property
    def has_synthetic(self) -> bool:
        return self.data in ("synthetic", "syn_fusion")

    def without_unused(self) -> DataRecipe:
        """Return an equal recipe for all recipes that give the same data, whatever their unused parts say."""
        if self.has_synthetic:
            return self
        return DataRecipe(self.data, self.original, self.original, modes=self.modes, answers=self.answers)


@dataclass(frozen=True)
class Variant:
    """A name, the recipe of the training data, and the flags of train_ner.py that differ from the other variants."""

    name: str
    recipe: DataRecipe
    train: Flags = field(default_factory=dict)

    def with_defaults(self, train: Flags) -> Variant:
        """Return the variant with flags of train_ner.py that its own ones override."""
        return replace(self, train={**train, **self.train})


@dataclass(frozen=True)
class VariantSpec:
    """A variant as a file describes it, with checked keys; its flags are not read yet."""

    name: str
    data: VariantData
    values: Flags  # modes, sentences, teacher, teachers, answers: keys of DataRecipe
    flags: Mapping[str, Flags]  # by script: s5, s7, s8, train


def read_specs(value: Any, source: str) -> list[VariantSpec]:
    """Return the variants of a file's JSON value, built-in ones first; a built-in one is left out if it is null.

    Raises ValueError that names the source, the variant and the key if a value cannot be used.
    """
    if not isinstance(value, dict):
        raise ValueError(f'{source}: expected an object of variants, such as {{"soft": {{"data": "syn_fusion"}}}}')
    if value.get(BASE, {}) != {}:
        raise ValueError(f"{source}: {BASE!r} has no settings of its own: its flags are chosen from --base_grid")
    specs = {name: VariantSpec(name, name, {}, {}) for name in BUILT_IN}
    for name, row in value.items():
        if row is None and name in BUILT_IN and name != BASE:
            del specs[name]
        elif name != BASE:
            specs[name] = _spec(name, row, f"{source}: variant {name!r}")
    return list(specs.values())


def _spec(name: str, row: Any, where: str) -> VariantSpec:
    if not NAME.fullmatch(name):
        raise ValueError(f"{where}: a name has letters, digits and the characters _ . + = - only")
    if not isinstance(row, dict):
        raise ValueError(f"{where}: expected an object with keys such as {', '.join(KEYS)}")
    for key in row:
        if key in LLM_STEPS:
            raise ValueError(
                f"{where}: {key} asks the LLM, which ablate.py never does: run {key} with another --save_type_name, "
                'and give that name as "answers"'
            )
        if key not in KEYS:
            raise ValueError(f"{where}: {key!r} is not a key; the keys are {', '.join(KEYS)}")
    values = {key: row[key] for key in ("modes", "sentences", "teacher", "teachers", "answers") if key in row}
    for key, allowed in (("data", BUILT_IN), ("sentences", ("llm", "raw", "all")), ("teachers", ("own", "all"))):
        if key in row and row[key] not in allowed:
            raise ValueError(f"{where}: {key} is {row[key]!r}; it must be one of {', '.join(allowed)}")
    if "modes" in values:
        values["modes"] = _modes(values["modes"], where)
    for key in ("teacher", "answers"):
        if key in row and not (isinstance(row[key], str) and row[key]):
            raise ValueError(f"{where}: {key} is {row[key]!r}; it must be a name")
    flags = {script: row.get(script, {}) for script in ("s5", "s7", "s8", "train")}
    for script, given in flags.items():
        if not isinstance(given, dict):
            raise ValueError(f'{where}: {script} must be an object of flags, such as {{"drop_crossing": 1}}')
    return VariantSpec(name, row.get("data", "syn_fusion"), values, flags)


def _modes(value: Any, where: str) -> tuple[Mode, ...]:
    if not isinstance(value, list) or any(mode not in MODES for mode in value):
        raise ValueError(f"{where}: modes is {value!r}; it must be a list of {', '.join(MODES)}, or [] for none")
    return tuple(mode for mode in MODES if mode in value)


def with_teachers(chosen: Iterable[Variant], known: Mapping[str, Variant]) -> list[Variant]:
    """Return the chosen variants and all teachers that they need, each after its own teacher.

    Raises ValueError if a teacher is not known, or if variants label each other in a circle.
    """
    ordered: dict[str, Variant] = {}

    def add(variant: Variant, learners: tuple[str, ...]) -> None:
        if variant.name in learners:
            raise ValueError(f"variants label each other in a circle: {' <- '.join((*learners, variant.name))}")
        if variant.name in ordered:
            return
        if variant.recipe.has_synthetic:
            teacher = variant.recipe.teacher
            if teacher not in known:
                raise ValueError(
                    f"variant {variant.name!r}: its teacher {teacher!r} is not a variant; the variants are "
                    f"{', '.join(known)}"
                )
            add(known[teacher], (*learners, variant.name))
        ordered[variant.name] = variant

    for variant in chosen:
        add(variant, ())
    return list(ordered.values())


def candidates(base: Variant, grid: Iterable[Flags]) -> list[Variant]:
    """Return base with each set of flags of the grid. The first is called base, others by their flags."""
    found: dict[str, Variant] = {}
    for flags in grid:
        words = "+".join(f"{name}={value}" for name, value in flags.items())
        name = f"{base.name}+{words}" if words else base.name
        found.setdefault(name, replace(base, name=name, train=flags))
    return list(found.values())
