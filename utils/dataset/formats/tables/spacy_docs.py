"""spaCy's binary training data (DocBin, .spacy). spaCy is imported when it is used."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from utils.dataset.formats.documents import Document, RawSpan, ReadContext, WriteContext
from utils.dataset.formats.json_files import from_metadata, metadata, score_of
from utils.dataset.formats.losses import Losses
from utils.dataset.formats.spans.details import flat_spans
from utils.dataset.records import Sentence
from utils.files.jsonl import replace_file
from utils.wording import counted

SPANS_KEY = "sc"  # of spans that may overlap: the default of spaCy's span categoriser


def _spacy() -> ModuleType:
    """Return spaCy; raise ImportError with the command that installs it."""
    logging.getLogger("spacy").setLevel(logging.ERROR)
    try:
        import spacy
    except ImportError:
        raise ImportError("--from=spacy and --to=spacy need spaCy: run pip install 'spacy>=3.1,<4'") from None
    return spacy


def read_spacy(path: Path, context: ReadContext) -> list[Document]:
    """Return the documents of a .spacy file: the entities of each, and all of its groups of spans."""
    spacy = _spacy()
    from spacy.tokens import DocBin

    vocab = spacy.blank("xx").vocab
    try:
        docs = list(DocBin().from_disk(path).get_docs(vocab))
    except (ValueError, KeyError, TypeError, EOFError, OSError) as error:
        raise ValueError(f"{path}: is not a .spacy file that this version of spaCy can read ({error})") from None
    return [_document(doc, f"{path}: document {number}") for number, doc in enumerate(docs, start=1)]


def _document(doc: Any, where: str) -> Document:
    """Return the document of a Doc; a span that is in several groups is taken once."""
    spans: dict[tuple[int, int, str], RawSpan] = {}
    for key, group in doc.spans.items():
        scores, origins = group.attrs.get("scores"), group.attrs.get("origins")
        for index, one in enumerate(group):
            score = score_of(float(scores[index])) if scores is not None and scores[index] is not None else None
            origin = origins[index] if origins and key == SPANS_KEY else None
            spans[one.start, one.end, one.label_] = RawSpan(one.start, one.end, one.label_, None, origin, score)
    for one in doc.ents:
        spans.setdefault((one.start, one.end, one.label_), RawSpan(one.start, one.end, one.label_))
    tokens = tuple(token.text for token in doc)
    return Document(where, tokens, tuple(spans.values()), row=from_metadata(doc.user_data.get("meta")))


def write_spacy(path: Path, sentences: Sequence[Sentence], context: WriteContext) -> None:
    """Write a DocBin: all spans in doc.spans["sc"], and in doc.ents those that do not overlap."""
    spacy = _spacy()
    from spacy.tokens import DocBin

    vocab = spacy.blank("xx").vocab
    outer = Losses()
    docs = DocBin(store_user_data=True)
    for sentence in sentences:
        docs.add(_doc(sentence, vocab, outer, has_spaces=bool(context.separator)))
    if left := outer.total():
        context.losses.note(
            f'{path}: doc.ents lacks {counted(left, "span")} that overlap others; doc.spans["sc"] has all'
        )
    with replace_file(path) as file:
        file.write(docs.to_bytes())


def _doc(sentence: Sentence, vocab: Any, losses: Losses, *, has_spaces: bool) -> Any:
    from spacy.tokens import Doc, Span, SpanGroup

    spaces = [has_spaces] * len(sentence.tokens)
    spaces[-1] = False
    doc = Doc(vocab, words=list(sentence.tokens), spaces=spaces)
    flat = flat_spans(sentence, losses)
    doc.ents = [Span(doc, one.start, one.end, label=one.label) for one in flat]
    attrs: dict[str, Any] = {}
    if any(one.score is not None for one in sentence.spans):
        attrs["scores"] = [one.score for one in sentence.spans]
    if any(one.origin is not None for one in sentence.spans):
        attrs["origins"] = [one.origin for one in sentence.spans]
    spans = [Span(doc, one.start, one.end, label=one.label) for one in sentence.spans]
    doc.spans[SPANS_KEY] = SpanGroup(doc, name=SPANS_KEY, spans=spans, attrs=attrs)
    if meta := metadata(sentence.row):
        doc.user_data["meta"] = meta
    return doc
