"""The command line: flags as users type them, values from a notebook, one-line errors and exit codes."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

import pytest

from tests.helpers.llm_server import ChatServer
from utils.cli import flags, question_flags, run_flags
from utils.cli import script as cli
from utils.compute.engine import Engine
from utils.dataset.layout import ENTITY_LABELS, ROOT
from utils.dataset.tokens import CHARACTERS, WORDS


@pytest.fixture
def parser():
    made = cli.Parser("What it does.")
    flags.add_dataset_flags(made)
    flags.add_llm_flags(made, batch_size=20)
    question_flags.add_annotation_flags(made)
    return made


@pytest.fixture
def merge_parser():
    made = cli.Parser("Merges.")
    flags.add_dataset_flags(made)
    flags.add_merge_flags(made, is_syn="which side")
    return made


NEEDED = ("--file_name=weibo", "--model_from_pretrained=m")


def words(parser, *given):
    return parser.parse_words([*NEEDED, *given])


# --- flags as they are typed


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
def test_a_numeric_flag_that_ends_in_an_equals_sign_takes_the_number_behind_it(parser, given, name, value):
    assert getattr(words(parser, *given), name) == value


def test_flags_behind_a_parted_number_are_still_read(parser):
    args = words(parser, "--n_gpu=", "0", "--mode=pos", "--batch_size=", "3")
    assert (args.n_gpu, args.mode, args.batch_size) == ((0,), "pos", 3)


def test_a_numeric_flag_does_not_swallow_a_word_that_is_no_number(parser):
    with pytest.raises(cli.UsageError, match="--n_gpu"):
        words(parser, "--n_gpu=", "--mode=pos")


def test_an_empty_label_prefix_stays_empty(merge_parser):
    given = ["--file_name=weibo", "--is_syn=0", "--save_type_name=GLM4", "--label_prefix=", "--entity_label=e.json"]
    args = merge_parser.parse_words(given)
    assert args.label_prefix == ""
    assert args.entity_label.name == "e.json"


def test_a_flag_of_text_does_not_take_the_number_behind_it(merge_parser):
    with pytest.raises(cli.UsageError, match="unrecognized arguments: 5"):
        merge_parser.parse_words(["--file_name=weibo", "--label_prefix=", "5"])


def test_the_defaults_are_those_of_the_contract(parser):
    args = words(parser)
    assert (args.n_gpu, args.skip, args.batch_size, args.mode) == ((0,), -1, 20, "entity")
    assert (args.save_type_name, args.dense_lang, args.overwrite, args.guided) == ("GLM4", None, False, None)
    assert args.file_dir.resolve() == ROOT / "data" / "few_shot"
    assert args.entity_label.resolve() == ENTITY_LABELS


# --- types


def test_the_workers_of_an_engine_have_as_many_gpus_each_as_are_named(parser):
    args = words(parser, "--engine=ray", "--num_workers=8", "--n_gpu=0,1")
    assert run_flags.engine(args) == Engine("ray", 8, 2)
    assert run_flags.engine(words(parser)) == Engine("local", None, 1)


def test_workers_without_ray_are_refused(parser):
    with pytest.raises(cli.UsageError, match="--num_workers is for --engine=ray"):
        run_flags.engine(words(parser, "--num_workers=2"))


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", False), ("1", True), ("false", False), ("True", True), ("no", False), (" YES ", True)],
)
def test_a_switch_reads_0_and_1_and_their_words(text, value):
    assert cli.switch(text) is value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        *((cli.switch, text) for text in ("maybe", "", "2", "-1", "none")),
        *((cli.gpus, text) for text in ("", "a", "0,", ",1", "-2", "0,-1", "1.0", "0 1")),
        *((cli.whole_number, text) for text in ("", "1.5", "x", "1e3", "--1")),
        *((cli.positive_number, text) for text in ("0", "-3", "x")),
        *((cli.decimal, text) for text in ("-0.1", "x", "", "nan", "inf", "1,5")),
        *((cli.share, text) for text in ("0", "1.1", "-0.5", "x")),
        (cli.auto_switch, "maybe"),
    ],
)
def test_what_a_type_cannot_read_is_refused(read, text):
    with pytest.raises(argparse.ArgumentTypeError):
        read(text)


@pytest.mark.parametrize(
    ("text", "value"), [("0", (0,)), ("0,1", (0, 1)), ("-1", ()), (" 2 ", (2,)), ("0,1,2,3", (0, 1, 2, 3))]
)
def test_gpus_are_read_as_indices_and_none_is_the_cpu(text, value):
    assert cli.gpus(text) == value


@pytest.mark.parametrize(("text", "value"), [("auto", None), (" AUTO", None), ("0", False), ("1", True)])
def test_auto_is_neither_on_nor_off(text, value):
    assert cli.auto_switch(text) is value


def test_a_path_is_of_the_working_folder_where_it_is_there_and_else_of_the_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.path("./utils").resolve() == ROOT / "utils"
    (tmp_path / "utils").mkdir()
    assert cli.path("./utils").resolve() == tmp_path / "utils"
    assert cli.path(str(tmp_path / "none")) == tmp_path / "none"


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
def test_values_from_a_notebook_pass_through_the_types_of_the_flags(parser, values, name, value):
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
        ({"dense_lang": "maybe"}, "--dense_lang: 'maybe' is neither 0 nor 1"),
    ],
)
def test_a_bad_value_from_a_notebook_raises_and_does_not_end_the_kernel(parser, values, message):
    with pytest.raises(cli.UsageError, match=message):
        cli.start(
            parser,
            lambda args: None,
            cmd_args=False,
            values={"file_name": "weibo", "model_from_pretrained": "m", **values},
        )


def test_an_error_of_a_step_is_raised_in_a_notebook_as_it_is(parser):
    def run(args):
        raise FileNotFoundError("labels.txt is missing")

    with pytest.raises(FileNotFoundError, match=r"labels\.txt is missing"):
        cli.start(parser, run, cmd_args=False, values={"file_name": "w", "model_from_pretrained": "m"})


# --- errors on the command line


@pytest.fixture
def end(parser, monkeypatch, caplog):
    """Run a step that raises an error, on the command line; return its exit code and what it said."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    def run_to_its_end(error, *given):
        def step(args):
            if error is not None:
                raise error

        monkeypatch.setattr(sys, "argv", ["s1_predict_data.py", *given])
        try:
            cli.start(parser, step, cmd_args=True, values={})
        except SystemExit as ending:
            return ending.code, [record.getMessage() for record in caplog.records]
        return 0, [record.getMessage() for record in caplog.records]

    yield run_to_its_end
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_step_that_ends_well_exits_with_0_and_says_nothing_more(end):
    assert end(None, *NEEDED) == (0, [])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("train_1000.jsonl:17: broken"), 2),
        (FileNotFoundError("run s1 first"), 2),
        (NotADirectoryError("x"), 2),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), 2),
        (PermissionError(13, "Permission denied", "x"), 1),
        (OSError(28, "No space left on device"), 1),
        (ImportError("pip install xllamacpp"), 1),
        (RuntimeError("llama.cpp refused"), 1),
        (MemoryError(), 1),
        (ConnectionError("refused"), 1),
    ],
)
def test_an_error_is_one_line_with_its_kind_and_an_exit_code(end, error, code):
    found, lines = end(error, *NEEDED)
    assert found == code
    assert len(lines) == 1
    assert type(error).__name__ in lines[0]
    assert "\n" not in lines[0]


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (OSError(28, "No space left on device", "a.jsonl"), "a.jsonl'; the disk is full: free some space"),
        (PermissionError(13, "Permission denied", "a.jsonl"), "a.jsonl'; you may not use it: ask its owner"),
        (FileNotFoundError(2, "No such file or directory", "a.jsonl"), "a.jsonl'; check the path; if it was deleted"),
        (OSError(30, "Read-only file system", "a.jsonl"), "a.jsonl'; nothing can be written there"),
    ],
)
def test_an_error_of_the_operating_system_names_the_file_and_the_way_out(end, error, remedy):
    assert remedy in end(error, *NEEDED)[1][0]


def test_a_message_of_several_lines_is_told_in_one(end):
    assert end(ValueError("one\n  two\n\nthree"), *NEEDED)[1][0].endswith("ValueError: one two three")


def test_an_error_without_a_word_names_the_way_to_learn_more(end):
    assert "--debug" in end(MemoryError(), *NEEDED)[1][0]


def test_debug_shows_the_traceback(end):
    with pytest.raises(ValueError, match="broken"):
        end(ValueError("broken"), *NEEDED, "--debug")


def test_an_interrupted_step_exits_with_130_and_says_how_to_go_on(end):
    code, lines = end(KeyboardInterrupt(), *NEEDED)
    assert code == 130
    assert "the same command goes on from here" in lines[0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([*NEEDED, "--mode=nouns"], "--mode: invalid choice: 'nouns'"),
        ([*NEEDED, "--batch_size=many"], "--batch_size: 'many' is not a whole number"),
        ([*NEEDED, "--btach_size=3"], "unrecognized arguments: --btach_size=3"),
        ([*NEEDED, "--batch=3"], "unrecognized arguments: --batch=3"),
        ([*NEEDED, "--is_syn=1"], "unrecognized arguments: --is_syn=1"),
        (["--model_from_pretrained=m"], "required: --file_name"),
        (["--file_name=weibo"], "required: --model_from_pretrained"),
        ([*NEEDED, "--n_gpu="], "--n_gpu: '' is neither a GPU's index"),
    ],
)
def test_a_flag_that_cannot_be_used_is_one_line_and_exit_code_2(end, given, message):
    code, lines = end(None, *given)
    assert code == 2
    assert len(lines) == 1
    assert message in lines[0]


def test_help_gives_the_description_as_it_stands_each_flag_and_its_default(parser, capsys):
    with pytest.raises(SystemExit) as ending:
        parser.parse_words(["--help"])
    shown = capsys.readouterr().out
    assert ending.value.code == 0
    assert "What it does." in shown
    assert "--batch_size" in shown
    assert "(default: 20)" in shown
    assert "(default: None)" not in shown


# --- what the flags choose


@pytest.mark.parametrize(("mode", "name"), [("entity", "entity_label.json"), ("pos", "pos_label.json")])
def test_each_mode_uses_the_labels_of_its_own_file(parser, mode, name):
    assert question_flags.label_file(words(parser, f"--mode={mode}")).name == name


def test_answers_cannot_be_guided_by_a_backend_that_cannot(parser, tmp_path):
    recording = tmp_path / "answers.jsonl"
    recording.touch()
    given = ["--file_name=w", f"--model_from_pretrained={recording}", "--backend=scripted"]
    assert flags.is_guided(parser.parse_words(given)) is False
    with pytest.raises(cli.UsageError, match=r"--guided=1: .*answers.jsonl \(scripted\) cannot be guided: leave"):
        flags.is_guided(parser.parse_words([*given, "--guided=1"]))


def test_a_server_is_tried_for_grammars_unless_the_flag_says_no(parser):
    pytest.importorskip("openai")
    given = ["--file_name=w", "--model_from_pretrained=tiny"]
    with ChatServer(grammar_field="grammar") as server:
        obeying = parser.parse_words([*given, f"--api_base={server.api_base}"])
        assert flags.is_guided(obeying) is True
    with ChatServer() as server:
        words = [*given, f"--api_base={server.api_base}"]
        assert flags.is_guided(parser.parse_words(words)) is False
        with pytest.raises(cli.UsageError, match=f"--guided=1: the server {server.api_base} cannot be guided"):
            flags.is_guided(parser.parse_words([*words, "--guided=1"]))
    assert flags.is_guided(parser.parse_words([*given, "--api_base=http://127.0.0.1:9/v1", "--guided=0"])) is False


def test_a_servers_model_is_known_by_its_name_wherever_it_runs(parser, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()  # a folder of that name means nothing to the server
    choices = [
        flags.model_choice(parser.parse_words(["--file_name=w", "--model_from_pretrained=tiny", f"--api_base={base}"]))
        for base in ("http://localhost:1/v1", "https://models.example/v1")
    ]
    assert [choice.identity() for choice in choices] == [{"served model": "tiny"}] * 2
    assert [choice.path for choice in choices] == ["tiny"] * 2


def test_a_model_beside_the_root_is_found_from_any_folder(parser, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = "data/fusion_knowledge/pos_label.json"
    choice = flags.model_choice(
        parser.parse_words(["--file_name=w", f"--model_from_pretrained={given}", "--backend=scripted", "--n_gpu=-1"])
    )
    assert Path(choice.path) == ROOT / given
    assert (choice.backend, choice.options.gpus, choice.options.batch_size) == ("scripted", (), 20)


@pytest.mark.parametrize(("advice", "level"), [(None, "INFO"), ("try a larger model", "WARNING")])
def test_the_last_line_is_a_warning_where_there_is_advice(caplog, advice, level):
    caplog.set_level("INFO")
    cli.report("labelled 3 sentences", Path("a.jsonl"), advice=advice)
    assert [record.levelname for record in caplog.records] == [level]
    assert "labelled 3 sentences -> a.jsonl" in caplog.text
    assert (advice or "") in caplog.text
