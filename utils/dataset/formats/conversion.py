"""The work of convert.py: read a dataset in one format, split it, and write it in another one."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from utils.dataset.formats.card import CARD, CardFacts, write_card
from utils.dataset.formats.collection import SPLITS, Collection
from utils.dataset.formats.detection import detect_format
from utils.dataset.formats.losses import Losses
from utils.dataset.formats.reading import ReadSettings, read_collection
from utils.dataset.formats.spans.details import OVERLAPPING
from utils.dataset.formats.writing import check_new, write_collection
from utils.dataset.splitting.groups import Track
from utils.dataset.splitting.parts import split_sentences
from utils.wording import counted

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Conversion:
    """A source and a target, and how they are read and written."""

    source: Path
    from_format: str  # "auto": recognised from the files
    output: Path
    to_format: str
    settings: ReadSettings
    shares: Sequence[float] = ()  # of train, dev and test; (): the splits of the source
    seed: int = 42
    overwrite: bool = False


@dataclass(frozen=True)
class Converted:
    """The result of a conversion: what was written, and what was lost."""

    collection: Collection
    from_format: str
    files: tuple[Path, ...]
    losses: Losses

    @property
    def spans(self) -> int:
        """The number of spans that were written."""
        held = sum(len(sentence.spans) for sentence in self.collection.sentences)
        return held - sum(self.losses.number(reason) for reason in OVERLAPPING)

    def __str__(self) -> str:
        splits = {split: len(sentences) for split, sentences in self.collection.splits.items() if sentences}
        parts = "" if len(splits) == 1 else f" ({', '.join(f'{name} {number}' for name, number in splits.items())})"
        spans = f"{self.spans} of {counted(self.collection.given_spans, 'span')}"
        total = counted(sum(splits.values()), "sentence")
        return f"converted {total}{parts} with {spans} and {counted(len(self.collection.labels), 'label')}"

    @property
    def advice(self) -> str | None:
        """What to try if more than half of the spans were lost."""
        if 2 * self.spans >= self.collection.given_spans:
            return None
        overlapping = sum(self.losses.number(reason) for reason in OVERLAPPING)
        if 2 * overlapping > self.collection.given_spans:
            return (
                "most of the spans overlap: choose a format that can hold nested spans, such as cnnner or labelstudio"
            )
        return "more than half of the spans are lost: see the lines above, and check --from, --unit and --ends"


def convert(conversion: Conversion, track: Track = iter) -> Converted:
    """Convert a dataset; log what it was taken for, and what was lost or changed. `track` may show the progress."""
    name = conversion.from_format
    if name == "auto":
        name, how = detect_format(conversion.source)
        log.info("%s is read as %s, recognised %s", conversion.source, name, how)
    losses = Losses()
    collection = read_collection(conversion.source, name, conversion.settings, losses, track)
    if conversion.shares:
        collection = split_collection(collection, conversion.shares, conversion.seed, track)
    _warn_of_rare_labels(collection)
    files = write_collection(
        collection, conversion.to_format, conversion.output, losses, overwrite=conversion.overwrite
    )
    for line in losses.lines():
        log.info("%s", line)
    return Converted(collection, name, tuple(files), losses)


def write_conversion_card(conversion: Conversion, done: Converted, *, license: str) -> None:  # noqa: A002
    """Write the dataset card beside the files of a conversion; raise ValueError if there is a README.md already."""
    folder = done.files[0].parent
    check_new([folder / CARD], overwrite=conversion.overwrite)
    name = folder.name if conversion.output == folder else conversion.output.stem
    facts = CardFacts(name, license, conversion.source, done.from_format, done.files, done.losses.lines())
    log.info("the dataset card is %s", write_card(folder, done.collection, facts))


def split_collection(collection: Collection, shares: Sequence[float], seed: int, track: Track = iter) -> Collection:
    """Return the collection with its sentences split at random; equal and nearly equal ones stay together.

    Raises ValueError if it has more than one split already.
    """
    given = [split for split, sentences in collection.splits.items() if sentences]
    if len(given) > 1:
        raise ValueError(f"--split: the input is split already ({', '.join(given)}): name one of its files")
    parts = split_sentences(collection.sentences, shares, Random(seed), track)
    names = SPLITS if len(parts) == len(SPLITS) else SPLITS[: len(parts)]
    return replace(collection, splits=dict(zip(names, parts, strict=True)))


def _warn_of_rare_labels(collection: Collection) -> None:
    """Warn about labels that dev or test have, and train has not: no model can learn them."""
    found = {
        split: Counter(span.label for sentence in sentences for span in sentence.spans)
        for split, sentences in collection.splits.items()
    }
    for split in ("dev", "test"):
        if "train" in found and (missing := sorted(set(found.get(split, ())) - set(found["train"]))):
            log.warning("%s has labels that train lacks: %s", split, ", ".join(missing))
