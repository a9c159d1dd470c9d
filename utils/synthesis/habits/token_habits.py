"""Habits that the tokens of a dataset show: punctuation, capitals, spaces and abbreviations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from utils.dataset.tokens import DENSE_CHARACTER
from utils.synthesis.habits.scripts import script_of
from utils.synthesis.habits.written_text import CLITIC
from utils.synthesis.text.sentence_splitting import abbreviation_key

Punctuation = Literal["apart", "glued", "none"]  # each mark is a token, is part of a word, or is not written
Case = Literal["lower", "upper"]
Spaces = Literal["all", "needed", "none"]  # in dense text: as written, only between Latin words, or none

MIN_EVIDENCE = 20  # sentences: fewer do not show that a dataset never has capitals, spaces or punctuation
MAX_RARE_SHARE = 0.003  # of the sentences: a habit that fewer have is no habit
MIN_FORM_SHARE = 0.005  # of the sentences, at least two: a form that more have belongs to the dataset's texts

_WIDE = r"\u3000-\u303f\uff00-\uffef"  # punctuation marks of dense text
_DENSE = rf"[{DENSE_CHARACTER.pattern[1:-1]}{_WIDE}“”‘’…—·]"
NEEDLESS_SPACE = re.compile(rf" (?={_DENSE})|(?<={_DENSE}) ")
PUNCTUATION = re.compile(r"[.,;!?:，。；！？：、]")
_CODE_WORD = re.compile(r"[A-Z][A-Z0-9._-]+")


def punctuation_of(texts: Sequence[Sequence[str]], *, is_dense: bool) -> Punctuation:
    with_marks = sum(bool(PUNCTUATION.search("".join(tokens))) for tokens in texts)
    if len(texts) >= MIN_EVIDENCE and with_marks < MAX_RARE_SHARE * len(texts):
        return "none"
    if is_dense:
        return "apart"
    tokens = Counter(token for text in texts for token in text)
    apart = sum(tokens[mark] for mark in (",", ";", "."))
    glued = sum(number for token, number in tokens.items() if len(token) > 1 and token[-1] in ",;")
    return "apart" if apart >= glued else "glued"


def splits_clitics_of(texts: Sequence[Sequence[str]]) -> bool:
    """Return whether `n't` and `'s` are separate tokens. True if a dataset has none: most datasets split them."""
    tokens = Counter(token for text in texts for token in text)
    clitic = re.compile(rf"(?:{CLITIC.pattern})$", re.IGNORECASE)
    apart = sum(number for token, number in tokens.items() if clitic.fullmatch(token))
    whole = sum(number for token, number in tokens.items() if not clitic.match(token) and clitic.search(token))
    return apart >= whole


def case_of(texts: Sequence[Sequence[str]]) -> Case | None:
    """Return "lower" or "upper" if nearly no sentence has a letter of the other case."""
    joined = [text for text in ("".join(tokens) for tokens in texts) if text.lower() != text.upper()]
    if len(joined) < MIN_EVIDENCE:
        return None
    if sum(text != text.lower() for text in joined) < MAX_RARE_SHARE * len(joined):
        return "lower"
    return "upper" if sum(text != text.upper() for text in joined) < MAX_RARE_SHARE * len(joined) else None


def spaces_of(texts: Sequence[Sequence[str]]) -> Spaces:
    joined = ["".join(tokens) for tokens in texts]
    if sum(bool(NEEDLESS_SPACE.search(text)) for text in joined) >= max(2, MIN_FORM_SHARE * len(texts)):
        return "all"
    with_latin = sum(any(script_of(character) == "LATIN" for character in text) for text in joined)
    has_spaces = any(" " in text for text in joined)
    return "none" if with_latin >= MIN_EVIDENCE and not has_spaces else "needed"


def abbreviations_of(texts: Sequence[Sequence[str]]) -> frozenset[str]:
    """Return the tokens inside sentences that end with a full stop."""
    words = (token for tokens in texts for token in tokens[:-1] if len(token) > 1 and token.endswith("."))
    return frozenset(abbreviation_key(word) for word in words if any(map(str.isalnum, word)))


def code_words_of(texts: Sequence[Sequence[str]]) -> frozenset[str]:
    """Return the words in capitals that at least two sentences have."""
    counts = Counter(word for tokens in texts for word in set(_CODE_WORD.findall(" ".join(tokens))))
    return frozenset(word for word, number in counts.items() if number >= 2)


def quantile(values: Sequence[float], share: float) -> float:
    return values[round(share * (len(values) - 1))]
