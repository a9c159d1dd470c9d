"""The flags of s1 and s3: the label file of each mode, and guidance."""

from __future__ import annotations

import pytest

from tests.helpers.llm_server import ChatServer
from utils.cli.annotation_flags import is_guided, label_file
from utils.cli.exits import UsageError
from utils.cli.llm_flags import model_choice


def guided(args):
    return is_guided(args, model_choice(args))


@pytest.mark.parametrize(("mode", "name"), [("entity", "entity_label.json"), ("pos", "pos_label.json")])
def test_each_mode_uses_its_own_label_file(parse, mode, name):
    assert label_file(parse(f"--mode={mode}")).name == name


def test_guided_answers_are_refused_for_a_backend_without_grammars(parser, tmp_path):
    recording = tmp_path / "answers.jsonl"
    recording.touch()
    given = ["--file_name=w", f"--model_from_pretrained={recording}", "--backend=scripted"]
    assert guided(parser.parse_words(given)) is False
    with pytest.raises(
        UsageError, match=r"--guided=1: .*answers.jsonl \(scripted\) cannot constrain answers with a grammar: omit"
    ):
        guided(parser.parse_words([*given, "--guided=1"]))


def test_a_server_is_asked_whether_it_supports_grammars_unless_the_flag_is_0(parser):
    pytest.importorskip("openai")
    given = ["--file_name=w", "--model_from_pretrained=tiny"]
    with ChatServer(grammar_field="grammar") as server:
        obeying = parser.parse_words([*given, f"--api_base={server.api_base}"])
        assert guided(obeying) is True
    with ChatServer() as server:
        words = [*given, f"--api_base={server.api_base}"]
        assert guided(parser.parse_words(words)) is False
        with pytest.raises(
            UsageError, match=f"--guided=1: the server {server.api_base} cannot constrain answers with a grammar"
        ):
            guided(parser.parse_words([*words, "--guided=1"]))
    assert guided(parser.parse_words([*given, "--api_base=http://127.0.0.1:9/v1", "--guided=0"])) is False
