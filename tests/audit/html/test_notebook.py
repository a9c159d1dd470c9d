"""`show` draws sentences with nested spans as HTML."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from types import ModuleType

import pytest

from tests.helpers.builders import CHINESE, sentence
from tests.helpers.report_page import NASTY_LABEL, NASTY_TOKENS
from utils.audit.html import show
from utils.audit.html.spans import lanes_of
from utils.dataset.records import Span


class Reader(HTMLParser):
    """Collects the elements, the texts, and the attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.titles: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        self.titles += [value or "" for name, value in attrs if name == "title"]

    def handle_data(self, data):
        self.texts.append(data)


def read(drawing) -> Reader:
    reader = Reader()
    reader.feed(drawing._repr_html_())
    return reader


def test_a_row_and_a_sentence_are_drawn_alike():
    row = {"text": ["Agnes", "Muir", "slept"], "entities": [{"start": 0, "end": 2, "entity": "PERSON"}]}
    found = read(show(row))
    assert "".join(found.texts) == "AgnesPERSONMuirslept"
    assert found.titles == ["PERSON 0–2 gold"] * 2
    assert str(show(row)) == str(show(sentence("Agnes Muir slept", (0, 2, "PERSON"))))


def test_nested_and_crossing_spans_are_in_different_lanes():
    spans = [Span(0, 2, "A"), Span(0, 4, "B"), Span(1, 3, "C"), Span(4, 5, "D"), Span(0, 2, "E")]
    lanes = lanes_of(spans)
    for number, one in enumerate(spans):
        for other in range(number):
            if spans[other].start < one.end and one.start < spans[other].end:
                assert lanes[other] != lanes[number]
    assert lanes[1] == 0
    assert max(lanes) == 3


def test_text_from_right_to_left_has_that_direction():
    assert 'dir="rtl"' in str(show({"text": ["(", "مرحبا", "World"], "entities": []}))
    assert 'dir="ltr"' in str(show({"text": ["1", "World", "مرحبا"], "entities": []}))


def test_several_rows_are_drawn_up_to_a_limit():
    found = read(show(CHINESE.rows, limit=3))
    assert found.tags.count("div") == 4
    assert found.texts[-1] == "only the first 3 sentences are drawn"


def test_strange_texts_stay_text():
    found = read(
        show({"text": NASTY_TOKENS, "entities": [{"start": 0, "end": 9, "entity": NASTY_LABEL, "score": 0.5}]})
    )
    assert set(found.tags) == {"div", "span", "bdi"}
    assert found.names == {"dir", "style", "title"}
    assert NASTY_LABEL in found.texts
    assert found.titles[0] == f"{NASTY_LABEL} 0–9 gold 0.500"


@pytest.mark.parametrize("wrong", ["a text", [3], {"text": ["a"], "entities": [{"start": 0, "end": 2, "entity": "A"}]}])
def test_what_is_no_sentence_is_named(wrong):
    with pytest.raises(ValueError, match="sentence"):
        show(wrong)


def test_a_notebook_displays_the_drawing(monkeypatch):
    shown: list[object] = []
    module = ModuleType("IPython.display")
    module.display = shown.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    assert show(CHINESE.rows[0]) is None
    assert "PER.NAM" in str(shown[0])
