"""A recogniser of the project's GBNF grammars, so that they can be tested on answers without a model.

It supports literals, character classes, groups, `?`, `|`, sequences and rule names: https://github.com/ggml-org/llama.cpp/tree/master/grammars.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\](?:\{\d+,\d+\})?|[\w-]+|[()?|]')
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}

Node = (
    tuple  # ("text", str) | ("class", re.Pattern) | ("rule", str) | ("maybe", Node) | ("seq", [Node]) | ("or", [Node])
)


class Grammar:
    """A parsed grammar; raises ValueError for text that is not GBNF, and KeyError for a rule that does not exist."""

    def __init__(self, text: str) -> None:
        self.rules: dict[str, Node] = {}
        for line in text.split("\n"):
            name, sign, body = line.partition(" ::= ")
            if not sign or name in self.rules:
                raise ValueError(f"not a rule, or a rule that was defined before: {line}")
            self.rules[name] = _Reader(body).alternatives()
        for node in self.rules.values():
            for name in _names(node):
                self.rules[name]

    def accepts(self, text: str) -> bool:
        return len(text) in self._ends(self.rules["root"], text, {0})

    def reachable(self) -> set[str]:
        """Return the rules that can be reached from the root."""
        found: set[str] = set()
        waiting = ["root"]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += _names(self.rules[name])
        return found

    def _ends(self, node: Node, text: str, starts: set[int]) -> set[int]:
        kind, value = node
        if not starts:
            return set()
        if kind in ("text", "class"):
            return self._leaf_ends(node, text, starts)
        if kind == "rule":
            return self._ends(self.rules[value], text, starts)
        if kind == "maybe":
            return starts | self._ends(value, text, starts)
        if kind == "or":
            return set().union(*(self._ends(part, text, starts) for part in value))
        for part in value:
            starts = self._ends(part, text, starts)
        return starts

    @staticmethod
    def _leaf_ends(node: Node, text: str, starts: set[int]) -> set[int]:
        kind, value = node
        if kind == "text":
            return {at + len(value) for at in starts if text.startswith(value, at)}
        # A class is written as in regular expressions; with bounds, it matches several characters.
        return {end for at in starts for end in range(at, len(text) + 1) if value.fullmatch(text, at, end)}


class _Reader:
    def __init__(self, body: str) -> None:
        if _TOKEN.sub("", body).strip():
            raise ValueError(f"not GBNF: {body}")
        self.tokens = _TOKEN.findall(body)
        self.at = 0

    def alternatives(self) -> Node:
        parts = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            parts.append(self._sequence())
        return ("or", parts)

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while (token := self._peek()) not in (None, "|", ")"):
            self.at += 1
            if token == "(":
                parts.append(self.alternatives())
                if self._peek() != ")":
                    raise ValueError("a group is not closed")
                self.at += 1
            elif token == "?":
                parts[-1] = ("maybe", parts[-1])
            elif token.startswith("["):
                parts.append(("class", re.compile(token)))
            elif token.startswith('"'):
                parts.append(("text", re.sub(r"\\(.)", lambda found: _ESCAPES[found[1]], token[1:-1])))
            else:
                parts.append(("rule", token))
        return ("seq", parts)

    def _peek(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None


def _names(node: Node) -> Iterator[str]:
    kind, value = node
    if kind == "rule":
        yield value
    elif kind == "maybe":
        yield from _names(value)
    elif kind in ("seq", "or"):
        for part in value:
            yield from _names(part)
