"""The types of values: what each reads, and what it refuses."""

from __future__ import annotations

import argparse

import pytest

from utils.cli import values
from utils.dataset.layout import ROOT


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", False), ("1", True), ("false", False), ("True", True), ("no", False), (" YES ", True)],
)
def test_a_switch_reads_0_and_1_and_words_for_them(text, value):
    assert values.switch(text) is value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        *((values.switch, text) for text in ("maybe", "", "2", "-1", "none")),
        *((values.gpus, text) for text in ("", "a", "0,", ",1", "-2", "0,-1", "1.0", "0 1")),
        *((values.whole_number, text) for text in ("", "1.5", "x", "1e3", "--1")),
        *((values.positive_number, text) for text in ("0", "-3", "x")),
        *((values.decimal, text) for text in ("-0.1", "x", "", "nan", "inf", "1,5")),
        *((values.share, text) for text in ("0", "1.1", "-0.5", "x")),
        (values.auto_switch, "maybe"),
        *((values.positive_decimal, text) for text in ("0", "-1", "0.0", "x")),
        *((read, text) for read in (values.path, values.new_path, values.input_path) for text in ("", " ")),
        *((read, text) for read in (values.output_path, values.path_or_hub_id, values.not_empty) for text in ("", " ")),
    ],
)
def test_a_value_that_a_type_cannot_read_is_refused(read, text):
    with pytest.raises(argparse.ArgumentTypeError):
        read(text)


@pytest.mark.parametrize(
    ("text", "value"), [("0", (0,)), ("0,1", (0, 1)), ("-1", ()), (" 2 ", (2,)), ("0,1,2,3", (0, 1, 2, 3))]
)
def test_gpus_are_read_as_indices_and_minus_1_as_none(text, value):
    assert values.gpus(text) == value


@pytest.mark.parametrize(("text", "value"), [("auto", None), (" AUTO", None), ("0", False), ("1", True)])
def test_auto_is_read_as_none(text, value):
    assert values.auto_switch(text) is value


def test_a_path_is_relative_to_the_working_folder_or_else_to_the_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert values.path("./utils").resolve() == ROOT / "utils"
    (tmp_path / "utils").mkdir()
    assert values.path("./utils").resolve() == tmp_path / "utils"
    assert values.path(str(tmp_path / "none")) == tmp_path / "none"


def test_a_user_that_does_not_exist_is_named():
    for read in (values.path, values.new_path, values.path_or_hub_id):
        with pytest.raises(argparse.ArgumentTypeError, match=r"no user 'nosuchuser'; write \./~nosuchuser for"):
            read("~nosuchuser/data")


@pytest.mark.parametrize("name", ["x" * 256, "a/" + "长" * 86 + "/b"])
def test_a_name_that_is_too_long_is_shortened_and_named(name):
    for read in (values.path, values.new_path, values.path_or_hub_id):
        with pytest.raises(argparse.ArgumentTypeError, match="… is too long: use at most 255 bytes"):
            read(name)
