r"""Grammars for guided answers with target labels: entities are parts of the sentence, in any order.

Entities are not sorted, unlike in the grammar of extra entities. Models often add an entity that they first left out.
If entities are sorted, nothing before the last one can be added, and recall is lower (benchmarks/README.md). Instead,
their number is limited, so that the answer of a model that repeats itself ends, too.

The grammar of the tokens New York with the label LOC and at most two entities, without the escaped keys of the items:

    root ::= "[" ("]" | item rest1)
    close ::= "LOC"                               the label of an entity that ends here
    item ::= "New" at0x1 | "York" at1x2           the entities by their starts
    at0x1 ::= close | " York" at0x2               New: it ends, or continues
    at0x2 ::= close
    at1x2 ::= close
    rest1 ::= "]" | "," item rest2                after the first entity
    rest2 ::= "]"
"""

from __future__ import annotations

from collections.abc import Sequence

from utils.annotation.grammar import ENTITY, EntityBounds, close_rule, continuation_rules, literal
from utils.annotation.units import units_of
from utils.dataset.tokens import Tokenisation


def target_grammar(
    tokens: Sequence[str], labels: Sequence[str], *, tokenisation: Tokenisation, bounds: EntityBounds
) -> str:
    """Return the grammar of `[{"entity":…,"type":…}]` in which entities are consecutive units of the sentence."""
    units = units_of(tokens, tokenisation=tokenisation)
    ends = {start: bounds.ends(units, start) for start in range(len(units)) if bounds.can_be_first(units[start])}
    starts = [start for start in ends if ends[start]]
    if not starts:
        return 'root ::= "[]"'
    items = " | ".join(f"{literal(units[start : start + 1])} at{start}x{start + 1}" for start in starts)
    rules = ['root ::= "[" ("]" | item rest1)', close_rule(labels), f"item ::= {ENTITY} ({items})"]
    for start in starts:
        rules += continuation_rules(f"at{start}x", units, start + 1, dict.fromkeys(ends[start], ""))
    last = max(1, bounds.max_entities)
    rules += [f'rest{number} ::= "]" | "," item rest{number + 1}' for number in range(1, last)]
    return "\n".join([*rules, f'rest{last} ::= "]"'])
