"""Steps 1, 2 and 3 with servers that refuse what hosted services refuse: each sentence is answered once."""

from __future__ import annotations

import pytest

from tests.helpers import hosted_dialects as dialects
from tests.helpers.builders import ROOT, call, read_lines, write_rows

pytest.importorskip("openai")
from utils.llm.base import GUIDANCE_NAMES
from utils.llm.server import probing

MAX_REFUSALS = 6  # of one step
QUICK = (
    dialects.OpenAIReasoning,
    dialects.DeepSeek,
    dialects.GLM,
    dialects.DashScope,
    dialects.Gemini,
    dialects.AnthropicCompatible,
    dialects.VLLMWithReasoningParser,
    dialects.Ollama,
)
STEPS: tuple[tuple[str, dict[str, str]], ...] = (
    ("s1", {"mode": "entity"}),
    ("s1", {"mode": "pos"}),
    ("s2", {}),
    ("s3", {"mode": "entity"}),
)


@pytest.fixture(autouse=True)
def forget_servers():
    probing.find_dialect.cache_clear()  # a new server may have the port of an old one


def copy_demo(folder, name, number):
    """Copy the first sentences of a demo dataset, and return the flags that name it."""
    source = ROOT / "data" / "few_shot" / name
    write_rows(folder / name / "train_1000.jsonl", read_lines(source / "train_1000.jsonl")[:number])
    (folder / name / "labels.txt").write_bytes((source / "labels.txt").read_bytes())
    return {"file_dir": folder, "file_name": name, "model_from_pretrained": "tiny"}


def run_all(server_class, data, caplog):
    """Run the steps against new servers of a class, and check what the servers have seen."""
    results = data["file_dir"] / data["file_name"] / "GLM4"
    for step, values in STEPS:
        caplog.clear()
        with server_class() as server:
            call(step, **data, **values, api_base=server.api_base)
        asked = server.sentences()
        assert asked
        assert set(asked.values()) == {1}, (step, values)
        assert len(server.refusals) <= MAX_REFUSALS, server.refusals
        if step != "s2":
            assert f"{server.api_base}: answers are {GUIDANCE_NAMES[server.guidance]}" in caplog.text
            suffix = "_synthetic" if step == "s3" else ""
            rows = read_lines(results / f"{values['mode']}_train_1000{suffix}.jsonl")
            assert len(rows) == asked.total()
            assert {row["status"] for row in rows} == {"ok"}
            assert any(row["items"] for row in rows)
        assert "Let me look" not in "".join(path.read_text(encoding="utf-8") for path in results.glob("*.jsonl"))
    return results


@pytest.mark.parametrize("server_class", QUICK, ids=lambda one: one.__name__)
def test_the_first_sentences_are_answered_once(server_class, tmp_path, caplog):
    caplog.set_level("INFO")
    run_all(server_class, copy_demo(tmp_path, "demo", 5), caplog)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["demo", "demo_zh"])
@pytest.mark.parametrize("server_class", dialects.DIALECTS, ids=lambda one: one.__name__)
def test_every_sentence_is_answered_once(server_class, name, tmp_path, caplog):
    caplog.set_level("INFO")
    results = run_all(server_class, copy_demo(tmp_path, name, None), caplog)
    assert len(read_lines(results / "pos_train_1000.jsonl")) == 60


def test_the_words_of_a_sentence_are_held_by_a_json_schema(tmp_path):
    data = copy_demo(tmp_path, "demo", 4)
    with dialects.OpenAIReasoning() as server:
        call("s1", **data, mode="pos", api_base=server.api_base)
    for row in read_lines(tmp_path / "demo" / "GLM4" / "pos_train_1000.jsonl"):
        assert [item["word"] for item in row["items"]] == row["text"]


def test_a_journal_that_was_begun_without_a_schema_is_continued_without_one(tmp_path, caplog):
    caplog.set_level("INFO")
    data = copy_demo(tmp_path, "demo", 6)
    journal = tmp_path / "demo" / "GLM4" / "entity_train_1000.jsonl.journal.jsonl"
    with dialects.Ollama() as server:
        call("s1", **data, api_base=server.api_base, limit=2, guided=0)
    first = read_lines(journal)
    with dialects.Ollama() as server:
        call("s1", **data, api_base=server.api_base)
    assert "answers are not constrained, as in the answers of entity_train_1000.jsonl so far" in caplog.text
    assert server.sentences().total() == 4
    assert len({entry["fingerprint"] for entry in read_lines(journal)}) == 1
    assert read_lines(journal)[:2] == first


def test_a_grammar_that_is_required_is_refused_before_any_sentence_is_sent(tmp_path):
    data = copy_demo(tmp_path, "demo", 6)
    message = "cannot constrain answers with a grammar .only with a JSON schema: --guided=auto uses it"
    with dialects.Ollama() as server, pytest.raises(ValueError, match=message):
        call("s1", **data, api_base=server.api_base, guided=1)
    assert server.sentences() == {}
    assert not (tmp_path / "demo" / "GLM4").exists()
