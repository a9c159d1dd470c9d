"""What is learnt from refusals, in the words of services and of their users' reports."""

from __future__ import annotations

import pytest

from utils.llm import Request, Sampling
from utils.llm.item_form import ItemForm
from utils.llm.server.dialect import LOW_TEMPERATURE, NO_THINKING, PLAIN, THOUGHT_TOKENS, Dialect
from utils.llm.server.refusals import Refusal, learn, less_thought, refuses_form

SAMPLED = Request("1", "explain", "Seed the clouds, and keep thinking.", 9000, Sampling(0.8, 0.9, 7))
GREEDY = Request("1", "entity", "Prompt.", 9000)
FULL = Dialect({**PLAIN, **NO_THINKING})


def learnt(message, request=SAMPLED, *, field=None, dialect=FULL):
    return learn(dialect, Refusal(message, field), dialect.body(request))


def sent(dialect, request=SAMPLED):
    return set(dialect.body(request)) - {"messages"}


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ("Unsupported parameter: 'top_p' is not supported with this model.", {"top_p"}),
        ("invalid temperature: only 0.6 is allowed for this model", {"temperature"}),
        ("`temperature` is deprecated for this model.", {"temperature"}),
        ("`temperature` and `top_p` cannot both be specified for this model. Please use only one.", {"top_p"}),
        ("Value error, current model does not support parameter `enable_thinking`.", {"enable_thinking"}),
        ('Invalid JSON payload received. Unknown name "seed": Cannot find field.', {"seed"}),
        ("top_p参数非法。请检查文档。", {"top_p"}),
        (
            'Unknown name "top_k": Cannot find field.\nUnknown name "min_p": Cannot find field.',
            {"top_k", "min_p"},
        ),
        (
            "{'detail': [{'type': 'extra_forbidden', 'loc': ['body', 'repeat_penalty'], 'msg': 'Extra inputs are not "
            "permitted'}]}",
            {"repeat_penalty"},
        ),
    ],
)
def test_a_field_that_a_refusal_names_is_left_out(message, names):
    assert sent(FULL) - sent(learnt(message)) == names


@pytest.mark.parametrize("message", ["Unknown parameter: 'min_p'.", "Unrecognized request argument supplied: min_p"])
def test_a_service_that_names_one_unknown_field_gets_none_of_that_kind(message):
    assert sent(learnt(message)) == {"max_tokens", "temperature", "top_p", "seed", "reasoning_effort"}


def test_the_field_that_a_server_names_apart_is_enough():
    assert "seed" not in sent(learnt("Not allowed.", field="seed"))
    assert learnt("Not allowed.", field="messages[0].content") == FULL
    assert learnt("Not allowed.", field="stop") == FULL


def test_the_limit_gets_another_name():
    found = learnt("'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
    assert sent(FULL) ^ sent(found) == {"max_tokens", "max_completion_tokens"}
    assert found.body(SAMPLED)["max_completion_tokens"] == 9000


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8192),
        ("<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]", 8192),
        ("max_tokens is not valid: integer above maximum value, expected a value <= 4096, but got 9000 instead", 4096),
        ("max_tokens is too large: 9000. This model supports at most 4096 completion tokens", 4096),
        ("`max_tokens` must be less than or equal to `8000`, the maximum value for `max_tokens` is less", 8000),
        ("max_tokens参数非法。请检查文档。", 4500),
        ("max_tokens must be at most " + "9" * 5000, 4500),  # Python converts no number of more than 4300 digits
        ("max_tokens should be in [1, " + "9" * 5000 + "]", 4500),
    ],
)
def test_a_limit_that_is_too_high_is_lowered(message, limit):
    found = learnt(message)
    assert found.body(SAMPLED)["max_tokens"] == limit
    assert found.body(Request("1", "entity", "x", 20))["max_tokens"] == 20


def test_a_temperature_of_0_is_replaced_where_only_its_value_is_refused():
    for message in ("temperature参数非法。请检查文档。", "temperature must be positive"):
        found = learnt(message, GREEDY)
        assert found.body(GREEDY)["temperature"] == LOW_TEMPERATURE
        assert found.body(SAMPLED)["temperature"] == 0.8
    fixed = (
        "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported."
    )
    assert "temperature" not in sent(learnt(fixed, GREEDY), GREEDY)


@pytest.mark.parametrize(
    "message",
    [
        "parameter.enable_thinking must be set to false for non-streaming calls",
        "parameter.enable_thinking必须设置为false才能进行非流式调用",
        "enable thinking can not be support when `stream=False`.",
        "Json mode response is not supported when enable_thinking is true",
    ],
)
def test_thinking_is_turned_off_where_a_service_requires_it(message):
    assert learnt(message, dialect=Dialect(PLAIN)).body(GREEDY)["enable_thinking"] is False


def test_the_least_effort_that_a_service_offers_is_used():
    offer = (
        "'reasoning_effort' does not support 'none' with this model. Supported values are: 'minimal', 'low', 'high'."
    )
    assert learnt(offer).body(GREEDY)["reasoning_effort"] == "minimal"
    assert learnt("Budget 0 is invalid. This model only works in thinking mode.").extras["reasoning_effort"] == "low"
    assert "reasoning_effort" not in sent(learnt("Unrecognized field: reasoning_effort"))


def test_thoughts_that_exhaust_the_limit_get_more_room_and_a_short_context_less():
    full = "Could not finish the message because max_tokens or model output limit was reached."
    found = learnt(full)
    assert found.body(GREEDY)["max_tokens"] == 9000 + THOUGHT_TOKENS
    halved = less_thought(found)
    assert halved.thought_tokens == THOUGHT_TOKENS // 2
    for _ in range(9):
        halved = less_thought(halved)
    assert halved.thought_tokens == 0


@pytest.mark.parametrize(
    "message", ["odd", "No.", "You are out of credit", "model not found", "I was thinking about the seed", "温度太低"]
)
def test_nothing_is_learnt_from_other_words(message):
    assert learnt(message, GREEDY, dialect=Dialect(PLAIN)) == Dialect(PLAIN)


@pytest.mark.parametrize(
    ("message", "is_about_form"),
    [
        ("This response_format type is unavailable now", True),
        ("Invalid schema for response_format 'items': schema must be a JSON Schema of 'type: \"object\"'", True),
        ("Json mode is not supported for this model.", True),
        ("The model is not available", False),
    ],
)
def test_refusals_of_the_form_are_recognised(message, is_about_form):
    assert refuses_form(Refusal(message)) is is_about_form
    with_form = Request("1", "pos", "x", 20, form=ItemForm("json_schema", ("word", "pos"), ("N",)))
    assert "response_format" in sent(learnt(message, with_form), with_form)  # a matter of one request
