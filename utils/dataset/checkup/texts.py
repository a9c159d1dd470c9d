"""Faults of texts: their characters, their tokens and their scripts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from utils.dataset.checkup.findings import Finding, found
from utils.dataset.checkup.lines import SplitLines
from utils.dataset.scripts.letters import hanzi_of, kind_of_hanzi, script_of
from utils.dataset.tokens import DENSE_CHARACTER, Tokenisation
from utils.wording import counted

LONG = 510  # tokens: what most encoders take at once; longer sentences are read in windows
MIN_LETTERS = 4  # of a sentence whose tokens and script are compared with those of the others
LATIN_RATIO = 20  # Latin letters for each other letter: above it, a sentence is in Latin script
MIN_HANZI = 3  # Chinese characters of one kind more than of the other: fewer may be names
WIDE_SHARE = 0.5  # of the tokens with several ideographs: from here on, a dense sentence is written as words
MAIN_SHARE = 0.9  # of the sentences that are mainly in one script: from here on, others are the exception

_ENCODING = re.compile("\ufffd|锟斤拷|烫烫烫|Ã[\x80-\xbf©¨¤]|â€[œ™\x9d˜“”]|æ[\x80-\xbf]|[\x80-\x9f]")
_MARKUP = re.compile(r"&(?:amp|lt|gt|quot|nbsp|#\d+);|</?(?:p|br|div|span|b|i|em|strong|a)\b[^<>]*>", re.IGNORECASE)
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_JOINING = re.compile("[\u0600-\u06ff\u0900-\u0dff\u200d\ufe0f\U0001f000-\U0001faff]")  # scripts and emoji with joiners


def check_texts(split: SplitLines, tokenisation: Tokenisation) -> list[Finding]:
    """Return the faults of the texts of a file."""
    name = split.path.name
    characters = list(_odd_characters(split))
    kinds = Counter(kind for kind, _ in characters)
    examples = dict(reversed(characters))  # the first of each kind
    return [
        *found(
            "error", "empty sentence", *_places(split, lambda tokens: not "".join(tokens).strip(), "has|have no text")
        ),
        *found("error", "empty token", *_places(split, lambda tokens: "" in tokens, "has|have an empty token")),
        *(
            finding
            for kind, message in _MESSAGES.items()
            for finding in found(
                "warning", kind, kinds[kind], "sentence", f"of {name} {message}", examples.get(kind, "")
            )
        ),
        *_check_tokens(split, tokenisation),
        *found("note", "long sentence", *_places(split, lambda tokens: len(tokens) > LONG, _LONG)),
    ]


_LONG = f"is|are longer than {counted(LONG, 'token')}: models read it in windows"
_MESSAGES = {
    "encoding": "may be decoded wrongly, with characters such as U+FFFD",
    "invisible": "has|have invisible characters, which hide equal mentions from each other",
    "line break": "has|have line breaks or control characters in a token",
    "markup": "has|have remains of HTML",
}


def _places(split: SplitLines, is_fault: Callable[[tuple[str, ...]], bool], message: str) -> tuple[int, str, str, str]:
    found_at = [index for index, one in enumerate(split.sentences) if is_fault(one.tokens)]
    return len(found_at), "sentence", f"of {split.path.name} {message}", split.where(found_at[0]) if found_at else ""


def _odd_characters(split: SplitLines) -> Iterator[tuple[str, str]]:
    """Yield each kind of odd characters that a sentence has, with its place."""
    for index, sentence in enumerate(split.sentences):
        text = "".join(sentence.tokens)
        spaced = " ".join(sentence.tokens)
        if one := _ENCODING.search(text):
            yield "encoding", f"{split.where(index)}: {one[0]!a}"
        if not _JOINING.search(text) and (hidden := next((char for char in text if char in _INVISIBLE), None)):
            yield "invisible", f"{split.where(index)}: {hidden!a}"
        if any(unicodedata.category(char) in ("Cc", "Zl", "Zp") and not "\x80" <= char <= "\x9f" for char in text):
            yield "line break", split.where(index)
        if one := _MARKUP.search(text) or _MARKUP.search(spaced):
            yield "markup", f"{split.where(index)}: {one[0]!r}"


def _check_tokens(split: SplitLines, tokenisation: Tokenisation) -> list[Finding]:
    """Return the sentences that are cut into other tokens than the rest of the dataset."""
    other = [
        index
        for index, sentence in enumerate(split.sentences)
        if _is_cut_otherwise(sentence.tokens, is_dense=tokenisation.is_dense)
    ]
    usual = "a character a token" if tokenisation.is_dense else "a word a token"
    example = f"{split.where(other[0])}: {' '.join(split.sentences[other[0]].tokens)[:40]}" if other else ""
    message = f"of {split.path.name} has|have other tokens than the rest of the dataset, which has {usual}"
    spaced = [
        index
        for index, sentence in enumerate(split.sentences)
        if any(" " in token.strip() for token in sentence.tokens) and index not in other
    ]
    return [
        *found("warning", "tokenisation", len(other), "sentence", message, example),
        *found(
            "warning",
            "space in token",
            len(spaced),
            "sentence",
            f"of {split.path.name} has|have a token with a space in it",
            split.where(spaced[0]) if spaced else "",
        ),
    ]


def _is_cut_otherwise(tokens: tuple[str, ...], *, is_dense: bool) -> bool:
    """Return whether a sentence seems to be cut into words in a dense dataset, or into characters in another one."""
    if is_dense:
        wide = sum(len(DENSE_CHARACTER.findall(token)) > 1 for token in tokens)
        latin = sum(len(token) > 1 and token.isalpha() for token in tokens)
        return wide >= 2 or wide > WIDE_SHARE * len(tokens) or latin > WIDE_SHARE * len(tokens)
    letters = [token for token in tokens if token.isalpha()]
    is_spelled = len(letters) >= MIN_LETTERS and sum(map(len, letters)) == len(letters)
    is_one = len(tokens) == 1 and len(tokens[0].split()) > 1
    return is_one or (is_spelled and not any(map(DENSE_CHARACTER.match, letters)))


def check_scripts(splits: Iterable[SplitLines]) -> list[Finding]:
    """Return the sentences in another script than nearly all others, or in Chinese characters of the other kind."""
    places = [
        (split.where(index), "".join(one.tokens)) for split in splits for index, one in enumerate(split.sentences)
    ]
    main = [(where, script) for where, text in places if (script := main_script(text))]
    kinds = [(where, kind) for where, text in places if (kind := hanzi_kind(text))]
    return [
        *_exceptions(main, "script", "is|are in another script than the rest, which is in {usual}"),
        *_exceptions(
            kinds, "hanzi", "is|are in the other kind of Chinese characters than the rest, which is in {usual}"
        ),
    ]


def _exceptions(pairs: list[tuple[str, str]], kind: str, message: str) -> list[Finding]:
    """Return a finding for the sentences that differ, if nearly all others agree."""
    counts = Counter(value for _, value in pairs)
    usual, number = counts.most_common(1)[0] if counts else ("", 0)
    others = [(where, value) for where, value in pairs if value != usual]
    if number < MAIN_SHARE * len(pairs):
        shares = ", ".join(f"{value} {count}" for value, count in counts.most_common())
        return [Finding("warning", kind, f"the sentences are in several scripts: {shares}", len(others))]
    example = f"{others[0][0]}: {others[0][1]}" if others else ""
    return found("warning", kind, len(others), "sentence", message.format(usual=usual), example)


def main_script(text: str) -> str | None:
    """Return the script that a text is mainly in, such as "cjk" or "latin"; None for fewer than 4 letters.

    Kana and ideographs count as one script. Latin letters count if there are hardly any others: all texts have some.
    """
    scripts = Counter(script for character in text if (script := script_of(character)))
    scripts["CJK"] += scripts.pop("KANA", 0)
    latin = scripts.pop("LATIN", 0)
    if scripts.total() + latin < MIN_LETTERS:
        return None
    return "latin" if latin > LATIN_RATIO * scripts.total() else scripts.most_common(1)[0][0].lower()


def hanzi_kind(text: str) -> str | None:
    """Return the kind of a text's Chinese characters; None if it has kana or Hangul, or too few that show the kind."""
    if any(script_of(character) in ("KANA", "HANGUL") for character in text):
        return None
    kinds = Counter(map(kind_of_hanzi, text))
    is_clear = abs(kinds["simplified"] - kinds["traditional"]) >= MIN_HANZI
    return hanzi_of(text) if is_clear else None
