"""The labels of converted sentences: cleaned, renamed and dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from utils.dataset.formats.losses import Losses
from utils.dataset.records import Sentence, Span, SpanKey


def with_labels(sentences: Sequence[Sentence], names: Mapping[str, str], losses: Losses) -> list[Sentence]:
    """Return the sentences with renamed labels. Spans that get an empty name, or have the label O, are dropped.

    Spaces around a label are removed, since labels.txt has one label per line. Of spans that become equal, one is kept.
    """
    made = []
    for sentence in sentences:
        kept: dict[SpanKey, Span] = {}
        for span in sentence.spans:
            label = " ".join(names.get(span.label, span.label).split())
            if not label or label == "O":
                reason = "dropped by --labels" if span.label in names else "has no label, or O: dropped"
                losses.add("span", reason, example=f"sentence {sentence.id}: {span.label!r}")
            elif (span.start, span.end, label) in kept:
                losses.add("span", "equal to another one after renaming: kept once", example=f"sentence {sentence.id}")
            else:
                kept[span.start, span.end, label] = replace(span, label=label)
        made.append(replace(sentence, spans=tuple(kept.values())))
    return made


def check_names(names: Mapping[str, str], sentences: Sequence[Sentence]) -> None:
    """Raise ValueError if a label to be renamed does not occur."""
    labels = {span.label for sentence in sentences for span in sentence.spans}
    if missing := [name for name in names if name not in labels]:
        raise ValueError(f"--labels: {missing[0]!r} is not a label of the input ({', '.join(sorted(labels))})")
