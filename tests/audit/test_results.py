"""What report.py concludes: how good the LLM is, and whether scores can be compared."""

from __future__ import annotations

import pytest

from tests.helpers.builders import write_json
from utils.audit.results import _llm_measure


def measured(tmp_path, better, *, spans=50, **answers):
    row = {"spans": spans, "same": 10, "same_by_chance": 2.5, "better_than_chance": better}
    content = {"entity": {"all": row, "labels": {}}} | ({"answers": answers} if answers else {})
    return write_json(tmp_path / "agreement_fusion.json", content)


@pytest.mark.parametrize(
    ("better", "verdict"),
    [
        (True, "better than chance"),
        (False, "no better than chance, so it may be too weak for this data: use base, or a larger LLM"),
        (None, "too few to compare with chance"),
    ],
)
def test_the_llm_is_compared_with_chance(tmp_path, better, verdict):
    expected = f"the LLM: 20 % of its extra entities are gold spans (by chance 5 %): {verdict}"
    assert _llm_measure(measured(tmp_path, better)) == expected
    covered = measured(tmp_path, better, pos_coverage=0.931)
    assert _llm_measure(covered) == f"{expected}; its parts of speech cover 93% of the text"


def test_nothing_is_said_about_an_llm_that_was_not_measured(tmp_path):
    assert _llm_measure(tmp_path / "none.json") is None
    assert _llm_measure(measured(tmp_path, True, spans=0)) is None
    assert _llm_measure(write_json(tmp_path / "other.json", {"entity": {}})) is None
