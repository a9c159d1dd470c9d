"""Limits of the requests to a server: cost, requests and tokens per minute, and fewer at once when it is busy."""

from __future__ import annotations

import pytest

from tests.helpers.builders import ROOT, call, read_lines, write_rows
from tests.helpers.hosted_server import HostedServer
from utils.cli.exits import UsageError
from utils.llm import LLMOptions, Request, load_llm
from utils.llm.prices import Prices

pytest.importorskip("openai")
import itertools

from utils.llm.server import probing
from utils.llm.server.limits import pacing
from utils.llm.server.limits.budget import Budget, BudgetError
from utils.llm.server.limits.pacing import Pace, read_duration, reset_of
from utils.llm.server.replies import Reply

PRICES = Prices(prompt=3.0, answer=15.0, cached=0.3)


@pytest.fixture(autouse=True)
def forget_servers(short_waits):
    pacing.pace_of.cache_clear()


@pytest.fixture
def short_minute(monkeypatch):
    """Let a minute last a second."""
    monkeypatch.setattr(pacing, "MINUTE", 1.0)
    monkeypatch.setattr(pacing, "MARGIN", 0.1)
    return 1.0


def requests(number):
    return [Request(str(n), "entity", f"Prompt {n} " + "of some length " * 20, 64) for n in range(number)]


def load(server, **options):
    return load_llm("tiny", "openai", LLMOptions(api_base=server.api_base, **{"batch_size": 8, **options}))


def cost(server):
    """Return the cost of all that a server has answered, by its own counts."""
    tokens = server.tokens()
    return PRICES.cost(tokens["prompt_tokens"], tokens["completion_tokens"], tokens["cached_tokens"])


# --- cost


def test_a_run_ends_before_it_costs_more_than_allowed():
    got = []
    with HostedServer() as server:
        with pytest.raises(
            BudgetError, match=r"--max_cost=0.05: 0\.0\d+ spent in this run.* requests are left"
        ) as raised:
            got.extend(load(server, prices=PRICES, max_cost=0.05).generate(requests(200)))
        assert 0 < len(got) < 200
        assert cost(server) <= 0.05
        assert cost(server) > 0.04  # most of the money was used
        assert f"{200 - len(got)} requests are left" in str(raised.value)
        assert f"{cost(server):.4f} spent" in str(raised.value)
    assert len({answer.request.id for answer in got}) == len(got) == server.sentences().total()


def test_without_prices_or_a_limit_nothing_is_held_back():
    with HostedServer() as server:
        assert len(list(load(server, prices=PRICES).generate(requests(12)))) == 12


def test_empty_replies_are_paid_for():
    class Empty(HostedServer):
        def text(self, body):
            return ""

    with Empty() as server:
        llm = load(server, prices=PRICES, max_cost=10.0)
        (answer,) = llm.generate(requests(1))
    assert (answer.text, answer.retries) == ("", 2)
    assert llm.budget.spent == pytest.approx(cost(server))
    assert answer.prompt_tokens == sum(usage["prompt_tokens"] for _, _, usage in server.answered[-3:])


def test_an_empty_reply_that_leaves_too_little_ends_the_next_attempt():
    budget = Budget(Prices(answer=1e6), 10.0)
    body = {"messages": [{"role": "user", "content": ""}]}
    assert budget.reserve(1, body, 6)
    budget.pay(Reply("", "stop", 0, 5, 0))
    with pytest.raises(BudgetError, match="empty reply"):
        budget.check()
    budget.release(1)
    budget.check()
    assert not budget.reserve(2, body, 6)
    assert budget.reserve(2, body, 5)


def test_cached_tokens_have_their_own_price():
    assert PRICES.cost(1_000_000, 0, 400_000) == pytest.approx(0.6 * 3 + 0.4 * 0.3)
    assert Prices(2.0, 8.0).cost(1_000_000, 500_000, 400_000) == pytest.approx(6.0)


@pytest.fixture
def data(tmp_path):
    source = ROOT / "data" / "few_shot" / "demo"
    write_rows(tmp_path / "demo" / "train_1000.jsonl", read_lines(source / "train_1000.jsonl")[:20])
    (tmp_path / "demo" / "labels.txt").write_bytes((source / "labels.txt").read_bytes())
    return {"file_dir": tmp_path, "file_name": "demo", "model_from_pretrained": "tiny"}


def test_the_last_line_and_the_run_log_have_the_servers_counts(data, caplog):
    caplog.set_level("INFO")
    with HostedServer() as server:
        call("s1", **data, api_base=server.api_base, price_in=3, price_out=15, price_cached=0.3)
    (line,) = read_lines(data["file_dir"] / "demo" / "GLM4" / "run.log.jsonl")
    real = [usage for _, body, usage in server.answered if "Say hello" not in body["messages"][0]["content"]]
    prompt, answer = (sum(usage[f"{kind}_tokens"] for usage in real) for kind in ("prompt", "completion"))
    cached = sum(usage["prompt_tokens_details"]["cached_tokens"] for usage in real)
    assert (line["prompt_tokens"], line["answer_tokens"], line["cached_tokens"]) == (prompt, answer, cached)
    assert line["cost"] == pytest.approx(PRICES.cost(prompt, answer, cached), abs=1e-6)
    used = (
        f"; used {prompt:,} prompt tokens ({cached:,} cached) and {answer:,} answer tokens, cost {line['cost']:.4f} ->"
    )
    assert used in caplog.text


def test_a_step_that_ran_out_of_money_is_continued(data):
    money = {"price_in": 3, "price_out": 15, "max_cost": 0.02}
    journal = data["file_dir"] / "demo" / "GLM4" / "entity_train_1000.jsonl.journal.jsonl"
    asked = 0
    for _ in range(9):
        with HostedServer() as server:
            try:
                call("s1", **data, api_base=server.api_base, **money)
            except BudgetError:
                assert server.sentences().total() > 0
            asked += server.sentences().total()
        if len(read_lines(journal)) == 20:
            break
    assert asked == len(read_lines(journal)) == 20


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_cost": 1, "price_in": 1}, "--max_cost needs --api_base"),
        ({"requests_per_minute": 1}, "--requests_per_minute needs --api_base"),
        ({"max_cost": 1, "api_base": "http://127.0.0.1:9/v1"}, "--max_cost needs --price_in and --price_out"),
        ({"price_cached": 1, "api_base": "http://127.0.0.1:9/v1"}, "--price_cached needs --price_in"),
        ({"tokens_per_minute": 1, "api_base": "http://127.0.0.1:9/v1", "engine": "ray"}, "needs --engine=local"),
        ({"price_out": 1}, "--price_out needs --plan"),
    ],
)
def test_limits_that_cannot_be_kept_are_refused(data, tmp_path, given, message):
    recording = write_rows(tmp_path / "answers.jsonl", [])
    other = {} if "api_base" in given else {"backend": "scripted", "model_from_pretrained": recording}
    with pytest.raises(UsageError, match=message):
        call("s1", **{**data, **other, **given})


# --- pace


def most_in_a_minute(times, amounts, minute):
    return max(
        sum(amount for other, amount in zip(times, amounts, strict=True) if start <= other < start + minute)
        for start in times
    )


def test_no_minute_has_more_requests_than_allowed(short_minute):
    with HostedServer() as server:
        answers = list(load(server, requests_per_minute=10).generate(requests(22)))
    assert len(answers) == 22
    assert most_in_a_minute(server.times, [1] * len(server.times), short_minute) <= 10


def test_no_minute_has_more_tokens_than_allowed(short_minute):
    with HostedServer() as server:
        answers = list(load(server, tokens_per_minute=800).generate(requests(14)))
    assert len(answers) == 14
    times = [moment for moment, _, _ in server.answered]
    tokens = [usage["prompt_tokens"] + usage["completion_tokens"] for _, _, usage in server.answered]
    assert sum(tokens) > 800
    assert most_in_a_minute(times, tokens, short_minute) <= 800


def test_a_request_that_is_larger_than_the_limit_is_sent_alone(short_minute):
    with HostedServer() as server:
        assert len(list(load(server, tokens_per_minute=1).generate(requests(2)))) == 2


class Busy(HostedServer):
    """Serves at most two requests at once, as its own limit says."""

    def __init__(self):
        super().__init__(seconds=0.02)
        self.under_way = self.refused = 0

    def busy(self):
        if self.under_way >= 2:
            self.refused += 1
            return 429, {}, b'{"error": {"message": "Too many requests"}}'
        self.under_way += 1
        return None

    def headers(self):
        with self._lock:
            self.under_way -= 1
        return {}


def test_fewer_requests_are_sent_at_once_after_the_server_was_busy():
    with Busy() as server:
        answers = list(load(server, batch_size=16).generate(requests(40)))
    assert len(answers) == 40
    assert server.refused < 80  # without slowing down, 14 of 16 would be refused all the time


def test_requests_at_once_are_halved_and_grow_again():
    def admitted():
        """Send as many requests as are allowed at once."""
        tickets = []
        while (ticket := pace._try(0)[0]) is not None:
            tickets.append(ticket)
        return tickets

    pace = Pace()
    pace.allow(8)
    first = admitted()
    assert len(first) == 8
    for ticket in first:  # refused at the same moment: that halves the number once
        pace.slow_down(ticket)
        pace.end(ticket, 0)
    sizes = []
    for _ in range(6):
        tickets = admitted()
        sizes.append(len(tickets))
        for ticket in tickets:
            pace.end(ticket, 10)
    assert sizes[0] == 4
    assert sizes == sorted(sizes)
    assert sizes[-1] == 8


@pytest.mark.parametrize("kind", ["requests", "tokens"])
def test_a_server_that_has_nothing_left_is_given_a_pause(kind):
    class Limited(HostedServer):
        def headers(self):
            used_up = len(self.answered) == 8
            return {f"x-ratelimit-remaining-{kind}": "0" if used_up else "9", f"x-ratelimit-reset-{kind}": "700ms"}

    with Limited() as server:
        assert len(list(load(server, batch_size=1).generate(requests(12)))) == 12
    times = server.times
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert max(gaps) >= 0.7
    assert sorted(gaps)[-2] < 0.7


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("6m0s", 360), ("250ms", 0.25), ("1m30.5s", 90.5), ("7", 7), ("soon", 0), ("", 0)]
)
def test_durations_in_headers_are_read(text, seconds):
    assert read_duration(text) == seconds


@pytest.mark.parametrize(
    ("left", "seconds"), [("0", 2), ("0" * 5000, 2), ("9" * 5000, 0), ("-1", 0), ("", 0), ("none", 0), ("٠", 0)]
)
def test_any_number_of_requests_that_are_left_can_be_in_a_header(left, seconds):
    headers = {"x-ratelimit-remaining-requests": left, "x-ratelimit-reset-requests": "2s"}
    assert reset_of(headers, "requests") == seconds


def test_probes_are_paid_for_once():
    with HostedServer() as server:
        llm = load(server, prices=PRICES, max_cost=1.0)
        assert llm.budget.spent > 0
        assert load(server, prices=PRICES, max_cost=1.0).budget.spent == 0
        assert llm.budget.spent <= cost(server)
    assert probing.find_dialect.cache_info().currsize == 1
