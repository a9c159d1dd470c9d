"""Cut running text into sentences: `sentencex`, corrected for quotations and for text of two languages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import sentencex

from utils.synthesis.habits.abbreviations import NEVER_LAST, NOT_AN_END, any_of

_CLOSERS = "\"'”’」』）)】》\\]"
_AFTER_END = r"[^\w<({\[（「『“《【]"
# The characters after the last word, if they contain an end mark. A search from each of them would take quadratic time.
_FINISHED = re.compile(rf"(?<!{_AFTER_END})(?={_AFTER_END}*[.!?。！？…．｡；]){_AFTER_END}*$|[。！？!?.…][{_CLOSERS}]+$")
_ABBREVIATION_LAST = re.compile(rf"(?:\b(?:{any_of(NEVER_LAST)})|(?<![\w.])[B-HJ-Z])\.$")
_QUOTES = ("“”", "「」", "『』")
_BRACKETS = ("（）", "《》", "【】", "()")
_PAIRS = (*_QUOTES, *_BRACKETS)

# Latin abbreviations that the rules of another language take for an end: U. + S., St. + Louis.
_INITIAL = re.compile(r"(?<![A-Za-z])[A-Za-z]\.$")
_DOT_INSIDE = re.compile(r"[A-Za-z\d]\.$")
_ABBREVIATION = re.compile(rf"(?<![A-Za-z])(?:[A-Z]|{any_of(NOT_AN_END)})\.\s*$")
_BARE_NUMBER = re.compile(r"^\s*[(（]?\d{1,2}[.、)）]\s*$")
_CLOSED_QUOTE = re.compile(r"[”」』\"’]\s*$")
# What follows a quotation inside the same sentence: the speaker and a verb, or a particle.
_AFTER_QUOTE = re.compile(
    r"\s*(?:[a-z，、,]|的(?!确|士)|地(?!方|球|铁|点|区)|[^，。！？；“「\s]{0,5}(?:[说說道问問喊叫答写寫嚷念]|表示)"
    r"|と(?!ても|ころ|き|にかく|もに)|って|という|などと|は(?!い)|が(?!ん)|を|に(?!ほん)|の(?!ち)|も(?!し|ちろん|う)"
    r"|이?라[고며는]|하[고며]|[은는을를과와](?=\s))"
)
_HOUR = re.compile(r"\b[ap]\.m\.\s*$", re.IGNORECASE)
_DAY_OR_ZONE = re.compile(
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b"
    r"|(?:E[SD]T|P[SD]T|C[SD]T|M[SD]T|GMT|UTC|Eastern|Pacific|Central)\b"
)
_FURTHER_END = re.compile(r"；|(?:……|…)(?!…)|[。！？](?![。！？!?…”’」』）)】》\"'～~])")
MIN_CLAUSE = 4  # characters without punctuation on both sides: an ellipsis between shorter ones is only a pause


def cut_sentences(text: str, *, language: str, abbreviations: Collection[str] = ()) -> list[str]:
    """Return the sentences of running text, including a last one that is not finished.

    `language` is a code such as "zh". Text of two languages is cut by the rules of both. A sentence does not end after
    one of the `abbreviations`, which are in the form of `abbreviation_key`.
    """
    pieces: list[str] = []
    for piece in _segments(text, language):
        is_inside = pieces and pieces[-1].strip() and abbreviation_key(pieces[-1].split()[-1]) in abbreviations
        if is_inside or (pieces and _belongs_together(pieces[-1], piece)):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    parts = [part.strip() for piece in pieces for part in _cut_further(piece) if part.strip()]
    return _with_numbers_in_front(parts)


def abbreviation_key(word: str) -> str:
    """Return a word in lower case, without a bracket before it and with all numbers alike: "(18." is "0."."""
    return re.sub(r"\d+", "0", word.lower().lstrip("(\"'“„[«"))


def cut_line(
    line: str, *, language: str, whole_up_to: int = 0, is_cut: bool = False, abbreviations: Collection[str] = ()
) -> list[str]:
    """Return the texts of a line: the line itself up to a number of characters, or else its sentences.

    `is_cut`: the line ends because the token budget ran out. Then an unfinished sentence is a text of its own.
    """
    if len(line) > whole_up_to:
        return cut_sentences(line, language=language, abbreviations=abbreviations)
    if not is_cut or has_end_mark(line):
        return [line]
    last = cut_sentences(line, language=language, abbreviations=abbreviations)[-1:]
    return [text for text in (line.removesuffix("".join(last)).strip(), *last) if text]


def is_finished(sentence: str) -> bool:
    """Return whether a sentence has a punctuation mark at its end and closes its quotations and brackets."""
    is_balanced = not has_open_bracket(sentence) and not has_open_quotation(sentence)
    return has_end_mark(sentence) and not ends_with_abbreviation(sentence) and is_balanced


def has_end_mark(sentence: str) -> bool:
    """Return whether a sentence ends with a punctuation mark that can end a sentence."""
    return _FINISHED.search(sentence) is not None


def ends_with_abbreviation(sentence: str) -> bool:
    """Return whether a sentence ends with an abbreviation that something must follow, such as "Dr."."""
    return _ABBREVIATION_LAST.search(sentence) is not None


def has_open_bracket(sentence: str) -> bool:
    """Return whether a bracket is opened and not closed, or the reverse."""
    return any(sentence.count(pair[0]) != sentence.count(pair[1]) for pair in _BRACKETS)


def has_open_quotation(sentence: str) -> bool:
    """Return whether a quotation is opened and not closed, or the reverse."""
    return any(sentence.count(pair[0]) != sentence.count(pair[1]) for pair in _QUOTES) or sentence.count('"') % 2 == 1


def _segments(text: str, language: str) -> list[str]:
    return list(sentencex.segment(language, text)) if text.strip() else []


def _belongs_together(left: str, right: str) -> bool:
    """Return whether two pieces are parts of one sentence."""
    if _has_open_pair(left) and not _has_open_pair(left + right):
        return True
    if _CLOSED_QUOTE.search(left) and _AFTER_QUOTE.match(right):
        return True
    if _HOUR.search(left) and _DAY_OR_ZONE.match(right):
        return True
    if _INITIAL.search(left):
        return True
    short = _DOT_INSIDE.search(left) or _ABBREVIATION.search(left)
    return short is not None and re.match(r"[A-Za-z\d]", right) is not None


def _cut_further(piece: str) -> Iterator[str]:
    """Yield the parts of a piece, cut also at Chinese semicolons and at ellipses between long clauses."""
    start = 0
    for end in _FURTHER_END.finditer(piece):
        left, right = piece[start : end.end()], piece[end.end() :]
        if right.strip() and not _has_open_pair(left) and _is_end(end.group(), left, right):
            yield left
            start = end.end()
    yield piece[start:]


def _is_end(mark: str, left: str, right: str) -> bool:
    """Return whether a punctuation mark ends a sentence, given the text on both sides."""
    if mark[0] in "。！？":
        return not _CLOSED_QUOTE.search(left) and not _AFTER_QUOTE.match(right) and _begins_a_sentence(right)
    if mark == "；":
        return True
    before = re.split(r"[，、,。：:]", left.rstrip("…"))[-1]
    after = re.split(r"[，、,。：:！？…]", right)[0]
    return min(len(before.strip()), len(after.strip())) >= MIN_CLAUSE and before[-1:] != after[:1]


def _begins_a_sentence(text: str) -> bool:
    return ord(text.lstrip()[0]) >= 0x2E80 or bool(re.match(r"\s*[(（]?\d{1,2}[.、)）]", text))


def _with_numbers_in_front(parts: list[str]) -> list[str]:
    """Return the parts, with each bare list number joined to the sentence that follows it."""
    joined: list[str] = []
    for part in parts:
        if joined and _BARE_NUMBER.match(joined[-1]):
            joined[-1] += f" {part}"
        else:
            joined.append(part)
    return joined


def _has_open_pair(text: str) -> bool:
    return any(text.count(pair[0]) > text.count(pair[1]) for pair in _PAIRS)
