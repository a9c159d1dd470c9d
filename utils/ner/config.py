"""The configuration of a span model: its labels, and the sizes of the layers above its encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from utils.wording import counted

Architecture = Literal["knowfree", "cnnner"]
DEFAULT_THRESHOLD = 0.5  # of a span's probability
ATTENTION_HEADS = 10  # of KnowFREE's local attention; fixed in the paper's published code
MAX_SIZE = 1 << 16  # of a layer, and of the numbers of heads; far more than any model has
MAX_DEPTH = 100  # of the CNN, and its largest kernel


@dataclass(frozen=True, slots=True)
class NerConfig:
    """The settings that are added to the encoder's in `config.json`; key names as in the paper's published code.

    Column k of the model's scores belongs to label k + 1, since "O" has no column. With labels
    ("O", "PER", "LOC", "NOUN") and num_target_labels = 2, columns 0 and 1 are the targets PER and LOC, and column 2 is
    the extension label NOUN.
    """

    labels: tuple[str, ...]  # "O", then the targets, then the extensions
    num_target_labels: int  # without "O"
    span_model: Architecture = "knowfree"
    nested: bool = False  # whether a target span may lie inside another
    dense: bool | None = None  # whether a token is a character; None: decide from each text
    cnn_dim: int = 200
    biaffine_size: int = 200
    size_embed_dim: int = 25
    n_head: int = 4  # of the biaffine term
    kernel_size: int = 3  # of the CNN; in KnowFREE also the attention's reach to each side
    cnn_depth: int = 3
    logit_drop: float = 0.0
    head_dropout: float = 0.4
    span_threshold: float = DEFAULT_THRESHOLD

    def __post_init__(self) -> None:
        if self.span_model not in get_args(Architecture):
            raise ValueError(
                f"span_model is {self.span_model!r}; it must be one of {', '.join(get_args(Architecture))}"
            )
        if len(self.labels) < 2 or self.labels[0] != "O" or len(set(self.labels)) < len(self.labels):
            raise ValueError(
                f"labels must be 'O' and at least one other label, without duplicates; found {list(self.labels)}"
            )
        if not 1 <= self.num_target_labels < len(self.labels):
            raise ValueError(
                f"num_target_labels is {self.num_target_labels}; with {counted(len(self.labels), 'label')} it must be "
                f"between 1 and {len(self.labels) - 1} ('O' is not counted)"
            )
        self._check_numbers()
        for name, size, parts in (
            ("biaffine_size", self.biaffine_size, self.n_head),
            ("cnn_dim", self.cnn_dim, self.n_head),
            ("cnn_dim", self.cnn_dim, ATTENTION_HEADS),
        ):
            if parts < 1 or size < 1 or size % parts:
                raise ValueError(f"{name} is {size}; it must be divisible by {counted(parts, 'head')}")

    def _check_numbers(self) -> None:
        """Raise ValueError for a setting of the wrong type or far out of range: they come from a file."""
        for name, value, allowed in (
            ("nested", self.nested, (True, False)),
            ("dense", self.dense, (True, False, None)),
        ):
            if not any(value is one for one in allowed):
                raise ValueError(f"{name} is {value!r}; it must be true or false")
        largest = {"kernel_size": MAX_DEPTH, "cnn_depth": MAX_DEPTH}
        for name in ("cnn_dim", "biaffine_size", "size_embed_dim", "n_head", "kernel_size", "cnn_depth"):
            value, most = getattr(self, name), largest.get(name, MAX_SIZE)
            if type(value) is not int or not 1 <= value <= most:
                raise ValueError(f"{name} is {value!r}; it must be a whole number between 1 and {most}")
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size is {self.kernel_size}; it must be odd")
        threshold = self.span_threshold
        if type(threshold) not in (int, float) or not 0 < threshold < 1:
            raise ValueError(f"span_threshold is {threshold!r}; it must be a number between 0 and 1")
        for name in ("logit_drop", "head_dropout"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 <= value < 1:
                raise ValueError(f"{name} is {value!r}; it must be a number from 0 to less than 1")

    @property
    def targets(self) -> tuple[str, ...]:
        """The labels that are predicted."""
        return self.labels[1 : self.num_target_labels + 1]

    def to_dict(self) -> dict[str, Any]:
        """Return the entries for `config.json`. `id2label` is for transformers, which reads the labels from there."""
        names = dict(enumerate(self.labels))
        return {
            **asdict(self),
            "labels": list(self.labels),
            "num_labels": len(names),
            "id2label": names,
            "label2id": {label: index for index, label in names.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NerConfig:
        """Return the settings in the entries of a `config.json`; the encoder's entries are ignored."""
        known = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        return cls(**{**known, "labels": tuple(known["labels"])})
