"""benchmarks/gpu.py runs through on a CPU with tiny models, and compares what was measured with its goals."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("transformers", "4.44", reason="the span model needs it")

from benchmarks.gpu import main, make_session, parse
from benchmarks.gpu_parts.report import as_markdown, goals
from benchmarks.gpu_parts.setup import TINY


def test_all_parts_run_on_a_cpu_with_tiny_models(tmp_path, capsys):
    main(["--tiny", f"--to={tmp_path}"])
    found = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert found["card"] == "no GPU: a CPU with tiny shapes"
    assert [line for line in found["skipped"] if "continuous batching" not in line and "vLLM" not in line] == []
    ways = [row["what"] for row in found["rows"]["a"]]
    assert ways[1:5] == ["ours, guided, entity", "ours, guided, pos", "ours, not guided", "generate"]
    for row in found["rows"]["a"][1:5]:
        assert row["sentences"] == TINY.sentences
        assert row["tokens/s"] > 0
    free = [row["tokens a sentence"] for row in found["rows"]["a"] if row["what"] == "ours, not guided"]
    assert free == [TINY.new_tokens]
    lengths, labelling = found["rows"]["b"]
    assert lengths["words"] == TINY.words[0]
    assert min(lengths["step, ms"], lengths["the encoder's own step, ms"], lengths["plain step, ms"]) > 0
    assert labelling["labelled sentences/s"] > 0
    assert found["rows"]["c"][0]["steps"] == 2  # 15 sentences in batches of 8
    assert found["rows"]["d"][0]["trainings"] == 1
    text = (tmp_path / "gpu.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out.endswith(f"{text}\n")
    assert "| ours, guided, pos |" in text
    assert found["goals"] == []  # of tiny models, they say nothing


def test_what_there_is_no_time_for_is_named():
    session = make_session(parse(["--tiny", "--minutes=1"]))
    session.seconds = 0.0
    session.measure("b", "BERT-base, 128 words", lambda: {"encoder": "BERT-base"})
    assert session.skipped == ["b: BERT-base, 128 words: the time was up"]
    assert "- b: BERT-base, 128 words: the time was up" in as_markdown(session)


def test_a_measurement_that_fails_is_named_and_the_others_go_on():
    session = make_session(parse(["--tiny"]))

    def fail() -> dict[str, object]:
        raise RuntimeError("CUDA error: no kernel image\nis available")

    session.measure("a", "generate", fail)
    session.measure("a", "ours", lambda: {"what": "ours", "batch": 2})
    assert session.skipped == ["a: generate: RuntimeError: CUDA error: no kernel image is available"]
    assert session.rows["a"] == [{"what": "ours", "batch": 2}]


def test_goals_compare_equal_batches_and_answers_of_equal_length():
    decoding = [
        {"what": "generate", "batch": 20, "tokens/s": 1000.0, "sentences/s": 15.6, "tokens a sentence": 64.0},
        {"what": "generate", "batch": 256, "tokens/s": 5000.0, "sentences/s": 78.1, "tokens a sentence": 64.0},
        {"what": "ours, guided, pos", "batch": 20, "tokens/s": 800.0, "sentences/s": 8.0, "tokens a sentence": 100.0},
        {"what": "ours, guided, pos", "batch": 256, "tokens/s": 9000, "sentences/s": 90.0, "tokens a sentence": 100.0},
        {"what": "ours, guided, pos", "batch": 64, "tokens/s": 9000, "sentences/s": 90.0, "tokens a sentence": 100.0},
    ]
    span_model = [
        {"encoder": "BERT-base", "words": 128, "step / encoder": 1.2},
        {"encoder": "BERT-base", "words": 64, "step / encoder": 9.9},
    ]
    found = goals({"a": decoding, "b": span_model})
    assert [(row["measured"], row["goal"], row["met"]) for row in found] == [
        (0.8, "at least 0.7", "yes"),
        (1.8, "at least 0.7", "yes"),
        (1.8, "at least 3", "no"),  # 90 sentences a second; `generate` makes 50 of this length
        (1.2, "at most 1.3", "yes"),
    ]
