"""A tokeniser for word-based text that is learnt from a dataset's tokens.

Spaces always separate tokens. Whether a chunk without spaces is split between two of its atoms (a run of letters, a run
of digits, a punctuation mark) is decided by counts of the dataset's own splits, in contexts from general to exact. With
"CD4 -dependent" in a dataset, "IL2-dependent" is split before the hyphen, and "1996-12-06" is not.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise

from utils.synthesis.habits.written_text import WrittenText, people_write

Split = Callable[[str], Sequence[str]]  # a text -> tokens, for contexts that the dataset does not show
Context = tuple[str, ...]

PRIOR_SPLIT = 0.9  # probability of a split, if the default tokeniser splits and the dataset shows no such context
PRIOR_OBSERVATIONS = 2.0  # how many observations the more general context counts as
ABBREVIATION_OBSERVATIONS = 6.0  # how many observations against a split the default list of abbreviations counts as

FIRST_WITH_WORDS = "4"  # of the contexts of a boundary

_CLITIC_N = re.compile(r"[^\W\d_]+n$", re.IGNORECASE)
_QUOTES = ("“", "”", "„", "``", "''", '"')
_VARIANTS = (("’", "'"), ("‘", "'"), ("—", "--"), ("–", "--"), ("—", "-"), ("–", "-"), ("…", "..."))


class Tokeniser:
    """Splits text as the tokens of a dataset are split."""

    def __init__(self, texts: Sequence[Sequence[str]], default: Split) -> None:
        self._default = default
        self.written = WrittenText.of(texts, splits_at_spaces_only=default is str.split)
        self._vocabulary = Counter(token for tokens in texts for token in tokens)
        self._runs = {token for token in self._vocabulary if len(token) > 1 and _is_run(token)}
        self._whole: dict[tuple[str, bool], Counter[tuple[str, ...]]] = defaultdict(Counter)
        self._splits: dict[Context, list[float]] = defaultdict(lambda: [0.0, 0.0])  # splits, observations
        for tokens in texts:
            self._learn(tokens)
        self._variants = self._usual_variants()
        self._treebank_form = self._treebank_forms()

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of a text."""
        for variant, usual in self._variants:
            text = text.replace(variant, usual)
        chunks = text.split()
        default_ends = set(accumulate(map(len, self._default(" ".join(chunks)))))
        tokens: list[str] = []
        start = 0
        for number, chunk in enumerate(chunks, start=1):
            ends = {end - start for end in default_ends}
            tokens += self._split(chunk, ends, is_last=number == len(chunks))
            start += len(chunk)
        return self._with_usual_forms(tokens)

    def _learn(self, tokens: Sequence[str]) -> None:
        chunks = self.written.chunks(tokens)
        for number, chunk in enumerate(chunks, start=1):
            parts = [people_write(token) for token in chunk]
            text, is_last = "".join(parts), number == len(chunks)
            self._whole[text, is_last][tuple(chunk)] += 1
            ends = set(accumulate(map(len, parts)))
            for end, contexts in self._boundaries(text, is_last):
                for context in contexts:
                    self._splits[context][0] += end in ends
                    self._splits[context][1] += 1

    def _split(self, chunk: str, default_ends: Collection[int], *, is_last: bool) -> Sequence[str]:
        if known := self._whole.get((chunk, is_last)):
            return [people_write(token) if token != chunk else token for token in _most_common(known)]
        if chunk in self._vocabulary and not (is_last and chunk.endswith(".")):
            return [chunk]
        tokens, start = [], 0
        for end, contexts in self._boundaries(chunk, is_last):
            is_abbreviation = chunk[end] == "." and end not in default_ends
            if self._probability(contexts, is_default=end in default_ends, is_abbreviation=is_abbreviation) > 0.5:
                tokens.append(chunk[start:end])
                start = end
        return [*tokens, chunk[start:]]

    def _probability(self, contexts: Iterable[Context], *, is_default: bool, is_abbreviation: bool) -> float:
        """Return the probability of a split, with contexts from general to exact; each corrects the one before."""
        probability = PRIOR_SPLIT if is_default else 1 - PRIOR_SPLIT
        for context in contexts:
            splits, observations = self._splits.get(context, (0.0, 0.0))
            if is_abbreviation and context[0] == FIRST_WITH_WORDS:
                observations += ABBREVIATION_OBSERVATIONS
            probability = (splits + PRIOR_OBSERVATIONS * probability) / (observations + PRIOR_OBSERVATIONS)
        return probability

    def _boundaries(self, chunk: str, is_last: bool) -> Iterator[tuple[int, list[Context]]]:
        """Yield the offset of each boundary between two atoms, with its contexts from general to exact."""
        atoms = self._atoms(chunk)
        end = 0
        for index, (left, right) in enumerate(pairwise(atoms)):
            end += len(left)
            before = atoms[index - 1] if index else "^"
            after = atoms[index + 2] if index + 2 < len(atoms) else "$$" if is_last else "$"
            yield end, _contexts(before, left, right, after)

    def _atoms(self, chunk: str) -> list[str]:
        """Return the shortest pieces of a chunk that a token may be. The n of "don't" is one, and so are known runs."""
        atoms: list[str] = []
        for character in chunk:
            kind = _kind(character)
            last = atoms[-1] if atoms else ""
            is_run = kind == character and last + character in self._runs
            if last and (is_run or (kind in "a0" and _kind(last[-1]) == kind)):
                atoms[-1] += character
            else:
                atoms.append(character)
        for index in range(len(atoms) - 2, 0, -1):
            is_clitic = atoms[index] in "'’" and atoms[index + 1].lower() == "t" and _CLITIC_N.match(atoms[index - 1])
            if is_clitic:
                atoms[index - 1 : index] = [atoms[index - 1][:-1], atoms[index - 1][-1]]
        return atoms

    def _usual_variants(self) -> list[tuple[str, str]]:
        """Return the characters that new text may have and the dataset never has, with those that it has instead."""
        characters = {character for token in self._vocabulary for character in token}
        variants = []
        for variant, usual in _VARIANTS:
            is_used = usual in characters if usual == "'" else usual in self._vocabulary
            if variant not in characters and is_used:
                variants.append((variant, usual))
        return variants

    def _treebank_forms(self) -> dict[str, str]:
        """Return the tokens that the dataset writes in the form of a treebank, by the form that people write."""
        forms: dict[str, str] = {}
        for token, number in self._vocabulary.items():
            plain = people_write(token)
            if plain != token and plain not in _QUOTES and number > self._vocabulary[plain]:
                forms[plain] = token
        return forms

    def _with_usual_forms(self, tokens: Sequence[str]) -> list[str]:
        """Return tokens with the dataset's quotation marks, and with its treebank forms."""
        pairs = [("``", "''"), ("“", "”"), ("„", "“")]
        usual = max([('"', '"'), *pairs], key=lambda pair: min(self._vocabulary[mark] for mark in pair))
        result, is_open = [], False
        for token in tokens:
            if token in _QUOTES and (token not in self._vocabulary or (token == '"' and usual[0] != '"')):
                opens = not is_open if token == '"' else token in ("``", "“", "„")
                is_open = opens
                result.append(usual[0] if opens else usual[1])
            else:
                result.append(self._treebank_form.get(token, token))
        return result


def _contexts(before: str, left: str, right: str, after: str) -> list[Context]:
    shape = [_shape(before), _shape(left), _shape(right), _shape(after)]
    words = [before.lower(), left.lower(), right.lower(), after.lower()]
    return [
        ("1", _kind(before[-1]), _kind(left[-1]), _kind(right[0]), after if after == "$$" else _kind(after[0])),
        ("2", shape[1], shape[2], after if after in ("$", "$$") else ""),
        ("3", *shape),
        (FIRST_WITH_WORDS, words[1], words[2], "$$" if after == "$$" else ""),
        ("5", shape[0], words[1], words[2], shape[3]),
        ("6", *words),
    ]


def _most_common(counts: Counter[tuple[str, ...]]) -> tuple[str, ...]:
    return max(counts, key=lambda tokens: (counts[tokens], -len(tokens)))


def _is_run(token: str) -> bool:
    return len(set(token)) == 1 and not token[0].isalnum()


@lru_cache(maxsize=10_000)
def _kind(character: str) -> str:
    """Return "a" for a letter, "0" for a digit, and a punctuation mark itself."""
    if character.isdigit():
        return "0"
    return "a" if character.isalpha() or not character.isprintable() or _is_combining(character) else character


def _is_combining(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


@lru_cache(maxsize=50_000)
def _shape(atom: str) -> str:
    """Return how an atom looks: "x", "xx", "X", "Xx" or "XX" for letters, "0" for digits, or the punctuation itself."""
    if not atom[0].isalpha():
        return "0" if atom[0].isdigit() else atom
    first = "X" if atom[0].isupper() else "x"
    if len(atom) == 1:
        return first
    return first + ("X" if atom.isupper() else "x")
