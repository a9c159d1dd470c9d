"""Grammars in GBNF that hold an answer to its sentence: what is marked stands there, and each label is a known one.

The words of a guided answer are those of the sentence, so every item can be placed. GBNF is llama.cpp's notation
(https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from utils.tokens import DENSE_CHARACTER

LONGEST_WORD = 6  # characters of a word in dense text
LONGEST_ENTITY = {False: 6, True: 12}  # tokens, by density

# The fixed parts of an answer, as GBNF literals.
ENTITY, TYPE = r'"{\"entity\":\""', r'"\",\"type\":\""'
WORD, POS = r'"{\"word\":\""', r'"\",\"pos\":\""'
CLOSE = r'"\"}"'


def entity_grammar(tokens: Sequence[str], types: Sequence[str], *, dense: bool) -> str:
    """Return the grammar of `[{"entity":…,"type":…}]` whose entities are runs of the sentence's tokens.

    Each entity begins behind the beginning of the one before it: a model that repeats itself comes to an end.
    """
    words = [index for index, token in enumerate(tokens) if token.strip()]
    lines = [
        f'root ::= "[]" | "[" {ENTITY} from0' if words else 'root ::= "[]"',
        f"close ::= {TYPE} ({_choice(types)}) {CLOSE}",
    ]
    for place in range(len(words)):
        last = place == len(words) - 1
        lines.append(f"from{place} ::= {_run(tokens, words[place], dense=dense)} close more{place + 1}")
        if not last:
            lines[-1] += f" | from{place + 1}"
        lines.append(f'more{place + 1} ::= "]"' + ("" if last else f' | "," {ENTITY} from{place + 1}'))
    return "\n".join(lines)


def pos_grammar(tokens: Sequence[str], tags: Sequence[str], *, dense: bool) -> str:
    """Return the grammar of `[{"word":…,"pos":…}]` whose words, in order, are the whole sentence.

    Outside dense text each token is a word; in dense text the model cuts words of up to six characters, and runs
    of other scripts (Latin letters, digits) are not cut.
    """
    units = [token for token in tokens if token.strip()]
    cuts = _cuts(units, dense=dense)
    lines = [f"tag ::= {POS} ({_choice(tags)}) {CLOSE}"]
    for start, ends in enumerate(cuts):
        ways = [f"{_word(units[start:end])} tag {_rest(end, len(units))}" for end in ends]
        lines.append(f"w{start} ::= {' | '.join(ways)}")
    return "\n".join([f'root ::= "[" {"w0" if units else ""} "]"', *lines])


def _run(tokens: Sequence[str], start: int, *, dense: bool) -> str:
    """Return the GBNF of the runs of tokens that begin at `start`: one token, and each longer one as an option."""
    end = start + 1
    while end < len(tokens) and end - start < LONGEST_ENTITY[dense] and tokens[end].strip():
        end += 1
    blank = "" if dense else " "
    rule = ""
    for index in range(end - 1, start, -1):
        rule = f" ({_inside_string(blank + tokens[index])}{rule})?"
    return _inside_string(tokens[start]) + rule


def _cuts(units: Sequence[str], *, dense: bool) -> list[list[int]]:
    """Return, for each unit, where a word that begins there may end."""
    if not dense:
        return [[start + 1] for start in range(len(units))]
    cuts = []
    for start, unit in enumerate(units):
        alike = _run_end(units, start)
        longest = LONGEST_WORD if DENSE_CHARACTER.fullmatch(unit) else alike - start
        shortest = 1 if DENSE_CHARACTER.fullmatch(unit) else alike - start
        cuts.append(list(range(start + shortest, min(alike, start + longest) + 1)))
    return cuts


def _run_end(units: Sequence[str], start: int) -> int:
    """Return the end of the run of characters of one kind that `start` lies in."""
    end = start + 1
    while end < len(units) and _kind(units[end]) == _kind(units[start]) != "mark":
        end += 1
    return end


def _kind(unit: str) -> str:
    if DENSE_CHARACTER.fullmatch(unit):
        return "dense"
    return "run" if unit.isalnum() and unit.isascii() else "mark"


def _word(units: Sequence[str]) -> str:
    return f"{WORD} {_inside_string(''.join(units))}"


def _rest(end: int, length: int) -> str:
    return "" if end == length else f'"," w{end}'


def _choice(labels: Sequence[str]) -> str:
    return " | ".join(_inside_string(label) for label in labels)


def _inside_string(text: str) -> str:
    """Return the GBNF literal of `text` as it stands inside a JSON string."""
    return _literal(json.dumps(text, ensure_ascii=False)[1:-1])


def _literal(text: str) -> str:
    """Return `text` as a GBNF literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'
