"""Applying the corrections of a patch file to merged sentences (s5 and s8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from utils.dataset.modes import EXTENSION_MODES
from utils.dataset.records import LLM_SPANS, TARGET_SCORES, Sentence, Span
from utils.fusion.corrections import Action, Correction, Patch
from utils.fusion.merge import MergedSentence
from utils.wording import agreeing, counted

CORRECTED = "patch"  # origin of target spans that a person added or changed
EXTENSION = "entity"  # origin of extension spans that a person added
PAST_END = "the span ends after the sentence"


@dataclass(frozen=True, slots=True)
class Misfit:
    """A correction that no longer fits, and the reason."""

    correction: Correction
    reason: str


@dataclass(frozen=True)
class PatchedSentence:
    """A merged sentence after its corrections; None if one of them drops it."""

    merged: MergedSentence | None
    applied: Sequence[Correction]
    misfits: Sequence[Misfit]
    gold: int


@dataclass
class PatchCounts:
    """What the corrections of a patch did to the sentences of one file."""

    name: str  # of the patch file
    applied: Counter[Action] = field(default_factory=Counter)
    gold: int = 0  # of them, corrections of spans from the dataset
    misfits: list[Misfit] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)  # extension labels of spans that a person added or changed
    seen: set[str] = field(default_factory=set)  # ids of the sentences that have corrections

    def add_counts(self, other: PatchCounts) -> None:
        """Add the counts of the sentences that follow."""
        self.applied.update(other.applied)
        self.gold += other.gold
        self.misfits += other.misfits
        self.labels.update(other.labels)
        self.seen |= other.seen

    def add(self, found: PatchedSentence) -> None:
        """Add one sentence to the counts."""
        self.seen |= {one.id for one in found.applied} | {one.correction.id for one in found.misfits}
        self.applied.update(one.action for one in found.applied)
        self.gold += found.gold
        self.misfits += found.misfits
        new = {one.to.key for one in found.applied if one.to is not None}
        extensions = found.merged.extensions if found.merged is not None else ()
        self.labels.update(span.label for span in extensions if span.key in new)

    def __str__(self) -> str:
        fit = counted(self.applied.total(), "correction")
        unfit = f"{len(self.misfits)} no longer {agreeing(len(self.misfits), 'fits', 'fit')}"
        gold = f" ({counted(self.gold, 'gold span')} changed)" if self.gold else ""
        return f"{fit} of {self.name} applied{gold}, {unfit}"

    def as_row(self) -> dict[str, Any]:
        """Return the counts for a manifest."""
        return {**dict(sorted(self.applied.items())), "gold": self.gold, "misfits": len(self.misfits)}


def apply_patch(corrections: Iterable[Correction], merged: MergedSentence, targets: Collection[str]) -> PatchedSentence:
    """Return a merged sentence with its corrections, in the order of the file.

    Spans with a target label stay before the extension spans. The scores that s7 wrote beside the spans follow the
    corrections, because the span model is trained on them.
    """
    sentence, applied, misfits, gold = merged.sentence, [], [], 0
    for correction in corrections:
        if reason := _misfit(correction, sentence):
            misfits.append(Misfit(correction, reason))
            continue
        applied.append(correction)
        if correction.action == "drop":
            return PatchedSentence(None, applied, misfits, gold)
        gold += _is_gold(correction, sentence)
        sentence = _corrected(correction, sentence, targets)
    extensions = [span for span in sentence.spans if span.origin in EXTENSION_MODES]
    return PatchedSentence(replace(merged, sentence=sentence, extensions=extensions), applied, misfits, gold)


def missing_sentences(patch: Patch, seen: Collection[str], *, synthetic: bool) -> list[Misfit]:
    """Return the corrections of sentences that do not exist."""
    side = patch.of_side(synthetic=synthetic)
    return [Misfit(one, "there is no such sentence") for id_, own in side.items() if id_ not in seen for one in own]


def _misfit(correction: Correction, sentence: Sentence) -> str | None:
    """Return why a correction does not fit a sentence; None if it does."""
    if not correction.fits_text(sentence.tokens):
        return "its text has changed"
    if correction.span is not None and not any(map(correction.names, sentence.spans)):
        later = correction.span.origin == "ner" and not any(span.origin == "ner" for span in sentence.spans)
        return f"it has no span {_shown(correction.span)}" + (", which s8 adds after s7" if later else "")
    to = correction.to
    if to is not None and to.end > len(sentence.tokens):
        return PAST_END
    if correction.action == "add" and to is not None and to.key in (span.key for span in sentence.spans):
        return f"the span {_shown(to)} is there already"
    return None


def _corrected(correction: Correction, sentence: Sentence, targets: Collection[str]) -> Sentence:
    """Return a sentence after a correction that fits and does not drop it."""
    old = next(filter(correction.names, sentence.spans), None)
    new = None if correction.to is None else _new_span(correction.to, old, targets)
    others = [span for span in sentence.spans if span is not old]
    if new is not None and new.key not in (span.key for span in others):
        position = sentence.spans.index(old) if old is not None else len(others)
        others.insert(position, new)
    own = [span for span in others if span.origin not in EXTENSION_MODES]
    extensions = sorted((span for span in others if span.origin in EXTENSION_MODES), key=lambda span: span.key)
    return replace(sentence, spans=(*own, *extensions), row=_row(sentence.row, old, new))


def _new_span(to: Span, old: Span | None, targets: Collection[str]) -> Span:
    """Return the span that a person wants: with a target label, its origin is the patch, else that of an extension."""
    origin = CORRECTED
    if to.label not in targets:
        origin = old.origin if old is not None and old.origin in EXTENSION_MODES else EXTENSION
    return Span(to.start, to.end, to.label, origin)


def _row(row: Mapping[str, Any], old: Span | None, new: Span | None) -> Mapping[str, Any]:
    """Return a sentence's JSON object with a corrected span in the scores and in the LLM's spans that s7 wrote.

    Without that, a training on the scores (--synthetic_targets=soft) would not see the correction.
    """
    changed = {}
    for key in (TARGET_SCORES, LLM_SPANS):
        if not isinstance(row.get(key), list):
            continue
        cells = [one for one in row[key] if not any(_is_cell(one, span) for span in (old, new))]
        if new is not None and new.origin == CORRECTED:
            cell = {"start": new.start, "end": new.end, "entity": new.label}
            cells.append({**cell, "score": 1.0} if key == TARGET_SCORES else cell)
        changed[key] = cells
    return {**row, **changed}


def _is_cell(value: Any, span: Span | None) -> bool:
    found = (value.get("start"), value.get("end"), value.get("entity")) if isinstance(value, dict) else None
    return span is not None and found == span.key


def _is_gold(correction: Correction, sentence: Sentence) -> bool:
    """Return whether a correction changes a span of the dataset."""
    return any(map(correction.names, sentence.gold_spans))


def _shown(span: Span) -> str:
    return f"{span.label} from {span.start} to {span.end}"
