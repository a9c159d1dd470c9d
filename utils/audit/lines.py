"""Whether the lines of a size's files are those that belong to it, with their gold spans unchanged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from utils.audit.evidence import Breach, Evidence, SizeEvidence
from utils.dataset.modes import MODES
from utils.dataset.records import Sentence, sentence_to_row
from utils.files.jsonl import read_rows
from utils.files.manifest import read_manifest

Pair = tuple[Sentence, Sentence]  # what a file holds, and what belongs there


def check_sentences(evidence: Evidence, own: SizeEvidence) -> Iterator[Breach]:
    """Yield the breaches in `train_<size>.jsonl`."""
    file = evidence.layout.size_sentences(own.size)
    pairs, breaches = _match_by_text(file, evidence.read(file), evidence, own)
    yield from breaches
    yield from _changed(file, pairs)


def check_synthetic(evidence: Evidence, own: SizeEvidence) -> Iterator[Breach]:
    """Yield the breaches in `train_<size>_synthetic.jsonl`."""
    file = evidence.layout.size_sentences(own.size, synthetic=True)
    if file.is_file():
        pairs, breaches = _match_by_id(file, evidence.read_synthetic(file), own)
        yield from breaches
        yield from _changed(file, pairs)


def check_targets(evidence: Evidence, own: SizeEvidence) -> Iterator[Breach]:
    """Yield the breaches in `train_<size>_synthetic_target.jsonl`, whose spans are a model's."""
    file = evidence.layout.size_target(own.size)
    if not file.is_file():
        return
    pairs, breaches = _match_by_id(file, evidence.read_synthetic(file), own)
    yield from breaches
    for found, source in pairs:
        if {**sentence_to_row(found), "entities": []} != {**sentence_to_row(source), "entities": []}:
            yield Breach(file, f"changes sentence {found.id}")
        for span in found.spans:
            if span.origin != "ner" or span.label not in evidence.dataset.targets:
                yield Breach(file, f"sentence {found.id} has a span {span.label} that no target label of a model is")


def check_answers(evidence: Evidence, own: SizeEvidence) -> Iterator[Breach]:
    """Yield the breaches in the answers of s1 and s3 that the size holds."""
    for _, synthetic, file in evidence.answer_files(own.size):
        sentences = own.synthetic if synthetic else {sentence.id: sentence for sentence in own.sentences}
        seen: set[str] = set()
        for line, row in read_rows(file):
            id_ = str(row.get("id"))
            if id_ not in sentences:
                yield Breach(file, f"line {line} answers sentence {id_}, which size {own.size} has not")
            elif id_ in seen:
                yield Breach(file, f"line {line} answers sentence {id_} once more")
            elif row.get("text") != list(sentences[id_].tokens):
                yield Breach(file, f"line {line} answers another text than that of sentence {id_}")
            seen.add(id_)


def check_fusion(evidence: Evidence, own: SizeEvidence) -> Iterator[Breach]:
    """Yield the breaches in `train_<size>_fusion.jsonl` and `train_<size>_synthetic_fusion.jsonl`."""
    layout = evidence.layout
    answered = _answered(evidence, own)
    fusion: list[Sentence] = []
    if (file := layout.size_fusion(own.size)).is_file():
        fusion = evidence.read(file)
        pairs, breaches = _match_by_text(file, fusion, evidence, own)
        yield from breaches
        yield from _changed(file, pairs, extended=True)
        yield from _extensions(file, pairs, evidence, answered)
    if not (file := layout.size_fusion(own.size, synthetic=True)).is_file():
        return
    rows = [row for _, row in read_rows(file)]
    manifest = read_manifest(file)
    with_fusion = manifest is not None and manifest.step == "s8"
    source = layout.size_target(own.size) if with_fusion else layout.size_sentences(own.size, synthetic=True)
    synthetic, behind = _parts(evidence, file, rows)
    marked = {one.id: one for one in evidence.read_synthetic(source)} if source.is_file() else own.synthetic
    pairs, breaches = _match_by_id(file, synthetic, own)
    yield from breaches
    pairs = [(found, marked.get(found.id, known)) for found, known in pairs]
    yield from _changed(file, pairs, extended=True)
    yield from _extensions(file, pairs, evidence, answered)
    if with_fusion and behind != [sentence_to_row(sentence) for sentence in fusion]:
        yield Breach(file, f"the sentences behind the synthetic ones are not those of {layout.size_fusion(own.size)}")
    if not with_fusion and behind:
        yield Breach(file, f"{len(behind)} sentences stand there that are not synthetic ones of size {own.size}")


def _parts(
    evidence: Evidence, file: Path, rows: Sequence[dict[str, Any]]
) -> tuple[list[Sentence], list[dict[str, Any]]]:
    """Return the synthetic sentences of a file, and the other lines."""
    flags = [row.get("synthetic") is True for row in rows]
    sentences = evidence.read(file)
    synthetic = [
        Sentence(str(row.get("id")), sentence.tokens, sentence.spans, row)
        for row, sentence, flag in zip(rows, sentences, flags, strict=True)
        if flag
    ]
    others = [sentence_to_row(one) for one, flag in zip(sentences, flags, strict=True) if not flag]
    return synthetic, others


def _match_by_text(
    file: Path, found: Iterable[Sentence], evidence: Evidence, own: SizeEvidence
) -> tuple[list[Pair], list[Breach]]:
    """Pair the sentences of a file with those of the size; sentences without an id are known by their text."""
    waiting: dict[tuple[str, ...], list[Sentence]] = defaultdict(list)
    for sentence in own.sentences:
        waiting[sentence.tokens].append(sentence)
    elsewhere = {sentence.tokens: sentence.id for sentence in reversed(evidence.dataset.sentences)}
    pairs, breaches = [], []
    for sentence in found:
        if waiting[sentence.tokens]:
            pairs.append((sentence, waiting[sentence.tokens].pop(0)))
        elif sentence.tokens in elsewhere:
            known = f"sentence {elsewhere[sentence.tokens]} of train_1000.jsonl"
            breaches.append(Breach(file, f"line {sentence.id} is {known}, which size {own.size} has not (there)"))
        else:
            breaches.append(Breach(file, f"line {sentence.id} is no sentence of train_1000.jsonl"))
    missing = [sentence.id for left in waiting.values() for sentence in left]
    breaches += [Breach(file, f"sentence {id_} of train_1000.jsonl is missing") for id_ in missing]
    if [int(known.id) for _, known in pairs] != sorted(int(known.id) for _, known in pairs):
        breaches.append(Breach(file, "the sentences are in another order than in train_1000.jsonl"))
    return pairs, breaches


def _match_by_id(file: Path, found: Iterable[Sentence], own: SizeEvidence) -> tuple[list[Pair], list[Breach]]:
    """Pair synthetic sentences with those that s2 made from sentences of the size."""
    pairs: dict[str, Pair] = {}
    breaches = []
    for sentence in found:
        source = str(sentence.source)
        if sentence.id.split("-")[0] != source:
            breaches.append(Breach(file, f"sentence {sentence.id} says that it was made from sentence {source}"))
        elif sentence.id not in own.synthetic:
            breaches.append(
                Breach(file, f"sentence {sentence.id} is none that s2 made from a sentence of size {own.size}")
            )
        elif sentence.id in pairs:
            breaches.append(Breach(file, f"sentence {sentence.id} stands there twice"))
        else:
            pairs[sentence.id] = sentence, own.synthetic[sentence.id]
    breaches += [Breach(file, f"sentence {id_} of s2 is missing") for id_ in own.synthetic if id_ not in pairs]
    return list(pairs.values()), breaches


def _changed(file: Path, pairs: Iterable[Pair], *, extended: bool = False) -> Iterator[Breach]:
    """Yield where a line is not that of its sentence; with `extended`, spans may follow its own."""
    for found, source in pairs:
        row, known = sentence_to_row(found), sentence_to_row(source)
        spans = row["entities"][: len(known["entities"])] if extended else row["entities"]
        if spans != known["entities"]:
            yield Breach(file, f"the target spans of sentence {source.id} are not those that it came with")
        elif {**row, "entities": spans} != known:
            yield Breach(file, f"the line of sentence {source.id} is not the one that it came with")


def _extensions(
    file: Path, pairs: Iterable[Pair], evidence: Evidence, answered: Mapping[str, set[str]]
) -> Iterator[Breach]:
    """Yield the extension spans that no answer of the size can have brought, or that have a target's name."""
    for found, source in pairs:
        for span in found.spans[len(source.spans) :]:
            if span.origin not in MODES or source.id not in answered[span.origin]:
                what = f"an extension span {span.label} ({span.origin}) that no answer of its size to it brought"
                yield Breach(file, f"sentence {source.id} has {what}")
            elif span.label in evidence.dataset.targets:
                yield Breach(file, f"an extension span of sentence {source.id} has the target label {span.label}")


def _answered(evidence: Evidence, own: SizeEvidence) -> dict[str, set[str]]:
    """Return, for each mode, the ids of the sentences that the size's files have an answer to."""
    answered: dict[str, set[str]] = {mode: set() for mode in MODES}
    for mode, _, file in evidence.answer_files(own.size):
        answered[mode] |= {str(row.get("id")) for _, row in read_rows(file) if row.get("items")}
    return answered
