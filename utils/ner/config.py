"""What a span model is: its labels, and the sizes of the layers above its encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

Architecture = Literal["knowfree", "cnnner"]
ATTENTION_HEADS = 10  # of KnowFREE's local attention; fixed in the public code


@dataclass(frozen=True, slots=True)
class NerConfig:
    """The settings that a checkpoint's `config.json` holds beside its encoder's; key names as in the public code.

    Column k of the model's scores is label k + 1: "O" has none. Columns from `num_target_labels` on are extensions.
    """

    labels: tuple[str, ...]  # "O", then the targets, then the extensions
    num_target_labels: int  # without "O"
    span_model: Architecture = "knowfree"
    nested: bool = False  # whether target spans may stand inside each other
    dense: bool | None = None  # whether a token is a character; None: decide from each text
    cnn_dim: int = 200
    biaffine_size: int = 200
    size_embed_dim: int = 25
    n_head: int = 4  # of the biaffine term
    kernel_size: int = 3  # of the CNN; in KnowFREE also the attention's reach to each side
    cnn_depth: int = 3
    logit_drop: float = 0.0
    head_dropout: float = 0.4
    span_threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.span_model not in get_args(Architecture):
            raise ValueError(
                f"span_model is {self.span_model!r}; it must be one of {', '.join(get_args(Architecture))}"
            )
        if len(self.labels) < 2 or self.labels[0] != "O" or len(set(self.labels)) < len(self.labels):
            raise ValueError(f"labels must be 'O' and at least one more, each once; found {list(self.labels)}")
        if not 1 <= self.num_target_labels < len(self.labels):
            raise ValueError(
                f"num_target_labels is {self.num_target_labels}; with {len(self.labels)} labels it must lie "
                f"between 1 and {len(self.labels) - 1} ('O' does not count)"
            )
        if not 0 < self.span_threshold < 1:
            raise ValueError(f"span_threshold is {self.span_threshold}; it must lie between 0 and 1")
        for name, size, parts in (
            ("biaffine_size", self.biaffine_size, self.n_head),
            ("cnn_dim", self.cnn_dim, self.n_head),
            ("cnn_dim", self.cnn_dim, ATTENTION_HEADS),
        ):
            if parts < 1 or size < 1 or size % parts:
                raise ValueError(f"{name} is {size}; it must be divisible by {parts} heads")

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the labels that are predicted."""
        return self.labels[1 : self.num_target_labels + 1]

    def to_dict(self) -> dict[str, Any]:
        """Return the keys for `config.json`; transformers reads the labels from `id2label`."""
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
        """Return the settings that `config.json` holds; other keys, the encoder's, are passed over."""
        known = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        return cls(**{**known, "labels": tuple(known["labels"])})
