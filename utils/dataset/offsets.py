"""Find offsets that are wrong in the same way in a whole file, such as inclusive ends."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.dataset.records import INCLUSIVE_ENDS, Sentence, Span
from utils.dataset.tokens import without_spaces
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)

MIN_SHIFTED = 3  # spans: fewer may be shifted by chance
SHIFTED_SHARE = 0.9  # of the spans with a "text": from here on, the whole file is shifted
MAX_SHIFT = 2  # tokens
MAX_WITHOUT_TEXT = 10_000  # spans without a "text" that are compared; of a large file, the first ones are enough
MIN_REPEATED = 5  # different texts of spans that occur several times: fewer say nothing about what follows them
# Of these texts, the share that the same token always follows: 0.03 to 0.27 in eight datasets, and 0.4 to 1 in most of
# them with inclusive ends.
SAME_FOLLOWER_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class LocatedSpan:
    """A span, its sentence, and the number of their line."""

    line: int
    sentence: Sentence
    span: Span

    @property
    def text(self) -> str | None:
        """The "text" of the span in the file, without spaces; None if it has none."""
        text = (self.span.row or {}).get("text")
        return without_spaces("".join(map(str, text))) if isinstance(text, (str, list)) and text else None

    def covers(self, text: str, shift: tuple[int, int] = (0, 0)) -> bool:
        """Return whether the span, with `shift` added to its start and end, has this text."""
        start, end = self.span.start + shift[0], self.span.end + shift[1]
        return 0 <= start < end and without_spaces("".join(self.sentence.tokens[start:end])) == text

    def covers_characters(self, text: str) -> bool:
        """Return whether the span has this text if its offsets count the characters of the sentence."""
        given = self.sentence.row.get("text")
        whole = given if isinstance(given, str) else " ".join(self.sentence.tokens)
        return without_spaces(whole[self.span.start : self.span.end]) == text


class OffsetCheck:
    """Looks at the spans of a file, sentence by sentence, and keeps few of them.

    `finish` warns about spans whose "text" is not at their offsets, and about ends that seem to be inclusive. It raises
    ValueError if nearly all spans with a "text" are shifted by the same number of tokens, or have offsets in
    characters.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._with_text = 0
        self._wrong = _WrongSpans()
        self._without_text: list[LocatedSpan] = []  # the first ones

    def add(self, line: int, sentence: Sentence) -> None:
        """Look at the spans of one sentence."""
        for span in sentence.spans:
            if span.row and span.row.get("text") == [*sentence.tokens[span.start : span.end]]:
                self._with_text += 1  # nearly always; what follows also compares other spellings
                continue
            located = LocatedSpan(line, sentence, span)
            text = located.text
            if text is None:
                if len(self._without_text) < MAX_WITHOUT_TEXT:
                    self._without_text.append(located)
                continue
            self._with_text += 1
            if not located.covers(text):
                self._wrong.add(located, text)

    def finish(self) -> None:
        """Warn about the spans that were added, or raise ValueError."""
        wrong = self._wrong
        if wrong.number >= max(MIN_SHIFTED, SHIFTED_SHARE * self._with_text):
            wrong.refuse_shift(self._path)
            wrong.refuse_characters(self._path)
        if wrong.first is not None:
            log.warning(
                '%s %s a "text" that differs from the tokens at the offsets; the offsets are used. '
                "The first: %s:%d: %s",
                counted(wrong.number, "span"),
                agreeing(wrong.number, "has", "have"),
                self._path,
                wrong.first.line,
                dict(wrong.first.span.row or {}),
            )
        if example := find_cut_short(self._without_text):
            tokens = example.sentence.tokens
            found, longer = (tokens[example.span.start : example.span.end + more] for more in (0, 1))
            log.warning(
                "%s: many spans seem to end one token early, such as %r instead of %r in line %d: %s",
                self._path,
                " ".join(found),
                " ".join(longer),
                example.line,
                INCLUSIVE_ENDS,
            )


class _WrongSpans:
    """The spans whose "text" is not at their offsets, and where it is instead."""

    def __init__(self) -> None:
        self.number = 0
        self.first: LocatedSpan | None = None
        self._shifts: Counter[tuple[int, int]] = Counter()
        self._in_characters = 0
        self._first_in_characters: LocatedSpan | None = None

    def add(self, span: LocatedSpan, text: str) -> None:
        self.number += 1
        self.first = self.first or span
        around = range(-MAX_SHIFT, MAX_SHIFT + 1)
        self._shifts.update(shift for shift in ((s, e) for s in around for e in around) if span.covers(text, shift))
        if span.covers_characters(text):
            self._in_characters += 1
            self._first_in_characters = self._first_in_characters or span

    def refuse_shift(self, path: Path) -> None:
        """Raise ValueError if nearly all of these spans have their "text" at the same distance from their offsets."""
        shift, number = max(self._shifts.items(), key=lambda pair: pair[1], default=((0, 0), 0))
        if self.first is None or number < max(MIN_SHIFTED, SHIFTED_SHARE * self.number):
            return
        start, end = shift
        if shift == (0, 1):
            remedy = INCLUSIVE_ENDS
        else:
            from_1 = " are your offsets counted from 1?" if start == -1 else ""
            inclusive = " are your ends inclusive?" if end == start + 1 else ""
            changes = [f'{_change(number)} each "{key}"' for key, number in (("start", start), ("end", end)) if number]
            remedy = f"{from_1}{inclusive} {' and '.join(changes)}".lstrip()
        raise ValueError(
            f'{path}:{self.first.line}: the offsets of {number} spans differ from their "text" by the same number of '
            f"tokens, such as {dict(self.first.span.row or {})}: {remedy}"
        )

    def refuse_characters(self, path: Path) -> None:
        """Raise ValueError if the offsets of nearly all these spans fit their "text" as positions of characters."""
        first = self._first_in_characters
        if first is not None and self._in_characters >= SHIFTED_SHARE * self.number:
            raise ValueError(
                f"{path}:{first.line}: the offsets of {self._in_characters} spans count characters, such as "
                f"{dict(first.span.row or {})}: they must count tokens, which are words here"
            )


def _change(number: int) -> str:
    return f"add {number} to" if number > 0 else f"subtract {-number} from"


def find_cut_short(spans: Sequence[LocatedSpan]) -> LocatedSpan | None:
    """Return a span that seems to lack its last token, if the spans without a "text" look as if all did; else None."""
    return _first_of_longer_mention(spans) or _always_followed_by_the_same(spans)


def _first_of_longer_mention(spans: Sequence[LocatedSpan]) -> LocatedSpan | None:
    """Return a one-token span, if most of these are the beginning of a mention of two tokens in another sentence."""
    single = [span for span in spans if span.span.end - span.span.start == 1]
    known = {_tokens_of(span) for span in spans if span.span.end - span.span.start == 2}
    cut = [span for span in single if _tokens_of(span, more=1) in known]
    return cut[0] if len(cut) >= max(MIN_SHIFTED, len(single) / 2) else None


def _always_followed_by_the_same(spans: Sequence[LocatedSpan]) -> LocatedSpan | None:
    """Return a span, if the same token follows most of the texts that are annotated in several sentences.

    With inclusive ends this token is the last one of the mention: after 北 of 北京 always comes 京.
    """
    followers: dict[tuple[str, ...], set[str | None]] = defaultdict(set)
    sentences: dict[tuple[str, ...], dict[tuple[str, ...], LocatedSpan]] = defaultdict(dict)
    for span in spans:
        tokens, end = span.sentence.tokens, span.span.end
        followers[_tokens_of(span)].add(tokens[end] if end < len(tokens) else None)
        sentences[_tokens_of(span)][tokens] = span
    repeated = [text for text, found in sentences.items() if len(found) > 1]
    same = [text for text in repeated if len(followers[text]) == 1 and None not in followers[text]]
    if len(repeated) < MIN_REPEATED or len(same) < SAME_FOLLOWER_SHARE * len(repeated):
        return None
    return next(iter(sentences[same[0]].values()))


def _tokens_of(span: LocatedSpan, *, more: int = 0) -> tuple[str, ...]:
    """Return the tokens of a span, and `more` tokens after it."""
    return span.sentence.tokens[span.span.start : span.span.end + more]
