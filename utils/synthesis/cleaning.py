"""Cut an LLM's answer into pieces, and give each piece its tokens or the reason to drop it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from utils.dataset.tokens import WORDS
from utils.synthesis.copies.near_duplicates import KnownTexts, text_key
from utils.synthesis.habits.rules import DropReason, reason_to_drop
from utils.synthesis.text.plain_text import paragraphs
from utils.synthesis.text.remarks import remark_of, without_preamble
from utils.synthesis.text.sentence_splitting import cut_sentences, has_end_mark
from utils.synthesis.writing_style import WritingStyle

MIN_KEY = 6  # letters and digits: a shorter sentence of dev or test may be in a new text by chance

_CUT_NUMBER = re.compile(r"\d\.\s*$")  # 3.14 after the token budget ran out


@dataclass(frozen=True)
class Piece:
    """A piece of an answer, with its tokens, or with the reason to drop it."""

    text: str
    tokens: tuple[str, ...] = ()
    reason: DropReason | None = None


@dataclass(frozen=True)
class Cleaner:
    """Finds the new sentences in answers, for one dataset."""

    language: str  # a code such as "zh"
    writing: WritingStyle
    labels: Collection[str] = ()  # the target labels, which follow the entities in the prompt
    # The sentences of the prompt's text.
    template: KnownTexts = field(default_factory=lambda: KnownTexts(tokenisation=WORDS))
    entities_line: str = ""  # the words before the entities in the prompt
    shortest: int | None = None  # tokens; None: as in the dataset
    longest: int | None = None

    def pieces(self, answer: str, *, is_cut: bool = False) -> Iterator[Piece]:
        """Yield the pieces of an answer in order. `is_cut`: the answer ended because the token budget ran out."""
        if is_cut and _CUT_NUMBER.search(answer):
            answer = answer.rstrip()[:-1]
        echoes = [line.strip() for line in answer.splitlines() if self._repeats_entities(line)]
        yield from (Piece(line, reason="an echo of the prompt") for line in echoes)
        own = "\n".join("" if self._repeats_entities(line) else line for line in answer.splitlines())
        found = list(paragraphs(self._without_labels(own), self.writing.lines))
        for number, (paragraph, is_heading) in enumerate(found, start=1):
            if is_heading:
                yield Piece(paragraph, reason=remark_of(paragraph) or _kind_of_heading(paragraph))
            else:
                yield from self._pieces(paragraph, is_cut=is_cut and number == len(found))

    def _pieces(self, paragraph: str, *, is_cut: bool) -> Iterator[Piece]:
        text, announced = paragraph, False
        if not self.writing.lines.keeps_preambles:
            text, announced = without_preamble(paragraph)
        if announced:
            yield Piece(paragraph.removesuffix(text), reason="a preamble")
        pieces = [self._piece(one) for one in self.writing.pieces(text, self.language, is_cut=is_cut)]
        if is_cut and pieces and not pieces[-1].reason and not has_end_mark(pieces[-1].text):
            pieces[-1] = Piece(pieces[-1].text, reason="unfinished")
        yield from pieces

    @property
    def min_tokens(self) -> int:
        """The minimum length of a sentence to keep."""
        return self.writing.min_tokens if self.shortest is None else self.shortest

    @property
    def max_tokens(self) -> int:
        """The maximum length of a sentence to keep."""
        return self.writing.max_tokens if self.longest is None else self.longest

    def with_sentences(self, texts: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
        """Yield each text, and each sentence of a text of several, as new text is compared sentence by sentence."""
        for tokens in texts:
            yield tokens
            sentences = cut_sentences(self.writing.tokenisation.join(tokens), language=self.language)
            if len(sentences) > 1:
                yield from ([sentence] for sentence in sentences if len(text_key(sentence)) >= MIN_KEY)

    def _repeats_entities(self, line: str) -> bool:
        """Return whether a line repeats the line of the prompt that lists the entities."""
        return bool(self.entities_line) and line.strip(" *#>-").startswith(self.entities_line)

    def _piece(self, text: str) -> Piece:
        reason = self._reason(text)
        if reason:
            return Piece(text, reason=reason)
        tokens = tuple(self.writing.tokens(text))
        if len(tokens) < self.min_tokens:
            return Piece(text, reason="too short")
        return Piece(text, reason="too long") if len(tokens) > self.max_tokens else Piece(text, tokens)

    def _reason(self, text: str) -> DropReason | None:
        reason = reason_to_drop(self.writing.rules, text)
        if reason in ("a preamble", "a refusal", "a remark"):
            return reason
        shown = (label for label in self.labels if label not in self.writing.code_words)
        is_echo = self.template.likeness([text]) or any(_contains_label(label, text) for label in shown)
        return "an echo of the prompt" if is_echo else reason

    def _without_labels(self, answer: str) -> str:
        """Return an answer without the labels that follow entities in the prompt: `邓超(PER.NAM)`.

        A label that is also a word of the dataset, such as DNA, is removed only if no space precedes it.
        """
        for label in self.labels:
            before = r"(?<=\S)" if label in self.writing.code_words else r"\s?"
            answer = re.sub(rf"{before}[(（]\s*{re.escape(label)}\s*[)）]", "", answer)
        return answer


def template_sentences(prompt: str) -> list[list[str]]:
    """Return the lines and sentences of a prompt's text, without its placeholders."""
    lines = re.sub(r"\{\w+\}", "", prompt).splitlines()
    return [[part] for line in lines for part in (line, *re.split(r"(?<=[.。])\s*", line)) if len(part.strip()) > 8]


def entities_line(prompt: str) -> str:
    """Return the words before the entities in a prompt, or "" if there are none on that line."""
    found = re.search(r"^(.*?)\s*\{entities\}", prompt, re.MULTILINE)
    return found[1].strip() if found else ""


def _kind_of_heading(paragraph: str) -> DropReason:
    return "a heading" if re.search(r"\w", paragraph) else "markup"


def _contains_label(label: str, text: str) -> bool:
    """Return whether a text contains a label that cannot be an ordinary word: PER.NAM, LOC."""
    is_code = label.isascii() and label.upper() == label and len(label) > 1
    return is_code and re.search(rf"(?<![A-Za-z.]){re.escape(label)}(?![A-Za-z])", text) is not None
