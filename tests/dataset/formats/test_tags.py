"""Tags of tokens as spans, as seqeval reads them, and back."""

from __future__ import annotations

import random

import pytest
from seqeval.metrics.sequence_labeling import get_entities

from utils.dataset.formats.tables.tags import TagReader, is_old_bio, scheme_name, tags_of
from utils.dataset.records import Span

TAGS = ["O", "B-X", "I-X", "E-X", "S-X", "B-Y", "I-Y", "E-Y", "S-Y"]


def test_random_tags_give_the_spans_of_seqeval_also_where_they_are_broken():
    rng = random.Random(7)
    broken = 0
    for _ in range(3000):
        tags = [rng.choice(TAGS) for _ in range(rng.randint(1, 9))]
        reader = TagReader("prefix")
        broken += bool(reader.broken(tags))
        found = sorted((label, start, end - 1) for start, end, label in reader.spans(tags))
        assert found == sorted(get_entities(tags)), tags
    assert broken > 1000


@pytest.mark.parametrize("scheme", ["bio", "bioes", "bmes"])
def test_spans_are_the_same_after_they_were_tags(scheme):
    spans = [Span(0, 1, "A-B"), Span(1, 4, "A-B"), Span(5, 7, "C")]
    tags = tags_of(8, spans, scheme)
    reader = TagReader.of(tags)
    assert reader.spans(tags) == [(0, 1, "A-B"), (1, 4, "A-B"), (5, 7, "C")]
    assert reader.broken(tags) == []
    assert scheme_name(reader, tags) == scheme.upper()


@pytest.mark.parametrize(
    ("tags", "spans", "name"),
    [
        ("B-PER L-PER O U-LOC", [(0, 2, "PER"), (3, 4, "LOC")], "BILOU"),
        ("PER_B PER_I O DAT_B", [(0, 2, "PER"), (3, 4, "DAT")], "BIO"),
        ("B_PER I_PER O O", [(0, 2, "PER")], "BIO"),
        ("person-actor person-actor O art-music", [(0, 2, "person-actor"), (3, 4, "art-music")], "IO (labels"),
        ("I-PER I-PER O I-LOC", [(0, 2, "PER"), (3, 4, "LOC")], "IO"),
        ("B I O B", [(0, 2, "ENTITY"), (3, 4, "ENTITY")], "BIO"),
    ],
)
def test_every_scheme_is_recognised(tags, spans, name):
    reader = TagReader.of(tags.split())
    assert reader.spans(tags.split()) == spans
    assert scheme_name(reader, tags.split()).startswith(name)


def test_old_bio_is_recognised_by_a_begin_that_only_parts_two_spans():
    reader = TagReader("prefix")
    assert is_old_bio(reader, [["I-PER", "B-PER", "O", "I-LOC"]])
    assert not is_old_bio(reader, [["I-PER", "O", "B-LOC"]])
    assert not is_old_bio(reader, [["B-PER", "I-PER"]])
