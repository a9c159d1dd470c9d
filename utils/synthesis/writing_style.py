"""The writing style of a dataset: its scripts, tokens, lines and lengths. New text is written in the same style."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from utils.dataset.tokens import Tokenisation, language_of
from utils.synthesis.copies.near_duplicates import repeated_share
from utils.synthesis.habits.default_words import bare_words, split_words, split_words_and_clitics
from utils.synthesis.habits.heads import head_key, kind_of_head, usual_heads
from utils.synthesis.habits.rules import CASE_RULES, RULES, Rule, rules_followed
from utils.synthesis.habits.scripts import ANY_SCRIPT, Scripts
from utils.synthesis.habits.token_habits import (
    MIN_EVIDENCE,
    MIN_FORM_SHARE,
    NEEDLESS_SPACE,
    PUNCTUATION,
    Case,
    Punctuation,
    Spaces,
    abbreviations_of,
    case_of,
    code_words_of,
    punctuation_of,
    quantile,
    spaces_of,
    splits_clitics_of,
)
from utils.synthesis.habits.tokeniser import Tokeniser
from utils.synthesis.text.plain_text import PROSE, LineHabits, bare_sentence, line_forms, paragraphs
from utils.synthesis.text.remarks import without_preamble
from utils.synthesis.text.sentence_splitting import cut_line, has_end_mark

MAX_SENTENCES = 5000  # that lines, rules and lengths are learnt from: more change nothing, and take time
MIN_OPEN_SHARE = 0.02  # of the sentences without punctuation at the end: from here on, a line break ends a text
MIN_TITLE_SHARE = 0.5  # of the sentences without punctuation at the end: from here on, lines may be whole texts
MIN_SEVERAL_SHARE = 0.1  # of the texts that are several sentences: from here on, they are not cut
MIN_LIST_SHARE = 0.02  # of the texts that begin with a name and a colon: from here on, no list of such lines is layout
LENGTH_TAIL = 0.003  # share of the dataset's shortest and longest texts that sets no limit
REPEATED_TAIL = 0.005  # share of the dataset's most repetitive texts that sets no limit
DEFAULT_MIN_TOKENS, DEFAULT_MAX_TOKENS = 5, 128
DEFAULT_MAX_REPEATED = 0.25  # share of a sentence's n-grams that repeat an earlier one; above, the model was in a loop


@dataclass(frozen=True)
class WritingStyle:
    """How a dataset writes, learnt from its sentences. The defaults are those of edited prose."""

    tokenisation: Tokenisation
    punctuation: Punctuation = "apart"
    splits_clitics: bool = True  # do n't, Ann 's
    case: Case | None = None  # of all letters; None: both occur
    spaces: Spaces = "needed"
    scripts: Scripts = ANY_SCRIPT
    lines: LineHabits = PROSE
    rules: tuple[Rule, ...] = RULES
    broken_rules: tuple[str, ...] = ()  # names of rules that the dataset does not follow
    ended_share: float = 1.0  # of the dataset's texts that end with a punctuation mark
    min_tokens: int = DEFAULT_MIN_TOKENS
    max_tokens: int = DEFAULT_MAX_TOKENS
    max_repeated: float = DEFAULT_MAX_REPEATED
    tokeniser: Tokeniser | None = None  # for word-based text
    abbreviations: frozenset[str] = field(default=frozenset(), repr=False)  # in the form of `abbreviation_key`
    code_words: frozenset[str] = field(default=frozenset(), repr=False)  # DNA, U.S.: words that labels may look like

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]], *, tokenisation: Tokenisation) -> WritingStyle:
        """Return the writing style of tokenised sentences."""
        given = [list(tokens) for tokens in sentences]
        style = _with_tokens(cls(tokenisation), given)
        texts = [style.written(tokens) for tokens in given[:: 1 + len(given) // MAX_SENTENCES]]
        language = language_of(texts)
        ended = sum(map(has_end_mark, texts)) / max(1, len(texts))
        lines = _line_habits(texts, language, style.abbreviations)
        style = replace(style, scripts=Scripts.of(texts), lines=lines, ended_share=ended)
        pieces = _own_pieces(style, texts, language)
        return _with_limits(_with_rules(style, pieces), pieces)

    def __str__(self) -> str:
        """Return the habits in one line."""
        habits = {
            str(self.scripts): True,
            f"{self.case} case": self.case,
            "no punctuation": self.punctuation == "none",
            "no spaces": self.spaces == "none",
            f"{self.ended_share:.0%} end with a punctuation mark": True,
            "a line is one text": self.lines.whole_up_to,
            f"length from {self.min_tokens} to {self.max_tokens}": True,
            f"usual here and so no reason to drop a sentence: {', '.join(self.broken_rules)}": self.broken_rules,
        }
        return "; ".join(habit for habit, is_so in habits.items() if is_so)

    def written(self, tokens: Sequence[str]) -> str:
        """Return tokens as the text that a person would write."""
        return self.tokeniser.written.text(tokens) if self.tokeniser else self.tokenisation.join(tokens)

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of new text, cut as in the dataset."""
        text = " ".join(self._in_usual_case(text).split())
        if self.tokenisation.is_dense:
            return self._characters(text)
        if self.punctuation == "none":
            return bare_words(text)
        return self.tokeniser.tokens(text) if self.tokeniser else list(self._split_words(text))

    def accuracy(self, texts: Sequence[Sequence[str]]) -> float:
        """Return the share of tokenised sentences that, written as a person would, come back as their tokens."""
        if self.tokenisation.is_dense or not texts:
            return 1.0
        return sum(self.tokens(self.written(tokens)) == list(tokens) for tokens in texts) / len(texts)

    def pieces(self, paragraph: str, language: str, *, is_cut: bool = False) -> Iterator[str]:
        """Return the texts of a paragraph; `is_cut`: it ends because the token budget ran out."""
        pieces = cut_line(
            paragraph,
            language=language,
            whole_up_to=self.lines.whole_up_to,
            is_cut=is_cut,
            abbreviations=self.abbreviations,
        )
        return (bare_sentence(piece, self.lines) for piece in pieces)

    def without_cuts(self) -> WritingStyle:
        """Return the style in which a line is always one text, even if it has several sentences."""
        return replace(self, lines=replace(self.lines, whole_up_to=sys.maxsize))

    def is_foreign(self, text: str) -> bool:
        """Return whether a sentence is in another script than the dataset, or in Chinese characters of another kind."""
        return self.scripts.is_foreign(text)

    def _in_usual_case(self, text: str) -> str:
        return text.lower() if self.case == "lower" else text.upper() if self.case == "upper" else text

    def _characters(self, text: str) -> list[str]:
        if self.punctuation == "none":
            text = " ".join(PUNCTUATION.sub(" ", text).split())
        if self.spaces == "none":
            text = text.replace(" ", "")
        # Only in Korean, and between two words of another script (New York), does a space mean something.
        return self.tokenisation.split(NEEDLESS_SPACE.sub("", text) if self.spaces == "needed" else text)

    @property
    def _split_words(self) -> Callable[[str], Sequence[str]]:
        if self.punctuation == "glued":
            return str.split
        return split_words_and_clitics if self.splits_clitics else split_words


def _with_tokens(style: WritingStyle, texts: Sequence[Sequence[str]]) -> WritingStyle:
    """Return a style with the habits that tokens show."""
    is_dense = style.tokenisation.is_dense
    style = replace(
        style,
        punctuation=punctuation_of(texts, is_dense=is_dense),
        splits_clitics=splits_clitics_of(texts),
        case=case_of(texts),
        spaces=spaces_of(texts) if is_dense else "needed",
        code_words=code_words_of(texts),
    )
    if is_dense:
        return style
    abbreviations = abbreviations_of(texts) if style.punctuation == "apart" else frozenset()
    return replace(style, tokeniser=Tokeniser(texts, style._split_words), abbreviations=abbreviations)


def _with_rules(style: WritingStyle, pieces: Sequence[str]) -> WritingStyle:
    """Return a style with the rules that the pieces of the dataset's texts follow."""
    scripts = style.scripts
    rules = [
        *RULES,
        *(() if style.tokenisation.is_dense or style.case == "lower" else CASE_RULES),
        Rule(
            "a heading", "an attribute of an answer", lambda text: kind_of_head(text, style.lines.heads) == "attribute"
        ),
        Rule("another script", "letters of other scripts", scripts.has_other_letters, max_share=0.01),
        Rule("another script", "mainly another script", scripts.is_mainly_other, max_share=0.02),
        Rule("another script", "Japanese without kana", scripts.lacks_kana, max_share=0.01),
        Rule("another script", "simplified and traditional mixed", scripts.mixes_hanzi, max_share=0.02),
    ]
    followed = rules_followed(rules, pieces)
    return replace(style, rules=followed, broken_rules=tuple(rule.name for rule in rules if rule not in followed))


def _with_limits(style: WritingStyle, pieces: Sequence[str]) -> WritingStyle:
    """Return a style with the lengths of the dataset's pieces. They only ever make the default limits wider."""
    tokenised = [style.tokens(piece) for piece in pieces]
    lengths = sorted(map(len, tokenised))
    repeated = sorted(repeated_share(tokens, tokenisation=style.tokenisation) for tokens in tokenised)
    if not pieces:
        return style
    style = replace(style, min_tokens=max(1, min(DEFAULT_MIN_TOKENS, int(quantile(lengths, LENGTH_TAIL)))))
    if len(pieces) < MIN_EVIDENCE:
        return style
    return replace(
        style,
        max_tokens=max(DEFAULT_MAX_TOKENS, int(quantile(lengths, 1 - LENGTH_TAIL))),
        max_repeated=max(DEFAULT_MAX_REPEATED, quantile(repeated, 1 - REPEATED_TAIL)),
    )


def _own_pieces(style: WritingStyle, texts: Sequence[str], language: str) -> list[str]:
    """Return the pieces that the texts of the dataset would be cut to as answers, without headings."""
    found = (one for text in texts for one in paragraphs(text, style.lines))
    return [piece for paragraph, is_heading in found if not is_heading for piece in style.pieces(paragraph, language)]


def _line_habits(texts: Sequence[str], language: str, abbreviations: Collection[str]) -> LineHabits:
    forms = Counter(form for text in texts for form in line_forms(text))
    forms["keeps_preambles"] = sum(without_preamble(text)[1] for text in texts)
    usual = {form: True for form, number in forms.items() if number >= max(2, MIN_FORM_SHARE * len(texts))}
    open_ = sum(not has_end_mark(text) for text in texts)
    several = sum(len(cut_line(text, language=language, abbreviations=abbreviations)) > 1 for text in texts)
    is_whole = open_ >= MIN_TITLE_SHARE * len(texts) and several >= max(2, MIN_SEVERAL_SHARE * len(texts))
    return LineHabits(
        breaks_end_texts=open_ >= max(2, MIN_OPEN_SHARE * len(texts)),
        heads=usual_heads(texts),
        keeps_lists=sum(head_key(text) is not None for text in texts) >= max(2, MIN_LIST_SHARE * len(texts)),
        whole_up_to=int(quantile(sorted(map(len, texts)), 1 - LENGTH_TAIL)) if is_whole else 0,
        **usual,
    )
