"""Sentences out of running text that an LLM wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import sentencex

from utils.tokens import split_text

# What stands before a sentence in a list or a heading, and what marks emphasis.
_LIST_MARKER = re.compile(r"^\s*(?:[*•·#>]+|-(?=\s)|\(?\d{1,2}(?:[.:：](?!\d)|[)、）])|[①-⑩])\s*")
_EMPHASIS = re.compile(r"\*\*|__|`+")
_REMARK = re.compile(
    r"\bas an ai\b|\blanguage model\b|\bI(?: am|['’]m) sorry\b"
    r"|\bI (?:can(?:not|['’]t| not)|am (?:unable|not able) to) (?:help|assist|fulfil|comply|continue|provide|do that)"
    r"|\b(?:this|the|your|each) (?:original |given |first )?sentences?\b"
    r"|^(?:sure|certainly|of course|okay)\b.*\bhere (?:is|are)\b|^here (?:is|are) .*\bsentences?\b"
    r"|^(?:抱歉|对不起|很抱歉)|作为(?:一个|一名)?(?:AI|人工智能|语言模型)|^(?:好的|当然)[，,！!].*(?:以下|下面|续写|句子)"
    r"|^(?:以下|下面)是.*(?:续写|句子)|无法(?:完成|满足|回答|提供)(?:这个|该|您的)",
    re.IGNORECASE,
)
_NEEDLESS_BLANK = re.compile(r" (?=[^A-Za-z0-9])|(?<=[^A-Za-z0-9]) ")
_END = re.compile(r"[.!?。！？…][\"'”’」』）)\]]*$")
_WORD_PART = re.compile(
    r"(?:[^\W\d_]\.){2,}"  # U.S.
    r"|(?:Mr|Mrs|Ms|Dr|Prof|St|Inc|Ltd|Co|Corp|Jr|Sr|No|vs|etc|e\.g|i\.e)\.(?=\s|$|[,;])"
    r"|[^\W\d_]\.(?=\s[^\W\d_])"  # J. Carver
    r"|\d+(?:[.,:/]\d+)*%?"  # 3.14
    r"|n['’]t\b|['’](?:s|re|ve|ll|d|m)\b"
    r"|\w+?(?=n['’]t\b)"
    r"|\w+(?:[-'’.&]\w+)*?(?=['’](?:s|re|ve|ll|d|m)\b)"
    r"|\w+(?:[-'’.&]\w+)*"
    r"|\S"
)


def cut_sentences(text: str, *, language: str) -> list[str]:
    """Return the complete sentences of an answer, without list markers and emphasis.

    `language` is a code such as "zh". What has no end mark is left out: a heading, a preamble, and the last sentence
    of an answer that ran out of its budget.
    """
    found = []
    for line in text.splitlines():
        plain = _EMPHASIS.sub("", _LIST_MARKER.sub("", line)).strip()
        found += [sentence.strip() for sentence in sentencex.segment(language, plain)] if plain else []
    return [sentence for sentence in found if _END.search(sentence)]


def is_remark(sentence: str) -> bool:
    """Tell whether an LLM speaks of itself or its task here: a refusal, an apology, an announcement."""
    return _REMARK.search(sentence) is not None


def tokenise_like_dataset(text: str, *, dense: bool, parts_punctuation: bool) -> list[str]:
    """Return the tokens of new text, cut as a dataset's are: characters, words, or words and punctuation marks."""
    if dense:
        # A blank has a meaning between two words of another script (New York), and only there.
        return split_text(_NEEDLESS_BLANK.sub("", " ".join(text.split())), dense=True)
    return _WORD_PART.findall(text) if parts_punctuation else text.split()


def parts_punctuation(sentences: Iterable[Sequence[str]]) -> bool:
    """Tell whether a dataset's sentences keep punctuation marks apart from words; so it is where there are none."""
    tokens = [token for sentence in sentences for token in sentence]
    apart = sum(token in {",", ";", "."} for token in tokens)
    glued = sum(len(token) > 1 and token[-1] in {",", ";"} for token in tokens)
    return apart >= glued
