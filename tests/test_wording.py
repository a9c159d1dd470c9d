"""Numbers in messages, and all messages of the project."""

from __future__ import annotations

import re

import pytest

from tests.helpers.builders import ROOT
from utils.wording import agreeing, counted

# A number that is put directly before a plural noun, as in f"{len(rows)} sentences" or "%d answers".
UNCOUNTED = re.compile(
    r"(?<!of )(?<!for )(?:\{(?!counted|agreeing)[^{}]*\}|%d) (?:\w+ing |synthetic |extension |target |recorded |new )?"
    r"(?:sentences|answers|items|spans|files|rounds|workers|retries|labels|tokens|lines|texts|rows|problems|tensors)\b(?!/)"
)


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "sentence", "0 sentences"),
        (1, "sentence", "1 sentence"),
        (2, "new sentence", "2 new sentences"),
        (1, "retry", "1 retry"),
        (3, "retry", "3 retries"),
        (2, "batch", "2 batches"),
        (2, "key", "2 keys"),
        (1200, "GPU", "1200 GPUs"),
    ],
)
def test_a_noun_agrees_with_its_number(number, noun, text):
    assert counted(number, noun) == text


def test_a_verb_agrees_with_its_number():
    assert [agreeing(number, "is", "are") for number in (0, 1, 2)] == ["are", "is", "are"]


@pytest.mark.parametrize("folder", ["utils", "syn_pipelines"])
def test_no_message_has_a_plural_after_a_number_that_may_be_1(folder):
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if lines := [line.strip() for line in text.splitlines() if UNCOUNTED.search(line)]:
            found[path.name] = lines
    assert found == {}
