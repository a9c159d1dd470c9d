"""New mentions of each target label, which an LLM lists and which are then written into sentences (style names)."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from utils.asking.entries import AnswerKey, Entry
from utils.asking.questions import Question
from utils.asking.sampling import SamplingSettings
from utils.dataset.records import Sentence, Span
from utils.llm import Request
from utils.prompts import Prompt
from utils.synthesis.copies.near_duplicates import text_key
from utils.synthesis.rewriting.grammar import list_grammar
from utils.synthesis.rewriting.mentions import (
    COPIED,
    MAX_LENGTH,
    Mention,
    is_usable,
    overlap,
    random_rank,
    usable_mentions,
)
from utils.synthesis.text.plain_text import without_marker
from utils.synthesis.writing_style import WritingStyle
from utils.wording import counted, numbered

log = logging.getLogger(__name__)

TASK: Literal["names"] = "names"
LISTS = 6  # answers for each label
LINES = 10  # mentions in each answer
SHOWN = 8  # mentions of the dataset in each prompt


@dataclass(frozen=True)
class NamePool:
    """The new mentions of each label, in the order in which they were listed."""

    mentions: Mapping[str, Sequence[Mention]]  # by label

    def instead_of(self, mentions: Iterable[Mention], key: str) -> list[Mention]:
        """Return a new mention for each mention whose label has some; a random choice that depends on `key`."""
        chosen: list[Mention] = []
        for mention in mentions:
            new = self.mentions.get(mention.label, ())
            free = [one for one in new if not any(overlap(one.text, other.text) for other in chosen)]
            rank_key = f"{key} {mention.text}"
            chosen += sorted(free, key=lambda one: random_rank(rank_key, one.text))[:1]
        return chosen


@dataclass(frozen=True)
class NameLists:
    """Builds the questions for lists of new mentions, and reads the answers."""

    prompt: Prompt
    writing: WritingStyle
    sampling: SamplingSettings
    shown: Mapping[str, Sequence[str]]  # label -> mentions of the smallest size, which belong to all sizes
    known: frozenset[str]  # keys of the mentions of the dataset
    held_out: str  # the sentences of dev and test, as `_search_key` writes them

    @classmethod
    def of(
        cls,
        prompt: Prompt,
        writing: WritingStyle,
        sampling: SamplingSettings,
        sentences: Sequence[Sentence],
        *,
        shown: Iterable[Sentence],
        held_out: Iterable[Sequence[str]],
    ) -> NameLists:
        """Return the lists for a dataset; the prompts show mentions of the sentences `shown`."""
        examples: dict[str, dict[str, None]] = defaultdict(dict)
        for sentence in shown:
            for mention in usable_mentions(sentence, writing):
                examples[mention.label][mention.text] = None
        spans = ((sentence, span) for sentence in sentences for span in sentence.spans)
        known = {text_key("".join(sentence.tokens[span.start : span.end])) for sentence, span in spans}
        texts = "\n".join(_search_key(tokens, is_dense=writing.tokenisation.is_dense) for tokens in held_out)
        lists = {label: tuple(texts) for label, texts in sorted(examples.items())}
        return cls(prompt, writing, sampling, lists, frozenset(known), texts)

    @property
    def parameters(self) -> dict[str, str | int]:
        """Return the settings that change an answer, for the fingerprint."""
        return {"prompt": self.prompt.digest, "lists": LISTS, "lines": LINES, "shown": SHOWN}

    def questions(self, guided: bool) -> list[Question]:
        """Return the questions for lists: several for each label, which show different mentions."""
        return [self._question(label, sample, guided) for sample in range(LISTS) for label in self.shown]

    def pool(self, entries: Mapping[AnswerKey, Entry]) -> NamePool:
        """Return the new mentions in recorded answers, and log how many were listed and why others are not used."""
        listed = [(label, name) for label in self.shown for name in self._listed(label, entries)]
        labels: dict[str, set[str]] = defaultdict(set)
        for label, name in listed:
            labels[text_key(name)].add(label)
        reasons: Counter[str] = Counter()
        pool: dict[str, dict[str, Mention]] = defaultdict(dict)
        for label, name in listed:
            key = text_key(name)
            reason = "under several labels" if len(labels[key]) > 1 else self._reason(name, key)
            if reason or key in pool[label]:
                reasons[reason or "repeated"] += 1
                continue
            tokens = tuple(self.writing.tokens(name))
            pool[label][key] = Mention(name, tokens, (Span(0, len(tokens), label, COPIED),))
        kept = {label: tuple(mentions.values()) for label, mentions in pool.items()}
        _report(len(listed), sum(map(len, kept.values())), reasons)
        return NamePool(kept)

    def _question(self, label: str, sample: int, guided: bool) -> Question:
        shown = self._shown(label, sample)
        prompt = self.prompt.fill({"label": label, "names": "\n".join(shown), "number": str(LINES)})
        longest = MAX_LENGTH[self.writing.tokenisation]
        grammar = list_grammar(LINES, longest, self.writing) if guided else None
        id_ = _question_id(label)
        sampling = self.sampling.sampling(id_, sample)
        request = Request(id_, TASK, prompt, LINES * (longest + 4), sampling, grammar, sample)
        return Question(request, self._input_hash(label, sample), "\n".join([*shown, *shown][:LINES]))

    def _shown(self, label: str, sample: int) -> list[str]:
        key = f"{self.sampling.seed} {label} {sample}"
        return sorted(self.shown[label], key=lambda text: random_rank(key, text))[:SHOWN]

    def _input_hash(self, label: str, sample: int) -> str:
        return hashlib.sha256("\n".join([label, *self._shown(label, sample)]).encode()).hexdigest()

    def _listed(self, label: str, entries: Mapping[AnswerKey, Entry]) -> Iterator[str]:
        """Yield the lines of all answers for a label, without list markers."""
        for sample in range(LISTS):
            entry = entries.get((_question_id(label), TASK, self._input_hash(label, sample), sample))
            for line in entry.answer.splitlines() if entry else ():
                tokens = self.writing.tokens(without_marker(line).strip("\"'“”「」《》 "))
                if name := self.writing.written(tokens):  # in the dataset's case
                    yield name

    def _reason(self, name: str, key: str) -> str | None:
        """Return why a listed text is no new mention, or None."""
        tokens = self.writing.tokens(name)
        if not is_usable(name, tokens, self.writing) or len(key) < 2:
            return "not written like a mention"
        if self.writing.is_foreign(name):
            return "in another script"
        if key in self.known:
            return "known"
        is_held_out = _search_key(tokens, is_dense=self.writing.tokenisation.is_dense) in self.held_out
        return "in dev or test" if is_held_out else None


def _search_key(tokens: Sequence[str], *, is_dense: bool) -> str:
    """Return the letters and digits of tokens; in word-based text, with spaces around each word."""
    keys = [key for token in tokens if (key := text_key(token))]
    return "".join(keys) if is_dense else f" {' '.join(keys)} "


def _question_id(label: str) -> str:
    return f"names {label}"


def _report(listed: int, kept: int, reasons: Counter[str]) -> None:
    explained = f" (dropped: {numbered(reasons)})" if reasons else ""
    log.info("%s listed, %d of them new%s", counted(listed, "mention"), kept, explained)
