"""Grammars that hold an answer to its sentence: what is marked stands there, and labels are known ones, or short.

They are GBNF, llama.cpp's notation (https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md);
`utils/llm/grammar_dialects.py` translates it. Every item of a guided answer can be placed, and the words of a `pos`
answer are its sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from utils.annotation.units import Unit, units_of
from utils.dataset.tokens import CHARACTERS, WORDS, Tokenisation
from utils.llm.grammar_dialects import FREE_LABEL

LONGEST_WORD = 6  # characters of a word in dense text
LONGEST_ENTITY = {WORDS: 8, CHARACTERS: 12}  # units
BETWEEN = frozenset("，。！？；、…,!?;")  # marks that stand between entities, never inside one
FIRST, LAST = frozenset("$€£¥￥#@"), frozenset(".%％)）+#°")  # marks that an entity may begin, or end, with

_CONTROL = re.compile("[\x7f-\x9f\u2028\u2029]")

# The fixed parts of an answer, as GBNF literals.
ENTITY, TYPE = r'"{\"entity\":\""', r'"\",\"type\":\""'
WORD, POS = r'"{\"word\":\""', r'"\",\"pos\":\""'
CLOSE = r'"\"}"'


def entity_grammar(tokens: Sequence[str], types: Sequence[str] | None, *, tokenisation: Tokenisation) -> str:
    """Return the grammar of `[{"entity":…,"type":…}]` whose entities are runs of the sentence's units.

    An entity begins behind the beginning of the one before it, or is that one and more (北京, 北京大学), once: a model
    that repeats itself comes to an end. Few marks can be its first or last unit. `types=None` leaves the types to
    the model.
    """
    units = units_of(tokens, tokenisation=tokenisation)
    ends = {start: _entity_ends(units, start, LONGEST_ENTITY[tokenisation]) for start in range(len(units))}
    starts = [start for start in ends if ends[start] and (units[start].kind != "mark" or units[start].text in FIRST)]
    if not starts:
        return 'root ::= "[]"'
    lines = [f'root ::= "[" ("]" | {ENTITY} from0)', f"close ::= {TYPE} ({_label(types)}) {CLOSE}"]
    for number, start in enumerate(starts, 1):
        lines += _entities(units, start, ends[start], number, is_last=number == len(starts))
    return "\n".join(lines)


def pos_grammar(tokens: Sequence[str], tags: Sequence[str] | None, *, tokenisation: Tokenisation) -> str:
    """Return the grammar of `[{"word":…,"pos":…}]` whose words, in order, are the whole sentence.

    Outside dense text each token is a word; in dense text the model cuts words of up to six ideographs, and other
    units are words. `tags=None` leaves the tags to the model.
    """
    units = units_of(tokens, tokenisation=tokenisation)
    lines = [f'root ::= "[" {"w0" if units else ""} "]"', f"tag ::= {POS} ({_label(tags)}) {CLOSE}"]
    for start in range(len(units)):
        ways = [
            f"{WORD} {_text(units[start:end])} tag" + (f' "," w{end}' if end < len(units) else "")
            for end in _word_ends(units, start)
        ]
        lines.append(f"w{start} ::= {' | '.join(ways)}")
    return "\n".join(lines)


def _entities(units: Sequence[Unit], start: int, ends: Sequence[int], after: int, *, is_last: bool) -> Iterator[str]:
    """Yield the rules of the entities from `start` to one of `ends`, and of what may follow them.

    `from<number>` is an entity that begins at that start or later, `rest<number>` the end, or such an entity.
    """
    later = "" if is_last else f" | from{after}"
    yield f"from{after - 1} ::= {_text(units[start : start + 1])} at{start}x{start + 1}{later}"
    yield f'rest{after} ::= "]"' + ("" if is_last else f' | "," {ENTITY} from{after}')
    then = {end: f"then{start}x{end}" for end in ends[:-1]} | {ends[-1]: f"rest{after}"}
    yield from _run(f"at{start}x", units, start + 1, then)
    for end, longer in pairwise(ends):
        rest = f"{_text(units[start:longer])} more{start}x{longer}"
        yield f'then{start}x{end} ::= "]" | "," {ENTITY} ({rest}{later})'
    if len(ends) > 1:
        yield from _run(f"more{start}x", units, ends[1], dict.fromkeys(ends[1:], f"rest{after}"))


def _run(name: str, units: Sequence[Unit], first: int, then: Mapping[int, str]) -> Iterator[str]:
    """Yield `<name><end>` from `first` on: an entity that has come so far goes on by a unit or, at some ends, is over.

    `then` says which rule follows at each end.
    """
    for end in range(first, max(then) + 1):
        ways = [f"close {then[end]}"] if end in then else []
        if end < max(then):
            ways.append(f"{_next(units[end])} {name}{end + 1}")
        yield f"{name}{end} ::= {' | '.join(ways)}"


def _entity_ends(units: Sequence[Unit], start: int, longest: int) -> list[int]:
    """Return where an entity that begins at a unit may end; its sentence's full stop is not its own."""
    ends = []
    for place in range(start, min(start + longest, len(units))):
        unit = units[place]
        if unit.text[0] in BETWEEN:
            break
        ends_here = unit.text in LAST and place > start and (unit.text != "." or place + 1 < len(units))
        if unit.kind != "mark" or ends_here:
            ends.append(place + 1)
    return ends


def _word_ends(units: Sequence[Unit], start: int) -> range:
    """Return where a word that begins at a unit may end."""
    end = start + 1
    while units[start].kind == "character" and end < min(len(units), start + LONGEST_WORD) and not units[end].gap:
        if units[end].kind != "character":
            break
        end += 1
    return range(start + 1, end + 1)


def _label(labels: Sequence[str] | None) -> str:
    return FREE_LABEL if labels is None else " | ".join(_inside_string(label) for label in labels)


def _next(unit: Unit) -> str:
    return _inside_string(unit.gap + unit.text)


def _text(units: Sequence[Unit]) -> str:
    """Return the literal of units, without what parts them from the one before."""
    return _inside_string(units[0].text + "".join(unit.gap + unit.text for unit in units[1:]))


def _inside_string(text: str) -> str:
    """Return the literal of `text` as it stands inside a JSON string, whose escapes leave nothing to escape but these.

    A literal holds no control characters: JSON has escaped them, or has it done here, as Lark's literals need it.
    """
    spelt = _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False)[1:-1])
    escaped = spelt.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
