"""Real sentences of a dataset, given as an LLM's answers, are kept with their own tokens."""

from __future__ import annotations

import pytest

from benchmarks.real_sentences import keep_real
from tests.helpers import tokenisations
from tests.helpers.builders import ROOT
from tests.helpers.genres import TEXTS, texts
from utils.dataset.reading import read_dataset, read_sentences
from utils.dataset.tokens import CHARACTERS, WORDS, language_of
from utils.synthesis.cleaning import Cleaner
from utils.synthesis.writing_style import WritingStyle


def cleaned(given, tokenisation):
    """Return the pieces of the last quarter of tokenised texts, if the others are the dataset, and that quarter."""
    start = 3 * len(given) // 4
    style = WritingStyle.of(given[:start], tokenisation=tokenisation)
    cleaner = Cleaner(language_of(map(tokenisation.join, given)), style, labels=("PER", "LOC"))
    pieces = [list(cleaner.pieces(style.written(tokens))) for tokens in given[start:]]
    return pieces, given[start:]


def share_kept(pieces):
    """Return the share of pieces that are kept, and the others."""
    found = [piece for of_text in pieces for piece in of_text]
    dropped = [(piece.reason, piece.text) for piece in found if piece.reason]
    return 1 - len(dropped) / len(found), dropped


@pytest.mark.parametrize(("language", "genre"), TEXTS)
def test_made_up_titles_queries_posts_and_patents_are_kept(language, genre):
    tokenisation = WORDS if language == "en" else CHARACTERS
    pieces, given = cleaned([tokenisation.split(text) for text in texts(language, genre)], tokenisation)
    share, dropped = share_kept(pieces)
    assert share >= 0.95, dropped
    unchanged = sum(
        [token for one in of_text for token in one.tokens] == list(tokens)
        for of_text, tokens in zip(pieces, given, strict=True)
    )
    assert unchanged >= 0.8 * len(given)


@pytest.mark.parametrize("name", tokenisations.TOKENISATIONS)
def test_sentences_in_the_tokenisation_of_a_treebank_are_kept_with_their_tokens(name):
    pieces, given = cleaned(tokenisations.sentences(name), WORDS)
    share, dropped = share_kept(pieces)
    assert share >= 0.95, dropped
    whole = [
        (of_text[0].tokens, tuple(tokens)) for of_text, tokens in zip(pieces, given, strict=True) if len(of_text) == 1
    ]
    assert len(whole) > 0.5 * len(given)
    assert sum(found == tokens for found, tokens in whole) >= 0.95 * len(whole)


@pytest.mark.parametrize("name", ["demo", "demo_zh"])
def test_sentences_of_the_bundled_datasets_are_kept(name):
    folder = ROOT / "data" / "few_shot" / name
    dataset = read_dataset(folder / "train_1000.jsonl", folder / "labels.txt")
    test = [one.tokens for one in read_sentences(folder / "test.jsonl", tokenisation=dataset.tokenisation)]
    kept = keep_real(dataset.sentences, [], test, dataset.tokenisation)
    assert kept.made > 5
    assert kept.share >= 0.95, kept.examples
