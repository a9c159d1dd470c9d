"""Prompts: those of the project in four languages, and a user's own."""

from __future__ import annotations

import json
import re
from typing import get_args

import pytest

from utils.dataset.layout import ENTITY_LABELS, POS_LABELS
from utils.dataset.tokens import Language, language_of
from utils.labels.files import display_names, read_label_names
from utils.labels.normaliser import LabelNormaliser
from utils.prompts import FOLDER, PLACEHOLDERS, Prompt, load_prompt, placeholders_of, read_prompt
from utils.synthesis.shots import with_examples, with_shots

LANGUAGES = get_args(Language)
KEYS = {"entity": ("entity", "type"), "pos": ("word", "pos")}
LABEL_FILES = {"entity": ENTITY_LABELS, "pos": POS_LABELS}


def example(task, language):
    """Return the sentence and the items of the example that a prompt shows."""
    lines = load_prompt(task, language).text.splitlines()
    at = next(number for number, line in enumerate(lines) if line.count('{"') > 2)
    answer = lines[at].replace("{examples}", "")
    return re.split("[:：]", lines[at - 1], maxsplit=1)[1].strip(), json.loads(answer[answer.index("[") :])


NAMES = sorted({path.name.split(".")[0] for path in FOLDER.glob("*.txt")})
PROMPTS = [name for name in NAMES if name not in ("example", "examples", "shots")]  # those are parts of prompts


def test_there_is_a_prompt_for_every_task_and_each_exists_in_every_language():
    assert {*PLACEHOLDERS, "example", "examples", "shots"} <= set(NAMES)
    files = {f"{name}.{language}.txt" for name in NAMES for language in LANGUAGES}
    assert {path.name for path in FOLDER.glob("*.txt")} == files


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PROMPTS)
def test_every_prompt_of_the_project_has_all_the_placeholders_of_its_task(name, language):
    prompt = load_prompt(name, language)
    needed, allowed = placeholders_of(
        name if name in PLACEHOLDERS else "explain", prompt
    )  # the others are styles of s2
    placeholders = prompt.placeholders
    assert needed <= placeholders <= needed | allowed
    assert placeholders == needed | allowed or name not in ("entity", "pos")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_examples_of_s2_go_around_its_prompt(language):
    examples = load_prompt("examples", language)
    assert examples.placeholders == {"examples", "task", "entities"}
    assert language_of([re.sub(r"\{.*?\}", "", examples.text)]) == language
    task = load_prompt("explain", language)
    prompt = with_examples(task, language)
    assert prompt.placeholders == {"examples", "sentence", "entities"}
    assert prompt.text.index("{examples}") < prompt.text.index(task.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shots_of_a_given_mention_come_before_its_prompt(language):
    task = load_prompt("rewrite", language)
    prompt = with_shots(task, language)
    assert language_of([re.sub(r"\{.*?\}", "", load_prompt("shots", language).text)]) == language
    assert prompt.placeholders == {"examples", "entities"}
    assert prompt.text.endswith(task.text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_holds_instructions_in_its_own_language_alone(name, language):
    text = re.sub(
        r"\{.*?\}|\[(system|user|assistant)\]|JSON|\"(entity|type|word|pos)\"", "", load_prompt(name, language).text
    )
    assert language_of([text]) == language
    if language != "en":
        assert not re.search("[A-Za-z]{3}", text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("task", KEYS)
def test_the_example_of_a_prompt_is_json_to_copy_and_its_words_are_in_its_sentence(task, language):
    sentence, items = example(task, language)
    assert {tuple(item) for item in items} == {KEYS[task]}
    words = [item[KEYS[task][0]] for item in items]
    assert all(word in sentence for word in words)
    if task == "pos":
        assert "".join(words) == "".join(sentence.split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("task", KEYS)
def test_the_example_of_a_prompt_has_no_label_that_its_list_of_labels_lacks(task, language):
    names = display_names(read_label_names(LABEL_FILES[task]), language)
    assert {item[KEYS[task][1]] for item in example(task, language)[1]} <= set(names.values())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("task", KEYS)
def test_every_label_has_a_name_of_its_own_in_each_language_which_leads_back_to_it(task, language):
    names = display_names(read_label_names(LABEL_FILES[task]), language)
    assert len(set(names.values())) == len(names)
    normaliser = LabelNormaliser.from_files([LABEL_FILES[task]])
    assert {label: normaliser(name) for label, name in names.items()} == {label: label for label in names}
    if language != "en":
        assert not any(name.isascii() for name in names.values())


@pytest.mark.parametrize(
    ("spellings", "names"),
    [
        (["城市", "都市", "도시"], ("城市", "都市", "도시", "CITY")),
        (["城市"], ("城市", "CITY", "CITY", "CITY")),
        (["town", "city", "都市"], ("CITY", "CITY", "CITY", "CITY")),
        ([], ("CITY", "CITY", "CITY", "CITY")),
    ],
)
def test_a_label_without_a_name_in_a_language_keeps_its_own(spellings, names):
    shown = tuple(display_names({"CITY": spellings}, language)["CITY"] for language in ("zh", "ja", "ko", "en"))
    assert shown == names


# --- filling


def test_braces_in_what_is_filled_in_and_those_of_json_stay_as_they_are():
    prompt = Prompt('[{"entity":"…"}] {labels} {sentence}')
    assert prompt.fill({"labels": "{sentence}", "sentence": "a {labels}"}) == '[{"entity":"…"}] {sentence} a {labels}'


# --- prompts of users


@pytest.fixture
def write(tmp_path):
    def write_prompt(data):
        path = tmp_path / "own.txt"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write_prompt


def test_a_prompt_of_the_user_is_read_without_a_byte_order_mark(write):
    prompt = read_prompt(write('\ufeffMark [{"entity":"…","type":"…"}] in {sentence}\n'), "entity")
    assert prompt.text == 'Mark [{"entity":"…","type":"…"}] in {sentence}'


CHAT = "[system]\nFind {labels}.\n\n[user]\nIn: {sentence}\n\n[assistant]\n{answer}"


def test_a_prompt_that_begins_with_a_section_is_a_chat(write):
    prompt = read_prompt(write(CHAT.replace("\n", "\r\n")), "pos")
    assert [(section.role, section.text) for section in prompt.sections] == [
        ("system", "Find {labels}."),
        ("user", "In: {sentence}"),
        ("assistant", "{answer}"),
    ]
    assert prompt.shows_examples


@pytest.mark.parametrize("text", ["Find all in:\n[user]\n{sentence}", "[1] {sentence}", "[assistant]\n{sentence}"])
def test_other_prompts_are_one_message(text, write):
    prompt = read_prompt(write(text), "entity")
    assert prompt.sections == ()
    assert not prompt.shows_examples


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_prompt_for_target_labels_is_a_chat_that_a_user_could_have_written(language):
    prompt = read_prompt(FOLDER / f"target.{language}.txt", "target")
    assert [section.role for section in prompt.sections] == ["system", "user", "assistant"]
    assert "{guide}" in prompt.sections[0].text


@pytest.mark.parametrize(
    ("text", "task", "message"),
    [
        (CHAT, "explain", r"own\.txt begins with \[system\]: only prompts of s1 and s3 can be chats"),
        (
            "[system]\nFind.\n[user]\n{sentence}",
            "entity",
            r"own\.txt must have the sections \[system\] \(optional\), .*; found \[system\] \[user\]",
        ),
        ("[user]\n{sentence}\n[user]\nb\n[assistant]\n{answer}", "entity", r"found \[user\] \[user\] \[assistant\]"),
        ("[system]\n{sentence} {answer}", "entity", r"found \[system\]"),
        (
            CHAT.replace("{answer}", "[]"),
            "entity",
            r"\{answer\} must be in the last section \[assistant\], and only there",
        ),
        (
            CHAT.replace("{labels}", "{sentence}"),
            "entity",
            r"\{sentence\} must be in the last section \[user\], and only",
        ),
        (CHAT.replace("{labels}", "{examples}"), "entity", r"the unknown placeholder \{examples\}; .* are \{answer\}"),
        (CHAT.replace("{labels}", "{guide}"), "entity", r"the unknown placeholder \{guide\}"),
    ],
)
def test_a_chat_that_cannot_be_used_is_named_with_what_is_wrong(write, text, task, message):
    with pytest.raises(ValueError, match=message):
        read_prompt(write(text), task)


@pytest.mark.parametrize(
    ("text", "task", "message"),
    [
        ("Mark all names.", "entity", r"own\.txt does not contain \{sentence\}, which is required"),
        ("Explain {sentence}", "explain", r"does not contain \{entities\}"),
        ("", "pos", r"does not contain \{sentence\}"),
        (
            "{sentence} {label}",
            "pos",
            r"the unknown placeholder \{label\}; the placeholders of this step are \{examples\}, \{labels\}",
        ),
        ("{sentence} {entities}", "entity", r"the unknown placeholder \{entities\}"),
        ("标注{sentence}".encode("gb18030"), "pos", r"own\.txt is not UTF-8; convert it first"),
    ],
)
def test_a_prompt_that_cannot_be_used_is_named_with_what_is_wrong(write, text, task, message):
    with pytest.raises(ValueError, match=message):
        read_prompt(write(text), task)


def test_a_missing_prompt_says_what_it_should_be(tmp_path):
    with pytest.raises(
        FileNotFoundError,
        match=r"--prompt: .*none\.txt is missing: it must be a text file with the "
        r"placeholder \{sentence\}",
    ):
        read_prompt(tmp_path / "none.txt", "entity")
