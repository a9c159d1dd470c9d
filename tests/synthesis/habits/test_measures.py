"""The style of new sentences in numbers, beside that of the dataset."""

from __future__ import annotations

from utils.synthesis.habits.measures import StyleMeter, compared
from utils.synthesis.habits.scripts import Scripts

DATASET = [["rome", "is", "old"], ["oslo", "is", "new"], ["rome", "is", "large"]]


def meter(texts=DATASET, *, is_dense=False):
    joint = "" if is_dense else " "
    return StyleMeter(texts, Scripts.of([joint.join(text) for text in texts]), is_dense=is_dense)


def test_an_essay_in_the_place_of_titles_shows_in_every_number():
    essay = [["In", "2020", ",", "Ann", "left", "the", "city", "."], ["罗马", "is", "罗马", "。"]]
    measures = meter().measure(essay)
    assert (measures.sentences, measures.tokens, measures.ended) == (2, 6, 1.0)
    assert (measures.foreign, measures.marks) == (0.5, 25.0)
    assert measures.known < 0.2


def test_titles_like_those_of_the_dataset_are_measured_alike():
    new = meter().measure([["rome", "is", "new"], ["oslo", "is", "old"]])
    assert (new.tokens, new.ended, new.foreign, new.known) == (3, 0.0, 0.0, 1.0)


def test_a_token_of_the_dataset_is_known_if_another_sentence_has_it():
    assert meter().dataset.known == round(5 / 9, 4)  # is, is, is, rome, rome


def test_known_tokens_of_dense_text_are_pairs_of_characters():
    measures = meter([list("罗马很古老"), list("罗马很大")], is_dense=True).measure([list("罗马很老")])
    assert measures.known == round(2 / 3, 4)


def test_the_line_gives_each_number_and_that_of_the_dataset():
    line = compared(meter().measure([["Rome", "is", "old", "."]]), meter().dataset)
    assert line.startswith(
        "style of the kept sentences (of the dataset): median length 4 (3), 100% end with a punctuation mark (0%)"
    )


def test_no_sentences_have_no_style_and_no_error():
    assert meter([]).measure([]).sentences == 0
