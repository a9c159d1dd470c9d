"""CoNLL files: a token and its tag in each line, an empty line after each sentence."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from utils.dataset.formats.documents import Document, RawSpan, ReadContext, WriteContext
from utils.dataset.formats.losses import Losses
from utils.dataset.formats.spans.details import count_details, count_rows, flat_spans
from utils.dataset.formats.tables.tags import BROKEN, Scheme, TagReader, is_old_bio, scheme_name, tags_of
from utils.dataset.formats.text_marks import mark_before
from utils.dataset.records import Sentence
from utils.files.compressed import bounded_lines, check_line, open_input
from utils.files.jsonl import decode_utf8, replace_file
from utils.wording import counted

DOCSTART = "-DOCSTART-"
PEEKED_LINES = 300  # in which a table is recognised
_BLANKS = re.compile(r"[ \t]+")
_SPACE_TOKEN = re.compile(r"([ \t])[ \t]+(\S+)")  # a token that is a space, its tag after a space
_TAG = re.compile(r"[BIESMLU][-_]\S+|\S+[-_][BIESMLU]|[BIO]")
_COMMENT = re.compile(r"#\s*(?:[\w.:-]+\s=\s|(?:id|sent_id|newdoc|newpar)\b)")  # "# sent_id = 17", "# id 17"
_UNWRITABLE = re.compile(r"[\t\n\r]")


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """A line of a table, its number and its columns."""

    number: int
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of the tokens and of the tags, counted from 0, or from the last one with -1."""

    token: int = 0
    tag: int = -1


def read_conll(path: Path, context: ReadContext) -> list[Document]:
    """Return the sentences of a file; broken tag sequences are read as seqeval does, and counted."""
    losses = context.losses
    sentences = list(_sentences(path, losses))
    columns = _columns(sentences, context)
    _check_columns(path, sentences, columns)
    tags = [[line.fields[columns.tag] for line in sentence] for sentence in sentences]
    reader = TagReader.of(tag for some in tags for tag in some)
    name = scheme_name(reader, (tag for some in tags for tag in some))
    old = is_old_bio(reader, tags)
    losses.note(f"{path}: the tags are {'BIO of the old kind (IOB1: I- may begin a span)' if old else name}")
    documents = []
    for sentence, some in zip(sentences, tags, strict=True):
        if not old and name != "IO":
            for index in reader.broken(some):
                losses.add("tag", BROKEN, example=f"{path}:{sentence[index].number}: {some[index]}")
        spans = [RawSpan(start, end, label) for start, end, label in reader.spans(some)]
        tokens = tuple(line.fields[columns.token] for line in sentence)
        documents.append(Document(f"{path}:{sentence[0].number}", tokens, tuple(spans)))
    return documents


def _sentences(path: Path, losses: Losses) -> Iterator[list[ColumnLine]]:
    """Yield the lines of each sentence; comments, -DOCSTART- and lines without a token are left out."""
    lines = list(_lines(path))
    usual = Counter(len(line.fields) for line in lines if line.fields).most_common(1)
    columns = usual[0][0] if usual else 0
    if columns == 1:
        raise ValueError(f"{path}: there is one column; each line must have a token and its tag, such as: Rome B-LOC")
    sentence: list[ColumnLine] = []
    for line in lines:
        if not line.fields or line.fields[0] == DOCSTART:
            if line.fields:
                losses.add("line", f"{DOCSTART}: left out", example=f"{path}:{line.number}")
            if sentence:
                yield sentence
            sentence = []
        elif len(line.fields) != columns and line.fields[0].startswith("#"):
            continue  # a comment, such as "# id 17"
        elif len(line.fields) < 2:
            raise ValueError(
                f"{path}:{line.number}: {line.fields[0]!r} has no tag; write O for a token outside of all spans"
            )
        elif not line.fields[0]:
            losses.add("line", "without a token: left out", example=f"{path}:{line.number}")
        else:
            sentence.append(line)
    if sentence:
        yield sentence


def _lines(path: Path) -> Iterator[ColumnLine]:
    """Yield the lines with their columns: between tabs if a line has one, else between spaces; () if it is empty."""
    with open_input(path) as file:
        for number, _, data in bounded_lines(file):
            check_line(data, path, number)
            # Only the first character of the file can be a byte order mark. Elsewhere, U+FEFF may be a token.
            text = decode_utf8(data if number == 1 else BOM_UTF8 + data, f"{path}:{number}").rstrip("\r\n")
            if not _COMMENT.match(text):
                yield ColumnLine(number, _fields(text))


def _fields(text: str) -> tuple[str, ...]:
    if not text.strip():
        return ()
    if "\t" in text.strip(" "):
        fields = [field.strip(" ") or (field if number == 0 else "") for number, field in enumerate(text.split("\t"))]
        return tuple(fields if fields[-1] or len(fields) < 3 else fields[:-1])  # a tab at the end of the line
    if space := _SPACE_TOKEN.fullmatch(text):
        return space[1], space[2]
    return tuple(_BLANKS.split(text.strip(" ")))


def _columns(sentences: Sequence[Sequence[ColumnLine]], context: ReadContext) -> Columns:
    """Return where tokens and tags are: the first and last column; in GermEval and CoNLL-U, the first is a number."""
    lines = [(index, line) for sentence in sentences for index, line in enumerate(sentence, start=1)]
    is_numbered = bool(lines) and all(len(line.fields) > 2 and line.fields[0] == str(index) for index, line in lines)
    token = _column("--token_column", context.token_column)
    tag = _column("--tag_column", context.tag_column)
    return Columns(int(is_numbered) if token is None else token, -1 if tag is None else tag)


def _column(flag: str, given: str | None) -> int | None:
    """Return the index of a column that the user numbers from 1."""
    if given is None:
        return None
    if not given.isdecimal() or given == "0":
        raise ValueError(f"{flag}: {given!r} must be the number of a column, from 1")
    return int(given) - 1


def _check_columns(path: Path, sentences: Iterable[Iterable[ColumnLine]], columns: Columns) -> None:
    """Raise ValueError for the first line that has fewer columns than are read."""
    needed = max(columns.token, columns.tag) + 1
    for line in (line for sentence in sentences for line in sentence):
        if len(line.fields) < needed:
            raise ValueError(
                f"{path}:{line.number}: has {counted(len(line.fields), 'column')}, but {needed} are needed"
            )


def write_conll(path: Path, sentences: Sequence[Sentence], context: WriteContext, *, scheme: Scheme) -> None:
    """Write a token, a tab and a tag in each line; what the format cannot hold is counted."""
    losses = context.losses
    count_details(sentences, losses)
    count_rows(sentences, losses)
    with replace_file(path) as file:
        file.write(mark_before(sentences[0].tokens[0]) if sentences else b"")
        for sentence in sentences:
            tags = tags_of(len(sentence.tokens), flat_spans(sentence, losses), scheme)
            for token, tag in zip(sentence.tokens, tags, strict=True):
                file.write(f"{_writable(token, losses, sentence.id)}\t{tag}\n".encode())
            file.write(b"\n")


def _writable(token: str, losses: Losses, id_: str) -> str:
    """Return a token that fits in a column."""
    plain = _UNWRITABLE.sub(" ", token)
    if plain != token:
        losses.add("token", "contains a tab or a line break: written as a space", example=f"sentence {id_}")
    return plain


write_bio = partial(write_conll, scheme="bio")
write_bioes = partial(write_conll, scheme="bioes")
write_bmes = partial(write_conll, scheme="bmes")


def is_table(path: Path) -> bool:
    """Return whether the first lines of a file have a token and a tag each."""
    lines = [line for line in islice(_lines(path), PEEKED_LINES) if line.fields and not line.fields[0].startswith("#")]
    columns = {len(line.fields) for line in lines if line.fields[0] != DOCSTART}
    tags = [line.fields[-1] for line in lines]
    is_tagged = any(_TAG.fullmatch(tag) for tag in tags) or "O" in tags
    return bool(lines) and min(columns, default=0) >= 2 and len(columns) == 1 and is_tagged
