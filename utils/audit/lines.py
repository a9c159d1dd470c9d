"""Check that the lines of a size's files belong to the size, and that their target spans are unchanged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from utils.audit.data import AuditData, Finding, Problem, SizeData
from utils.audit.patches import Corrections, corrections_of, dropped_ids, is_corrected, missing_patch
from utils.dataset.layout import Size
from utils.dataset.modes import EXTENSION_MODES
from utils.dataset.records import LLM_SPANS, NUMBER, RAW, TARGET_SCORES, Sentence, sentence_to_row
from utils.files.jsonl import JsonObject, read_rows
from utils.files.manifest import read_manifest
from utils.wording import agreeing, counted

SentencePair = tuple[Sentence, Sentence]  # (in the checked file, expected)


def check_sentences(data: AuditData, size_data: SizeData) -> Iterator[Problem]:
    """Yield the problems in `train_<size>.jsonl`."""
    file = data.layout.size_sentences(size_data.size)
    pairs, problems = _match_by_text(file, data.read(file), data, size_data)
    yield from problems
    yield from _changed(file, pairs)


def check_synthetic(data: AuditData, size_data: SizeData) -> Iterator[Problem]:
    """Yield the problems in `train_<size>_synthetic.jsonl`."""
    file = data.layout.size_sentences(size_data.size, synthetic=True)
    if file.is_file():
        pairs, problems = _match_by_id(file, data.read_synthetic(file), size_data)
        yield from problems
        yield from _changed(file, pairs)


def check_targets(data: AuditData, size_data: SizeData) -> Iterator[Problem]:
    """Yield the problems in `train_<size>_synthetic_target.jsonl`, which has the spans of a model."""
    file = data.layout.size_target(size_data.size)
    if not file.is_file():
        return
    dropped = _dropped_by_s7(data, size_data.size)
    pairs, problems = _match_by_id(file, data.read_synthetic(file), size_data, dropped)
    yield from problems
    for found, source in pairs:
        if _without_labels(found) != _without_labels(source):
            yield Problem(file, f"sentence {found.id} differs from the sentence that s2 wrote")
        for span in found.spans:
            if span.origin != "ner" or span.label not in data.dataset.targets:
                yield Problem(file, f"sentence {found.id} has a span {span.label} that is not a target span of a model")


def _without_labels(sentence: Sentence) -> JsonObject:
    """Return a sentence's row without what s7 writes into it."""
    row = {**sentence_to_row(sentence), "entities": []}
    return {key: value for key, value in row.items() if key not in (TARGET_SCORES, LLM_SPANS)}


def check_annotations(data: AuditData, size_data: SizeData) -> Iterator[Problem]:
    """Yield the problems in the annotations of the size (s1 and s3)."""
    for _, is_synthetic, file in data.annotation_files(size_data.size):
        sentences = size_data.synthetic if is_synthetic else {sentence.id: sentence for sentence in size_data.sentences}
        seen: set[str] = set()
        for line, row in read_rows(file):
            id_ = str(row.get("id"))
            if id_ not in sentences:
                yield Problem(file, f"line {line} annotates sentence {id_}, which is not in size {size_data.size}")
            elif id_ in seen:
                yield Problem(file, f"line {line} annotates sentence {id_} again")
            elif row.get("text") != list(sentences[id_].tokens):
                yield Problem(file, f"the text of line {line} differs from that of sentence {id_}")
            seen.add(id_)


def check_fusion(data: AuditData, size_data: SizeData) -> Iterator[Finding]:
    """Yield the problems in `train_<size>_fusion.jsonl`."""
    file = data.layout.size_fusion(size_data.size)
    if not file.is_file():
        return
    if missing := missing_patch(data.layout, file):
        yield missing
        return
    corrections = corrections_of(data.layout, file, synthetic=False)
    pairs, problems = _match_by_text(file, data.read(file), data, size_data, dropped_ids(corrections))
    yield from problems
    yield from _merged(file, pairs, corrections, data, size_data)


def check_synthetic_fusion(data: AuditData, size_data: SizeData) -> Iterator[Finding]:
    """Yield the problems in `train_<size>_synthetic_fusion.jsonl`, to which s8 appends the original sentences."""
    layout, size = data.layout, size_data.size
    file = layout.size_fusion(size, synthetic=True)
    if not file.is_file():
        return
    manifest = read_manifest(file)
    is_combined = manifest is not None and manifest.step == "s8"
    if missing := missing_patch(layout, file):
        yield missing
        return
    corrections = corrections_of(layout, file, synthetic=True)
    source = layout.size_target(size) if is_combined else layout.size_sentences(size, synthetic=True)
    expected = {one.id: one for one in data.read_synthetic(source)} if source.is_file() else size_data.synthetic
    synthetic, appended = _split_synthetic(data, file)
    dropped = _dropped_by_s7(data, size) if is_combined else frozenset()
    pairs, problems = _match_by_id(file, synthetic, size_data, dropped | dropped_ids(corrections))
    yield from problems
    pairs = [(found, expected.get(found.id, known)) for found, known in pairs]
    yield from _merged(file, pairs, corrections, data, size_data)
    if is_combined and appended != _rows(data, layout.size_fusion(size)):
        yield Problem(file, f"the sentences after the synthetic ones differ from {layout.size_fusion(size)}")
    if not is_combined and appended:
        number, are = counted(len(appended), "sentence"), agreeing(len(appended), "is", "are")
        yield Problem(file, f"{number} {are} not among the synthetic sentences of size {size}")


def _merged(
    file: Path, pairs: Iterable[SentencePair], corrections: Corrections, data: AuditData, size_data: SizeData
) -> Iterator[Problem]:
    """Yield the problems in merged lines; those with corrections may differ as these say."""
    pairs = list(pairs)
    others = [pair for pair in pairs if pair[1].id not in corrections]
    yield from _changed(file, others, extended=True)
    yield from _extensions(file, others, data, _annotated_ids(data, size_data))
    for found, source in pairs:
        if source.id in corrections and not is_corrected(found, source, corrections[source.id]):
            yield Problem(file, f"the target spans of sentence {source.id} were changed, and not only by corrections")


def _rows(data: AuditData, file: Path) -> list[JsonObject]:
    return [sentence_to_row(sentence) for sentence in data.read(file)] if file.is_file() else []


def _split_synthetic(data: AuditData, file: Path) -> tuple[list[Sentence], list[JsonObject]]:
    """Return the synthetic sentences of a file, and the rows of the other sentences."""
    rows = [row for _, row in read_rows(file)]
    sentences = data.read(file)
    synthetic = [
        Sentence(str(row.get("id")), sentence.tokens, sentence.spans, row)
        for row, sentence in zip(rows, sentences, strict=True)
        if sentence.is_synthetic
    ]
    return synthetic, [sentence_to_row(one) for one in sentences if not one.is_synthetic]


def _match_by_text(
    file: Path, found: Iterable[Sentence], data: AuditData, size_data: SizeData, dropped: Collection[str] = ()
) -> tuple[list[SentencePair], list[Problem]]:
    """Pair the sentences of a file with the sentences of the size that have the same text.

    Those with the ids `dropped` may be missing.
    """
    expected: dict[tuple[str, ...], list[Sentence]] = defaultdict(list)
    for sentence in size_data.sentences:
        expected[sentence.tokens].append(sentence)
    elsewhere = {sentence.tokens: sentence.id for sentence in reversed(data.dataset.sentences)}
    pairs, problems = [], []
    for sentence in found:
        if expected[sentence.tokens]:
            pairs.append((sentence, expected[sentence.tokens].pop(0)))
        elif sentence.tokens in elsewhere:
            known = f"sentence {elsewhere[sentence.tokens]} of train_1000.jsonl"
            problems.append(
                Problem(
                    file,
                    f"line {sentence.id} is {known}, which is not in size {size_data.size}, or is already in this file",
                )
            )
        else:
            problems.append(Problem(file, f"line {sentence.id} is not in train_1000.jsonl"))
    missing = [sentence.id for left in expected.values() for sentence in left if sentence.id not in dropped]
    problems += [Problem(file, f"sentence {id_} of train_1000.jsonl is missing") for id_ in missing]
    if [int(known.id) for _, known in pairs] != sorted(int(known.id) for _, known in pairs):
        problems.append(Problem(file, "the sentences are not in the order of train_1000.jsonl"))
    return pairs, problems


def _match_by_id(
    file: Path, found: Iterable[Sentence], size_data: SizeData, dropped: Collection[str] = ()
) -> tuple[list[SentencePair], list[Problem]]:
    """Pair the synthetic sentences of a file with the synthetic sentences of the size by id.

    Those with the ids `dropped` may be missing.
    """
    pairs: dict[str, SentencePair] = {}
    problems = []
    for sentence in found:
        source = RAW if sentence.is_raw else str(sentence.source)
        if sentence.id.split("-")[0] != source:
            problems.append(Problem(file, f"sentence {sentence.id} has the source {source}, which differs from its id"))
        elif sentence.id not in size_data.synthetic:
            problems.append(
                Problem(file, f"sentence {sentence.id} is not a synthetic sentence of size {size_data.size}")
            )
        elif sentence.id in pairs:
            problems.append(Problem(file, f"sentence {sentence.id} is in the file twice"))
        else:
            pairs[sentence.id] = sentence, size_data.synthetic[sentence.id]
    missing = [id_ for id_ in size_data.synthetic if id_ not in pairs and id_ not in dropped]
    problems += [Problem(file, f"sentence {id_} of s2 is missing") for id_ in missing]
    return list(pairs.values()), problems


def _dropped_by_s7(data: AuditData, size: Size) -> frozenset[str]:
    """Return the ids of the sentences that s7 dropped, as asked: the manifest says so, and the review lists them."""
    manifest, review = read_manifest(data.layout.size_target(size)), data.layout.size_review(size)
    if manifest is None or not manifest.parameters.get("drop_disagreeing") or not review.is_file():
        return frozenset()
    ids = frozenset(str(row.get("id")) for _, row in read_rows(review) if row.get("predicted") is not None)
    return ids if len(ids) == manifest.counts.get("dropped") else frozenset()


def _changed(file: Path, pairs: Iterable[SentencePair], *, extended: bool = False) -> Iterator[Problem]:
    """Yield the changed lines; with `extended`, extension spans may follow the target spans."""
    for found, source in pairs:
        row, known = sentence_to_row(found), sentence_to_row(source)
        spans = row["entities"][: len(known["entities"])] if extended else row["entities"]
        if spans != known["entities"]:
            yield Problem(file, f"the target spans of sentence {source.id} were changed")
        elif {**row, "entities": spans} != {**known, **({NUMBER: int(source.id)} if NUMBER in row else {})}:
            yield Problem(file, f"the line of sentence {source.id} was changed")


def _extensions(
    file: Path, pairs: Iterable[SentencePair], data: AuditData, annotated: Mapping[str, set[str]]
) -> Iterator[Problem]:
    """Yield the extension spans without an annotation of the size, and those with a target label."""
    for found, source in pairs:
        for span in found.spans[len(source.spans) :]:
            if span.origin not in EXTENSION_MODES or source.id not in annotated[span.origin]:
                message = f"has an extension span {span.label} ({span.origin}) without an annotation of its size"
                yield Problem(file, f"sentence {source.id} {message}")
            elif span.label in data.dataset.targets:
                yield Problem(file, f"an extension span of sentence {source.id} has the target label {span.label}")


def _annotated_ids(data: AuditData, size_data: SizeData) -> dict[str, set[str]]:
    """Return the ids of the sentences with annotated items, by mode."""
    annotated: dict[str, set[str]] = {mode: set() for mode in EXTENSION_MODES}
    for mode, _, file in data.annotation_files(size_data.size):
        if mode not in EXTENSION_MODES:
            continue
        annotated[mode] |= {str(row.get("id")) for _, row in read_rows(file) if row.get("items")}
    return annotated
