"""The parser: flags as users type them, values from a notebook, and --help."""

from __future__ import annotations

from pathlib import Path

import pytest

from utils.cli.data_flags import add_dataset_flags
from utils.cli.exits import UsageError
from utils.cli.merge_flags import add_merge_flags
from utils.cli.parser import Parser
from utils.cli.script import start
from utils.dataset.layout import ENTITY_LABELS, ROOT
from utils.dataset.tokens import CHARACTERS, WORDS


@pytest.fixture
def merge_parser():
    made = Parser("Merges.")
    add_dataset_flags(made)
    add_merge_flags(made, is_syn="which side")
    return made


# --- flags as users type them


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        (["--n_gpu=", "0"], "n_gpu", (0,)),
        (["--n_gpu=", "1"], "n_gpu", (1,)),
        (["--n_gpu=", "-1"], "n_gpu", ()),
        (["--n_gpu=", "0,1"], "n_gpu", (0, 1)),
        (["--n_gpu=0"], "n_gpu", (0,)),
        (["--n_gpu", "0"], "n_gpu", (0,)),
        (["--n_gpu", "-1"], "n_gpu", ()),
        (["--skip=", "-1"], "skip", -1),
        (["--skip=-1"], "skip", -1),
        (["--skip=", "40"], "skip", 40),
        (["--batch_size=", "7"], "batch_size", 7),
        (["--temperature=", "0.5"], "temperature", 0.5),
        (["--temperature=", ".5"], "temperature", 0.5),
        (["--top_p=", "0.5"], "top_p", 0.5),
        (["--limit=", "9"], "limit", 9),
        (["--temperature=", "1e-1"], "temperature", 0.1),
        (["--dense_lang=", "1"], "dense_lang", CHARACTERS),
        (["--seed=", "3"], "seed", 3),
    ],
)
def test_a_numeric_flag_that_ends_in_an_equals_sign_takes_the_next_number(parse, given, name, value):
    assert getattr(parse(*given), name) == value


def test_flags_after_a_separate_number_are_read(parse):
    args = parse("--n_gpu=", "0", "--mode=pos", "--batch_size=", "3")
    assert (args.n_gpu, args.mode, args.batch_size) == ((0,), "pos", 3)


def test_a_numeric_flag_does_not_take_a_word_that_is_not_a_number(parse):
    with pytest.raises(UsageError, match="--n_gpu"):
        parse("--n_gpu=", "--mode=pos")


def test_an_empty_label_prefix_stays_empty(merge_parser):
    given = ["--file_name=weibo", "--is_syn=0", "--save_type_name=GLM4", "--label_prefix=", "--entity_label=e.json"]
    args = merge_parser.parse_words(given)
    assert args.label_prefix == ""
    assert args.entity_label.name == "e.json"


def test_a_text_flag_does_not_take_the_next_number(merge_parser):
    with pytest.raises(UsageError, match="unrecognized arguments: 5"):
        merge_parser.parse_words(["--file_name=weibo", "--label_prefix=", "5"])


def test_the_defaults_are_those_of_the_contract(parse):
    args = parse()
    assert (args.n_gpu, args.skip, args.batch_size, args.mode) == ((0,), -1, 20, "entity")
    assert (args.save_type_name, args.dense_lang, args.overwrite, args.guided) == ("GLM4", None, False, None)
    assert args.file_dir.resolve() == ROOT / "data" / "few_shot"
    assert args.entity_label.resolve() == ENTITY_LABELS


# --- values from a notebook


@pytest.mark.parametrize(
    ("values", "name", "value"),
    [
        ({"n_gpu": -1}, "n_gpu", ()),
        ({"n_gpu": "0,1"}, "n_gpu", (0, 1)),
        ({"batch_size": 7}, "batch_size", 7),
        ({"batch_size": "7"}, "batch_size", 7),
        ({"temperature": 0.25}, "temperature", 0.25),
        ({"dense_lang": True}, "dense_lang", CHARACTERS),
        ({"dense_lang": False}, "dense_lang", WORDS),
        ({"guided": 0}, "guided", False),
        ({"overwrite": True}, "overwrite", True),
        ({"overwrite": False}, "overwrite", False),
        ({"debug": True}, "debug", True),
        ({"debug": False}, "debug", False),
        ({"max_new_tokens": None}, "max_new_tokens", None),
        ({"skip": -1}, "skip", -1),
        ({"file_dir": Path("/data x/é")}, "file_dir", Path("/data x/é")),
        ({"save_type_name": ""}, "save_type_name", ""),
    ],
)
def test_values_from_a_notebook_are_read_by_the_types_of_flags(parser, values, name, value):
    args = parser.parse_values({"file_name": "weibo", "model_from_pretrained": "m", **values})
    assert getattr(args, name) == value


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mode": "nouns"}, "--mode: invalid choice: 'nouns'"),
        ({"batch_size": "many"}, "--batch_size: 'many' is not a whole number"),
        ({"batch_size": 0}, "--batch_size: '0' must be at least 1"),
        ({"batchsize": 3}, "'batchsize' is not an argument of "),
        ({"file_name": None}, "required: --file_name"),
        ({"dense_lang": "maybe"}, "--dense_lang: 'maybe' must be 0 or 1"),
    ],
)
def test_a_bad_value_from_a_notebook_raises_and_does_not_end_the_kernel(parser, values, message):
    with pytest.raises(UsageError, match=message):
        start(
            parser,
            lambda args: None,
            cmd_args=False,
            values={"file_name": "weibo", "model_from_pretrained": "m", **values},
        )


# --- help


def test_help_shows_the_description_and_each_flag_with_its_default(parser, capsys):
    with pytest.raises(SystemExit) as ending:
        parser.parse_words(["--help"])
    shown = " ".join(capsys.readouterr().out.split())  # lines are wrapped
    assert ending.value.code == 0
    assert "What it does." in shown
    assert "--batch_size" in shown
    assert "(default: 20)" in shown
    assert "(default: None)" not in shown


def test_a_word_without_a_flag_is_in_the_help_and_can_be_given_in_a_notebook(capsys):
    made = Parser("What it does.")
    made.add_argument("folder", nargs="?", default=None, help="folder to read")
    made.add_argument("--to", choices=("a", "b"), metavar="FORMAT", default="a", help="format: a or b")
    assert made.parse_values({"folder": "-x", "to": "b"}).folder == "-x"
    assert made.parse_values({}).folder is None
    with pytest.raises(SystemExit):
        made.parse_words(["--help"])
    shown = capsys.readouterr().out
    assert " [FOLDER] [flags]\n" in shown
    assert "--to=FORMAT" in shown
