"""s1, s2 and s3 with batch files (--batch): the same results as with single requests, and nothing asked twice."""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.helpers.batch_service import ERRORS, FORMATS, asked_questions, completion, expired, play, results, tokens_of
from tests.helpers.builders import ENGLISH, bytes_below, call, read_lines, write_rows
from tests.helpers.llm_server import ChatServer
from tests.helpers.step_client import step_server
from utils.asking.batch import requests as requests_module
from utils.cli.exits import UsageError
from utils.files.append_only import AppendOnlyFile
from utils.llm.prices import Prices
from utils.llm.server.limits.budget import BudgetError

MODEL = "tiny"


@pytest.fixture
def values(tmp_path):
    """The values of flags for a step of a small dataset that asks in batch files."""
    ENGLISH.write(tmp_path)
    return {
        "file_dir": tmp_path,
        "file_name": "tiny",
        "model_from_pretrained": MODEL,
        "batch": tmp_path / "batches",
    }


def answer(prompt: str) -> str:
    """Return an answer that depends on the whole prompt."""
    draw = random.Random(prompt)
    if "ontinue" in prompt:
        words = ["".join(draw.choices(["ba", "ke", "lo", "mi", "nu", "so", "ti"], k=3)) for _ in range(8)]
        return f"The {' '.join(words)} sank near Lerwick."
    words = re.findall(r"[A-Z]\w+", prompt.splitlines()[-1])
    keys = ("word", "pos") if '"pos"' in prompt else ("entity", "type")
    return json.dumps([dict(zip(keys, (word, draw.choice(["city", "ship"])), strict=True)) for word in words])


def requests_of(values, name: str) -> list[Path]:
    """Return the files of requests for a result, in order."""
    return sorted(path for path in values["batch"].glob(f"{name}-*.jsonl") if path.stem[-3:].isdigit())


def run_to_the_end(step: str, values, **more: object) -> int:
    """Run a step until it has a result, with the service in between; return the number of answered requests."""
    answered = 0
    while True:
        call(step, **values, **more)
        if not (number := play(values["batch"], answer)):
            return answered
        answered += number


def without_journals(files: dict[str, bytes]) -> dict[str, object]:
    """Return files, with the lines of journals sorted: single requests are answered in any order."""
    return {
        name: sorted(re.sub(rb', "settings": .*\}\}', b"}", line) for line in data.splitlines())
        if "journal" in name
        else data
        for name, data in files.items()
    }


# --- the same results as single requests


STEPS = (("s1", "entity"), ("s1", "pos"), ("s2", None), ("s3", "entity"), ("s3", "pos"))


def test_batches_give_the_bytes_of_single_requests(tmp_path, values, monkeypatch):
    pytest.importorskip("openai")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    single = {**values, "file_dir": tmp_path / "single"}
    ENGLISH.write(single["file_dir"])
    del single["batch"]

    def message(prompt):
        return {"content": answer(prompt)} if "Say hello" not in prompt else {"content": "Hello."}

    with ChatServer(message=message, complete=completion) as server:
        for step, mode in STEPS:
            flags = {"mode": mode} if mode else {}
            call(step, **single, **flags, api_base=server.api_base)
            run_to_the_end(step, values, **flags)
    made = [without_journals(bytes_below(folder / "tiny")) for folder in (tmp_path, tmp_path / "single")]
    assert made[0].keys() == made[1].keys()
    assert made[0] == made[1]
    assert len(read_lines(tmp_path / "tiny" / "GLM4" / "train_1000_synthetic.jsonl")) > 3


def test_the_first_run_writes_requests_and_says_what_to_do(values, caplog):
    caplog.set_level("INFO")
    call("s1", **values)
    (file,) = requests_of(values, "entity_train_1000")
    rows = read_lines(file)
    assert len(rows) == len({row["custom_id"] for row in rows}) == 8
    assert all(len(row["custom_id"]) <= 64 and row["body"]["model"] == MODEL for row in rows)
    assert f"waiting for the answers to 8 questions: send {file} (8 questions) to a batch service, put" in caplog.text
    assert not (values["file_dir"] / "tiny" / "GLM4" / "entity_train_1000.jsonl").exists()
    (line,) = read_lines(values["file_dir"] / "tiny" / "GLM4" / "run.log.jsonl")
    assert line["status"] == "waiting"
    before = bytes_below(values["batch"])
    call("s1", **values)  # the results are not there yet
    assert bytes_below(values["batch"]) == before


@pytest.mark.parametrize("service", FORMATS)
def test_the_results_of_every_service_are_read(values, service):
    call("s1", **values)
    (file,) = requests_of(values, "entity_train_1000")
    write_rows(values["batch"] / "any name.jsonl", [FORMATS[service](row) for row in results(file, answer)])
    call("s1", **values)
    rows = read_lines(values["file_dir"] / "tiny" / "GLM4" / "entity_train_1000.jsonl")
    assert [row["status"] for row in rows] == ["ok"] * 8
    assert requests_of(values, "entity_train_1000") == [file]


# --- results that are not complete


def test_errors_and_missing_lines_are_named_and_asked_again_alone(values, caplog):
    call("s1", **values)
    (file,) = requests_of(values, "entity_train_1000")
    rows = results(file, answer)
    draw = random.Random(1)
    output = [*rows[:5], rows[2]]  # without sentences 6 to 8, and sentence 3 twice
    draw.shuffle(output)
    write_rows(values["batch"] / "output.jsonl", output)
    write_rows(
        values["batch"] / "errors.jsonl", [ERRORS["OpenAI"](rows[5]["custom_id"]), expired(rows[6]["custom_id"])]
    )
    call("s1", **values)
    _, again = requests_of(values, "entity_train_1000")
    ids = [row["custom_id"] for row in read_lines(again)]
    assert ids == [re.sub(r"\.1$", ".2", row["custom_id"]) for row in rows[5:]]
    assert "2 questions failed (sentences 6: bad words; 7: This request could not be executed before" in caplog.text
    assert "1 question without a result (sentence 8): asked again in the next file" in caplog.text
    write_rows(values["batch"] / "second.jsonl", results(again, answer))
    call("s1", **values)
    assert len(requests_of(values, "entity_train_1000")) == 2
    journal = read_lines(values["file_dir"] / "tiny" / "GLM4" / "entity_train_1000.jsonl.journal.jsonl")
    assert Counter(entry["id"] for entry in journal) == {str(number): 1 for number in range(1, 9)}


def test_results_of_a_truncated_file_are_used_and_the_rest_is_not_asked_again(values, caplog):
    call("s1", **values)
    (file,) = requests_of(values, "entity_train_1000")
    output = write_rows(values["batch"] / "output.jsonl", results(file, answer))
    whole = output.read_bytes()
    output.write_bytes(whole[: len(whole) * 2 // 3])
    call("s1", **values)
    journal = values["file_dir"] / "tiny" / "GLM4" / "entity_train_1000.jsonl.journal.jsonl"
    assert 3 < len(read_lines(journal)) < 8
    assert f"{output}: its last line is cut off: download the file again" in caplog.text
    assert requests_of(values, "entity_train_1000") == [file]
    output.write_bytes(whole)
    call("s1", **values)
    assert len(read_lines(journal)) == 8
    assert requests_of(values, "entity_train_1000") == [file]


def test_errors_alone_do_not_end_a_batch(values):
    """The output file may come after the error file."""
    call("s1", **values)
    (file,) = requests_of(values, "entity_train_1000")
    rows = results(file, answer)
    write_rows(values["batch"] / "errors.jsonl", [ERRORS["OpenAI"](rows[0]["custom_id"])])
    call("s1", **values)
    first, second = requests_of(values, "entity_train_1000")
    assert len(read_lines(second)) == 1
    write_rows(values["batch"] / "output.jsonl", rows[1:])
    write_rows(values["batch"] / "second.jsonl", results(second, answer))
    call("s1", **values)
    assert asked_questions([first, second]) == asked_questions([first]) + asked_questions([first])[:1]
    assert (values["file_dir"] / "tiny" / "GLM4" / "entity_train_1000.jsonl").exists()


@pytest.mark.parametrize("service", ERRORS)
def test_a_question_that_is_always_refused_is_left_out_at_last(values, service, caplog):
    for number in range(1, 4):
        call("s1", **values)
        path = requests_of(values, "entity_train_1000")[-1]
        rows = [
            ERRORS[service](row["custom_id"]) if "-3-0-" in row["custom_id"] else row for row in results(path, answer)
        ]
        write_rows(values["batch"] / f"output{number}.jsonl", rows)
    caplog.clear()
    call("s1", **values)
    assert (
        "1 question without an answer (sentence 3: bad words): left out, because the service refused it 3 times"
        in caplog.text
    )
    rows = read_lines(values["file_dir"] / "tiny" / "GLM4" / "entity_train_1000.jsonl")
    assert [row["status"] for row in rows if row["id"] == "3"] == ["skipped"]
    assert len(requests_of(values, "entity_train_1000")) == 3


def test_a_prompt_that_is_too_long_has_an_empty_answer(values):
    call("s1", **values)
    (file,) = requests_of(values, "entity_train_1000")
    rows = results(file, answer)
    error = {"message": "This model's maximum context length is 8 tokens", "code": "context_length_exceeded"}
    rows[0] = {"custom_id": rows[0]["custom_id"], "response": {"status_code": 400, "body": {"error": error}}}
    write_rows(values["batch"] / "output.jsonl", rows)
    call("s1", **values)
    journal = read_lines(values["file_dir"] / "tiny" / "GLM4" / "entity_train_1000.jsonl.journal.jsonl")
    assert [(entry["answer"], entry["finish"]) for entry in journal if entry["id"] == "1"] == [("", "length")]


# --- results of something else


def test_answers_to_another_model_or_prompt_are_refused(values, caplog):
    call("s1", **values)
    play(values["batch"], answer)
    other = {**values, "model_from_pretrained": "other", "save_type_name": "other"}
    call("s1", **other)
    assert (
        "entity_train_1000-001.output.jsonl: 8 results are of another dataset, model, prompt or setting" in caplog.text
    )
    assert not (values["file_dir"] / "tiny" / "other" / "entity_train_1000.jsonl").exists()
    call("s1", **{**values, "save_type_name": "third", "shots": 1})
    assert len(requests_of(values, "entity_train_1000")) == 3


def test_an_answer_that_another_model_gave_is_refused(values, caplog):
    call("s1", **values)
    (file,) = requests_of(values, "entity_train_1000")
    rows = results(file, answer)
    rows[4]["response"]["body"]["model"] = "cheaper-model"
    rows[5]["response"]["body"]["model"] = f"{MODEL}-2026-11-01"  # the same one, with its date
    write_rows(values["batch"] / "output.jsonl", rows)
    call("s1", **values)
    assert "1 question failed (sentence 5: it is of the model 'cheaper-model', not of 'tiny')" in caplog.text
    assert len(read_lines(requests_of(values, "entity_train_1000")[-1])) == 1


def test_files_of_other_programs_are_ignored(values, caplog):
    values["batch"].mkdir()
    (values["batch"] / "notes.jsonl").write_bytes(b"\xff\xfe no JSON\n[1]\n")
    write_rows(values["batch"] / "mine.jsonl", [{"custom_id": "request-1", "response": {}}, {"custom_id": 3}])
    run_to_the_end("s1", values)
    assert caplog.text == ""
    assert (values["file_dir"] / "tiny" / "GLM4" / "entity_train_1000.jsonl").exists()


def test_damaged_lines_are_named_and_asked_again(values, caplog):
    call("s1", **values)
    (file,) = requests_of(values, "entity_train_1000")
    output = write_rows(values["batch"] / "output.jsonl", results(file, answer))
    lines = output.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2][:40] + b"\xff" + lines[2][41:]
    output.write_bytes(b"".join(lines))
    call("s1", **values)
    assert f"1 line of results cannot be read: {output}:3" in caplog.text
    assert "1 question without a result (sentence 3): asked again" in caplog.text


# --- money


def test_no_round_of_files_costs_more_than_allowed(values, caplog):
    caplog.set_level("INFO")
    money = {"price_in": 3, "price_out": 15, "max_cost": 0.02}
    prices = Prices(3, 15)
    costs = []
    while not (values["file_dir"] / "tiny" / "GLM4" / "entity_train_1000.jsonl").exists():
        call("s1", **values, **money)
        if play(values["batch"], answer):
            used = tokens_of(sorted(values["batch"].glob("*.output.jsonl"))[-1])
            costs.append(prices.cost(used["prompt_tokens"], used["completion_tokens"]))
    assert len(costs) > 1
    assert max(costs) <= 0.02
    assert "other questions are left for later runs of the same command" in caplog.text
    asked = asked_questions(requests_of(values, "entity_train_1000"))
    assert len(asked) == len({*asked}) == 8
    logged = [line["cost"] for line in read_lines(values["file_dir"] / "tiny" / "GLM4" / "run.log.jsonl")]
    assert logged == [0.0, *(pytest.approx(cost) for cost in costs)]
    assert f", cost {logged[-1]:.4f} ->" in caplog.text


def test_no_more_questions_are_written_while_others_may_use_up_the_money(values):
    money = {"price_out": 15, "max_cost": 0.02}
    call("s1", **values, **money)
    before = bytes_below(values["batch"])
    call("s1", **values, **money)
    assert bytes_below(values["batch"]) == before
    assert 0 < len(asked_questions(requests_of(values, "entity_train_1000"))) < 8


def test_a_limit_below_the_cost_of_one_answer_ends_the_run(values):
    with pytest.raises(BudgetError, match=r"--max_cost=0.0001: .* 8 requests are left.*raise --max_cost"):
        call("s1", **values, price_out=15, max_cost=0.0001)
    assert not values["batch"].exists()


# --- rounds, limits, flags


def test_each_call_of_s2_writes_the_next_round(values):
    answered = run_to_the_end("s2", values, target_sentences=12)
    files = requests_of(values, "train_1000_synthetic")
    assert len(files) >= 2
    assert answered == len(asked_questions(files)) == len({*asked_questions(files)})
    assert len(read_lines(values["file_dir"] / "tiny" / "GLM4" / "train_1000_synthetic.jsonl")) == 12


def test_several_votes_are_several_requests(values):
    run_to_the_end("s1", values, votes=3)
    assert len({*asked_questions(requests_of(values, "entity_train_1000"))}) == 24


def test_files_keep_to_the_limits_of_lines_and_bytes(values, monkeypatch):
    call("s1", **values, batch_lines=3)
    files = requests_of(values, "entity_train_1000")
    assert [len(read_lines(file)) for file in files] == [3, 3, 2]
    size = files[0].stat().st_size
    monkeypatch.setattr(requests_module, "MAX_BYTES", size)
    call("s1", **values, mode="pos")
    files = requests_of(values, "pos_train_1000")
    assert len(files) > 1
    assert all(file.stat().st_size <= size for file in files)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"submit": True}, "--submit needs --api_base"),
        ({"backend": "transformers"}, "not for --backend=transformers"),
        ({"engine": "ray"}, "--batch and --engine=ray cannot be used together"),
        ({"plan": True, "time": 3}, "--batch and --time cannot be used together"),
        ({"batch": None, "submit": True}, "--submit needs --batch=FOLDER"),
        ({"batch": None, "batch_lines": 3}, "--batch_lines needs --batch=FOLDER"),
        ({"max_cost": 1}, "--max_cost needs --price_in and --price_out"),
        ({"guided": 1}, "--guided=1: tiny .* cannot constrain answers"),
    ],
)
def test_flags_that_do_not_fit_together_are_refused(values, flags, message):
    with pytest.raises(UsageError, match=message):
        call("s1", **{**values, **flags})


# --- killed at any moment


class CrashError(BaseException):
    """The process dies here."""


@pytest.fixture
def crash_at(monkeypatch):
    """Return a function that lets the process die at the n-th write of a file, before or after it."""
    counts = {"left": 0}

    def counting(owner, name):
        real = getattr(owner, name)

        def write(*words, **more):
            counts["left"] -= 1
            if counts["left"] == 0:
                raise CrashError
            done = real(*words, **more)
            counts["left"] -= 1
            if counts["left"] == 0:
                raise CrashError
            return done

        monkeypatch.setattr(owner, name, write)

    counting(Path, "replace")
    counting(AppendOnlyFile, "write")

    def set_moment(number: int) -> None:
        counts["left"] = number

    return set_moment


@pytest.mark.parametrize("step", [pytest.param("s1", marks=pytest.mark.slow), "s2"])
def test_nothing_is_lost_or_asked_twice_after_a_crash_at_any_write(tmp_path, values, crash_at, step):
    crash_at(0)
    run_to_the_end(step, values, batch_lines=3)
    expected = bytes_below(tmp_path / "tiny" / "GLM4")
    crashes = 0
    for moment in range(1, 200):
        crashed = {**values, "batch": tmp_path / f"batches{moment}", "save_type_name": f"crash{moment}"}
        crash_at(moment)
        has_crashed = False
        for _ in range(10):
            try:
                call(step, **crashed, batch_lines=3)
            except CrashError:
                has_crashed = True
                crash_at(0)
                continue
            if not play(crashed["batch"], answer):
                break
        crash_at(0)
        assert bytes_below(tmp_path / "tiny" / f"crash{moment}") == expected
        asked = asked_questions(path for path in crashed["batch"].glob("*-*.jsonl") if path.stem[-3:].isdigit())
        assert len(asked) == len({*asked})
        crashes += has_crashed
        if not has_crashed:
            break
    assert crashes > 15


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked on Windows")
def test_nothing_is_lost_or_asked_twice_after_kills_at_random_moments(tmp_path, values):
    written = {name: str(value) for name, value in values.items()} | {"batch_lines": 2}
    draw = random.Random(3)
    kills = 0
    with step_server() as server:
        whole = {**written, "batch": str(tmp_path / "whole"), "save_type_name": "whole"}
        server.run("s2", whole)
        play(tmp_path / "whole", answer)
        server.run("s2", whole)
        seconds = server.run("s2", whole)  # the time of a run that finds everything
        for _ in range(12):
            kills += server.kill("s2", written, draw.uniform(0, seconds))
            play(values["batch"], answer)
        while server.run("s2", written) and play(values["batch"], answer):
            pass
    assert kills > 3
    expected = bytes_below(tmp_path / "tiny" / "whole")
    assert bytes_below(tmp_path / "tiny" / "GLM4") == expected
    asked = asked_questions(requests_of(values, "train_1000_synthetic"))
    assert len(asked) == len({*asked}) > 0
