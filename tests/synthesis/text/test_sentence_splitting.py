"""Running text is cut into sentences."""

from __future__ import annotations

import pytest

from utils.synthesis.text.plain_text import paragraphs, without_marker
from utils.synthesis.text.sentence_splitting import cut_sentences, is_finished


def cut(text, language="en"):
    """Return the finished sentences of an answer."""
    pieces = [piece for paragraph, _ in paragraphs(text) for piece in cut_sentences(paragraph, language=language)]
    return [piece for piece in map(without_marker, pieces) if is_finished(piece)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("U.S. GDP grew 3.14 percent. It fell later.", ["U.S. GDP grew 3.14 percent.", "It fell later."]),
        ("1. U.S. GDP grew 3.14 percent.\n2. It fell.", ["U.S. GDP grew 3.14 percent.", "It fell."]),
        ("Dr. Muir met J. Carver. They left.", ["Dr. Muir met J. Carver.", "They left."]),
        ("Did he? Yes! He did.", ["Did he?", "Yes!", "He did."]),
        ('He asked: "Why?" She left.', ['He asked: "Why?"', "She left."]),
        ("It was (he said) late. Very.", ["It was (he said) late.", "Very."]),
        ("See www.a-b.com for more. It is open.", ["See www.a-b.com for more.", "It is open."]),
        ("He left at 10:30 a.m. on Monday.", ["He left at 10:30 a.m. on Monday."]),
    ],
)
def test_english_text_is_cut_only_at_the_ends_of_sentences(text, sentences):
    assert cut(text) == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("他来了。她走了！", ["他来了。", "她走了！"]),
        ("他来了！？真的!?好。", ["他来了！？", "真的!?", "好。"]),
        ("他住在New York很久了。后来走了。", ["他住在New York很久了。", "后来走了。"]),
        ("增长了3.14个百分点。很快。", ["增长了3.14个百分点。", "很快。"]),
        ("1. 他来了。\n2. 她走了！", ["他来了。", "她走了！"]),
        ("①他来了。\n②她走了。", ["他来了。", "她走了。"]),
    ],
)
def test_chinese_text_is_cut_only_at_the_ends_of_sentences(text, sentences):
    assert cut(text, "zh") == sentences


@pytest.mark.parametrize(
    "text",
    [
        "3.14 percent was the rate.",
        "10:30 was late for them.",
        "12.5 million people came.",
        "-5 degrees is cold.",
        "24/7 help is there.",
        "1897 was a good year.",
        "2 ships sank there.",
    ],
)
def test_a_sentence_that_begins_with_a_number_keeps_it(text):
    assert cut(text) == [text]


@pytest.mark.parametrize("marker", ["1. ", "2) ", "(3) ", "- ", "* ", "• ", "## ", "> ", "10. ", "1、", "3）"])
def test_a_list_marker_is_not_part_of_the_sentence(marker):
    assert cut(f"{marker}Rome is old.\n{marker}It is large.") == ["Rome is old.", "It is large."]


def test_emphasis_is_not_part_of_the_sentence():
    assert cut("**Rome** is `very` __old__.") == ["Rome is very old."]


@pytest.mark.parametrize(
    "preamble", ["Sure, here are three sentences:\n", "### Continuation\n", "Here you go:\n\n", "```\n"]
)
def test_a_preamble_or_a_heading_is_not_a_sentence(preamble):
    assert cut(f"{preamble}Rome is an old city.") == ["Rome is an old city."]


def test_a_chinese_preamble_is_not_a_sentence():
    assert cut("好的，以下是续写的句子：\n罗马是一座古老的城市。", "zh") == ["罗马是一座古老的城市。"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Rome is old. It is also very", ["Rome is old."]),
        ("Rome is old.", ["Rome is old."]),
        ("Rome is", []),
        ("", []),
        ("   \n ", []),
    ],
)
def test_the_last_sentence_that_is_not_finished_is_dropped(text, kept):
    assert cut(text) == kept


def test_a_finished_last_sentence_is_kept():
    assert cut("罗马很老。它很大。", "zh") == ["罗马很老。", "它很大。"]
