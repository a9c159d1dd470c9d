"""Estimates of a step: counted tokens, corrected by recorded answers; and the text of typical answers."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest

from tests.helpers.builders import ENGLISH, bytes_below, call, read_lines
from tests.helpers.workspace import Workspace
from utils.asking.estimate import (
    MAX_COUNTED,
    Estimate,
    EstimateSettings,
    Speed,
    Tokens,
    estimate_tokens,
    evenly_spaced,
)
from utils.asking.journal import Entry
from utils.asking.questions import Question
from utils.asking.typical_answers import typical_annotation, typical_continuation
from utils.cli.exits import UsageError
from utils.dataset.tokens import CHARACTERS, WORDS
from utils.llm import LLMOptions, Message, Request, load_counter
from utils.llm.backends.openai import TEMPLATE_TOKENS, count_by_characters
from utils.llm.prices import Prices


def count(prompt, earlier=()):
    """Count each character as a token, and the template as ten."""
    return 10 + len(prompt) + sum(5 + len(message.text) for message in earlier)


def question(number, *, prompt=20, typical=30, budget=100):
    request = Request(str(number), "entity", "p" * prompt, budget)
    return Question(request, "h", "t" * typical)


def answered(one, prompt_tokens, answer_tokens):
    return {one.key: Entry(one.request.id, "entity", "h", "f", "[]", "stop", prompt_tokens, answer_tokens)}


# --- tokens


def test_prompts_are_counted_with_the_template_and_answers_up_to_their_limit():
    left = [question(1), question(2, prompt=40, typical=500)]
    assert estimate_tokens(left, [], {}, count) == Tokens(30 + 50, 30 + 100)


def test_of_many_questions_evenly_spaced_ones_are_counted():
    left = [question(number, prompt=number) for number in range(10 * MAX_COUNTED)]
    tokens = estimate_tokens(left, [], {}, count)
    assert tokens.prompt == pytest.approx(sum(10 + number for number in range(10 * MAX_COUNTED)), rel=0.01)
    assert tokens.answer == pytest.approx(30 * 10 * MAX_COUNTED)


def test_the_messages_before_a_prompt_are_counted():
    one = question(1)
    chat = replace(one, request=replace(one.request, earlier=(Message("user", "p" * 7), Message("assistant", "a"))))
    assert estimate_tokens([chat], [], {}, count) == Tokens(30 + 12 + 6, 30)


def test_recorded_answers_correct_the_counted_tokens():
    known = [question(number) for number in range(20)]
    entries = {key: entry for one in known for key, entry in answered(one, 45, 15).items()}
    left = [question(number, prompt=50, typical=60) for number in range(20, 24)]
    tokens = estimate_tokens(left, known, entries, count)
    assert tokens == Tokens(4 * 60 * 1.5, 4 * 60 * 0.5)


def test_even_one_recorded_answer_corrects_the_counted_tokens():
    known = [question(1)]
    assert estimate_tokens([question(9)], known, answered(known[0], 45, 150), count) == Tokens(45, 150)
    assert estimate_tokens([question(9)], [], {}, count) == Tokens(30, 30)


def test_tokens_that_were_not_recorded_correct_nothing():
    known = [question(1)]
    assert estimate_tokens([question(9)], known, answered(known[0], 0, 15), count) == Tokens(30, 15)


def test_no_unanswered_question_takes_no_tokens():
    assert estimate_tokens([], [question(1)], {}, count) == Tokens(0, 0)


@pytest.mark.parametrize(("number", "indices"), [(3, [1, 5, 8]), (10, list(range(10))), (99, list(range(10)))])
def test_questions_are_chosen_at_equal_distances(number, indices):
    questions = [question(index) for index in range(10)]
    assert evenly_spaced(questions, number) == [questions[index] for index in indices]


# --- the text of an estimate


def text_of(*, recorded=0, speed=None, basis=None, **settings):
    tokens = Tokens(50_000, 8_000)
    return "\n".join(Estimate(120, 100, tokens, recorded, speed, EstimateSettings(**settings), basis).lines())


def test_an_estimate_lists_questions_and_tokens_and_says_what_is_unknown():
    text = text_of()
    assert "120, 20 of them already answered" in text
    assert "50,000 tokens, 500 per question" in text
    assert "8,000 tokens, 80 per question (based on answers of typical length" in text
    assert "unknown; set --tokens_per_second" in text
    assert "cost" not in text


def test_time_and_cost_come_from_speed_and_prices():
    text = text_of(speed=Speed(4.0), prices=Prices(2.0, 10.0))
    assert "0:33:20 at 4 answer tokens per second" in text
    assert "cost:      0.18" in text
    assert "cost:      0.08" in text_of(prices=Prices(answer=10.0))


@pytest.mark.parametrize(
    ("recorded", "basis"),
    [
        (0, "based on answers of typical length"),
        (3, "3 recorded answers; --time=20"),
        (20, "(based on 20 recorded answers)"),
    ],
)
def test_an_estimate_says_what_it_is_based_on(recorded, basis):
    assert basis in text_of(recorded=recorded)


@pytest.mark.parametrize(
    ("speed", "time"),
    [
        (Speed(4.0), "0:33:20 at 4 answer tokens per second, without the time to read 50,000 prompt tokens; give"),
        (Speed(4.0, 10.0), "1:56:40 at 4 answer tokens per second and 10 prompt tokens per second"),
        (Speed(4.0, measured=3), "0:33:20 at 4 answer tokens per second, measured with 3 answers, including the read"),
    ],
)
def test_the_time_says_whether_it_contains_the_reading_of_prompts(speed, time):
    assert f"time:      {time}" in text_of(speed=speed)


def test_the_basis_of_an_estimated_number_of_questions_is_shown():
    assert "\nrounds:    about 3 for 500 sentences" in text_of(basis="about 3 for 500 sentences")
    assert "rounds" not in text_of()


# --- typical answers


@pytest.mark.parametrize("mode", ["entity", "pos"])
@pytest.mark.parametrize("tokenisation", [WORDS, CHARACTERS])
def test_a_typical_annotation_has_more_items_for_a_longer_sentence(mode, tokenisation):
    sizes = []
    for length in (12, 60):
        text = typical_annotation(mode, ["a"] * length, "X", ("key", "label"), tokenisation=tokenisation)
        items = json.loads(text)
        assert all(set(item) == {"key", "label"} and item["key"] for item in items)
        sizes.append(len(items))
    assert sizes[0] >= 1
    assert sizes[1] > 3 * sizes[0]


@pytest.mark.parametrize("text", ["", "北京大学", "He left Lerwick in May . " * 9])
def test_a_typical_continuation_is_longer_for_a_longer_text(text):
    assert len(typical_continuation(text, tokenisation=CHARACTERS)) == (round(60 + 1.05 * len(text)) if text else 0)


# --- counters


def test_without_a_tokenizer_tokens_are_estimated_from_characters():
    assert count_by_characters("") == TEMPLATE_TOKENS
    assert count_by_characters("北京大学在" * 6) == TEMPLATE_TOKENS + 20
    assert count_by_characters("word" * 10) == TEMPLATE_TOKENS + 10
    assert load_counter("served", "openai", LLMOptions(api_base="http://localhost:1/v1")) is count_by_characters


# --- steps


@pytest.fixture
def english(tmp_path):
    return Workspace(tmp_path, ENGLISH)


@pytest.mark.parametrize("step", ["s1", "s2"])
def test_an_estimate_writes_nothing(english, caplog, step):
    caplog.set_level(logging.INFO)
    call(step, **english.llm, plan=True, price_in=1)
    assert "questions:" in caplog.text
    assert "cost:" in caplog.text
    assert not english.results.exists()


def test_an_estimate_of_step_3_counts_the_synthetic_sentences(english, caplog):
    caplog.set_level(logging.INFO)
    call("s2", **english.llm)
    call("s3", **english.llm, plan=True)
    assert f"questions: {english.synthetic_number}, 0 of them already answered" in caplog.text


PER_ROUND = len(ENGLISH.synthetic)  # sentences with an entity, each with one answer in a round


def planned(work, caplog, **flags):
    """Return the number of questions and the line about rounds that --plan of s2 shows."""
    caplog.clear()
    call("s2", **work.llm, plan=True, **flags)
    lines = [line.strip() for line in caplog.messages]
    rounds = [line for line in lines if line.startswith("rounds:")]
    return int(next(line for line in lines if line.startswith("questions:")).split()[1].strip(",")), *rounds


def test_an_estimate_of_step_2_counts_all_samples(english, caplog):
    caplog.set_level(logging.INFO)
    assert planned(english, caplog) == (PER_ROUND,)
    assert planned(english, caplog, num_samples=3) == (3 * PER_ROUND,)
    assert planned(english, caplog, num_samples=3, limit=1) == (3,)
    number, rounds = planned(english, caplog, num_samples=3, stop_below=0.5)
    assert number == 3 * PER_ROUND
    assert "at most 3; --stop_below may end the step earlier" in rounds
    weighted, _ = planned(english, caplog, num_samples=3, rare_first=True), None
    assert weighted[0] >= 3 * PER_ROUND


def test_an_estimate_of_step_2_plans_rounds_for_a_target_and_says_how(english, caplog):
    caplog.set_level(logging.INFO)
    number, rounds = planned(english, caplog, target_sentences=50)
    assert number == 4 * PER_ROUND  # 7 answers with 2.3 sentences each give 16 in a round
    assert "about 4 for 50 sentences, if each answer gives 2.3 kept sentences (a typical number" in rounds
    number, rounds = planned(english, caplog, target_sentences=50, num_samples=2)
    assert number == 2 * PER_ROUND
    assert "2, the most, which give about 32 of 50 sentences" in rounds


def test_recorded_answers_say_how_many_rounds_a_target_takes(english, caplog):
    caplog.set_level(logging.INFO)
    call("s2", **english.llm)  # keeps 9 sentences of 7 answers
    number, rounds = planned(english, caplog, target_sentences=30)
    assert number == 4 * PER_ROUND
    assert "about 4 for 30 sentences, if each answer gives 1.3 kept sentences (as in 7 recorded answers)" in rounds
    assert planned(english, caplog, target_sentences=9) == (PER_ROUND,)  # it is reached: nothing is estimated


def test_the_questions_to_measure_the_speed_are_from_the_first_round(english, caplog):
    caplog.set_level(logging.INFO)
    call("s2", **english.llm, plan=True, time=3, num_samples=4)
    assert f"questions: {4 * PER_ROUND}, 3 of them already answered" in caplog.text
    assert {row["sample"] for row in read_lines(english.results / "train_1000_synthetic.jsonl.journal.jsonl")} == {0}


def test_answers_to_an_estimate_are_kept_and_the_step_asks_for_the_others(english, caplog):
    caplog.set_level(logging.INFO)
    call("s1", **english.llm, save_type_name="whole")
    call("s1", **english.llm, plan=True, time=3)
    assert "8, 3 of them already answered" in caplog.text
    assert "based on 3 recorded answers" in caplog.text
    assert "answer tokens per second, measured with 3 answers" in caplog.text
    assert [path.name for path in sorted(english.results.glob("entity*"))] == ["entity_train_1000.jsonl.journal.jsonl"]
    call("s1", **english.llm)
    assert [run["answers"] for run in english.runs("s1")] == [3, 5]
    for name in ("entity_train_1000.jsonl", "entity_train_1000.jsonl.meta.json"):
        assert (english.results / name).read_bytes() == (english.dataset / "whole" / name).read_bytes()


def test_an_estimate_of_a_continued_run_uses_the_speed_of_the_earlier_one(english, caplog):
    caplog.set_level(logging.INFO)
    call("s1", **english.llm, limit=3)
    call("s1", **english.llm, plan=True)
    assert "answer tokens per second, measured with 3 answers" in caplog.text
    log_of = english.results / "run.log.jsonl"
    log_of.write_text(log_of.read_text(encoding="utf-8").replace('"asking_seconds": ', '"asking_seconds": -'))
    caplog.clear()
    call("s1", **english.llm, plan=True)
    assert "time:      unknown" in caplog.text


def test_an_estimate_without_an_open_question_has_no_other_lines(english, caplog):
    caplog.set_level(logging.INFO)
    call("s1", **english.llm)
    caplog.clear()
    call("s1", **english.llm, plan=True)
    assert caplog.messages[-1].strip() == (
        "questions: 8, all of them already answered in the journal: nothing is left to ask"
    )


def test_an_estimate_with_overwrite_does_not_move_the_old_answers(english, caplog):
    caplog.set_level(logging.INFO)
    call("s1", **english.llm)
    before = bytes_below(english.results)
    call("s1", **english.llm, plan=True, overwrite=True)
    assert "8, 0 of them already answered" in caplog.text
    assert bytes_below(english.results) == before


def test_an_estimate_for_another_model_is_refused_like_the_step(english, tmp_path):
    call("s1", **english.llm)
    other = tmp_path / "other.jsonl"
    other.write_text('{"id": "1", "task": "entity", "answer": "[]"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="--overwrite"):
        call("s1", **{**english.llm, "model_from_pretrained": other}, plan=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"time": 3}, "--time needs --plan"),
        ({"price_in": 3}, "--price_in needs --plan"),
        ({"plan": True, "prompt_tokens_per_second": 3}, "needs --tokens_per_second"),
        ({"plan": True, "tokens_per_second": 0}, "must be greater than 0"),
        ({"plan": True, "time": 3, "overwrite": True}, "--overwrite moves them to a .bak file"),
    ],
)
def test_flags_that_cannot_be_combined_are_refused(english, given, message):
    with pytest.raises(UsageError, match=message):
        call("s1", **english.llm, **given)


def test_the_run_log_contains_tokens_seconds_and_speed(english):
    call("s1", **english.llm)
    (line,) = read_lines(english.results / "run.log.jsonl")
    assert line["answers"] == 8
    assert line["answer_tokens"] > 0
    assert 0 < line["asking_seconds"] <= line["seconds"]
    assert line["tokens_per_second"] == pytest.approx(line["answer_tokens"] / line["asking_seconds"], rel=0.1)
