"""What the refusal of a request teaches about a server's dialect.

Services name the field that they do not accept, each in its own words (tests/helpers/hosted_dialects.py has them).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from utils.llm.server.dialect import LOW_TEMPERATURE, NO_THINKING, PLAIN, THOUGHT_TOKENS, Dialect

TRANSIENT_STATUSES = {408, 409, 425, 429}  # besides all from 500: the same request may succeed later
TOO_LONG = re.compile(r"context[\W_]*(window|length|size)", re.IGNORECASE)
# No wait helps: in the code or the message of OpenAI, DeepSeek and others, and of Zhipu (all with HTTP 429 or 402).
OUT_OF_MONEY = re.compile(r"insufficient[_ ](?:quota|balance|credit|funds)|余额不足|欠费", re.IGNORECASE)
NEVER_LEARNT = {"messages", "response_format"}  # the form of an answer is a matter of one request (`refuses_form`)
LIMIT_FIELDS = ("max_tokens", "max_completion_tokens")
SMALLEST_LIMIT = 256  # tokens; a limit that is refused without a number is halved down to this
NOT_OF_OPENAI = frozenset((*PLAIN, *NO_THINKING)) - {"reasoning_effort"}
# Words that are also ordinary ones: they name a field only in quotation marks.
ORDINARY_WORDS = {"thinking", "grammar"}
UNKNOWN_FIELD = re.compile(r"unknown|unrecogni[sz]ed|unexpected", re.IGNORECASE)
FIXED_VALUE = re.compile(r"\bonly\b|default|not supported|unsupported|does not support|deprecated", re.IGNORECASE)
MUST_NOT_THINK = re.compile(
    r"enable_thinking\W{0,3}(?:must be set to|必须设置为)\W{0,3}false|not supported when \W?enable_thinking|"
    r"enable thinking can not be support",
    re.IGNORECASE,
)
MUST_THINK = re.compile(r"only works in thinking mode|does not support setting thinking_budget to 0", re.IGNORECASE)
CUT_IN_THOUGHTS = re.compile(r"output limit was reached|higher max_(?:completion_)?tokens", re.IGNORECASE)
LARGEST = re.compile(
    r"\[\s*\d{1,9}\s*,\s*(\d{1,9})\s*\]|"
    r"(?:<=|at most|less than or equal to|maximum(?: value)?(?: of| is)?:?)\W{0,3}(\d{1,9})(?!\d)",
    re.IGNORECASE,
)
ANSWER_FORM = re.compile(r"response_format|json[ _](?:mode|object)|schema", re.IGNORECASE)
EFFORTS = ("none", "minimal", "low", "medium", "high")  # of thinking, the least first


@dataclass(frozen=True)
class Refusal:
    """A server's reason to refuse a request."""

    message: str
    field: str | None = None  # the field that the server names apart from the message


def learn(dialect: Dialect, refusal: Refusal, body: Mapping[str, Any]) -> Dialect:
    """Return the dialect in which a refused request may be accepted; the same one if nothing can be learnt."""
    message = refusal.message
    if CUT_IN_THOUGHTS.search(message):
        return replace(dialect, thought_tokens=THOUGHT_TOKENS)
    if MUST_NOT_THINK.search(message):
        return _with_extras(dialect, {"enable_thinking": False})
    if MUST_THINK.search(message):
        return _with_extras(dialect, {"reasoning_effort": "low"})
    names = _named_fields(refusal, set(body) - NEVER_LEARNT)
    if {"temperature", "top_p"} <= set(names) and re.search(r"\bboth\b", message):
        names.remove("temperature")
    if len(names) == 1 and names[0] in NOT_OF_OPENAI and UNKNOWN_FIELD.search(message):
        return _drop(dialect, NOT_OF_OPENAI)  # it would name them one at a time
    for name in names:
        dialect = _learn_field(dialect, name, message, body)
    return dialect


def less_thought(dialect: Dialect) -> Dialect:
    """Return the dialect with half the room for thoughts, for a model with a short context."""
    return replace(
        dialect, thought_tokens=dialect.thought_tokens // 2 if dialect.thought_tokens > SMALLEST_LIMIT else 0
    )


def refuses_form(refusal: Refusal) -> bool:
    """Return whether a refusal is about the form of the answer."""
    return ANSWER_FORM.search(f"{refusal.field} {refusal.message}") is not None


def _named_fields(refusal: Refusal, sent: Collection[str]) -> list[str]:
    """Return the fields of a body that a refusal names."""
    named = [] if refusal.field is None else [refusal.field.partition(".")[0].partition("[")[0]]
    named += [name for name in sorted(sent) if _names(refusal.message, name)]
    return [name for name in dict.fromkeys(named) if name in sent]


def _names(message: str, field: str) -> bool:
    if field in ORDINARY_WORDS:
        return re.search(rf"[\"'`“‘]{field}[\"'`”’.]", message) is not None
    return re.search(rf"(?<![\w]){field}(?![A-Za-z0-9_])", message) is not None


def _learn_field(dialect: Dialect, name: str, message: str, body: Mapping[str, Any]) -> Dialect:
    """Return the dialect after a refusal that names a field of the body."""
    if name in LIMIT_FIELDS:
        return _learn_limit(dialect, message, int(body[name]))
    if name == "temperature" and body[name] < LOW_TEMPERATURE and not FIXED_VALUE.search(message):
        return replace(dialect, min_temperature=LOW_TEMPERATURE)  # "temperature must be positive"
    if name == "reasoning_effort":
        offered = [effort for effort in EFFORTS if re.search(rf"\W{effort}\W", message) and effort != body[name]]
        if offered and EFFORTS.index(offered[0]) > EFFORTS.index(body[name]):
            return _with_extras(dialect, {name: offered[0]})
    return _drop(dialect, {name})


def _learn_limit(dialect: Dialect, message: str, sent: int) -> Dialect:
    if dialect.limit_field == "max_tokens" and _names(message, "max_completion_tokens"):
        return replace(dialect, limit_field="max_completion_tokens")
    numbers = [int(number) for found in LARGEST.findall(message) for number in found if number]
    smaller = [number for number in numbers if 0 < number < sent]
    if smaller:
        return replace(dialect, max_tokens=max(smaller))
    if dialect.limit_field == "max_completion_tokens":
        return _drop(dialect, {"max_completion_tokens"})
    return replace(dialect, max_tokens=sent // 2) if sent > SMALLEST_LIMIT else dialect


def _with_extras(dialect: Dialect, fields: Mapping[str, Any]) -> Dialect:
    """Return the dialect with other values of fields; fields that were refused stay dropped."""
    return replace(dialect, extras={**dialect.extras, **fields})


def _drop(dialect: Dialect, names: Collection[str]) -> Dialect:
    return replace(dialect, dropped=dialect.dropped | frozenset(names))
