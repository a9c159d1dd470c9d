"""predict_ner.py: rows with spans from texts of any form and length."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
import torch

from tests.helpers.builders import SCRIPTS, call, clean_environment, read_lines, write_rows
from utils.dataset.records import Span
from utils.files.text_files import form_of
from utils.ner import SpanNer
from utils.ner.prediction import texts
from utils.ner.prediction.texts import predicted_rows, read_texts

FAR = 1999


def predict(tmp_path: Path, model: Path, source: str | bytes | list, name="in.txt", **more: object) -> list[dict]:
    """Write an input, run the script as a notebook does, and return its rows."""
    path = tmp_path / name
    if isinstance(source, list):
        write_rows(path, source)
    else:
        path.write_bytes(source if isinstance(source, bytes) else source.encode())
    call("predict", model_from_pretrained=model, input=path, output=tmp_path / "out.jsonl", n_gpu=-1, **more)
    return read_lines(tmp_path / "out.jsonl")


def found(row: dict) -> list[tuple[int, int, str]]:
    return [(span["start"], span["end"], span["entity"]) for span in row["entities"]]


def test_spans_in_plain_text_have_offsets_of_tokens_and_characters(tmp_path, learnt):
    rows = predict(tmp_path, learnt, "the  anna sees\trome\n\nsees the\n")
    assert [row["text"] for row in rows] == [["the", "anna", "sees", "rome"], [], ["sees", "the"]]
    assert [found(row) for row in rows] == [[(1, 2, "PER"), (3, 4, "LOC")], [], []]
    first, second = rows[0]["entities"]
    assert rows[0]["raw_text"] == "the  anna sees\trome"
    assert (first["char_start"], first["char_end"], first["surface"], first["text"]) == (5, 9, "anna", ["anna"])
    assert (second["char_start"], second["char_end"], second["surface"]) == (15, 19, "rome")
    assert 0.5 < first["score"] < 1


BIO = ["anna B-PER\nsees O\n\nrome\tB-LOC\n", "# id 1\n-DOCSTART- -X- O\nanna NNP B-PER\nli NNP I-PER\n"]


@pytest.mark.parametrize("source", BIO)
def test_a_bio_file_is_refused_before_the_model_is_loaded(tmp_path, source):
    with pytest.raises(ValueError, match=r"in\.txt:\d: each line has a token and a tag, .* \{\"text\": \["):
        predict(tmp_path, tmp_path / "no model", source)


def test_text_in_which_some_lines_end_like_tags_is_plain_text():
    lines = [b"take vitamin B-12\n", b"the blood group O\n", b"anna sees rome\n"]
    assert [text.raw for text in read_texts(lines, "x", "text", str.split)] == [
        "take vitamin B-12",
        "the blood group O",
        "anna sees rome",
    ]


def test_json_lines_keep_their_keys_and_their_entities_as_gold(tmp_path, learnt):
    gold = [{"start": 0, "end": 1, "entity": "X"}]
    sources = [{"text": ["anna"], "entities": gold, "id": "7"}, {"text": "rome the"}, {"text": [], "entities": []}]
    rows = predict(tmp_path, learnt, sources, "in.jsonl")
    assert (rows[0]["gold"], rows[0]["id"], found(rows[0])) == (gold, "7", [(0, 1, "PER")])
    assert "raw_text" not in rows[0]
    assert (rows[1]["raw_text"], found(rows[1])) == ("rome the", [(0, 1, "LOC")])
    assert rows[2] == {"text": [], "entities": []}
    again = predict(tmp_path, learnt, rows, "again.jsonl")
    assert again[0]["gold"] == gold
    assert [found(row) for row in again] == [found(row) for row in rows]


def test_long_short_and_empty_texts_are_predicted_together_to_the_end(tmp_path, learnt):
    long = "the " * FAR + "anna"
    rows = predict(tmp_path, learnt, f"{long}\nanna\n\nrome\nsees\n{long}", batch_size=3)
    end = [(FAR, FAR + 1, "PER")]
    assert [found(row) for row in rows] == [end, [(0, 1, "PER")], [], [(0, 1, "LOC")], [], end]
    assert rows[0]["entities"][-1]["char_start"] == 4 * FAR


def test_two_thousand_characters_of_dense_text_are_predicted_to_the_end(make_ner, tmp_path):
    from utils.ner.model.checkpoint import save_model

    ner = make_ner(dense=True)
    save_model(ner.model, ner.tokenizer, tmp_path / "model")
    (row,) = predict(tmp_path, tmp_path / "model", "在北京" * 667)
    assert len(row["text"]) == 2001
    assert row["entities"][-1]["char_end"] > 1980


def test_flags_choose_threshold_nesting_and_labels(make_ner, tmp_path):
    from utils.ner.model.checkpoint import save_model

    ner = make_ner()
    torch.nn.init.constant_(ner.model.down_fc.bias, 0.5)
    save_model(ner.model, ner.tokenizer, tmp_path / "model")
    text = "the bert likes paris in rome"
    folder = tmp_path / "model"
    flat, nested = (predict(tmp_path, folder, text, **how)[0] for how in ({}, {"nested": True}))
    middle = sorted(span["score"] for span in nested["entities"])[len(nested["entities"]) // 2]
    strict = predict(tmp_path, folder, text, nested=True, threshold=middle)[0]
    all_labels = predict(tmp_path, folder, text, flat=True, multi_label=True)[0]
    assert len(found(flat)) < len(found(nested))
    assert 0 < len(found(strict)) < len(found(nested))
    spans = [(start, end) for start, end, _ in found(all_labels)]
    assert len(set(spans)) < len(spans)
    python = SpanNer.from_pretrained(folder, device="cpu").predict([text], nested=True, threshold=middle)[0]
    assert [span.key for span in python] == found(strict)


def test_dense_lang_decides_how_strings_are_cut(tmp_path, learnt):
    assert predict(tmp_path, learnt, "an a", dense_lang=1)[0]["text"] == ["a", "n", " ", "a"]


@pytest.mark.parametrize(
    ("name", "first", "form"),
    [
        ("x.jsonl", b"anna", "jsonl"),
        ("x.txt", b'{"text": "x"}', "text"),
        ("standard input", b'{"text": "x"}', "jsonl"),
        ("standard input", b'\xef\xbb\xbf{"text": "x"}', "jsonl"),
        ("standard input", b"{x}", "text"),
        ("standard input", b"", "text"),
    ],
)
def test_the_form_of_an_input_is_detected_from_its_name_or_first_line(name, first, form):
    assert form_of(name, first) == form


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("in.jsonl", b'{"text": "anna"}\n{"text"\n', r"in\.jsonl:2: not valid JSON"),
        ("in.jsonl", b'{"text": ["a", 3]}\n', r'in\.jsonl:1: "text" must be a list of tokens or a string'),
        ("in.jsonl", b'{"texts": "anna"}\n', r'in\.jsonl:1: "text" must be'),
        (
            "in.jsonl",
            b'{"text": ["\\ud83d"]}\n',
            r"in\.jsonl:1: token 1 contains a lone surrogate .half of a character",
        ),
        ("in.txt", "anna\n邓超\n".encode("gb18030"), r"in\.txt:2: not UTF-8; convert the file first"),
    ],
)
def test_a_broken_line_is_reported_before_a_model_is_loaded(tmp_path, name, data, message):
    with pytest.raises(ValueError, match=message):
        predict(tmp_path, tmp_path / "no model", data, name)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_missing_input_is_reported(tmp_path, learnt):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.txt is missing: --input must name a file of texts"):
        call("predict", model_from_pretrained=learnt, input=tmp_path / "nowhere.txt")


def test_a_huge_input_is_read_and_predicted_in_chunks(monkeypatch):
    monkeypatch.setattr(texts, "CHUNK_TEXTS", 3)
    monkeypatch.setattr(texts, "CHUNK_TOKENS", 10)
    endless = (b"anna sees rome\n" if number % 4 else b"the " * 20 + b"\n" for number in count())
    chunks: list[int] = []

    def predict_chunk(tokens):
        chunks.append(len(tokens))
        return [[Span(0, 1, "PER", score=0.75)] for _ in tokens]

    rows = predicted_rows(read_texts(endless, "standard input", "text", str.split), predict_chunk)
    first = [next(rows) for _ in range(9)]
    assert [len(row["text"]) for row in first] == [20, 3, 3, 3, 20, 3, 3, 3, 20]
    assert first[0]["entities"][0]["surface"] == "the"
    assert chunks == [1, 3, 1, 3, 1]


# --- the command line


def start(*words: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(SCRIPTS / "predict_ner.py"), "--n_gpu=-1", *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=clean_environment(), stdin=pipe, stdout=pipe, stderr=pipe)


def test_standard_input_becomes_rows_on_standard_output(learnt):
    lines = ["the anna", "京 rome"]
    expected = SpanNer.from_pretrained(learnt, device="cpu").predict(lines)
    process = start(f"--model_from_pretrained={learnt}", "--input=-")
    shown, told = process.communicate("\n".join(lines).encode())
    assert process.returncode == 0, told
    rows = [json.loads(line) for line in io.StringIO(shown.decode("utf-8"))]
    assert [found(row) for row in rows] == [[s.key for s in spans] for spans in expected]
    assert found(rows[0]) == [(1, 2, "PER")]
    assert rows[1]["raw_text"] == "京 rome"
    assert f"found {sum(map(len, expected))} spans in 2 texts -> standard output".encode() in told


def test_a_broken_line_of_standard_input_ends_with_one_line_and_code_2(learnt):
    process = start(f"--model_from_pretrained={learnt}", "--input=-")
    _, told = process.communicate(b'{"text": "anna"}\n{"text"\n')
    assert process.returncode == 2
    last = told.decode("utf-8").splitlines()[-1]
    assert "standard input:2: not valid JSON" in last
    assert b"Traceback" not in told


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_closed_pipe_ends_the_script_silently(learnt, tmp_path):
    (tmp_path / "in.txt").write_text("anna sees rome\n" * 5000, encoding="utf-8")
    process = start(f"--model_from_pretrained={learnt}", f"--input={tmp_path / 'in.txt'}")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.wait(timeout=600)
    assert process.returncode == 128 + 13
    assert process.stderr is not None
    assert b"error" not in process.stderr.read().lower()
