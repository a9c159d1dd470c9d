"""The tokens of word-based text where a dataset shows no other habit."""

from __future__ import annotations

import re

from utils.synthesis.habits.abbreviations import ONE_TOKEN, any_of

_CLITIC = r"['’](?:s|re|ve|ll|d|m)\b"
_ABBREVIATION = (
    rf"(?:[^\W\d_]\.){{2,}}|(?:{any_of(ONE_TOKEN)})\.(?=\s|$|[,;])"
    r"|[^\W\d_]\.(?=\s[^\W\d_])"  # U.S., J. Carver
)
_NUMBER = r"\d+(?:[.,:/]\d+)+(?:%|\w*)|\d+%?(?!\w)"
_WORD = r"\w+(?:[-'’.&]\w+)*"
_WORDS = re.compile(rf"{_ABBREVIATION}|{_NUMBER}|{_WORD}|\S")
_WORDS_AND_CLITICS = re.compile(
    rf"{_ABBREVIATION}|{_NUMBER}|n['’]t\b|{_CLITIC}|\w+?(?=n['’]t\b)|\w+(?:[-'’.&]\w+)*?(?={_CLITIC})|{_WORD}|\S"
)
_BARE_WORD = re.compile(r"\d+(?:[.,:]\d+)+|\w+")


def split_words(text: str) -> list[str]:
    """Return the words and punctuation marks of a text; `n't` and `'s` stay with their word."""
    return _WORDS.findall(text)


def split_words_and_clitics(text: str) -> list[str]:
    """Return the words, punctuation marks and clitics (`n't`, `'s`) of a text."""
    return _WORDS_AND_CLITICS.findall(text)


def bare_words(text: str) -> list[str]:
    """Return the words of a text without punctuation."""
    return _BARE_WORD.findall(text)
