"""The formats by name: how each is read and written, and what its offsets usually are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from utils.dataset.formats.documents import Document, ReadContext, WriteContext
from utils.dataset.formats.spans.conventions import INCLUSIVE, Convention, Offsets
from utils.dataset.formats.standoff.argilla import read_argilla, write_argilla
from utils.dataset.formats.standoff.brat import read_brat, write_brat
from utils.dataset.formats.standoff.chinese import read_cluener, read_cmeee, read_uie, write_cmeee
from utils.dataset.formats.standoff.doccano import read_doccano, write_doccano
from utils.dataset.formats.standoff.labelstudio import read_labelstudio, write_labelstudio
from utils.dataset.formats.standoff.prodigy import read_prodigy, write_prodigy
from utils.dataset.formats.tables.conll import read_conll, write_bio, write_bioes, write_bmes
from utils.dataset.formats.tables.hugging_face import read_hf, write_hf
from utils.dataset.formats.tables.project import read_project, write_project
from utils.dataset.formats.tables.spacy_docs import read_spacy, write_spacy
from utils.dataset.formats.tables.token_json import (
    read_cnnner,
    read_gliner,
    read_w2ner,
    write_cnnner,
    write_gliner,
    write_w2ner,
)
from utils.dataset.records import Sentence

Read = Callable[[Path, ReadContext], list[Document]]
Write = Callable[[Path, Sequence[Sentence], WriteContext], None]

JSON = (".json", ".jsonl", ".jsonlines", ".ndjson")
TABLES = (".txt", ".tsv", ".conll", ".bio", ".bioes", ".bmes", ".iob", ".iob2", ".ner")


@dataclass(frozen=True)
class Format:
    """A format: `suffixes` of its files, the first of which is written; `read` or `write` is None if it is one-way."""

    suffixes: tuple[str, ...]
    read: Read
    write: Write | None
    offsets: Offsets = field(default_factory=Offsets)
    is_folder: bool = False  # a dataset is always a folder of several files
    has_lines: bool = False  # each line of a document is a sentence


FORMATS: dict[str, Format] = {
    "project": Format((".jsonl", ".json"), read_project, write_project),
    "bio": Format((".bio", *TABLES), read_conll, write_bio),
    "bioes": Format((".bioes", *TABLES), read_conll, write_bioes),
    "bmes": Format((".bmes", *TABLES), read_conll, write_bmes),
    "cluener": Format(JSON, read_cluener, None, Offsets(INCLUSIVE)),
    "cmeee": Format(JSON, read_cmeee, write_cmeee, Offsets(INCLUSIVE, varies=True)),
    "w2ner": Format(JSON, read_w2ner, write_w2ner),
    "cnnner": Format((".jsonlines", ".jsonl", ".json"), read_cnnner, write_cnnner),
    "doccano": Format((".jsonl", ".json", ".ndjson"), read_doccano, write_doccano),
    # Label Studio counts as JavaScript does.
    "labelstudio": Format(JSON, read_labelstudio, write_labelstudio, Offsets(Convention("utf16"))),
    "brat": Format((".txt",), read_brat, write_brat, is_folder=True, has_lines=True),
    "prodigy": Format((".jsonl", ".json"), read_prodigy, write_prodigy),
    "spacy": Format((".spacy",), read_spacy, write_spacy),
    "argilla": Format(JSON, read_argilla, write_argilla),
    "gliner": Format(JSON, read_gliner, write_gliner, Offsets(INCLUSIVE)),
    "hf": Format((".parquet", ".arrow", ".jsonl", ".json"), read_hf, write_hf, is_folder=True),
    "uie": Format((".txt", *JSON), read_uie, None),
}
READABLE = tuple(FORMATS)
WRITABLE = tuple(name for name, one in FORMATS.items() if one.write is not None)
