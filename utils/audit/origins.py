"""Check that results, models and copies come from their own size, and that dev and test did not leak."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from utils.audit.data import AuditData, Problem
from utils.dataset.held_out import HeldOutTexts
from utils.dataset.layout import FULL, LabelKind
from utils.dataset.tokens import same_text_key
from utils.files.disk_index import DiskIndex
from utils.files.manifest import Manifest, read_manifest
from utils.wording import agreeing, counted


def check_held_out(data: AuditData) -> Iterator[Problem]:
    """Yield the sentences of dev and test that are also training sentences or synthetic sentences.

    The other files have sentences from these two, or the other checks find a problem in them.
    """
    layout = data.layout
    for file, sentences in ((layout.train, data.sentences()), (layout.synthetic(), data.synthetic())):
        for sentence in sentences:
            for position in data.held_out.equal(sentence.tokens):
                yield Problem(file, f"sentence {sentence.id} is also {position}: remove one of the two")
            for position in data.held_out.contained(sentence.tokens):
                yield Problem(file, f"sentence {sentence.id} contains {position}: remove one of the two")
    yield from _check_dev(data)


def _check_dev(data: AuditData) -> Iterator[Problem]:
    """Yield a problem if dev, which chooses the best model, has sentences of test."""
    test = HeldOutTexts((sentence.tokens, sentence.id) for sentence in data.test)
    shared = [(one.id, found[0]) for one in data.dev if (found := test.equal(one.tokens))]
    if shared:
        number, are = counted(len(data.dev), "sentence"), agreeing(len(shared), "is", "are")
        first = f"sentence {shared[0][0]} = sentence {shared[0][1]}"
        yield Problem(data.layout.dev, f"{len(shared)} of {number} {are} also in test.jsonl, such as {first}")


def check_raw(data: AuditData) -> Iterator[Problem]:
    """Yield the sentences that are marked as raw text, and so belong to every size, but are from elsewhere.

    Raw text is from a file that the manifest of s2 names, and copies no sentence of the dataset.
    """
    file = data.layout.synthetic()
    number = sum(sentence.is_raw for sentence in data.synthetic())
    manifest = read_manifest(file)
    if manifest is not None and number != (kept := _raw_kept(manifest)):
        yield Problem(file, f"{counted(number, 'sentence')} of raw text in it, but s2 kept {kept}: run s2 again")
    if not number:
        return
    own = DiskIndex((same_text_key(one.tokens), (int(one.id), 0)) for one in data.sentences())
    for sentence in filter(lambda one: one.is_raw, data.synthetic()):
        if sentence.source is not None:
            yield Problem(file, f"sentence {sentence.id} is marked as raw text, but has the source {sentence.source}")
        if copied := own.find(same_text_key(sentence.tokens)):
            known = f"sentence {copied[0][0]} of train_1000.jsonl"
            yield Problem(file, f"sentence {sentence.id} belongs to every size, but it is also {known}")


def check_copies(data: AuditData) -> Iterator[Problem]:
    """Yield the copies of label files that differ from the files of the full size."""
    for kind in get_args(LabelKind):
        copy, own = data.layout.label_file(kind), data.layout.label_file(kind, FULL)
        if copy.is_file() and not (own.is_file() and copy.read_bytes() == own.read_bytes()):
            yield Problem(copy, f"is not a copy of {own}")


def _raw_kept(manifest: Manifest) -> Any:
    raw = manifest.counts.get("raw", {})
    return raw.get("kept", 0) if isinstance(raw, dict) else 0
