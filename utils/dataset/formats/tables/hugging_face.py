"""Hugging Face datasets: folders of `save_to_disk`, parquet, arrow and JSON Lines, with "tokens" and "ner_tags"."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from utils.dataset.formats.documents import Document, RawSpan, ReadContext, WriteContext
from utils.dataset.formats.json_files import (
    list_of,
    naming_place,
    number_of,
    optional_text,
    read_objects,
    score_of,
    text_of,
    tokens_of,
)
from utils.dataset.formats.losses import Losses
from utils.dataset.formats.spans.details import count_rows, details, flat_spans
from utils.dataset.formats.tables.tags import BROKEN, TagReader, scheme_name, tags_of
from utils.dataset.records import Sentence
from utils.files.compressed import content_suffix
from utils.files.jsonl import read_json, read_text, replace_file
from utils.wording import counted

T = TypeVar("T")
TOKENS = ("tokens", "words", "sentence", "text")
TAGS = ("ner_tags", "tags", "ner", "labels", "fine_ner_tags", "coarse_ner_tags", "ner_tags_index", "tag", "label")
ENTITIES = "entities"  # of this project: spans that may nest
OUTSIDE = "O"

_HEADER = re.compile(r"\A---\n(.*?)\n---", re.DOTALL)
_NAMED = re.compile(r"^\s*'?\"?(\d+)'?\"?:\s*(\S.*?)\s*$", re.MULTILINE)


def _pyarrow() -> ModuleType:
    """Return pyarrow; raise ImportError with the command that installs it."""
    try:
        import pyarrow
    except ImportError:
        raise ImportError("--from=hf and --to=hf need pyarrow: run pip install 'pyarrow>=14'") from None
    return pyarrow


def read_hf(path: Path, context: ReadContext) -> list[Document]:
    """Return the documents of a file of a dataset; numbers of tags are read by the names in the dataset's features."""
    rows = list(_rows(path))
    if not rows:
        return []
    columns = rows[0][1].keys()
    token_column = _chosen(path, "--token_column", context.token_column, columns, TOKENS)
    if context.tag_column is None and isinstance(rows[0][1].get(ENTITIES), list):
        return [_with_entities(where, row, token_column) for where, row in rows]
    tag_column = _chosen(path, "--tag_column", context.tag_column, columns, TAGS)
    others = [name for name in columns if name != tag_column and ("ner" in name or name in TAGS)]
    if others:
        more = ", ".join(others)
        context.losses.note(f'{path}: the tags are those of "{tag_column}"; --tag_column chooses another one ({more})')
    with naming_place(f"{path}: the names of its tags"):
        names = _tag_names(path, tag_column)
    tags = _each(rows, lambda row: [_tag(tag, names) for tag in list_of(row[tag_column], tag_column)])
    reader = TagReader.of(tag for some in tags for tag in some)
    context.losses.note(f"{path}: the tags are {scheme_name(reader, (tag for some in tags for tag in some))}")
    tokens = _each(rows, lambda row: tokens_of(row[token_column], token_column))
    return [
        _tagged(where, some_tokens, some, reader, context.losses)
        for (where, _), some_tokens, some in zip(rows, tokens, tags, strict=True)
    ]


def _each(rows: Sequence[tuple[str, Mapping[str, Any]]], read: Callable[[Mapping[str, Any]], T]) -> list[T]:
    """Return what `read` makes of each row; errors name its place."""
    made = []
    for where, row in rows:
        with naming_place(where):
            made.append(read(row))
    return made


def _tagged(where: str, tokens: tuple[str, ...], tags: Sequence[str], reader: TagReader, losses: Losses) -> Document:
    if len(tokens) != len(tags):
        raise ValueError(f"{where}: {counted(len(tokens), 'token')}, but {counted(len(tags), 'tag')}")
    for index in reader.broken(tags):
        losses.add("tag", BROKEN, example=f"{where}: {tags[index]}")
    return Document(where, tokens, tuple(RawSpan(*span) for span in reader.spans(tags)))


def _with_entities(where: str, row: Mapping[str, Any], token_column: str) -> Document:
    with naming_place(where):
        spans = tuple(map(_span, list_of(row[ENTITIES], ENTITIES)))
        return Document(where, tokens_of(row[token_column], token_column), spans)


def _span(one: Mapping[str, Any]) -> RawSpan:
    start, end, label = number_of(one["start"]), number_of(one["end"]), text_of(one["entity"], "entity")
    return RawSpan(start, end, label, None, optional_text(one.get("origin")), score_of(one.get("score")))


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the rows of a parquet, arrow or JSON Lines file with their places."""
    if content_suffix(path) in (".json", ".jsonl"):
        yield from read_objects(path)
        return
    for number, row in enumerate(_table(path).to_pylist(), start=1):
        yield f"{path}: row {number}", row


def _table(path: Path) -> Any:
    """Return the table of a parquet file, or of an arrow file (stream, or file with an index)."""
    arrow = _pyarrow()
    try:
        if path.suffix == ".parquet":
            import pyarrow.parquet

            return pyarrow.parquet.read_table(path)
        import pyarrow.ipc

        with path.open("rb") as file:
            try:
                return pyarrow.ipc.open_stream(file).read_all()
            except arrow.ArrowInvalid:
                file.seek(0)
                return pyarrow.ipc.open_file(file).read_all()
    except arrow.ArrowException as error:
        raise ValueError(f"{path}: cannot be read: {error}") from None


def _chosen(path: Path, flag: str, given: str | None, columns: Any, usual: Sequence[str]) -> str:
    """Return the name of a column: the given one, or the first usual one that there is."""
    wanted = (given,) if given else usual
    found = next((name for name in wanted if name in columns), None)
    if found is None:
        shown = ", ".join(columns)
        raise ValueError(f"{path}: there is no column {' or '.join(wanted)}; choose one with {flag}: {shown}")
    return found


def _tag(value: Any, names: Sequence[str]) -> str:
    """Return a tag as a text; a number is looked up in the names of the tags."""
    if isinstance(value, str):
        return value
    number = number_of(value, "tag")
    if not names:
        raise ValueError(
            "the tags are numbers, and their names are missing: put dataset_info.json or the README.md of the dataset "
            "beside the file, or a file tags.txt with a tag per line"
        )
    if not 0 <= number < len(names):
        raise ValueError(f"the tag {number} is not one of the {len(names)} names")
    return names[number]


def _tag_names(path: Path, column: str) -> list[str]:
    """Return the names of the tags: from the file, dataset_info.json, README.md or tags.txt; [] if there are none."""
    if path.suffix in (".parquet", ".arrow"):
        info = (_table(path).schema.metadata or {}).get(b"huggingface", b"{}")
        if names := _names_in(json.loads(info).get("info", {}).get("features", {}).get(column)):
            return names
    for folder in (path.parent, path.parent.parent):
        if (folder / "dataset_info.json").is_file():
            info = read_json(folder / "dataset_info.json")
            infos = [info, *(value for value in info.values() if isinstance(value, dict))]
            for one in infos:
                if names := _names_in((one.get("features") or {}).get(column)):
                    return names
        if (folder / "tags.txt").is_file():
            return [line for line in read_text(folder / "tags.txt").replace("\r\n", "\n").split("\n") if line]
        if (folder / "README.md").is_file() and (names := _names_in_card(folder / "README.md", column)):
            return names
    return []


def _names_in(feature: Any) -> list[str]:
    """Return the names of the ClassLabel in a feature: under "feature", alone, or in a list."""
    while isinstance(feature, dict) and isinstance(feature.get("feature"), dict):
        feature = feature["feature"]
    if isinstance(feature, list) and feature:
        return _names_in(feature[0])
    names = feature.get("names") if isinstance(feature, dict) else None
    return [str(name) for name in names] if isinstance(names, list) else []


def _names_in_card(path: Path, column: str) -> list[str]:
    """Return the names of a column's tags in the header of a dataset card."""
    header = _HEADER.search(read_text(path).replace("\r\n", "\n"))
    part = re.search(rf"- name: {re.escape(column)}\n(.*?)(?=\n *- name: |\Z)", header[1] if header else "", re.DOTALL)
    return [name.strip("'\"") for _, name in _NAMED.findall(part[1])] if part else []


def write_hf(path: Path, sentences: Sequence[Sentence], context: WriteContext) -> None:
    """Write a parquet file with "tokens", "ner_tags" (BIO, as numbers with names) and "entities", which may nest."""
    arrow = _pyarrow()
    import pyarrow.parquet

    count_rows(sentences, context.losses)
    names = [OUTSIDE, *(f"{position}-{label}" for label in context.labels for position in "BI")]
    numbers = {name: number for number, name in enumerate(names)}
    outer = Losses()
    tags = [tags_of(len(one.tokens), flat_spans(one, outer), "bio") for one in sentences]
    if left := outer.total():
        context.losses.note(f'{path}: "ner_tags" lacks {counted(left, "span")} that overlap others; "entities" has all')
    table = arrow.table(
        {
            "tokens": arrow.array([list(one.tokens) for one in sentences], arrow.list_(arrow.string())),
            "ner_tags": arrow.array([[numbers[tag] for tag in some] for some in tags], arrow.list_(arrow.int64())),
            ENTITIES: arrow.array([_entities(one) for one in sentences], arrow.list_(_entity_type(arrow))),
        }
    ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": _features(names)}})})
    with replace_file(path) as file:
        pyarrow.parquet.write_table(table, file)


def _entities(sentence: Sentence) -> list[dict[str, Any]]:
    return [{"start": span.start, "end": span.end, "entity": span.label, **details(span)} for span in sentence.spans]


def _entity_type(arrow: ModuleType) -> Any:
    number, text = arrow.int32(), arrow.string()
    fields = {"start": number, "end": number, "entity": text, "origin": text, "score": arrow.float64()}
    return arrow.struct(list(fields.items()))


def _features(names: Sequence[str]) -> dict[str, Any]:
    """Return the features of the table, as `datasets` keeps them."""

    def value(kind: str) -> dict[str, str]:
        return {"dtype": kind, "_type": "Value"}

    entity = {"start": value("int32"), "end": value("int32"), "entity": value("string")}
    return {
        "tokens": {"feature": value("string"), "_type": "Sequence"},
        "ner_tags": {"feature": {"names": list(names), "_type": "ClassLabel"}, "_type": "Sequence"},
        ENTITIES: [{**entity, "origin": value("string"), "score": value("float64")}],
    }
