"""The target labels of a dataset in the spellings of an LLM."""

from __future__ import annotations

import pytest

from utils.labels.targets import TargetLabels


@pytest.mark.parametrize(
    ("spelling", "label"),
    [
        ("PER.NAM", "PER.NAM"),
        ("per.nam", "PER.NAM"),
        ("ＰＥＲ．ＮＡＭ", "PER.NAM"),
        (" PER.NAM ", "PER.NAM"),
        ("PER_NAM", "PER.NAM"),
        ("人名", "人名"),
        ("PER", None),
        ("O", None),
        ("", None),
    ],
)
def test_a_spelling_is_a_label_without_regard_to_case_width_and_spaces(spelling, label):
    assert TargetLabels.of(["PER.NAM", "PER.NOM", "人名"]).canonical(spelling) == label


def test_labels_that_differ_only_in_case_are_not_mixed_up():
    labels = TargetLabels.of(["LOC", "loc", "ORG"])
    assert [labels.canonical(spelling) for spelling in ("LOC", "loc", "Loc", "org")] == ["LOC", "loc", None, "ORG"]
