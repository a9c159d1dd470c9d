"""Cut an LLM's answer into pieces, and give each piece its tokens or the reason to drop it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from utils.dataset.tokens import WORDS
from utils.synthesis.near_duplicates import KnownTexts, text_key
from utils.synthesis.plain_text import paragraphs, without_marker
from utils.synthesis.remarks import Remark, remark_of, without_preamble
from utils.synthesis.sentence_splitting import cut_sentences, is_finished
from utils.synthesis.writing_style import WritingStyle

Reason = (
    Remark
    | Literal[
        "markup",
        "a heading",
        "unfinished",
        "a fragment",
        "an echo of the prompt",
        "another script",
        "too short",
        "too long",
        "copied",
        "nearly copied",
        "repeated",
        "nearly repeated",
        "in dev or test",
        "near dev or test",
        "repeats itself",
        "a list item",
        "without an asked entity",
        "beyond the target",
    ]
)

MIN_KEY = 6  # letters and digits: a shorter sentence of dev or test may be in a new text by chance

# A sentence that lacks its beginning starts with a punctuation mark, or with a lower-case word (but: iPhone, e-mail).
_PUNCTUATION_FIRST = re.compile(r"^\s*[，、。；：！？,;:.!?)）】》”’」』]")
_LOWER_CASE_FIRST = re.compile(r"^\s*[a-z]+(?![a-z]|[-A-Z\d.@/_])")
_QUOTED = re.compile(r"[\"“「『]([^\"“”「」『』]+)[\"”」』]")
_CUT_NUMBER = re.compile(r"\d\.\s*$")  # 3.14 after the token budget ran out
_CODE = re.compile(r"[(（]\s*[A-Z]{2,}(?:[._][A-Z]{2,})+\s*[)）]")  # a label that the model made up: 邓超(SONG.NAM)
_HEADWORD = re.compile(r"^(\S[^:：]{0,30}?)\s?[:：]\s*\1")  # "Rome: Rome is old", as in a glossary


@dataclass(frozen=True)
class Piece:
    """A piece of an answer, with its tokens, or with the reason to drop it."""

    text: str
    tokens: tuple[str, ...] = ()
    reason: Reason | None = None


@dataclass(frozen=True)
class Cleaner:
    """Finds the new sentences in answers, for one dataset."""

    language: str  # a code such as "zh"
    writing: WritingStyle
    labels: Collection[str] = ()  # the target labels, which follow the entities in the prompt
    template: KnownTexts = field(
        default_factory=lambda: KnownTexts(tokenisation=WORDS)
    )  # the sentences of the prompt's text
    entities_line: str = ""  # the words before the entities in the prompt
    shortest: int = 5  # tokens
    longest: int = 128

    def pieces(self, answer: str, *, is_cut: bool = False) -> Iterator[Piece]:
        """Yield the pieces of an answer in order. `is_cut`: the answer ended because the token budget ran out."""
        if is_cut and _CUT_NUMBER.search(answer):
            answer = answer.rstrip()[:-1]
        echoes = [line.strip() for line in answer.splitlines() if self._repeats_entities(line)]
        yield from (Piece(line, reason="an echo of the prompt") for line in echoes)
        own = "\n".join("" if self._repeats_entities(line) else line for line in answer.splitlines())
        for paragraph, is_heading in paragraphs(self._without_labels(own)):
            if is_heading:
                yield Piece(paragraph, reason=remark_of(paragraph) or _kind_of_heading(paragraph))
                continue
            text, announced = without_preamble(paragraph)
            if announced:
                yield Piece(paragraph.removesuffix(text), reason="a preamble")
            for sentence in cut_sentences(text, language=self.language):
                yield self._piece(_bare(sentence))

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
        if len(tokens) < self.shortest:
            return Piece(text, reason="too short")
        return Piece(text, reason="too long") if len(tokens) > self.longest else Piece(text, tokens)

    def _reason(self, text: str) -> Reason | None:
        if remark := remark_of(text):
            return remark
        if (
            self.template.likeness([text])
            or _CODE.search(text)
            or any(_contains_label(one, text) for one in self.labels)
        ):
            return "an echo of the prompt"
        if not is_finished(text):
            return "unfinished"
        if self._is_fragment(text):
            return "a fragment"
        return "another script" if self.writing.is_foreign(text) else None

    def _is_fragment(self, text: str) -> bool:
        has_capitals = not self.writing.tokenisation.is_dense and not self.writing.lower_case
        return bool((has_capitals and _LOWER_CASE_FIRST.match(text)) or _PUNCTUATION_FIRST.match(text))

    def _without_labels(self, answer: str) -> str:
        """Return an answer without the labels that follow entities in the prompt: `邓超(PER.NAM)`."""
        for label in self.labels:
            answer = re.sub(rf"\s?[(（]\s*{re.escape(label)}\s*[)）]", "", answer)
        return answer


def template_sentences(prompt: str) -> list[list[str]]:
    """Return the lines and sentences of a prompt's text, without its placeholders."""
    lines = re.sub(r"\{\w+\}", "", prompt).splitlines()
    return [[part] for line in lines for part in (line, *re.split(r"(?<=[.。])\s*", line)) if len(part.strip()) > 8]


def entities_line(prompt: str) -> str:
    """Return the words before the entities in a prompt, or "" if there are none on that line."""
    found = re.search(r"^(.*?)\s*\{entities\}", prompt, re.MULTILINE)
    return found[1].strip() if found else ""


def _bare(sentence: str) -> str:
    """Return a sentence without a list marker, a headword, or quotation marks around the whole of it."""
    text = _HEADWORD.sub(r"\1", without_marker(sentence))
    quoted = _QUOTED.fullmatch(text)
    return quoted[1].strip() if quoted else text


def _kind_of_heading(paragraph: str) -> Reason:
    return "a heading" if re.search(r"\w", paragraph) else "markup"


def _contains_label(label: str, text: str) -> bool:
    """Return whether a text contains a label that cannot be an ordinary word: PER.NAM, LOC."""
    is_code = label.isascii() and label.upper() == label and len(label) > 1
    return is_code and re.search(rf"(?<![A-Za-z.]){re.escape(label)}(?![A-Za-z])", text) is not None
