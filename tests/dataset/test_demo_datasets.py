"""The demo datasets of the project, and the counts in their READMEs."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import combinations

import pytest
from rapidfuzz import fuzz

from tests.helpers.builders import call, read_lines, write_rows
from utils.dataset.layout import FEW_SHOT, Layout
from utils.dataset.reading import read_dataset, read_sentences
from utils.dataset.tokens import CHARACTERS, WORDS, same_text_key

SPLITS = ("train_1000", "dev", "test")
NAMES = {"demo": ("en", WORDS), "demo_zh": ("zh", CHARACTERS)}


@pytest.fixture(params=NAMES)
def folder(request):
    return FEW_SHOT / request.param


@pytest.fixture
def splits(folder):
    tokenisation = NAMES[folder.name][1]
    labels = (folder / "labels.txt").read_text(encoding="utf-8").split()
    return {
        split: read_sentences(folder / f"{split}.jsonl", tokenisation=tokenisation, labels=labels) for split in SPLITS
    }


def nested(sentence):
    return any(
        one != other and one.start <= other.start and other.end <= one.end
        for one in sentence.spans
        for other in sentence.spans
    )


def test_language_and_tokenisation_of_a_dataset_are_recognised(folder):
    dataset = read_dataset(folder / "train_1000.jsonl", folder / "labels.txt")
    assert (dataset.language, dataset.tokenisation) == NAMES[folder.name]


def test_the_text_of_every_span_is_at_its_offsets(splits):
    for sentence in (one for sentences in splits.values() for one in sentences):
        for span in sentence.spans:
            assert list(sentence.tokens[span.start : span.end]) == span.row["text"]


def test_no_two_sentences_are_the_same_or_similar(splits):
    texts = ["".join(sentence.tokens) for sentences in splits.values() for sentence in sentences]
    assert max(fuzz.ratio(one, other) for one, other in combinations(texts, 2)) < 75
    assert len({same_text_key([text]) for text in texts}) == 120


def test_a_name_that_is_labelled_once_is_labelled_everywhere(splits):
    names = {"".join(s.tokens[n.start : n.end]) for all_ in splits.values() for s in all_ for n in s.spans}
    for sentence in (one for sentences in splits.values() for one in sentences):
        text = "".join(sentence.tokens)
        labelled = ["".join(sentence.tokens[span.start : span.end]) for span in sentence.spans]
        assert [name for name in names if name in text and not any(name in one for one in labelled)] == []


def test_the_counts_in_the_readme_are_correct(folder, splits):
    page = (folder / "README.md").read_text(encoding="utf-8")
    counts = [Counter(span.label for sentence in splits[split] for span in sentence.spans) for split in SPLITS]
    rows = {
        **{f"`{label}`": [count[label] for count in counts] for label in counts[0]},
        "all": [count.total() for count in counts],
        "sentences": [len(splits[split]) for split in SPLITS],
        "with nested entities": [sum(map(nested, splits[split])) for split in SPLITS],
        "without entities": [sum(not sentence.spans for sentence in splits[split]) for split in SPLITS],
    }
    for name, numbers in rows.items():
        line = next(line for line in page.splitlines() if line.startswith(f"| {name} |"))
        assert [int(number) for number in re.findall(r"\| +(\d+)", line)] == numbers, name


def test_annotation_and_merge_of_the_chinese_dataset_keep_every_gold_span(tmp_path):
    rows = read_lines(FEW_SHOT / "demo_zh" / "train_1000.jsonl")
    answers = [
        {
            "id": str(number),
            "task": "entity",
            "answer": json.dumps([["".join(e["text"]), "专名"] for e in row["entities"]]),
        }
        for number, row in enumerate(rows, start=1)
    ]
    write_rows(tmp_path / "demo_zh" / "train_1000.jsonl", rows)
    (tmp_path / "demo_zh" / "labels.txt").write_bytes((FEW_SHOT / "demo_zh" / "labels.txt").read_bytes())
    data = {"file_dir": tmp_path, "file_name": "demo_zh"}
    call(
        "s1", **data, backend="scripted", model_from_pretrained=write_rows(tmp_path / "answers.jsonl", answers), shots=2
    )
    call("s4", **data)
    call("s5", **data)
    merged = read_lines(Layout(tmp_path, "demo_zh").size_fusion("1000"))
    for row, line in zip(rows, merged, strict=True):
        gold = row["entities"]
        assert line["entities"][: len(gold)] == gold
        extensions = {(span["start"], span["end"]) for span in line["entities"][len(gold) :]}
        assert {(span["start"], span["end"]) for span in gold if span["end"] - span["start"] > 1} <= extensions
        assert {span["entity"] for span in line["entities"][len(gold) :]} <= {"PROPER_NOUN"}
