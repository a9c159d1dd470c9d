"""The template around messages, the tokens that prompts share, and the layout of a ragged call."""

from __future__ import annotations

import pytest

from utils.llm.base import Message
from utils.llm.chat_parts import ChatTemplate
from utils.llm.prompt_parts import common_prefix


@pytest.mark.parametrize(
    ("prompts", "prefix"),
    [
        ([], []),
        ([[1, 2]], [1, 2]),
        ([[1, 2, 3], [1, 2], [1, 2, 4]], [1, 2]),
        ([[1, 2], []], []),
        ([[2, 1], [1, 1], [2, 2]], []),
    ],
)
def test_the_common_prefix_is_the_longest_that_all_prompts_have(prompts, prefix):
    assert common_prefix(prompts) == prefix


CHAT = [Message("system", "Be brief."), Message("user", "Hi."), Message("assistant", "Hi."), Message("user", "Who?")]


def shown(parts):
    return "".join(part if isinstance(part, str) else f"({part.text})" for part in parts)


def all_roles(messages):
    return "".join(f"<{one.role}>{one.text}" for one in messages) + "<assistant>"


def no_system(messages):
    if messages[0].role == "system":
        raise ValueError("system role not supported")
    return all_roles(messages)


def system_left_out(messages):
    return all_roles([one for one in messages if one.role != "system"])


def system_last(messages):
    """Mistral's template: the system message is at the beginning of the last message of the user."""
    rest = [one for one in messages if one.role != "system"]
    return (
        all_roles(rest[:-1]) + "<system>".join(["", *(one.text for one in messages if one not in rest)]) + rest[-1].text
    )


@pytest.mark.parametrize(
    ("fill", "prompt"),
    [
        (all_roles, "<system>(Be brief.)<user>(Hi.)<assistant>(Hi.)<user>(Who?)<assistant>"),
        (no_system, "<user>(Be brief.\n\nHi.)<assistant>(Hi.)<user>(Who?)<assistant>"),
        (system_left_out, "<user>(Be brief.\n\nHi.)<assistant>(Hi.)<user>(Who?)<assistant>"),
        (system_last, "<user>(Hi.)<assistant>(Hi.)<assistant><system>(Be brief.)(Who?)"),
    ],
)
def test_every_template_gets_the_system_message_once(fill, prompt):
    template = ChatTemplate(fill)
    assert [shown(template.parts(CHAT)) for _ in range(2)] == [prompt] * 2


def test_a_template_is_filled_once_for_equal_roles():
    filled = []

    def fill(messages):
        filled.append(len(messages))
        return all_roles(messages)

    template = ChatTemplate(fill)
    for number in range(5):
        template.parts([*CHAT, Message("assistant", "I."), Message("user", f"{number}")])
    assert filled == [1, 6]


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        (lambda messages: "<user>", "contains a message of the user 0 times, not once"),
        (lambda messages: all_roles(messages) + messages[0].text, "contains a message of the user 2 times, not once"),
    ],
)
def test_a_template_without_the_message_is_an_error(fill, message):
    with pytest.raises(ValueError, match=message):
        ChatTemplate(fill)


def test_a_template_that_refuses_examples_is_an_error():
    def only_one(messages):
        if len(messages) > 1:
            raise ValueError("one message, please")
        return all_roles(messages)

    with pytest.raises(ValueError, match="one message, please"):
        ChatTemplate(only_one).parts(CHAT)
