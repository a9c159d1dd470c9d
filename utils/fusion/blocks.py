"""The input of a merge as blocks of lines, and the work on a block: parse, merge and encode it, in any process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from typing import NamedTuple

from utils.annotation.files import read_annotation_line
from utils.dataset.modes import Mode
from utils.dataset.records import NUMBER, Sentence, sentence_from_row, sentence_to_row, synthetic_from_row
from utils.dataset.tokens import Tokenisation
from utils.files.joining import LineFinder, OrderedLines, read_id, sentence_ids
from utils.files.jsonl import JsonObject, Line, encode_json, parse_row, read_lines
from utils.fusion.corrections import Patch
from utils.fusion.counts import FusionCounts
from utils.fusion.extension_labels import LabelMapping
from utils.fusion.files import MergeFiles
from utils.fusion.merge import MergedSentence, merge_sentence
from utils.fusion.patch import PatchCounts, PatchedSentence, apply_patch
from utils.parsing import Item

BLOCK = 250  # sentences, about 1 MB: enough that handing a block to another process costs little


class SentenceLines(NamedTuple):
    """The line of a sentence, and the lines of the answers to it."""

    id: str
    line: Line
    answers: Mapping[Mode, Sequence[Line]]


@dataclass(frozen=True)
class MergedBlock:
    """The lines of merged sentences as bytes, and their counts."""

    data: bytes
    counts: FusionCounts


def read_blocks(files: MergeFiles, *, are_as_written: bool = False) -> Iterator[list[SentenceLines]]:
    """Yield the lines of a merge in the order of the sentences, in blocks.

    Files that are as a step wrote them have the same order, which is then not checked before the first block.
    """
    if are_as_written:
        ordered = {mode: OrderedLines(path) for mode, path in files.annotations.items()}
        yield from _blocks(files, ordered)
        for lines in ordered.values():
            lines.finish()
    else:
        ids = partial(_ids, files)
        yield from _blocks(files, {mode: LineFinder(path, ids) for mode, path in files.annotations.items()})


def _blocks(
    files: MergeFiles, finders: Mapping[Mode, OrderedLines] | Mapping[Mode, LineFinder]
) -> Iterator[list[SentenceLines]]:
    numbers = count(1)
    lines = (
        SentenceLines(id_, line, {mode: finder.find(id_) for mode, finder in finders.items()})
        for line in read_lines(files.sentences)
        for id_ in (read_id(line, files.sentences) if files.synthetic else str(next(numbers)),)
    )
    while block := list(islice(lines, BLOCK)):
        yield block


def _ids(files: MergeFiles) -> Iterator[str]:
    return sentence_ids(files.sentences, from_rows=files.synthetic)


@dataclass(frozen=True)
class BlockMerger:
    """Merges the blocks of one merge; it can be sent to another process."""

    files: MergeFiles
    mapping: LabelMapping
    tokenisation: Tokenisation
    drop_crossing: bool = False
    patch: Patch | None = None  # corrections of a person

    def __call__(self, block: Iterable[SentenceLines]) -> MergedBlock:
        """Return the sentences of a block with their extension spans."""
        counts = FusionCounts(patch=PatchCounts(self.patch.path.name) if self.patch else None)
        merged_lines = []
        for lines in block:
            sentence = self._sentence(lines)
            merged = merge_sentence(
                sentence,
                self._items(sentence, lines.answers),
                self.mapping,
                tokenisation=self.tokenisation,
                drop_crossing=self.drop_crossing,
            )
            patched = self._patched(merged)
            counts.add(merged, patched)
            result = merged if patched is None else patched.merged
            if result is not None:
                merged_lines.append(encode_json(self._row(result.sentence)) + b"\n")
        return MergedBlock(b"".join(merged_lines), counts)

    def _patched(self, merged: MergedSentence) -> PatchedSentence | None:
        """Return a sentence after its corrections; None if it has none."""
        corrections = self.patch.by_id.get(merged.sentence.id, ()) if self.patch else ()
        return apply_patch(corrections, merged, self.mapping.targets) if corrections else None

    def _row(self, sentence: Sentence) -> JsonObject:
        """Return the line of a sentence, with its number if that is not the number of its line."""
        row = sentence_to_row(sentence)
        is_numbered = self.patch is not None and self.patch.drops_originals and not sentence.is_synthetic
        return {**row, NUMBER: int(sentence.id)} if is_numbered else row

    def _sentence(self, lines: SentenceLines) -> Sentence:
        number, data = lines.line
        source = f"{self.files.sentences}:{number}"
        row = parse_row(data, source)
        try:
            if self.files.synthetic:
                return synthetic_from_row(row, tokenisation=self.tokenisation)
            return sentence_from_row(row, id=lines.id, tokenisation=self.tokenisation)
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from None

    def _items(self, sentence: Sentence, answers: Mapping[Mode, Sequence[Line]]) -> dict[Mode, Sequence[Item]]:
        """Return the items in the answers to a sentence, by mode; answers to another text are skipped."""
        items: dict[Mode, Sequence[Item]] = {}
        for mode, lines in answers.items():
            for line in lines:
                row = read_annotation_line(line, self.files.annotations[mode])
                if row.id == sentence.id and row.status == "ok" and row.text == sentence.tokens:
                    items[mode] = row.items
        return items
