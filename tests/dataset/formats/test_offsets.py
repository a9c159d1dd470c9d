"""Offsets that count in another way are corrected for a whole file; those of single spans are compared with texts."""

from __future__ import annotations

import pytest

from tests.helpers.builders import write_rows

TEXTS = ["😀 Anna saw Rome", "Anna 😀😀 left Rome", "in Rome, Anna slept", "Rome: é Anna again", "Anna of Rome"]
NAMES = {"Anna": "PER", "Rome": "LOC"}


def characters(text, at):
    return at


def utf16(text, at):
    return len(text[:at].encode("utf-16-le")) // 2


def utf8(text, at):
    return len(text[:at].encode())


def annotated(count=characters, shift=(0, 0), texts=TEXTS, mention=True):
    """Return CMeEE-like or doccano-like rows with the offsets of a tool that counts in its own way."""
    rows = []
    for text in texts:
        places = [(text.index(name), text.index(name) + len(name), label) for name, label in NAMES.items()]
        counted = [
            (count(text, start) + shift[0], count(text, end) + shift[1], label, text[start:end])
            for start, end, label in places
        ]
        if mention:
            spans = [
                {"start_idx": start, "end_idx": end, "type": label, "entity": name}
                for start, end, label, name in counted
            ]
            rows.append({"text": text, "entities": spans})
        else:
            rows.append({"text": text, "label": [[start, end, label] for start, end, label, _ in counted]})
    return rows


def found(rows):
    return [{span["entity"]: " ".join(span["text"]) for span in row["entities"]} for row in rows]


EXPECTED = [{"PER": "Anna", "LOC": "Rome"}] * len(TEXTS)


@pytest.mark.parametrize("mention", [True, False], ids=["with texts", "without texts"])
@pytest.mark.parametrize(
    ("count", "shift", "said"),
    [
        (characters, (0, -1), "characters, ends inclusive"),
        (utf16, (0, 0), "UTF-16 code units, ends exclusive"),
        (utf16, (0, -1), "UTF-16 code units, ends inclusive"),
        (utf8, (0, 0), "bytes, ends exclusive"),
        (characters, (1, 1), "characters, ends exclusive, counted from 1"),
        (characters, (1, 0), "characters, ends inclusive, counted from 1"),
    ],
)
def test_offsets_of_every_kind_are_recognised_said_and_mended(convert, tmp_path, count, shift, said, mention):
    rows, messages = convert(write_rows(tmp_path / "given.jsonl", annotated(count, shift, mention=mention)))
    assert found(rows) == EXPECTED
    assert any(said in message for message in messages), messages


def test_windows_line_breaks_that_a_tool_counted_as_one_are_mended(convert, tmp_path):
    texts = ["a\r\nb\r\nAnna saw Rome", "Anna\r\nsaw Rome", "x\r\nRome and Anna"]
    rows = annotated(lambda text, at: at - text[:at].count("\r\n"), texts=texts)
    converted, messages = convert(write_rows(tmp_path / "given.jsonl", rows))
    assert found(converted) == EXPECTED[:3]
    assert any(r"\r\n counted as one" in message for message in messages)


def test_offsets_as_promised_are_not_called_into_question(convert, tmp_path):
    _, messages = convert(write_rows(tmp_path / "given.jsonl", annotated(mention=False)))
    assert not any("the offsets are" in message for message in messages)


def test_a_single_wrong_span_is_moved_to_its_text_or_dropped(convert, tmp_path):
    rows = annotated()
    rows[0]["entities"][0]["start_idx"] += 2
    rows[0]["entities"][0]["end_idx"] += 2
    rows[1]["entities"][0]["entity"] = "Berta"
    rows[2]["entities"][0]["end_idx"] = 99
    rows[2]["entities"][0]["entity"] = None
    converted, messages = convert(write_rows(tmp_path / "given.jsonl", rows))
    assert found(converted) == [EXPECTED[0], {"LOC": "Rome"}, {"LOC": "Rome"}, EXPECTED[3], EXPECTED[4]]
    for line in (
        "1 span: moved to where its text is",
        "1 span: its text is not in",
        "1 span: outside its text: dropped",
    ):
        assert any(message.startswith(line) for message in messages), messages


def test_the_projects_own_offsets_are_mended_where_reading_would_refuse_them(convert, tmp_path):
    rows = [
        {
            "text": ["Anna", "Lee", "saw", "New", "York"],
            "entities": [
                {"start": 0, "end": 1, "entity": "PER", "text": ["Anna", "Lee"]},
                {"start": 3, "end": 4, "entity": "LOC", "text": ["New", "York"]},
            ],
        },
        {"text": ["New", "York", "fell"], "entities": [{"start": 0, "end": 1, "entity": "LOC", "text": "New York"}]},
    ]
    converted, messages = convert(write_rows(tmp_path / "given.jsonl", rows))
    assert found(converted) == [{"PER": "Anna Lee", "LOC": "New York"}, {"LOC": "New York"}]
    assert any("tokens, ends inclusive" in message for message in messages)


def test_offsets_in_characters_of_word_tokens_are_mended(convert, tmp_path):
    text = ["Anna", "Lee", "saw", "New", "York"]
    spans = [
        {"start": 0, "end": 8, "entity": "PER", "text": "Anna Lee"},
        {"start": 13, "end": 21, "entity": "LOC", "text": "New York"},
    ]
    converted, messages = convert(write_rows(tmp_path / "given.jsonl", [{"text": text, "entities": spans}]))
    assert [(span["start"], span["end"]) for span in converted[0]["entities"]] == [(0, 2), (3, 5)]
    assert any("the offsets are characters" in message for message in messages)


def test_the_user_can_say_how_offsets_are_counted(convert, tmp_path):
    row = {"text": "北京很大", "label": [[0, 1, "LOC"]]}  # nothing shows that the end is inclusive
    path = write_rows(tmp_path / "given.jsonl", [row])
    assert convert(path)[0][0]["entities"][0]["text"] == ["北"]
    assert convert(path, ends="inclusive")[0][0]["entities"][0]["text"] == ["北", "京"]


def test_a_token_is_cut_where_a_span_begins_and_running_text_at_its_punctuation(convert, tmp_path):
    texts = ["Rome-based Anna, who left.", "Anna, the U.S. agent, saw Rome."]
    rows = annotated(texts=texts, mention=False)
    converted, messages = convert(write_rows(tmp_path / "given.jsonl", rows))
    assert converted[0]["text"] == ["Rome", "-based", "Anna", ",", "who", "left", "."]
    assert converted[1]["text"] == ["Anna", ",", "the", "U.S.", "agent", ",", "saw", "Rome", "."]
    assert any("1 place: inside a token, where a span begins or ends: the token is cut there" in m for m in messages)
    spaced, _ = convert(write_rows(tmp_path / "given.jsonl", rows), words="spaces")
    assert spaced[1]["text"] == ["Anna", ",", "the", "U.S.", "agent,", "saw", "Rome", "."]
