"""Datasets are checked completely, and each error names the line and the remedy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.helpers.builders import CHINESE, ENGLISH, ROOT, read_lines, sentence, write_rows
from utils.dataset.reading import read_dataset, read_labels, read_sentences, read_synthetic, tokenisation_of_file
from utils.dataset.records import INCLUSIVE_ENDS, sentence_to_row
from utils.dataset.tokens import CHARACTERS, WORDS


def read(folder, **options):
    return read_dataset(folder / "train_1000.jsonl", folder / "labels.txt", **options)


@pytest.mark.parametrize(("corpus", "tokenisation"), [(ENGLISH, WORDS), (CHINESE, CHARACTERS)])
def test_a_dataset_is_read_with_its_labels_and_tokenisation(tmp_path, corpus, tokenisation):
    dataset = read(corpus.write(tmp_path))
    assert dataset.tokenisation == tokenisation
    assert dataset.labels == ("O", *corpus.labels)
    assert dataset.targets == corpus.labels
    assert [sentence_to_row(one) for one in dataset.sentences] == corpus.rows


def test_a_given_tokenisation_is_not_overridden_by_the_tokens(tmp_path):
    assert read(ENGLISH.write(tmp_path), tokenisation=CHARACTERS).tokenisation == CHARACTERS


def test_ids_are_sentence_numbers_from_one_and_empty_lines_do_not_count(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text('\n{"text": ["a"], "entities": []}\n\n{"text": ["b"], "entities": []}\n', encoding="utf-8")
    assert [(one.id, one.tokens) for one in read_sentences(path, tokenisation=WORDS)] == [
        ("1", ("a",)),
        ("2", ("b",)),
    ]


def test_ids_of_synthetic_sentences_are_those_of_their_rows(tmp_path):
    path = write_rows(tmp_path / "s.jsonl", [{"id": "17-2", "source": 17, "text": ["a"], "entities": []}])
    assert [one.id for one in read_synthetic(path, tokenisation=WORDS)] == ["17-2"]


@pytest.mark.parametrize("id_", [None, 17, ["17"]])
def test_a_synthetic_row_without_an_id_is_refused_with_its_line(tmp_path, id_):
    path = write_rows(tmp_path / "s.jsonl", [{"id": id_, "source": 17, "text": ["a"], "entities": []}])
    with pytest.raises(ValueError, match=r's\.jsonl:1: "id" is missing'):
        read_synthetic(path, tokenisation=WORDS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the first line must be O, found 'nothing'"),
        ("PER\nO\n", "the first line must be O, found 'PER'"),
        ("O\n", "there is no target label"),
        ("O\nPER\nLOC\nPER\n", "'PER' is listed twice"),
        ("O\nPER\nO\n", "'O' is listed twice"),
    ],
)
def test_an_invalid_labels_file_is_refused_with_the_reason(tmp_path, content, message):
    (tmp_path / "labels.txt").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_labels(tmp_path / "labels.txt")


def test_labels_are_read_without_byte_order_mark_spaces_and_carriage_returns(tmp_path):
    (tmp_path / "labels.txt").write_bytes("\ufeffO\r\n PER.NAM \r\n\r\n地名\r\n".encode())
    assert read_labels(tmp_path / "labels.txt") == ["O", "PER.NAM", "地名"]


@pytest.mark.parametrize("inside", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
def test_a_label_may_contain_characters_that_end_a_line_elsewhere(tmp_path, inside):
    (tmp_path / "labels.txt").write_text(f"O\nA{inside}B\n", encoding="utf-8")
    assert read_labels(tmp_path / "labels.txt") == ["O", f"A{inside}B"]


def test_the_error_of_a_missing_dataset_names_the_flags(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is missing: --file_dir and --file_name must name"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["train_1000.jsonl", "labels.txt"])
def test_the_error_of_a_missing_file_names_it(tmp_path, name):
    folder = ENGLISH.write(tmp_path)
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} is missing: "):
        read(folder)


def test_a_dataset_without_a_sentence_is_refused(tmp_path):
    folder = ENGLISH.write(tmp_path)
    (folder / "train_1000.jsonl").write_text("\n", encoding="utf-8")
    with pytest.raises(ValueError, match="contains no sentences"):
        read(folder)


@pytest.mark.parametrize("label", ["PLACE", "O", "person"])
def test_a_label_that_is_not_in_the_labels_file_is_refused_with_its_line(tmp_path, label):
    folder = ENGLISH.write(tmp_path)
    write_rows(folder / "train_1000.jsonl", [ENGLISH.rows[0], sentence_to_row(sentence("a b", (0, 1, label)))])
    with pytest.raises(ValueError, match=rf"train_1000\.jsonl:2: entity 1: '{label}' is not a label of labels\.txt"):
        read(folder)


def test_a_span_out_of_range_is_refused_with_its_line(tmp_path):
    folder = ENGLISH.write(tmp_path)
    write_rows(folder / "train_1000.jsonl", [sentence_to_row(sentence("a b", (0, 3, "PERSON")))])
    with pytest.raises(ValueError, match=r"train_1000\.jsonl:1: entity 1 ends at 3, but the sentence has 2 tokens"):
        read(folder)


def test_a_span_with_another_text_causes_a_warning_and_its_offsets_are_used(tmp_path, caplog):
    row = {"text": ["a", "b"], "entities": [{"start": 0, "end": 1, "entity": "X", "text": ["b"]}]}
    path = write_rows(tmp_path / "train.jsonl", [row])
    assert read_sentences(path, tokenisation=WORDS)[0].spans[0].start == 0
    assert "1 span has a" in caplog.text
    assert "train.jsonl:1" in caplog.text


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (
            0,
            -1,
            r'are your ends inclusive\? "end" must be the position after the last token: add 1 to each "end", .*NEW',
        ),
        (1, 1, r'are your offsets counted from 1\? subtract 1 from each "start" and subtract 1 from each "end"'),
        (1, 0, r'counted from 1\? are your ends inclusive\? subtract 1 from each "start"'),
        (-1, -1, r'add 1 to each "start" and add 1 to each "end"'),
    ],
)
def test_offsets_that_are_all_shifted_by_the_same_number_are_refused(tmp_path, start, end, message):
    tokens = ["Today", "Xu", "Yi", "and", "Ann", "Lee", "left", "."]
    entities = [
        {"start": first + start, "end": last + end, "entity": "X", "text": tokens[first:last]}
        for first, last in ((1, 3), (4, 6))
    ]
    path = write_rows(tmp_path / "train.jsonl", [{"text": tokens, "entities": entities}] * 4)
    with pytest.raises(ValueError, match=rf"train\.jsonl:1: the offsets of 8 spans differ .* {message}$"):
        read_sentences(path, tokenisation=WORDS)


def test_offsets_in_characters_are_refused(tmp_path):
    text = "Ann Lee of Oslo and a few others went to Rome and then to Lyon on the way back to Oslo again ."
    spans = [{"start": text.index(name), "end": text.index(name) + len(name), "text": name} for name in ("Oslo", "Lee")]
    rows = [{"text": text, "entities": [{**span, "entity": "X"} for span in spans]}] * 2
    with pytest.raises(ValueError, match=r"train\.jsonl:1: the offsets of 4 spans count characters, such as"):
        read_sentences(write_rows(tmp_path / "train.jsonl", rows), tokenisation=WORDS)


def test_a_few_shifted_spans_among_many_cause_a_warning_only(tmp_path, caplog):
    rows = [{"text": ["a", "b", "c"], "entities": [{"start": 0, "end": 2, "entity": "X", "text": "ab"}]}] * 9
    wrong = {"text": ["a", "b", "c"], "entities": [{"start": 0, "end": 1, "entity": "X", "text": "ab"}]}
    path = write_rows(tmp_path / "train.jsonl", [*rows, *[wrong] * 4])
    assert len(read_sentences(path, tokenisation=WORDS)) == 13
    assert "4 spans have a" in caplog.text


def test_a_span_whose_end_is_not_after_its_start_gets_a_hint_at_inclusive_ends(tmp_path):
    path = write_rows(tmp_path / "train.jsonl", [{"text": ["a"], "entities": [{"start": 0, "end": 0, "entity": "X"}]}])
    with pytest.raises(ValueError, match=r"entity 1 runs from 0 to 0; .* are your ends inclusive\?"):
        read_sentences(path, tokenisation=WORDS)


@pytest.mark.parametrize(("name", "shift", "hint"), [("demo", 0, False), ("demo", 1, True), ("demo_zh", 1, True)])
def test_spans_without_text_that_lack_their_last_token_cause_a_hint(tmp_path, caplog, name, shift, hint):
    rows = read_lines(ROOT / "data" / "few_shot" / name / "train_1000.jsonl")
    for row in rows:
        shorter = ({**one, "end": one["end"] - shift} for one in row["entities"])
        row["entities"] = [
            {key: one[key] for key in ("start", "end", "entity")} for one in shorter if one["start"] < one["end"]
        ]
    path = write_rows(tmp_path / "train.jsonl", rows)
    read_sentences(path, tokenisation=tokenisation_of_file(path))
    assert ("many spans seem to end one token early" in caplog.text) is hint
    assert ('add 1 to each "end"' in caplog.text) is hint


def test_one_token_spans_that_begin_a_longer_mention_cause_a_hint(tmp_path, caplog):
    long = {"text": ["Ann", "Lee", "left"], "entities": [{"start": 0, "end": 2, "entity": "X"}]}
    short = [{"text": ["Ann", "Lee", word], "entities": [{"start": 0, "end": 1, "entity": "X"}]} for word in "abc"]
    read_sentences(write_rows(tmp_path / "train.jsonl", [long, *short]), tokenisation=WORDS)
    assert "such as 'Ann' instead of 'Ann Lee' in line 2" in caplog.text


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "Ann Lee", "label": [[0, 7, "PER"]]}, r'the spans are in "label", as in exports of doccano'),
        ({"text": "Ann Lee", "labels": [[0, 7, "PER"]]}, r'the spans are in "labels"'),
        ({"text": "Ann Lee", "entities": [[0, 7, "PER"]]}, r"entity 1 must be an object .*; found \[0, 7, 'PER'\]"),
        (
            {"text": "Ann Lee", "entities": [{"id": 1, "label": "PER", "start_offset": 0, "end_offset": 7}]},
            r'entity 1 has "start_offset", as in exports of doccano: write it as .* tokens instead of characters',
        ),
        ({"text": "Ann Lee"}, r'"entities" must be a list; write \[\]'),
        ({"text": "Ann Lee", "label": []}, r'"entities" must be a list; write \[\]'),
        ({"text": "Ann Lee", "entities": [{"start": 0, "end": 7, "entity": "PER"}]}, "tokens, not characters"),
    ],
)
def test_spans_in_the_form_of_other_tools_are_refused_with_the_right_form(tmp_path, row, message):
    with pytest.raises(ValueError, match=rf"train\.jsonl:1: .*{message}"):
        read_sentences(write_rows(tmp_path / "train.jsonl", [row]), tokenisation=WORDS)


def test_a_text_that_differs_only_in_spaces_causes_no_warning(tmp_path, caplog):
    row = {"text": ["a", "b"], "entities": [{"start": 0, "end": 2, "entity": "X", "text": "a b"}]}
    read_sentences(write_rows(tmp_path / "train.jsonl", [row]), tokenisation=WORDS)
    assert not caplog.text


def test_the_command_in_the_message_about_inclusive_ends_converts_a_file():
    code = INCLUSIVE_ENDS.split('python -c "')[1].split('" <')[0]
    span = {"start": 0, "end": 1, "entity": "LOC"}
    row = {"text": ["北", "京"], "entities": [span], "note": 1}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, input=json.dumps(row), capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == {**row, "entities": [{**span, "end": 2}]}
