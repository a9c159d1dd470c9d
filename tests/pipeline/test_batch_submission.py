"""--submit: batch files are sent to a service on this machine, waited for and downloaded, and nothing is sent twice."""

from __future__ import annotations

import json

import pytest

from tests.helpers.batch_service import BatchServer, asked_questions, play
from tests.helpers.builders import ENGLISH, bytes_below, call, read_lines
from tests.helpers.llm_server import ChatServer

pytest.importorskip("openai")
from tests.pipeline.test_batches import answer, requests_of, run_to_the_end
from utils.asking.batch import submission
from utils.asking.batch.state import BatchState, write_state
from utils.llm import LLMOptions
from utils.llm.batch import service as service_module
from utils.llm.prices import Prices
from utils.llm.server import retrying
from utils.llm.server.limits.budget import BudgetError


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(submission, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(retrying, "FIRST_WAIT", 0.02)


@pytest.fixture
def values(tmp_path):
    ENGLISH.write(tmp_path)
    batch = tmp_path / "batches"
    return {"file_dir": tmp_path, "file_name": "tiny", "model_from_pretrained": "tiny", "batch": batch}


def result_of(values, name="entity_train_1000.jsonl"):
    return values["file_dir"] / "tiny" / "GLM4" / name


def test_a_submitted_batch_gives_the_result_in_one_call(tmp_path, values, caplog):
    caplog.set_level("INFO")
    with BatchServer(answer) as server:
        call("s1", **values, api_base=server.api_base, submit=True, batch_lines=3)
        call("s2", **values, api_base=server.api_base, submit=True, target_sentences=12)
        batches = len(server.batches)
        uploaded = [row["custom_id"] for data in server.files.values() for row in _rows(data) if "url" in row]
    assert "waiting for 3 batches of 8 requests; interrupting this command is safe" in caplog.text
    assert len(uploaded) == len({*uploaded})
    assert batches >= 5
    assert len(read_lines(result_of(values, "train_1000_synthetic.jsonl"))) == 12
    by_hand = {**values, "batch": tmp_path / "by_hand", "save_type_name": "by_hand"}
    run_to_the_end("s1", by_hand)
    result = "entity_train_1000.jsonl"
    assert result_of(values).read_bytes() == (tmp_path / "tiny" / "by_hand" / result).read_bytes()


def _rows(data: bytes):
    return [json.loads(line) for line in data.splitlines()]


def test_missing_lines_are_sent_again_in_the_same_call(values):
    with BatchServer(answer) as server:
        server.lost = {1, 6}
        call("s1", **values, api_base=server.api_base, submit=True)
        assert len(server.batches) == 2
    assert [len(read_lines(file)) for file in requests_of(values, "entity_train_1000")] == [8, 2]
    assert len(read_lines(result_of(values))) == 8


def test_a_batch_that_was_written_before_can_be_submitted_later(values):
    with BatchServer(answer) as server:
        call("s1", **values, api_base=server.api_base)
        assert server.batches == {}
        call("s1", **values, api_base=server.api_base, submit=True)
        assert len(server.batches) == 1
    assert len(read_lines(result_of(values))) == 8


def test_a_service_that_never_answers_ends_the_run(values):
    with BatchServer(answer) as server:
        server.lost = {*range(8)}
        server._end = lambda batch: batch.update(status="completed", output_file_id=None)
        with pytest.raises(RuntimeError, match=r"answered none of 8 questions\. All earlier answers are saved"):
            call("s1", **values, api_base=server.api_base, submit=True)
        assert len(server.batches) == 1


MONEY = {"price_in": 3, "price_out": 15, "max_cost": 0.02}


def paid(server) -> float:
    """Return what the answers of a service have cost."""
    used = [
        row["response"]["body"]["usage"] for data in server.files.values() for row in _rows(data) if "url" not in row
    ]
    return sum(Prices(3, 15).cost(one["prompt_tokens"], one["completion_tokens"]) for one in used)


def test_a_run_sends_no_batch_that_may_exceed_its_budget(values):
    total, runs, before = 0, 0, 0.0
    with BatchServer(answer) as server:
        while not result_of(values).exists():
            runs += 1
            try:
                call("s1", **values, **MONEY, api_base=server.api_base, submit=True)
            except BudgetError as error:
                assert f"{paid(server) - before:.4f} spent in this run" in str(error)
            assert paid(server) - before <= MONEY["max_cost"]
            before = paid(server)
        total = len(server.batches)
    assert 1 < runs < total  # what was left after a batch was used for the next one
    asked = asked_questions(requests_of(values, "entity_train_1000"))
    assert len(asked) == len({*asked}) == 8


def test_a_file_that_was_written_before_is_sent_only_if_the_money_is_enough(values):
    with BatchServer(answer) as server:
        call("s1", **values, api_base=server.api_base)
        with pytest.raises(BudgetError, match="8 requests are left"):
            call("s1", **values, **MONEY, api_base=server.api_base, submit=True)
        assert server.batches == {}
        call("s1", **values, **MONEY | {"max_cost": 10}, api_base=server.api_base, submit=True)
        assert len(server.batches) == 1
    assert len(read_lines(result_of(values))) == 8


def test_a_failed_batch_is_named_and_sent_again_by_the_next_run(values):
    with BatchServer(answer) as server:
        server.end_status = "failed"
        with pytest.raises(RuntimeError, match=r"-001.jsonl: the batch service does not run it \(too many tokens\)"):
            call("s1", **values, api_base=server.api_base, submit=True)
        server.end_status = "completed"
        call("s1", **values, api_base=server.api_base, submit=True)
    assert len(requests_of(values, "entity_train_1000")) == 1
    assert len(read_lines(result_of(values))) == 8


def test_a_cancelled_batch_ends_the_run_and_its_answers_are_kept(values):
    with BatchServer(answer) as server:
        server.end_status, server.lost = "cancelled", {3, 4, 5}
        with pytest.raises(RuntimeError, match="the batch was cancelled; the results so far are in"):
            call("s1", **values, api_base=server.api_base, submit=True)
        server.end_status = "completed"
        call("s1", **values, api_base=server.api_base, submit=True)
        assert [len(data.splitlines()) for name, data in server.files.items() if "output" not in name] == [8, 3]
    assert len(read_lines(result_of(values))) == 8


def test_a_batch_is_not_sent_to_two_services(values):
    with BatchServer(answer) as first, BatchServer(answer) as second:
        call("s1", **values)
        (file,) = requests_of(values, "entity_train_1000")
        service = service_module.BatchService("tiny", LLMOptions(api_base=first.api_base))
        write_state(file, BatchState(first.api_base, file_id=service.upload(file)))
        with pytest.raises(ValueError, match=f"was sent to {first.api_base}: use the same --api_base, or delete"):
            call("s1", **values, api_base=second.api_base, submit=True)
        assert second.batches == {}


class CrashError(BaseException):
    """The process dies here."""


@pytest.mark.slow
def test_nothing_is_sent_twice_after_a_crash_at_any_request(tmp_path, values, monkeypatch):
    real = service_module.run_in_background
    counts = {"left": 0}

    def run(work):
        counts["left"] -= 1
        if counts["left"] == 0:
            work.close()
            raise CrashError
        done = real(work)
        counts["left"] -= 1
        if counts["left"] == 0:
            raise CrashError  # the service has done it, but nobody knows
        return done

    monkeypatch.setattr(service_module, "run_in_background", run)
    expected = None
    for moment in range(0, 60):
        crashed = {**values, "batch": tmp_path / f"b{moment}", "save_type_name": f"crash{moment}"}
        counts["left"] = moment
        with BatchServer(answer, looks=1) as server:
            crashes = 0
            while True:
                try:
                    call("s1", **crashed, api_base=server.api_base, submit=True, batch_lines=4)
                    break
                except CrashError:
                    crashes += 1
            assert len(server.batches) == 2
        assert len(asked_questions(requests_of(crashed, "entity_train_1000"))) == 8
        made = bytes_below(tmp_path / "tiny" / f"crash{moment}")
        expected = expected or made
        assert made == expected
        if moment and not crashes:
            break
    assert moment > 12


def test_a_service_without_batches_is_one_line(values):
    message = r"has no batch service that takes files .*without --submit"
    with ChatServer(message=lambda prompt: {"content": "Hello."}) as server, pytest.raises(RuntimeError, match=message):
        call("s1", **values, api_base=server.api_base, submit=True)


def test_results_by_hand_and_by_the_service_can_be_mixed(values):
    with BatchServer(answer) as server:
        call("s1", **values, batch_lines=4)
        play(values["batch"], answer)
        requests_of(values, "entity_train_1000")[1].with_suffix(".output.jsonl").unlink()
        call("s1", **values, api_base=server.api_base, submit=True)
        assert len(server.batches) == 1
    assert len(read_lines(result_of(values))) == 8
