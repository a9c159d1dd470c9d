r"""Grammars for guided answers: items are parts of the sentence, and labels are listed ones or short texts.

A grammar is GBNF, the notation of llama.cpp (https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md);
`utils/llm/grammar_dialects.py` translates it. Each item of a guided answer can be found in its sentence, and the words
of a guided `pos` answer are the whole sentence.

The entity grammar of the tokens New York, with the type LOC and without the escaped keys of the items:

    root ::= "[" ("]" | from0)
    close ::= "LOC"                                     the type of an entity that ends here
    from0 ::= "New" at0x1 | from1                       an entity that starts at token 0 or later
    at0x1 ::= close then0x1 | " York" at0x2             New: it ends, or continues
    at0x2 ::= close rest1                               New York: it ends
    then0x1 ::= "]" | "," ("New York" more0x2 | from1)  after New: the end, the longer New York, or a later start
    more0x2 ::= close rest1
    rest1 ::= "]" | "," from1                           after all entities that start at token 0
    from1 ::= "York" at1x2
    at1x2 ::= close rest2
    rest2 ::= "]"

The `pos` grammar of 北京A, with the tag N and without the keys of the items:

    root ::= "[" w0 "]"
    tag ::= "N"
    w0 ::= "北" tag "," w1 | "北京" tag "," w2         the words that start at unit 0
    w1 ::= "京" tag "," w2
    w2 ::= "A" tag
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from utils.annotation.units import Unit, units_of
from utils.dataset.tokens import CHARACTERS, WORDS, Tokenisation
from utils.llm.grammar_dialects import FREE_LABEL

MAX_WORD_UNITS = 6  # characters of a word in dense text
MAX_ENTITY_UNITS = {WORDS: 8, CHARACTERS: 12}
SEPARATORS = frozenset("，。！？；、…,!?;")  # symbols that are never inside an entity
FIRST_SYMBOLS = frozenset("$€£¥￥#@")  # symbols that an entity can start with
LAST_SYMBOLS = frozenset(".%％)）+#°")  # symbols that an entity can end with

_CONTROL = re.compile("[\x7f-\x9f\u2028\u2029]")

# The fixed parts of an answer, as GBNF literals.
ENTITY, TYPE = r'"{\"entity\":\""', r'"\",\"type\":\""'
WORD, POS = r'"{\"word\":\""', r'"\",\"pos\":\""'
CLOSE = r'"\"}"'


@dataclass(frozen=True)
class EntityBounds:
    """Which units of a sentence can be an entity."""

    max_units: int
    any_symbols: bool = False  # punctuation marks can be anywhere in an entity, and be one
    nested: bool = True  # entities can overlap
    max_entities: int = 8  # of an answer with target labels

    def can_be_first(self, unit: Unit) -> bool:
        """Return whether an entity can start with a unit."""
        return self.any_symbols or unit.kind != "symbol" or unit.text in FIRST_SYMBOLS

    def ends(self, units: Sequence[Unit], start: int) -> list[int]:
        """Return the possible ends of an entity that starts at a unit.

        Without `any_symbols`, the full stop of the sentence is not part of it.
        """
        if self.any_symbols:
            return list(range(start + 1, min(start + self.max_units, len(units)) + 1))
        ends = []
        for index in range(start, min(start + self.max_units, len(units))):
            unit = units[index]
            if unit.text[0] in SEPARATORS:
                break
            can_be_last = unit.text in LAST_SYMBOLS and index > start and (unit.text != "." or index + 1 < len(units))
            if unit.kind != "symbol" or can_be_last:
                ends.append(index + 1)
        return ends


def entity_grammar(tokens: Sequence[str], types: Sequence[str] | None, *, tokenisation: Tokenisation) -> str:
    """Return the grammar of `[{"entity":…,"type":…}]` in which entities are consecutive units of the sentence.

    Entities are sorted by their start, and at most two have the same start: the second one is longer (北京, 北京大学).
    So the answer of a model that repeats itself ends, too. `types=None` allows any short type.
    """
    units = units_of(tokens, tokenisation=tokenisation)
    bounds = EntityBounds(MAX_ENTITY_UNITS[tokenisation])
    ends = {start: bounds.ends(units, start) for start in range(len(units)) if bounds.can_be_first(units[start])}
    starts = [start for start in ends if ends[start]]
    if not starts:
        return 'root ::= "[]"'
    rules = [f'root ::= "[" ("]" | {ENTITY} from0)', close_rule(types)]
    for number, start in enumerate(starts, 1):
        rules += _entity_rules(units, start, ends[start], number, is_last=number == len(starts))
    return "\n".join(rules)


def close_rule(types: Sequence[str] | None) -> str:
    """Return the rule `close`: the type of an entity, and the end of its item."""
    return f"close ::= {TYPE} ({_label(types)}) {CLOSE}"


def pos_grammar(tokens: Sequence[str], tags: Sequence[str] | None, *, tokenisation: Tokenisation) -> str:
    """Return the grammar of `[{"word":…,"pos":…}]` in which the words are the whole sentence in order.

    In word-based text, each token is a word. In dense text, the model chooses words of up to six ideographs, and other
    units are words. `tags=None` allows any short tag.
    """
    units = units_of(tokens, tokenisation=tokenisation)
    rules = [f'root ::= "[" {"w0" if units else ""} "]"', f"tag ::= {POS} ({_label(tags)}) {CLOSE}"]
    for start in range(len(units)):
        words = [
            f"{WORD} {literal(units[start:end])} tag" + (f' "," w{end}' if end < len(units) else "")
            for end in _word_ends(units, start)
        ]
        rules.append(f"w{start} ::= {' | '.join(words)}")
    return "\n".join(rules)


def _entity_rules(
    units: Sequence[Unit], start: int, ends: Sequence[int], number: int, *, is_last: bool
) -> Iterator[str]:
    """Yield the rules of the entities from `start` to one of `ends`, and of what may follow them.

    After an entity, a longer one with the same start may follow, or one with a later start.
    """
    following = {end: f"then{start}x{end}" for end in ends[:-1]} | {ends[-1]: f"rest{number}"}
    yield from _start_rules(units, start, number, following, is_last=is_last)
    later = "" if is_last else f" | from{number}"
    for end, longer in pairwise(ends):
        rest = f"{literal(units[start:longer])} more{start}x{longer}"
        yield f'then{start}x{end} ::= "]" | "," {ENTITY} ({rest}{later})'
    if len(ends) > 1:
        yield from continuation_rules(f"more{start}x", units, ends[1], dict.fromkeys(ends[1:], f"rest{number}"))


def _start_rules(
    units: Sequence[Unit], start: int, number: int, following: Mapping[int, str], *, is_last: bool
) -> Iterator[str]:
    """Yield the rules of the entities from `start`; `following` maps their ends to the rules after them.

    `number` counts the possible starts from 1. Rule `from<number - 1>` begins with this start, `from<number>` with the
    next one, and `rest<number>` follows the entities that end before the next one.
    """
    later = "" if is_last else f" | from{number}"
    yield f"from{number - 1} ::= {literal(units[start : start + 1])} at{start}x{start + 1}{later}"
    yield f'rest{number} ::= "]"' + ("" if is_last else f' | "," {ENTITY} from{number}')
    yield from continuation_rules(f"at{start}x", units, start + 1, following)


def continuation_rules(name: str, units: Sequence[Unit], first: int, following: Mapping[int, str]) -> Iterator[str]:
    """Yield `<name><end>` for each end from `first` on: the entity ends there, or continues with the next unit.

    `following` maps the ends of entities to the rules after them.
    """
    for end in range(first, max(following) + 1):
        options = [f"close {following[end]}".rstrip()] if end in following else []
        if end < max(following):
            options.append(f"{_json_literal(units[end].gap + units[end].text)} {name}{end + 1}")
        yield f"{name}{end} ::= {' | '.join(options)}"


def _word_ends(units: Sequence[Unit], start: int) -> range:
    """Return the possible ends of a word that starts at a unit."""
    end = start + 1
    if units[start].kind == "character":
        limit = min(len(units), start + MAX_WORD_UNITS)
        while end < limit and units[end].kind == "character" and not units[end].gap:
            end += 1
    return range(start + 1, end + 1)


def _label(labels: Sequence[str] | None) -> str:
    return FREE_LABEL if labels is None else " | ".join(_json_literal(label) for label in labels)


def literal(units: Sequence[Unit]) -> str:
    """Return the literal of units, without the whitespace before the first one."""
    return _json_literal(units[0].text + "".join(unit.gap + unit.text for unit in units[1:]))


def _json_literal(text: str) -> str:
    """Return the GBNF literal of a text inside a JSON string.

    JSON escapes quotation marks, backslashes and most control characters. The other control characters are escaped
    here, because literals of Lark cannot contain them.
    """
    inside = _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False)[1:-1])
    escaped = inside.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
