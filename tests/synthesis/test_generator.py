"""New sentences from an LLM's answers: which are kept, which are dropped, and the fields of each row."""

from __future__ import annotations

import pytest

from tests.helpers.builders import ReplayingLLM, sentence
from tests.helpers.syntheses import generator, synthesis_of
from utils.asking.journal import Journal
from utils.asking.questions import ask
from utils.asking.sampling import SamplingSettings
from utils.dataset.tokens import CHARACTERS
from utils.synthesis.counts import SynthesisCounts
from utils.synthesis.generator import asked_entities


def questions(sentences, **settings):
    maker = generator(**settings)
    return [maker.question(sentence) for sentence in sentences]


@pytest.fixture
def make(tmp_path):
    """Continue sentences with given answers. Return the rows and the counts."""

    def run(sentences, *answers, finish="stop", **settings):
        made = synthesis_of(sentences, **settings)
        asked = made.questions()
        replies = {(one.request.id, "explain"): answer for one, answer in zip(asked, answers, strict=True)}
        with Journal(tmp_path / "journal", "f") as journal:
            list(ask(asked, journal, lambda: ReplayingLLM(replies, finish), title="s2"))
            made.take_round(journal.entries)
        rows, _, counts = made.result()
        return rows, counts

    return run


ROME = sentence("Agnes Muir left Rome in May .", (0, 2, "PER"), (3, 4, "LOC"), id="17")
OSLO = sentence("Nobody ever liked Oslo .", (3, 4, "LOC"), id="18")


def texts(rows):
    return [" ".join(row["text"]) for row in rows]


def test_a_row_has_its_source_the_asked_entities_and_its_mentions(make):
    rows, _ = make([ROME], "Rome is a very old city. Agnes Muir is a keeper of lights.")
    assert rows == [
        {
            "id": "17-1",
            "source": 17,
            "text": ["Rome", "is", "a", "very", "old", "city", "."],
            "entities": [],
            "synthetic": True,
            "asked": ["Agnes Muir(PER)", "Rome(LOC)"],
            "mentions": ["Rome"],
        },
        {
            "id": "17-2",
            "source": 17,
            "text": ["Agnes", "Muir", "is", "a", "keeper", "of", "lights", "."],
            "entities": [],
            "synthetic": True,
            "asked": ["Agnes Muir(PER)", "Rome(LOC)"],
            "mentions": ["Agnes Muir"],
        },
    ]


def test_the_same_sentence_is_not_kept_twice(make):
    rows, counts = make([ROME, OSLO], "Rome is a very old city. Rome is a very old city.", "Rome is a very old city.")
    assert texts(rows) == ["Rome is a very old city ."]
    assert counts.dropped == {"repeated": 2}


@pytest.mark.parametrize(
    ("source", "echo"),
    [
        ("Agnes Muir left Rome in haste .", "Agnes Muir left Rome in haste."),
        ("They don't like Rome at all .", "They don't like Rome at all."),
        ("Agnes Muir left Rome.", "Agnes Muir left Rome."),
    ],
)
def test_a_sentence_of_the_dataset_is_not_kept_however_it_is_tokenised(make, source, echo):
    rows, counts = make([sentence(source, (0, 1, "X"))], f"{echo} Rome is a very old city.")
    assert [row["id"] for row in rows] == ["1-1"]
    assert rows[0]["text"][:5] == ["Rome", "is", "a", "very", "old"]
    assert counts.dropped == {"copied": 1}


def test_a_copy_of_another_sentence_of_the_dataset_is_not_kept(make):
    rows, _ = make([ROME, OSLO], "Nobody ever liked Oslo. Rome is a very old city.", "Agnes Muir left Rome in May.")
    assert texts(rows) == ["Rome is a very old city ."]


@pytest.mark.parametrize(
    ("held_out", "answer"),
    [
        ("Rome is a very old city .", "Rome is a very old city."),
        ("They don't like Rome at all .", "They don't like Rome at all."),
        ("They do n't like Rome at all .", "They don't like Rome at all."),
        ("Mary-Ann's crew saw Rome .", "Mary-Ann's crew saw Rome."),
        ("It cost 5% of Rome 's gold .", "It cost 5% of Rome's gold."),
        ("Rome is a very old city.", "Rome is a very old city."),
    ],
)
def test_a_sentence_of_dev_or_test_is_not_kept_however_it_is_tokenised(make, held_out, answer):
    rows, counts = make([ROME], f"{answer} Rome has some large red walls.", held_out=[held_out.split()])
    assert texts(rows) == ["Rome has some large red walls ."]
    assert counts.dropped == {"in dev or test": 1}


def test_a_dense_sentence_of_test_is_not_kept_whatever_its_spaces(make):
    source = sentence(list("邓超在北京读书。"), (0, 2, "PER"))
    held_out = [list("邓超喜欢喝绿茶。")]
    rows, counts = make(
        [source], "邓超 喜欢喝绿茶 。邓超去了New York旅游。", tokenisation=CHARACTERS, held_out=held_out
    )
    assert ["".join(row["text"]) for row in rows] == ["邓超去了New York旅游。"]
    assert counts.dropped == {"in dev or test": 1}


@pytest.mark.parametrize("finish", ["stop", "length"])
def test_the_last_sentence_that_is_not_finished_is_left_out(make, finish):
    rows, _ = make([ROME], "Rome is a very old city. Agnes Muir is a keeper of", finish=finish)
    assert texts(rows) == ["Rome is a very old city ."]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("Yes. ", "too short"), ("Rome " * 200 + ".", "too long"), ("Agnes Muir left Rome in May.", "copied")],
)
def test_what_is_dropped_is_counted_with_its_reason(make, answer, reason):
    rows, counts = make([ROME], answer)
    assert rows == []
    assert counts.dropped == {reason: 1}
    assert reason in str(counts)


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I cannot fulfill this request.",
        "As an AI language model, I cannot continue this text.",
        "Sure! Here are three new sentences in the same style.",
    ],
)
def test_a_refusal_or_a_remark_does_not_become_training_data(make, answer):
    assert texts(make([ROME], answer)[0]) == []


@pytest.mark.parametrize("answer", ["抱歉，我无法完成这个任务。", "好的，以下是续写的两到三个新句子。"])
def test_a_chinese_refusal_or_remark_does_not_become_training_data(make, answer):
    source = sentence(list("邓超在北京读书。"), (0, 2, "PER"))
    assert make([source], answer, tokenisation=CHARACTERS)[0] == []


def test_ids_count_the_sentences_that_are_kept(make):
    rows, counts = make([ROME], "Ha. Rome is a very old city. Yes. Rome has some large red walls.")
    assert [row["id"] for row in rows] == ["17-1", "17-2"]
    assert (counts.made, counts.kept) == (4, 2)


def test_new_sentences_are_tokenised_as_the_dataset_is(make):
    glued = sentence("Agnes left Rome, then Oslo, in May.", (0, 1, "PER"))
    rows, _ = make([glued], "Agnes, a keeper, is very old.")
    assert rows[0]["text"] == ["Agnes,", "a", "keeper,", "is", "very", "old."]


def test_a_sentence_without_an_entity_is_not_asked_about_and_counted():
    plain = sentence("It rained all day .", id="2")
    assert [one.request.id for one in synthesis_of([ROME, plain]).questions()] == ["17"]


def test_a_sentence_without_an_entity_is_counted(make):
    _, counts = make([ROME, sentence("It rained all day .", id="2")], "Rome is a very old city.")
    assert (counts.asked, counts.without_entity) == (1, 1)
    assert "1 had no entity to explain" in str(counts)


def test_the_prompt_gives_the_sentence_its_entities_and_their_types():
    prompt = questions([ROME])[0].request.prompt
    assert "Agnes Muir left Rome in May ." in prompt
    assert "Agnes Muir(PER), Rome(LOC)" in prompt
    assert "{" not in prompt


def test_an_entity_that_occurs_twice_is_asked_about_once():
    twice = sentence(list("邓超和邓超"), (0, 2, "PER"), (3, 5, "PER"))
    assert asked_entities(twice, tokenisation=CHARACTERS) == ["邓超(PER)"]


def test_each_sentence_has_its_own_seed_whatever_the_other_sentences_are():
    both = {one.request.id: one.request.sampling for one in questions([ROME, OSLO], seed=1)}
    alone = questions([OSLO], seed=1)[0].request.sampling
    assert both["18"] == alone
    assert both["17"].seed != both["18"].seed
    assert questions([OSLO], seed=2)[0].request.sampling.seed != alone.seed


@pytest.mark.parametrize(("temperature", "drawn"), [(0.0, False), (0.8, True)])
def test_a_temperature_of_zero_means_no_sampling(temperature, drawn):
    sampling = questions([ROME], temperature=temperature)[0].request.sampling
    assert (sampling is not None) is drawn
    if drawn:
        assert (sampling.temperature, sampling.top_p) == (0.8, 0.9)


def test_several_answers_to_a_sentence_have_different_seeds():
    drawn = SamplingSettings(0.8, seed=1)
    assert drawn.sampling("17") == drawn.sampling("17", 0)
    several = [drawn.sampling(id_, sample) for id_ in ("17", "17-1", "18") for sample in range(3)]
    assert len({one.seed for one in several if one is not None}) == 9


def test_a_sentence_that_was_not_asked_about_yet_is_counted_as_skipped(tmp_path):
    bare = sentence("Nobody left .", id="19")
    made = synthesis_of([ROME, bare])
    with Journal(tmp_path / "journal", "f") as journal:
        made.take_round(journal.entries)
    counts = made.result()[2]
    assert (counts.asked, counts.skipped, counts.without_entity) == (0, 1, 1)
    assert "; 1 not asked (--limit)" in str(counts)


@pytest.mark.parametrize("change", [{"temperature": 0.5}, {"top_p": 0.5}, {"seed": 1}, {"max_new_tokens": 9}])
def test_every_setting_that_changes_an_answer_is_in_the_fingerprint(change):
    assert generator(**change).parameters != generator().parameters


def test_a_changed_entity_is_a_new_question():
    other = sentence("Agnes Muir left Rome in May .", (0, 2, "PER"), id="17")
    hashes = {questions([one])[0].input for one in (ROME, other)}
    assert len(hashes) == 2


@pytest.mark.parametrize(
    ("counts", "advice"),
    [
        (SynthesisCounts(asked=3), "the answers contain no new sentence"),
        (SynthesisCounts(asked=3, made=10, kept=4), "most new sentences were dropped"),
        (SynthesisCounts(asked=3, made=10, kept=5), None),
        (SynthesisCounts(), None),
    ],
)
def test_there_is_advice_if_more_than_half_are_dropped(counts, advice):
    assert (counts.advice is None) if advice is None else (advice in counts.advice)


def test_an_echo_of_the_source_inside_a_longer_sentence_is_dropped(make):
    rows, counts = make([ROME], f"Rome has some large red walls. Text: {' '.join(ROME.tokens[:-1])}.")
    assert texts(rows) == ["Rome has some large red walls ."]
    assert counts.dropped == {"copied": 1}


def test_a_part_of_the_source_is_dropped(make):
    rows, counts = make([ROME], "Agnes Muir left Rome in. Rome has some large red walls.")
    assert texts(rows) == ["Rome has some large red walls ."]
    rows, counts = make(
        [sentence("She left Rome in May . It rained a lot .", (2, 3, "LOC"), id="17")], "It rained a lot."
    )
    assert (texts(rows), counts.dropped) == ([], {"copied": 1})
