"""Step 1 with a model on a server: random failures, a server crash, and the next run."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from tests.helpers.builders import SCRIPTS, call, read_lines, row_of, run_python, write_rows
from tests.helpers.llm_server import ChatServer, RoughProxy

pytest.importorskip("openai")
from utils.llm.server import probing, retrying

NUMBER = 200


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A dataset of two hundred sentences, with very short waits between retries."""
    probing.find_dialect.cache_clear()  # a new server may have the port of an old one
    monkeypatch.setattr(retrying, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(retrying, "MAX_WAIT", 0.2)
    rows = [row_of(f"The ship number {number} sailed for Lerwick .".split()) for number in range(NUMBER)]
    write_rows(tmp_path / "ships" / "train_1000.jsonl", rows)
    (tmp_path / "ships" / "labels.txt").write_text("O\nVESSEL\n", encoding="utf-8")
    return {"file_dir": tmp_path, "file_name": "ships", "model_from_pretrained": "tiny"}


def asked_sentences(server):
    return Counter(
        {prompt: number for prompt, number in server.prompts().items() if not prompt.startswith(probing.PROBE)}
    )


def test_every_sentence_is_answered_once_over_a_proxy_that_fails_at_random(data, tmp_path, caplog):
    caplog.set_level("INFO")
    results = {}
    for name, share in (("smooth", 0.0), ("rough", 0.4)):
        with ChatServer() as server, RoughProxy(server.address, share=share) as proxy:
            call("s1", **data, save_type_name=name, api_base=proxy.api_base)
        folder = tmp_path / "ships" / name
        entries = read_lines(folder / "entity_train_1000.jsonl.journal.jsonl")
        assert sorted(int(entry["id"]) for entry in entries) == list(range(1, NUMBER + 1))
        results[name] = (folder / "entity_train_1000.jsonl").read_bytes()
        (line,) = read_lines(folder / "run.log.jsonl")
        assert (line["retries"] > 20) == (name == "rough")
    assert results["smooth"] == results["rough"]
    assert f": {line['retries']} retries" in caplog.text


def test_a_server_crash_gives_one_line_and_the_next_run_asks_only_the_rest(data, tmp_path):
    flags = [f"--{name}={value}" for name, value in data.items()]
    command = [str(SCRIPTS / "s1_predict_data.py"), *flags, "--patience=0.5", "--batch_size=2"]
    with ChatServer(seconds=0.01) as server:
        watch = threading.Thread(target=die_after, args=(server, 30))
        watch.start()
        done = run_python(*command, f"--api_base={server.api_base}", cwd=tmp_path)
        watch.join()
    assert done.returncode == 1
    told = [line for line in done.stderr.replace("\r", "\n").split("\n") if ": error: " in line]
    assert len(told) == 1
    assert "All earlier answers are saved" in told[0]
    assert "Traceback" not in done.stderr
    journal = tmp_path / "ships" / "GLM4" / "entity_train_1000.jsonl.journal.jsonl"
    kept = [entry["id"] for entry in read_lines(journal)]
    assert 20 < len(kept) < NUMBER

    with ChatServer() as server:
        done = run_python(*command, f"--api_base={server.api_base}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [entry["id"] for entry in read_lines(journal)][: len(kept)] == kept
    assert sorted(int(entry["id"]) for entry in read_lines(journal)) == list(range(1, NUMBER + 1))
    assert asked_sentences(server).total() == NUMBER - len(kept)


def die_after(server, number):
    while len(server.asked) < number:
        threading.Event().wait(0.01)
    server.die()


def test_a_missing_model_gives_one_line_and_no_files(data, tmp_path):
    flags = [f"--{name}={value}" for name, value in data.items()]
    with ChatServer(models=("another",)) as server:
        done = run_python(SCRIPTS / "s1_predict_data.py", *flags, f"--api_base={server.api_base}", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "has no model 'tiny'; it has another" in done.stderr
    assert not (tmp_path / "ships" / "GLM4").exists()
