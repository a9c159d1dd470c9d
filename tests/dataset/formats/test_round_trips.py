"""A dataset is the same after it was in another format; what a format cannot hold is counted."""

from __future__ import annotations

import json
from itertools import combinations

import pytest

from tests.helpers.builders import CHINESE, ENGLISH, bytes_below, call, read_lines, row_of, write_rows
from utils.dataset.formats.registry import FORMATS, WRITABLE

OPTIONAL = {"spacy": "spacy", "hf": "pyarrow"}
FLAT = ("bio", "bioes", "bmes")
NESTED = [
    row_of(list("在北京大学读书。"), ("北京大学", "ORG"), ("北京", "LOC")),
    row_of(list("😀 北京\ufeff人"), ("北京", "LOC"), ("京\ufeff人", "PER"), ("北京", "GPE")),
    row_of(list("没有。")),
]
WORDS = [
    row_of(
        ["The", "U.S.", "of", "A", ",", "😀", "e-mail", "n't", "."], ("U.S. of A", "LOC"), ("A ,", "X"), ("A", "LOC")
    ),
    row_of(["Rome", "fell", "."], ("Rome", "LOC"), ("Rome", "CITY")),
]
SCORED = {
    "id": "3-1",
    "source": 3,
    "text": list("去上海"),
    "entities": [
        {"start": 1, "end": 3, "entity": "LOC", "text": ["上", "海"], "origin": "ner", "score": 0.75},
    ],
    "synthetic": True,
}


def there_and_back(tmp_path, rows, name):
    """Return the rows after they were in a format."""
    if name in OPTIONAL:
        pytest.importorskip(OPTIONAL[name])
    source = write_rows(tmp_path / "source.jsonl", rows)
    middle = tmp_path / ("middle" if FORMATS[name].is_folder else f"middle{FORMATS[name].suffixes[0]}")
    call("convert", input=source, output=middle, to=name)
    call("convert", input=middle, output=tmp_path / "back.jsonl")
    return read_lines(tmp_path / "back.jsonl")


def overlapping(row):
    """Return the number of spans that overlap a longer span that is kept, counted without the code under test."""
    spans = sorted(row["entities"], key=lambda one: (one["start"] - one["end"], one["start"]))
    kept: list[set[int]] = []
    for span in spans:
        tokens = set(range(span["start"], span["end"]))
        if not any(tokens & other for other in kept):
            kept.append(tokens)
    return len(spans) - len(kept)


@pytest.mark.parametrize("name", WRITABLE)
@pytest.mark.parametrize("rows", [CHINESE.rows, ENGLISH.rows], ids=["chinese", "english"])
def test_flat_spans_are_the_same_after_every_format(tmp_path, name, rows):
    assert there_and_back(tmp_path, rows, name) == list(rows)


@pytest.mark.parametrize("name", [name for name in WRITABLE if name not in FLAT])
@pytest.mark.parametrize("rows", [NESTED, WORDS], ids=["dense", "words"])
def test_overlapping_spans_are_the_same_after_formats_that_can_hold_them(tmp_path, name, rows):
    found = there_and_back(tmp_path, rows, name)
    assert [row["text"] for row in found] == [row["text"] for row in rows]
    key = json.dumps
    assert [sorted(map(key, row["entities"])) for row in found] == [sorted(map(key, row["entities"])) for row in rows]


@pytest.mark.parametrize("name", FLAT)
@pytest.mark.parametrize("rows", [NESTED, WORDS], ids=["dense", "words"])
def test_the_spans_that_a_flat_format_drops_are_counted(tmp_path, caplog, name, rows):
    caplog.set_level("INFO")
    found = there_and_back(tmp_path, rows, name)
    assert [row["text"] for row in found] == [row["text"] for row in rows]
    lost = sum(map(overlapping, rows))
    kept = sum(len(row["entities"]) for row in rows) - lost
    assert sum(len(row["entities"]) for row in found) == kept > 0
    for row in found:
        assert not any(a["start"] < b["end"] and b["start"] < a["end"] for a, b in combinations(row["entities"], 2))
    counted = [int(message.split()[0]) for message in caplog.messages if "because the format cannot hold" in message]
    assert sum(counted) == lost > 1
    assert any(f"with {kept} of {kept + lost} spans" in message for message in caplog.messages)


@pytest.mark.parametrize("name", ["labelstudio", "prodigy", "brat", "argilla", "cnnner", "spacy", "hf"])
def test_origins_and_scores_are_kept_where_the_format_can_hold_them(tmp_path, name):
    assert there_and_back(tmp_path, [SCORED, *NESTED], name)[0]["entities"] == SCORED["entities"]


@pytest.mark.parametrize("name", ["labelstudio", "prodigy", "argilla", "cnnner", "spacy", "doccano", "w2ner", "gliner"])
def test_further_keys_of_sentences_are_kept_where_the_format_can_hold_them(tmp_path, name):
    found = there_and_back(tmp_path, [SCORED], name)[0]
    assert {key: found.get(key) for key in ("id", "source", "synthetic")} == {
        "id": "3-1",
        "source": 3,
        "synthetic": True,
    }


@pytest.mark.parametrize(
    ("name", "lost"), [("bio", "1 origin"), ("gliner", "1 score"), ("brat", "1 sentence: its further")]
)
def test_origins_scores_and_keys_that_are_left_out_are_counted(tmp_path, caplog, name, lost):
    caplog.set_level("INFO")
    there_and_back(tmp_path, [SCORED], name)
    assert any(message.startswith(lost) for message in caplog.messages)


def test_the_same_conversion_gives_the_same_bytes(tmp_path):
    source = write_rows(tmp_path / "source.jsonl", [*NESTED, SCORED])
    for name in (one for one in WRITABLE if one not in OPTIONAL):
        for folder in ("first", "second"):
            call("convert", input=source, output=tmp_path / folder / name, to=name)
    assert bytes_below(tmp_path / "first") == bytes_below(tmp_path / "second")


def test_offsets_for_label_studio_count_as_javascript_does(tmp_path):
    source = write_rows(tmp_path / "source.jsonl", NESTED)
    call("convert", input=source, output=tmp_path / "tasks.json", to="labelstudio")
    task = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))[1]
    value = task["annotations"][0]["result"][0]["value"]
    assert (value["start"], value["end"], value["text"]) == (3, 5, "北京")  # "😀" is two code units
    assert task["data"]["text"].encode("utf-16-le")[6:10].decode("utf-16-le") == "北京"


def test_labels_that_w2ner_would_mix_up_are_named(tmp_path, caplog):
    caplog.set_level("INFO")
    there_and_back(tmp_path, [row_of(list("甲乙"), ("甲", "PER"), ("乙", "per"))], "w2ner")
    assert any("takes 'PER' and 'per' for one" in message for message in caplog.messages)


def test_labels_with_spaces_and_tokens_with_line_breaks_are_written_readably(tmp_path, caplog):
    caplog.set_level("INFO")
    row = {"text": ["a", "\n", "b"], "entities": [{"start": 0, "end": 1, "entity": "first name", "text": ["a"]}]}
    found = there_and_back(tmp_path, [row], "brat")
    assert [span["entity"] for span in found[0]["entities"]] == ["first_name"]
    assert there_and_back(tmp_path / "bio", [row], "bio")[0]["text"] == ["a", " ", "b"]
    for message in ("1 label: contains a space: written with _", "1 token: contains a tab or a line break"):
        assert any(one.startswith(message) for one in caplog.messages)
