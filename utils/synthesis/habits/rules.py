"""The rules that new sentences must follow, and which of them a dataset follows itself.

A rule that the dataset's own sentences break is not applied: where titles end without punctuation, a missing full stop
does not show that a sentence is unfinished.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from utils.synthesis.text.remarks import REMARKS, Remark
from utils.synthesis.text.sentence_splitting import (
    ends_with_abbreviation,
    has_end_mark,
    has_open_bracket,
    has_open_quotation,
)

DropReason = (
    Remark
    | Literal[
        "markup",
        "a heading",
        "unfinished",
        "a fragment",
        "an echo of the prompt",
        "another script",
        "too short",
        "too long",
        "copied",
        "nearly copied",
        "repeated",
        "nearly repeated",
        "in dev or test",
        "near dev or test",
        "repeats itself",
        "a list item",
        "without an asked entity",
        "without its mentions",
        "beyond the target",
    ]
)

MAX_SHARE = 0.005  # of a dataset's sentences that may break a rule; above it, the rule is not applied
MAX_SHARE_OF_ALL = 0.02  # of a dataset's sentences that may break any rule

_CODE = re.compile(r"[(（]\s*[A-Z]{2,}(?:[._][A-Z]{2,})+\s*[)）]")  # a label that the model made up: 邓超(SONG.NAM)
_COMMA_LAST = re.compile(r"[,，、]\s*$")
_FUNCTION_WORD_LAST = re.compile(
    r"(?<=\s)(?:a|an|the|of|and|or|but|with|from|by|that|which|his|her|its|their)\s*$", re.I
)
# A sentence that lacks its beginning starts with a punctuation mark, or with a lower-case word (but: iPhone, e-mail).
_PUNCTUATION_FIRST = re.compile(r"^\s*[，、。；：！？,;:.!?)）】》”’」』]")
_LOWER_CASE_FIRST = re.compile(r"^\s*[a-z]+(?![a-z]|[-A-Z\d.@/_])")


@dataclass(frozen=True)
class Rule:
    """A reason to drop a sentence."""

    reason: DropReason
    name: str  # of what a sentence that breaks the rule has, as messages show it
    is_broken: Callable[[str], object]  # a sentence -> whether it breaks the rule
    max_share: float = MAX_SHARE  # of a dataset's sentences


RULES = (
    *(Rule(kind, f"{kind} ({number})", pattern.search) for number, (kind, pattern) in enumerate(REMARKS, start=1)),
    Rule("an echo of the prompt", "a made-up label in brackets", _CODE.search),
    Rule("unfinished", "no punctuation mark at the end", lambda text: not has_end_mark(text), max_share=0.02),
    Rule("unfinished", "an abbreviation at the end", ends_with_abbreviation),
    Rule("unfinished", "an open bracket", has_open_bracket),
    Rule("unfinished", "an open quotation", has_open_quotation),
    Rule("unfinished", "a comma at the end", _COMMA_LAST.search),
    Rule("unfinished", "a function word at the end", _FUNCTION_WORD_LAST.search),
    Rule("a fragment", "a punctuation mark at the beginning", _PUNCTUATION_FIRST.match),
)
CASE_RULES = (Rule("a fragment", "a lower-case word at the beginning", _LOWER_CASE_FIRST.match),)


def rules_followed(rules: Sequence[Rule], sentences: Sequence[str]) -> tuple[Rule, ...]:
    """Return the rules that a dataset's sentences follow.

    A rule needs at least two sentences that break it to be left out. Together, the rules are broken by at most
    MAX_SHARE_OF_ALL of the sentences.
    """
    broken_by = {rule: {at for at, text in enumerate(sentences) if rule.is_broken(text)} for rule in rules}
    total = len(sentences)
    followed = [rule for rule in rules if len(broken_by[rule]) <= max(1, rule.max_share * total)]
    while len(set().union(*(broken_by[rule] for rule in followed))) > max(1, MAX_SHARE_OF_ALL * total):
        followed.remove(max(followed, key=lambda rule: len(broken_by[rule])))
    return tuple(followed)


def reason_to_drop(rules: Sequence[Rule], sentence: str) -> DropReason | None:
    """Return the reason of the first rule that a sentence breaks, or None."""
    return next((rule.reason for rule in rules if rule.is_broken(sentence)), None)
