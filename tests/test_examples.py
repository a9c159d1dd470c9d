"""The examples in docstrings, run as doctests."""

from __future__ import annotations

import doctest
import importlib

import pytest

from tests.helpers.builders import ROOT

MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "utils").rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_are_right(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        pytest.skip(str(error))
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0
