"""The flags of s1 and s3: the label file of each mode, and guidance."""

from __future__ import annotations

import pytest

from tests.helpers.llm_server import ChatServer
from utils.cli.annotation.flags import SIMILAR_SHOTS, annotation_settings, label_file
from utils.cli.annotation.run import choose_guidance
from utils.cli.exits import UsageError
from utils.cli.llm_flags import model_choice


def guided(args):
    return choose_guidance(args, model_choice(args))


@pytest.mark.parametrize(("mode", "name"), [("entity", "entity_label.json"), ("pos", "pos_label.json")])
def test_each_mode_uses_its_own_label_file(parse, mode, name):
    assert label_file(parse(f"--mode={mode}")).name == name


def test_guided_answers_are_refused_for_a_backend_without_grammars(parser, tmp_path):
    recording = tmp_path / "answers.jsonl"
    recording.touch()
    given = ["--file_name=w", f"--model_from_pretrained={recording}", "--backend=scripted"]
    assert guided(parser.parse_words(given)) == "free"
    with pytest.raises(
        UsageError, match=r"--guided=1: .*answers.jsonl \(scripted\) cannot constrain answers with a grammar: omit"
    ):
        guided(parser.parse_words([*given, "--guided=1"]))


def test_a_server_is_asked_whether_it_supports_grammars_unless_the_flag_is_0(parser):
    pytest.importorskip("openai")
    given = ["--file_name=w", "--model_from_pretrained=tiny"]
    with ChatServer(grammar_field="grammar") as server:
        obeying = parser.parse_words([*given, f"--api_base={server.api_base}"])
        assert guided(obeying) == "grammar"
    with ChatServer() as server:
        words = [*given, f"--api_base={server.api_base}"]
        assert guided(parser.parse_words(words)) == "free"
        with pytest.raises(
            UsageError, match=f"--guided=1: the server {server.api_base} cannot constrain answers with a grammar"
        ):
            guided(parser.parse_words([*words, "--guided=1"]))
    assert guided(parser.parse_words([*given, "--api_base=http://127.0.0.1:9/v1", "--guided=0"])) == "free"


# --- target labels


def settings_of(parse, *words):
    return annotation_settings(parse(*words))


def test_target_labels_have_similar_shots_by_default_and_other_modes_do_not(parse):
    assert settings_of(parse, "--mode=target").num_similar_shots == SIMILAR_SHOTS
    assert settings_of(parse, "--mode=target", "--similar_shots=0").num_similar_shots == 0
    assert settings_of(parse, "--mode=entity").num_similar_shots == 0


@pytest.mark.parametrize("flag", ["--similar_shots=2", "--label_guide=guide.json"])
@pytest.mark.parametrize("mode", ["entity", "pos"])
def test_flags_of_target_labels_are_refused_in_other_modes(parse, mode, flag):
    with pytest.raises(UsageError, match=f"{flag} needs --mode=target"):
        settings_of(parse, f"--mode={mode}", flag)


def test_target_labels_are_closed(parse):
    with pytest.raises(UsageError, match="--closed_labels=0: with --mode=target, the only labels are those of the"):
        settings_of(parse, "--mode=target", "--closed_labels=0")


def test_a_users_prompt_for_target_labels_shows_what_it_has_placeholders_for(parse, tmp_path):
    own = tmp_path / "own.txt"
    own.write_text("Find {labels} in {sentence}", encoding="utf-8")
    words = ("--mode=target", f"--prompt={own}")
    assert settings_of(parse, *words).num_similar_shots == 0
    with pytest.raises(UsageError, match=r"--similar_shots=3: .*own\.txt has no placeholder \{examples\}, where the"):
        settings_of(parse, *words, "--similar_shots=3")
    with pytest.raises(UsageError, match=r"--label_guide=.* has no placeholder \{guide\}, where the guide is inserted"):
        settings_of(parse, *words, "--label_guide=guide.json")
    own.write_text("Find {labels} as in {examples}: {sentence}", encoding="utf-8")
    assert settings_of(parse, *words).num_similar_shots == SIMILAR_SHOTS
