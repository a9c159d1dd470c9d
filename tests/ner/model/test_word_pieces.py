"""Words as pieces, and sentences longer than the encoder."""

from __future__ import annotations

import pytest
from transformers import BertTokenizer

from tests.helpers.tiny_encoder import MAX_POSITIONS
from utils.ner.model.encoder import load_tokenizer
from utils.ner.model.word_pieces import WordEncoder, batches_by_length, owner


@pytest.fixture
def words(encoder_folder) -> WordEncoder:
    return WordEncoder(load_tokenizer(str(encoder_folder)), MAX_POSITIONS)


def test_each_piece_has_the_number_of_its_word(words):
    batch = words.collate(words.windows(["annas", "likes", "rome"]))
    assert words.tokenizer.convert_ids_to_tokens(batch.input_ids[0]) == [
        "[CLS]",
        "anna",
        "##s",
        "likes",
        "rome",
        "[SEP]",
    ]
    assert batch.word_index.tolist() == [[0, 1, 1, 2, 3, 0]]
    assert batch.lengths.tolist() == [3]


def test_a_batch_is_padded_and_masked(words):
    batch = words.collate([words.windows(text.split())[0] for text in ("anna", "anna sees bert")])
    assert batch.attention_mask.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert batch.word_index.tolist() == [[0, 1, 0, 0, 0], [0, 1, 2, 3, 0]]


@pytest.mark.parametrize("word", ["", " ", "\u200b", "\x00", "\ud800", "unheard-of"])
def test_a_word_unknown_to_the_tokenizer_becomes_unknown_pieces(words, word):
    batch = words.collate(words.windows(["anna", word, "rome"]))
    assert batch.lengths.tolist() == [3]
    assert set(batch.word_index[0].tolist()) == {0, 1, 2, 3}


def test_slow_tokenizers_give_the_same_pieces(words, encoder_folder):
    slow = WordEncoder(BertTokenizer(str(encoder_folder / "vocab.txt")), MAX_POSITIONS)
    tokens = ["annas", "likes", "邓", "\u200b", "x"]
    assert slow.windows(tokens) == words.windows(tokens)


def test_an_empty_sentence_has_no_window(words):
    assert words.windows([]) == []


def test_a_short_sentence_is_one_window(words):
    (window,) = words.windows(["anna"] * (MAX_POSITIONS - 2))
    assert (window.first, window.last) == (0, MAX_POSITIONS - 2)


def test_a_long_sentence_becomes_windows_that_overlap_by_half(words):
    windows = words.windows(["anna"] * 60)
    assert [(window.first, window.last) for window in windows] == [(0, 22), (11, 33), (22, 44), (33, 55), (44, 60)]


def test_windows_are_limited_by_pieces_and_not_by_words(words):
    windows = words.windows(["annas"] * 30)  # two pieces each
    assert [window.words for window in windows[:-1]] == [11] * (len(windows) - 1)
    assert windows[-1].last == 30


def test_every_span_of_up_to_half_a_window_lies_in_a_window(words):
    tokens = ["anna", "annas", "rome"] * 30
    windows = words.windows(tokens)
    for start in range(len(tokens) - 6):
        window = owner(windows, start, start + 6)
        assert window.first <= start
        assert start + 6 <= window.last


def test_a_word_longer_than_a_window_is_truncated(words):
    windows = words.windows(["anna", "anna" + "s" * 100, "s" * 3 + "北" * 50, "rome"])
    assert windows[-1].last == 4
    assert all(sum(map(len, window.pieces)) <= MAX_POSITIONS - 2 for window in windows)


def test_a_span_belongs_to_the_window_with_its_largest_context(words):
    windows = words.windows(["anna"] * 60)  # 0-22, 11-33, 22-44, …
    assert owner(windows, 0, 2) is windows[0]
    assert owner(windows, 14, 16) is windows[0]
    assert owner(windows, 17, 19) is windows[1]
    assert owner(windows, 58, 60) is windows[-1]


def test_batches_have_items_of_similar_length_and_each_item_once():
    assert batches_by_length([5, 9, 1, 7, 9], 2) == [[1, 4], [3, 0], [2]]
    assert batches_by_length([600, 600, 8, 400, 400, 400, 400], 8) == [[0], [1], [3, 4, 5], [6, 2]]
