"""Check that the lines of a size's files belong to the size, and that their target spans are unchanged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from pathlib import Path

from utils.audit.data import AuditData, AuditFinding, Problem, SizeData
from utils.audit.pairs import Found, match_by_id, match_by_text
from utils.audit.patches import Corrections, corrections_of, dropped_ids, is_corrected, missing_patch
from utils.dataset.layout import Size
from utils.dataset.modes import EXTENSION_MODES
from utils.dataset.records import LLM_SPANS, NUMBER, TARGET_SCORES, Sentence, sentence_to_row
from utils.files.joining import LineFinder
from utils.files.jsonl import JsonObject, Line, parse_row, read_rows
from utils.files.manifest import read_manifest
from utils.wording import agreeing, counted


def check_sentences(data: AuditData, size_data: SizeData) -> Iterator[Problem]:
    """Yield the problems in `train_<size>.jsonl`."""
    file = data.layout.size_sentences(size_data.size)
    yield from _compare(match_by_text(file, data, size_data), partial(_changed, file))


def check_synthetic(data: AuditData, size_data: SizeData) -> Iterator[Problem]:
    """Yield the problems in `train_<size>_synthetic.jsonl`."""
    file = data.layout.size_sentences(size_data.size, synthetic=True)
    if file.is_file():
        found = match_by_id(file, partial(data.read_synthetic, file), size_data)
        yield from _compare(found, partial(_changed, file))


def check_targets(data: AuditData, size_data: SizeData) -> Iterator[Problem]:
    """Yield the problems in `train_<size>_synthetic_target.jsonl`, which has the spans of a model."""
    file = data.layout.size_target(size_data.size)
    if not file.is_file():
        return
    dropped = _dropped_by_s7(data, size_data.size)

    def problems(found: Sentence, source: Sentence) -> Iterator[Problem]:
        if _without_labels(found) != _without_labels(source):
            yield Problem(file, f"sentence {found.id} differs from the sentence that s2 wrote")
        for span in found.spans:
            if span.origin != "ner" or span.label not in data.dataset.targets:
                yield Problem(file, f"sentence {found.id} has a span {span.label} that is not a target span of a model")

    yield from _compare(match_by_id(file, partial(data.read_synthetic, file), size_data, dropped=dropped), problems)


def _without_labels(sentence: Sentence) -> JsonObject:
    """Return a sentence's row without what s7 writes into it."""
    row = {**sentence_to_row(sentence), "entities": []}
    return {key: value for key, value in row.items() if key not in (TARGET_SCORES, LLM_SPANS)}


def check_annotations(data: AuditData, size_data: SizeData) -> Iterator[Problem]:
    """Yield the problems in the annotations of the size (s1 and s3)."""
    for _, is_synthetic, file in data.annotation_files(size_data.size):
        read = size_data.synthetic if is_synthetic else size_data.sentences
        finder = LineFinder(file, partial(size_data.ids, synthetic=is_synthetic))
        if finder.is_ordered:
            for sentence in read():
                yield from _annotations_of(sentence, finder.find(sentence.id), file)
        else:
            yield from _annotations_in_disorder(file, read(), size_data.size)


def _annotations_of(sentence: Sentence, lines: Iterable[Line], file: Path) -> Iterator[Problem]:
    """Yield the problems with the lines that annotate a sentence."""
    for place, (number, data) in enumerate(lines):
        if place:
            yield Problem(file, f"line {number} annotates sentence {sentence.id} again")
        elif parse_row(data, f"{file}:{number}").get("text") != list(sentence.tokens):
            yield Problem(file, f"the text of line {number} differs from that of sentence {sentence.id}")


def _annotations_in_disorder(file: Path, sentences: Iterable[Sentence], size: Size) -> Iterator[Problem]:
    """Yield the problems in a file of annotations that does not have the order of the sentences."""
    texts = {sentence.id: sentence.tokens for sentence in sentences}
    seen: set[str] = set()
    for line, row in read_rows(file):
        id_ = str(row.get("id"))
        if id_ not in texts:
            yield Problem(file, f"line {line} annotates sentence {id_}, which is not in size {size}")
        elif id_ in seen:
            yield Problem(file, f"line {line} annotates sentence {id_} again")
        elif row.get("text") != list(texts[id_]):
            yield Problem(file, f"the text of line {line} differs from that of sentence {id_}")
        seen.add(id_)


def check_fusion(data: AuditData, size_data: SizeData) -> Iterator[AuditFinding]:
    """Yield the problems in `train_<size>_fusion.jsonl`."""
    file = data.layout.size_fusion(size_data.size)
    if not file.is_file():
        return
    if missing := missing_patch(data.layout, file):
        yield missing
        return
    corrections = corrections_of(data.layout, file, synthetic=False)
    found = match_by_text(file, data, size_data, dropped_ids(corrections))
    annotated = _Annotated(data, size_data, synthetic=False)
    yield from _compare(found, partial(_merged, file, corrections, data.dataset.targets, annotated))


def check_synthetic_fusion(data: AuditData, size_data: SizeData) -> Iterator[AuditFinding]:
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
    expected = partial(data.read_synthetic, source) if source.is_file() else size_data.synthetic
    own = partial(_read_synthetic_part, data, file)
    dropped = dropped_ids(corrections) | (_dropped_by_s7(data, size) if is_combined else frozenset())
    found = match_by_id(file, own, size_data, expected=expected, dropped=dropped)
    annotated = _Annotated(data, size_data, synthetic=True)
    yield from _compare(found, partial(_merged, file, corrections, data.dataset.targets, annotated))
    appended = (sentence_to_row(one) for one in data.read(file) if not one.is_synthetic)
    if is_combined:
        if any(one != other for one, other in zip_longest(appended, _rows(data, layout.size_fusion(size)))):
            yield Problem(file, f"the sentences after the synthetic ones differ from {layout.size_fusion(size)}")
    elif number := sum(1 for _ in appended):
        are = agreeing(number, "is", "are")
        yield Problem(file, f"{counted(number, 'sentence')} {are} not among the synthetic sentences of size {size}")


def _compare(found: Iterable[Found], problems: Callable[[Sentence, Sentence], Iterable[Problem]]) -> Iterator[Problem]:
    """Yield the problems of a matching, and those of each pair."""
    for one in found:
        if isinstance(one, Problem):
            yield one
        else:
            yield from problems(*one)


def _rows(data: AuditData, file: Path) -> Iterator[JsonObject]:
    return map(sentence_to_row, data.read(file)) if file.is_file() else iter(())


def _read_synthetic_part(data: AuditData, file: Path) -> Iterator[Sentence]:
    """Yield the synthetic sentences of a file to which others may be appended."""
    for one in data.read(file):
        if one.is_synthetic:
            yield replace(one, id=str(one.row.get("id")))


def _dropped_by_s7(data: AuditData, size: Size) -> frozenset[str]:
    """Return the ids of the sentences that s7 dropped, as asked: the manifest says so, and the review lists them."""
    manifest, review = read_manifest(data.layout.size_target(size)), data.layout.size_review(size)
    if manifest is None or not manifest.parameters.get("drop_disagreeing") or not review.is_file():
        return frozenset()
    ids = frozenset(str(row.get("id")) for _, row in read_rows(review) if row.get("predicted") is not None)
    return ids if len(ids) == manifest.counts.get("dropped") else frozenset()


def _changed(file: Path, found: Sentence, source: Sentence, *, extended: bool = False) -> Iterator[Problem]:
    """Yield a problem if a line was changed; with `extended`, extension spans may follow the target spans."""
    row, known = sentence_to_row(found), sentence_to_row(source)
    spans = row["entities"][: len(known["entities"])] if extended else row["entities"]
    if spans != known["entities"]:
        yield Problem(file, f"the target spans of sentence {source.id} were changed")
    elif {**row, "entities": spans} != {**known, **({NUMBER: int(source.id)} if NUMBER in row else {})}:
        yield Problem(file, f"the line of sentence {source.id} was changed")


def _extensions(
    file: Path, found: Sentence, source: Sentence, targets: Collection[str], annotated: Collection[str]
) -> Iterator[Problem]:
    """Yield the extension spans of a sentence without an annotation of the size, and those with a target label."""
    for span in found.spans[len(source.spans) :]:
        if span.origin not in annotated:
            message = f"has an extension span {span.label} ({span.origin}) without an annotation of its size"
            yield Problem(file, f"sentence {source.id} {message}")
        elif span.label in targets:
            yield Problem(file, f"an extension span of sentence {source.id} has the target label {span.label}")


def _merged(
    file: Path,
    corrections: Corrections,
    targets: Collection[str],
    annotated: _Annotated,
    found: Sentence,
    source: Sentence,
) -> Iterator[Problem]:
    """Yield the problems in a merged line; one with corrections may differ as these say."""
    if source.id not in corrections:
        yield from _changed(file, found, source, extended=True)
        yield from _extensions(file, found, source, targets, annotated.modes(source.id))
    elif not is_corrected(found, source, corrections[source.id]):
        yield Problem(file, f"the target spans of sentence {source.id} were changed, and not only by corrections")


class _Annotated:
    """The modes in which sentences of a size have annotated items; read in the order of the sentences if possible."""

    def __init__(self, data: AuditData, size_data: SizeData, *, synthetic: bool) -> None:
        self._files = {
            mode: (file, LineFinder(file, partial(size_data.ids, synthetic=synthetic)))
            for mode, is_synthetic, file in data.annotation_files(size_data.size)
            if mode in EXTENSION_MODES and is_synthetic == synthetic
        }

    def modes(self, sentence_id: str) -> set[str]:
        """Return the modes in which a sentence has items."""
        return {
            mode
            for mode, (file, finder) in self._files.items()
            if any(parse_row(data, f"{file}:{number}").get("items") for number, data in finder.find(sentence_id))
        }
