"""CoNLL files as people have them: separators, comments, marks, broken tags, odd characters."""

from __future__ import annotations

import pytest


def spans(row):
    return [(span["start"], span["end"], span["entity"]) for span in row["entities"]]


def test_a_byte_order_mark_windows_lines_and_docstart_do_not_matter(convert):
    text = "\ufeff-DOCSTART- -X- O O\r\n\r\nEU NNP B-NP B-ORG\r\nfell VBD B-VP O\r\n\r\n\r\nRome NNP B-NP B-LOC\r\n"
    rows, messages = convert(text)
    assert [row["text"] for row in rows] == [["EU", "fell"], ["Rome"]]
    assert [spans(row) for row in rows] == [[(0, 1, "ORG")], [(0, 1, "LOC")]]
    assert any("1 line: -DOCSTART-: left out" in message for message in messages)


def test_broken_tags_are_read_as_seqeval_does_and_counted(convert):
    rows, messages = convert("Anna\tI-PER\nLee\tI-PER\nof\tO\nRome\tI-LOC\n\nx\tB-PER\ny\tI-LOC\n")
    assert [spans(row) for row in rows] == [[(0, 2, "PER"), (3, 4, "LOC")], [(0, 1, "PER"), (1, 2, "LOC")]]
    broken = next(message for message in messages if "does not continue" in message)
    assert broken.startswith("3 tags: ")
    assert "given.txt:1: I-PER" in broken


def test_tokens_that_are_spaces_or_hashes_are_tokens(convert):
    rows, _ = convert("한\tB-PS\n \tO\n#\tO\n\u3000\tO\n날\tO\n")
    assert rows[0]["text"] == ["한", " ", "#", "\u3000", "날"]
    rows, _ = convert("# id 17 domain=en\n# a = b\na B-X\n# O\nb O\n")
    assert rows[0]["text"] == ["a", "#", "b"]


def test_a_byte_order_mark_within_a_file_is_a_token(convert):
    rows, _ = convert("a\tO\n\n\ufeff\tO\nb\tB-X\n")
    assert rows[1]["text"] == ["\ufeff", "b"]


def test_rare_line_breaks_within_a_token_do_not_end_the_line(convert):
    rows, _ = convert("a\u2028b\tB-X\nc\x85\tO\n")
    assert rows[0]["text"] == ["a\u2028b", "c\x85"]


def test_numbered_tokens_and_a_chosen_tag_column_are_read(convert):
    text = "# https://de.wikipedia.org\t[2009]\n1\tBayern\tB-LOC\tO\n2\tMünchen\tB-ORG\tB-LOC\n"
    rows, _ = convert(text, tag_column="3")
    assert rows[0]["text"] == ["Bayern", "München"]
    assert spans(rows[0]) == [(0, 1, "LOC"), (1, 2, "ORG")]
    rows, _ = convert(text)
    assert spans(rows[0]) == [(1, 2, "LOC")]


def test_old_bio_is_no_broken_bio(convert):
    rows, messages = convert("Anna I-PER\nLee B-PER\nin O\nRome I-LOC\n")
    assert spans(rows[0]) == [(0, 1, "PER"), (1, 2, "PER"), (3, 4, "LOC")]
    assert any("IOB1" in message for message in messages)
    assert not any("does not continue" in message for message in messages)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Rome\nfell\n", "there is one column"),
        ("Rome B-LOC\nfell\n", "given.txt:2: 'fell' has no tag"),
        ("Rome B-LOC\n".encode("utf-16"), "not UTF-8"),
    ],
)
def test_a_table_that_is_none_is_refused_with_its_line(convert, text, message):
    with pytest.raises(ValueError, match=message):
        convert(text, from_format="bio")
    with pytest.raises(ValueError, match="must be the number of a column"):
        convert("a\tO\n", from_format="bio", tag_column="ner")
