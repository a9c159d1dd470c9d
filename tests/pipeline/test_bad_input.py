"""Bad input of a user gives one line that names the place and the remedy, and exit code 2.

The cases are datasets, labels.txt, label files, prompts, recordings, checkpoints, journals, manifests, results of
earlier steps, training records, names and flags.
"""

from __future__ import annotations

import json
import re
import signal
import sys

import pytest

from tests.helpers.builders import ENGLISH, SCRIPTS, STEPS, bytes_below, call, run_python, write_json, write_rows
from tests.helpers.span_models import make_encoder, make_model, words_of
from tests.helpers.workspace import ORIGINAL, Workspace


@pytest.fixture
def english(tmp_path):
    return Workspace(tmp_path, ENGLISH)


def damage(name, content):
    """Return a function that replaces a file of the dataset."""

    def change(work):
        path = work.dataset / name
        if content is None:
            path.unlink()
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            write_rows(path, content)

    return change


def no_change(work):
    """Leave the dataset as it is."""


def row(*entities, text=("a", "b")):
    return {
        "text": list(text),
        "entities": [dict(zip(("start", "end", "entity"), one, strict=True)) for one in entities],
    }


def synthetic_without_a_source(work):
    call("s1", **work.llm)
    write_rows(work.results / "train_1000_synthetic.jsonl", [{"id": "1-1", "text": ["a", "b"], "entities": []}])


def clashing_labels(work):
    write_json(work.folder / "clash.json", {"NOUN": ["n"], "VERB": ["N"]})


def own_prompt(text):
    """Return a function that writes a user's prompt into the working folder."""
    return lambda work: (work.folder / "own.txt").write_text(text, encoding="utf-8")


def after_step_4(work):
    call("s1", **work.llm)
    call("s2", **work.llm)
    call("s4", **work.data)


GOOD_ROW = row((0, 1, "PERSON"))
BROKEN = b'{"text": ["a"], "entities": []}\n\n{"text": ["a"], "entities": \n'

BAD_INPUT = {
    "missing dataset": ("s1", no_change, ["--file_name=nosuch"], "nosuch is missing: --file_dir and --file_name"),
    **{
        f"missing dataset, {step}": (
            step,
            no_change,
            ["--file_name=nosuch", *(["--model_from_pretrained=x"] if step == "s7" else [])],
            "nosuch is missing: --file_dir and --file_name must name the folder of a dataset",
        )
        for step in ("s2", "s3", "s4", "s5", "s6", "s7", "s8", "train", "report", "audit", "status")
    },
    "missing sentences, s2": (
        "s2",
        damage("train_1000.jsonl", None),
        [],
        "train_1000.jsonl is missing: it must contain",
    ),
    "missing sentences": ("s1", damage("train_1000.jsonl", None), [], "train_1000.jsonl is missing"),
    "missing labels.txt": (
        "s1",
        damage("labels.txt", None),
        [],
        "labels.txt is missing: write one target label per line",
    ),
    "labels without O": ("s4", damage("labels.txt", b"PERSON\n"), [], "labels.txt: the first line must be O"),
    "broken line": ("s1", damage("train_1000.jsonl", BROKEN), [], "train_1000.jsonl:3: not valid JSON"),
    "broken line, s4": ("s4", damage("train_1000.jsonl", BROKEN), [], "train_1000.jsonl:3: not valid JSON"),
    "other encoding": ("s1", damage("train_1000.jsonl", "{北".encode("gb18030")), [], "train_1000.jsonl:1: not UTF-8"),
    "labels, other encoding": ("s1", damage("labels.txt", "O\n人名\n".encode("gb18030")), [], "labels.txt: not UTF-8"),
    "empty dataset": ("s1", damage("train_1000.jsonl", b"\n"), [], "train_1000.jsonl contains no sentences"),
    "span out of range": (
        "s1",
        damage("train_1000.jsonl", [GOOD_ROW, row((0, 1, "PERSON"), (0, 31, "PERSON"))]),
        [],
        "train_1000.jsonl:2: entity 2 ends at 31, but the sentence has 2 tokens",
    ),
    "unknown label": (
        "s1",
        damage("train_1000.jsonl", [GOOD_ROW, row((0, 1, "GENE"))]),
        [],
        "train_1000.jsonl:2: entity 1: 'GENE' is not a label of labels.txt (PERSON, VESSEL)",
    ),
    "broken dev": ("s2", damage("dev.jsonl", BROKEN), [], "dev.jsonl:3: not valid JSON"),
    "unknown mode": ("s1", no_change, ["--mode=nouns"], "--mode: invalid choice: 'nouns'"),
    "batch size": ("s1", no_change, ["--batch_size=many"], "--batch_size: 'many' is not a whole number"),
    "batch size of 0": ("s2", no_change, ["--batch_size=0"], "--batch_size: '0' must be at least 1"),
    "side": ("s5", no_change, ["--is_syn=maybe"], "--is_syn: 'maybe' must be 0 or 1"),
    "unknown flag": ("s4", no_change, ["--mode=pos"], "unrecognized arguments: --mode=pos"),
    "model folder": ("s1", no_change, ["--model_from_pretrained=/no/such/"], "the folder /no/such/ does not exist"),
    "model folder, s2": ("s2", no_change, ["--model_from_pretrained=./none"], "the folder ./none does not exist"),
    "gguf file": (
        "s1",
        no_change,
        ["--model_from_pretrained=/no/a.gguf"],
        "/no/a.gguf is not a file: --backend=llamacpp",
    ),
    "no checkpoint": ("s1", no_change, ["--model_from_pretrained=utils"], "utils has no config.json"),
    "guided": (
        "s1",
        no_change,
        ["--guided=1", "--backend=scripted", "--model_from_pretrained=answers.jsonl"],
        "answers.jsonl (scripted) cannot constrain answers with a grammar: omit the flag",
    ),
    "guided, s2": ("s2", no_change, ["--guided=1"], "unrecognized arguments: --guided=1"),
    "name": ("s1", no_change, ["--file_name=../tiny"], "--file_name: '../tiny' must be the name of one folder"),
    "name, s4": ("s4", no_change, ["--file_name=../tiny"], "--file_name: '../tiny' must be the name of one folder"),
    "results": ("s1", no_change, ["--save_type_name=../../x"], "--save_type_name: '../../x' must be the name"),
    "labels": ("s1", no_change, ["--entity_label=none.json"], "none.json is missing: it must be a JSON file"),
    "prompt": ("s1", no_change, ["--prompt=none.txt"], "none.txt is missing: it must be a text file with"),
    "prompt, place": ("s1", own_prompt("Mark it."), ["--prompt=own.txt"], "own.txt does not contain {sentence}"),
    "prompt, s2": ("s2", own_prompt("Go on: {sentence}"), ["--prompt=own.txt"], "own.txt does not contain {entities}"),
    "shots": ("s1", no_change, ["--shots=2", "--mode=pos"], "has gold spans that are its words"),
    "s3 before s2": ("s3", no_change, [], "train_1000_synthetic.jsonl is missing: run s2 first"),
    "s4 before s1": ("s4", no_change, [], "entity_train_1000.jsonl is missing: run s1 first"),
    "s5 before s4": ("s5", no_change, [], "train_250.jsonl is missing: run s4 first"),
    "s5 before s2": ("s5", no_change, ["--is_syn=1"], "train_250_synthetic.jsonl is missing: run s2 and then s4 first"),
    "s6 before s5": ("s6", no_change, [], "label_fusion.json is missing: run s5 --is_syn=0 first"),
    "s7 before s4": ("s7", no_change, ["--model_from_pretrained=x"], "_synthetic.jsonl is missing: run s2 and then s4"),
    "s7 model": ("s7", after_step_4, ["--model_from_pretrained=/no/{size}/best"], "/no/250/best has no config.json"),
    "s8 before s4": ("s8", no_change, [], "train_250.jsonl is missing: run s4 first"),
    "clash of labels": (
        "s5",
        lambda work: (after_step_4(work), clashing_labels(work)),
        ["--pos_label=clash.json"],
        "clash.json: 'N' is listed under NOUN and under VERB",
    ),
    "clash of labels, s1": (
        "s1",
        clashing_labels,
        ["--entity_label=clash.json"],
        "is listed under NOUN and under VERB",
    ),
    "synthetic line": ("s4", synthetic_without_a_source, [], "train_1000_synthetic.jsonl:1: "),
    "train before s5": ("train", no_change, [], "train_1000_fusion.jsonl is missing: run s5"),
    "train without data": ("train", no_change, ["--train=x.jsonl"], "--train also needs --labels and --save_dir"),
    "train, size": ("train", no_change, ["--size=100"], "--size: invalid choice: '100'"),
    "evaluate": (
        "evaluate",
        no_change,
        ["--model_from_pretrained=/no/best", "--test=few shot/tiny/dev.jsonl"],
        "/no/best",
    ),
    "evaluate without test": (
        "evaluate",
        no_change,
        ["--model_from_pretrained=/no/best", "--test=none.jsonl"],
        "none.jsonl",
    ),
}


def text_row(text):
    return {"text": text, "entities": []}


def span(**values):
    return {"text": ["a", "b"], "entities": [{"start": 0, "end": 1, "entity": "PERSON", **values}]}


def raw(text):
    return text.encode() + b"\n"


def train(content):
    """Return a function that replaces the training sentences."""
    return damage("train_1000.jsonl", content if isinstance(content, (bytes, list)) else [content])


def own(name, content):
    """Return a function that writes a user's file into the working folder."""

    def change(work):
        path = work.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())

    return change


def result(name, content, *, after=after_step_4):
    """Return a function that runs the steps up to `after` and then damages one of their results."""

    def change(work):
        after(work)
        path = work.results / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode() + b"\n")

    return change


def after_step_6(work):
    work.annotate()
    work.merge()


def trained(name, content):
    """Return a function that writes a span model and then damages one of its files."""

    def change(work):
        after_step_4(work)
        encoder = make_encoder(work.folder / "encoder", words_of(work.corpus.rows))
        folder = make_model(work.folder / "best", encoder, work.corpus.labels, work.corpus.rows)
        (folder / name).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())

    return change


def journal_of(content):
    """Return a function that writes a journal for the result of s1."""

    def change(work):
        work.results.mkdir()
        (work.results / f"{ORIGINAL[0]}.journal.jsonl").write_bytes(content)

    return change


def link_out(work):
    (work.folder / "elsewhere").mkdir()
    work.results.symlink_to(work.folder / "elsewhere")


def folder_instead_of_sentences(work):
    (work.dataset / "train_1000.jsonl").unlink()
    (work.dataset / "train_1000.jsonl").mkdir()


TRAIN = ["--train=few shot/tiny/train_1000.jsonl", "--labels=few shot/tiny/labels.txt", "--save_dir=x"]
TEXT = ':1: "text" must be a list of tokens or a string'
WHOLE = ':1: entity 1: "start" and "end" must be whole numbers'
RECORDED = ["--backend=scripted", "--model_from_pretrained=answers.jsonl"]
RECORDING = 'answers.jsonl:1: expected {"id": "17"'
CHECKPOINT = ["--model_from_pretrained=other"]
BEST = ["--model_from_pretrained=best", "--n_gpu=-1"]
MANIFEST = "entity_train_1000.jsonl.meta.json"
ANSWERS = "250/entity_train_250.jsonl"
ENTRY = {"id": "1", "task": "entity", "input": "h", "fingerprint": "f", "answer": "[]", "finish": "stop"}

NOT_TEXTS: list[object] = [7, None, {}, [1], ["a", None], True]
NOT_ANSWERS: dict[str, dict[str, object]] = {
    "no status": {"id": "1", "mode": "entity", "items": []},
    "no items": {"id": "1", "mode": "entity", "status": "ok"},
    "items a number": {"id": "1", "mode": "entity", "status": "ok", "items": 3},
    "items of text": {"id": "1", "mode": "entity", "status": "ok", "items": ["Lerwick"]},
    "items without keys": {"id": "1", "mode": "entity", "status": "ok", "items": [{}]},
    "another mode": {"id": "1", "mode": "nouns", "status": "ok", "items": []},
    "a list as id": {"id": [1], "mode": "entity", "status": "ok", "items": []},
}

BAD_INPUT |= {
    # sentences
    "no text": ("s1", train({"entities": []}), [], TEXT),
    **{f"text {value!r}": ("s1", train(text_row(value)), [], TEXT) for value in NOT_TEXTS},
    "no entities": ("s1", train({"text": ["a"]}), [], ':1: "entities" must be a list; write []'),
    "entities null": ("s1", train({"text": ["a"], "entities": None}), [], '"entities" must be a list'),
    "entities object": ("s4", train({"text": ["a"], "entities": {}}), [], '"entities" must be a list'),
    "entity text": ("s1", train({"text": ["a"], "entities": ["a"]}), [], "entity 1 must be an object with start"),
    "no start": ("s1", train({"text": ["a"], "entities": [{"end": 1, "entity": "PERSON"}]}), [], WHOLE),
    **{f"start {value!r}": ("s1", train(span(start=value)), [], WHOLE) for value in ("0", 0.0, None, False, [0])},
    "end text": ("s5", train(span(end="1")), [], WHOLE),
    "start below 0": ("s1", train(span(start=-1)), [], "entity 1 runs from -1 to 1; start must be at least 0"),
    "empty span": ("s1", train(span(start=1)), [], "entity 1 runs from 1 to 1; start must be at least 0 and below end"),
    "end before start": ("s1", train(span(start=2, end=1)), [], "entity 1 runs from 2 to 1"),
    **{
        f"label {value!r}": ("s1", train(span(entity=value)), [], '"entity" must be a label') for value in ("", 3, None)
    },
    "label O": ("s1", train(span(entity="O")), [], "'O' is not a label of labels.txt"),
    **{f"line {line}": ("s1", train(raw(line)), [], "expected a JSON object") for line in ("[1]", "7", '"a"', "null")},
    "trailing comma": ("s1", train(raw('{"text": ["a"], "entities": [],}')), [], ":1: not valid JSON"),
    "single quotes": ("s1", train(raw("{'text': ['a']}")), [], ":1: not valid JSON"),
    "two objects": ("s1", train(raw('{"text": []} {"text": []}')), [], ":1: not valid JSON"),
    "one object over lines": ("s1", train(raw('{"text": ["a"],\n"entities": []}')), [], ":1: not valid JSON"),
    "deep nesting": ("s1", train(b"[" * 100_000), [], ":1: not valid JSON"),
    "number of 5000 digits": ("s1", train(raw('{"text": [], "a": ' + "9" * 5000 + "}")), [], ":1: not valid JSON"),
    "tabs": ("s1", train(raw("a\tB-PERSON")), [], ":1: not valid JSON"),
    "a folder": ("s1", folder_instead_of_sentences, [], "train_1000.jsonl is missing"),
    # characters
    "UTF-16": ("s1", train('{"text": "北"}'.encode("utf-16")), [], "iconv -f UTF-16 -t UTF-8 OLD > NEW"),
    "UTF-16 unmarked": ("s1", train('{"text": "a"}'.encode("utf-16-le")), [], ":1: not UTF-8; .* -f UTF-16LE"),
    "UTF-16 big end": ("s1", train('{"text": "a"}'.encode("utf-16-be")), [], "iconv -f UTF-16BE"),
    "GBK": ("s1", train('{"text": "北京"}'.encode("gbk")), [], "iconv -f GB18030 -t UTF-8"),
    "Latin-1": ("s1", train('{"text": "é"}'.encode("latin-1")), [], "iconv -f LATIN1 -t UTF-8"),
    "zeros": ("s1", train(b'{"text": ["a"], "entities": []}\n' + bytes(9)), [], "train_1000.jsonl:2: not UTF-8"),
    "NUL": ("s1", train(text_row(["a", "b\0"])), [], r":1: token 2 contains a NUL, '\x00': correct or remove it"),
    "NUL in a text": ("s4", train(text_row("a b\0")), [], r":1: token \d contains a NUL"),
    "half a character": (
        "s1",
        train(raw(r'{"text": ["a", "\ud83d"], "entities": []}')),
        [],
        r"a lone surrogate (half of a ch",
    ),
    "half in bytes": ("s1", train(b'{"text": ["\xed\xa0\xbd"], "entities": []}\n'), [], ":1: not UTF-8"),
    "half in dev": (
        "s2",
        damage("dev.jsonl", raw(r'{"text": "\udc00", "entities": []}')),
        [],
        "dev.jsonl:1: token 1 contains",
    ),
    "dev in UTF-16": ("s2", damage("dev.jsonl", "{}".encode("utf-16")), [], "dev.jsonl:1: not UTF-8"),
    "broken test": ("s2", damage("test.jsonl", BROKEN), [], "test.jsonl:3: not valid JSON"),
    # labels.txt
    "no label": ("s1", damage("labels.txt", b""), [], "labels.txt: the first line must be O, found 'nothing'"),
    "O alone": ("s1", damage("labels.txt", b"O\n"), [], "labels.txt: there is no target label"),
    "label twice": ("s6", damage("labels.txt", b"O\nA\nA\n"), [], "labels.txt: 'A' is listed twice"),
    "labels in UTF-16": ("s1", damage("labels.txt", "O\nA\n".encode("utf-16")), [], "labels.txt: not UTF-8"),
    # label files
    "label file broken": ("s1", own("own.json", b"{"), ["--entity_label=own.json"], "own.json: not valid JSON"),
    "label file a list": (
        "s1",
        own("own.json", ["n"]),
        ["--entity_label=own.json"],
        "own.json: expected a JSON object",
    ),
    "label file empty": ("s1", own("own.json", {}), ["--entity_label=own.json"], "own.json: expected a JSON object"),
    "label file, text": (
        "s1",
        own("own.json", {"N": "n"}),
        ["--entity_label=own.json"],
        "the value of 'N' must be a list of spell",
    ),
    "label file, number": ("s1", own("own.json", {"N": [1]}), ["--entity_label=own.json"], "must be a list of spell"),
    "label file, half": ("s1", own("own.json", {"N": ["\ud800"]}), ["--entity_label=own.json"], "half of a character"),
    "label file, key twice": (
        "s1",
        own("own.json", b'{"N": ["n"], "N": ["m"]}'),
        ["--entity_label=own.json"],
        "the key 'N' occurs twice in one object",
    ),
    "label file in GBK": (
        "s1",
        own("own.json", '{"名词": ["词"]}'.encode("gbk")),
        ["--entity_label=own.json"],
        "own.json: not UTF-8; convert the file first, for example: iconv -f GB18030",
    ),
    # prompts
    "prompt in GBK": (
        "s1",
        own("own.txt", "标注{sentence}".encode("gbk")),
        ["--prompt=own.txt"],
        "own.txt is not UTF-8",
    ),
    "prompt, other place": (
        "s1",
        own_prompt("{sentence} {name}"),
        ["--prompt=own.txt"],
        "has the unknown placeholder {name};",
    ),
    # recordings
    "recording broken": ("s1", own("answers.jsonl", b"{"), RECORDED, RECORDING),
    "recording, list": ("s1", own("answers.jsonl", b"[1]"), RECORDED, RECORDING),
    "recording, no id": ("s1", own("answers.jsonl", {"task": "pos", "answer": "[]"}), RECORDED, RECORDING),
    "recording, answer": ("s1", own("answers.jsonl", {"id": "1", "task": "pos", "answer": []}), RECORDED, RECORDING),
    "recording, task": ("s1", own("answers.jsonl", {"id": "1", "task": "ner", "answer": ""}), RECORDED, RECORDING),
    "recording, task list": ("s1", own("answers.jsonl", {"id": "1", "task": [], "answer": ""}), RECORDED, RECORDING),
    "recording in GBK": ("s1", own("answers.jsonl", '{"id": "北"}'.encode("gbk")), RECORDED, RECORDING),
    # checkpoints
    "config broken": ("s1", own("other/config.json", b"{"), CHECKPOINT, "config.json is not a JSON object"),
    "config a list": ("s1", own("other/config.json", []), CHECKPOINT, "config.json is not a JSON object"),
    "pointer of Git LFS": (
        "s1",
        lambda work: (
            own("other/config.json", {})(work),
            own("other/model.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")(work),
        ),
        CHECKPOINT,
        "model.safetensors is a git-lfs pointer, not the real file: run git lfs pull",
    ),
    "a file for a folder": ("s1", own("other", b"x"), CHECKPOINT, "other is a file: --backend=transformers"),
    "no GGUF": ("s1", own("a.gguf", b"GGML"), ["--model_from_pretrained=a.gguf"], "a.gguf is not a GGUF file"),
    # journals
    "journal of tabs": (
        "s1",
        journal_of(b"a\tb\n"),
        RECORDED,
        r"journal.jsonl:1: this line is not an answer .* \(not valid JSON\)",
    ),
    "journal, no entry": (
        "s1",
        journal_of(b"{}\n"),
        RECORDED,
        "journal.jsonl:1: this line is not an answer that was saved here; use --over",
    ),
    "journal, kinds": (
        "s1",
        journal_of(b'{"id": "1", "task": "entity", "answer": 3}\n'),
        RECORDED,
        "journal.jsonl:1: this line is not an answer that was saved here",
    ),
    "journal of another": (
        "s1",
        journal_of(json.dumps({**ENTRY, "prompt_tokens": 3, "answer_tokens": 2}).encode() + b"\n"),
        RECORDED,
        "contains answers of another model, prompt or setting (line 1); use the same model",
    ),
    "journal in UTF-16": (
        "s1",
        journal_of("{}\n".encode("utf-16")),
        RECORDED,
        r"journal.jsonl:1: this line is not an answer .* \(not UTF-8\)",
    ),
    # results of earlier steps
    "manifest broken": ("s4", result(MANIFEST, b"{"), [], f"{MANIFEST}: not valid JSON"),
    "manifest a list": ("s4", result(MANIFEST, []), [], f"{MANIFEST} is not a manifest of this project; delete it"),
    "manifest, keys": ("s4", result(MANIFEST, {"step": "s1"}), [], "is not a manifest of this project"),
    "manifest, inputs": (
        "s4",
        result(MANIFEST, dict.fromkeys(("step", "version", "inputs", "parameters", "fingerprint", "counts"), "x")),
        [],
        "is not a manifest of this project",
    ),
    "answers broken": ("s4", result("entity_train_1000.jsonl", b"{"), [], "entity_train_1000.jsonl:1: not valid JSON"),
    "answers in GBK": ("s4", result("entity_train_1000.jsonl", "{北".encode("gbk")), [], "1000.jsonl:1: not UTF-8"),
    **{
        f"answers, {name}": (
            "s5",
            result(ANSWERS, {**row, "text": ENGLISH.rows[0]["text"]}),
            [],
            ":1: this is not a line that s1 or",
        )
        for name, row in NOT_ANSWERS.items()
    },
    "synthetic, no id": (
        "s3",
        result("train_1000_synthetic.jsonl", {**text_row("a"), "source": 1}),
        [],
        '"id" is missing',
    ),
    "synthetic, source": (
        "s4",
        result("train_1000_synthetic.jsonl", {**text_row("a"), "id": "1-1", "source": "1"}),
        [],
        '"source" must be the number',
    ),
    "size broken": ("s5", result("250/train_250.jsonl", b"{"), [], "train_250.jsonl:1: not valid JSON"),
    "labels of s5": ("s6", result("250/label_fusion.json", {"PERSON": 3}, after=after_step_6), [], "not a label file"),
    "labels of s5, count": (
        "s6",
        result("250/label_syn.json", {"O": {"idx": 0, "count": "1", "is_target": True}}, after=after_step_6),
        [],
        "label_syn.json: not a label file",
    ),
    "target broken": (
        "s8",
        result("250/train_250_synthetic_target.jsonl", b"{", after=after_step_6),
        [],
        "train_250_synthetic_target.jsonl:1: not valid JSON",
    ),
    "audit, manifest": ("audit", result("250/train_250.jsonl.meta.json", []), [], "is not a manifest of this project"),
    "ablate, seeds": ("ablate", no_change, ["--seeds=1,1"], "contains a seed twice"),
    "audit before s4": ("audit", no_change, [], "train_250.jsonl is missing: run s4 first"),
    "status, manifest": ("status", result(MANIFEST, []), [], "is not a manifest of this project"),
    "status, dataset": ("status", no_change, ["--file_name=nosuch"], "nosuch is missing"),
    # span models
    "model, config broken": ("s7", trained("config.json", b"{"), BEST, "config.json: not valid JSON"),
    "model, no labels": (
        "s7",
        trained("config.json", {}),
        BEST,
        "has no labels: copy the label file that the model was trained with",
    ),
    "model, labels": (
        "s7",
        trained("config.json", {"labels": "O", "num_target_labels": 1}),
        BEST,
        "labels must be a list of strings",
    ),
    "model, targets": (
        "s7",
        trained("config.json", {"labels": ["O", "PERSON"], "num_target_labels": "1"}),
        BEST,
        "num_target_labels a whole number",
    ),
    "model, weights": ("s7", trained("model.safetensors", b"x" * 99), BEST, "cannot be read"),
    "record a list": ("s7", trained("training.json", []), BEST, 'training.json has no list of "sentences"'),
    "record, sentences": ("s7", trained("training.json", {"sentences": [[1]]}), BEST, 'has no list of "sentences"'),
    "report": (
        "report",
        own("tiny_1000_base/test_report.json", {"micro": 3}),
        ["--models=."],
        "test_report.json is not a report of train_ner.py",
    ),
    "train, text": ("train", train(text_row(7)), TRAIN, TEXT),
    "train, label": ("train", train(span(entity="GENE")), TRAIN, "'GENE' is not a label"),
    "train, dev": (
        "train",
        damage("dev.jsonl", [text_row(7)]),
        [*TRAIN, "--dev=few shot/tiny/dev.jsonl"],
        "dev.jsonl:1",
    ),
    "train, labels": ("train", own("own.json", []), [*TRAIN[:1], "--labels=own.json", "--save_dir=x"], "own.json"),
    "evaluate, text": (
        "evaluate",
        damage("dev.jsonl", [text_row([1])]),
        ["--model_from_pretrained=best", "--test=few shot/tiny/dev.jsonl"],
        "dev.jsonl" + TEXT,
    ),
    "compare": (
        "evaluate",
        own("a.jsonl", {"text": ["a"]}),
        ["--compare", "a.jsonl", "a.jsonl"],
        'a.jsonl:1: "entities"',
    ),
    "predict, text": (
        "predict",
        damage("dev.jsonl", [text_row([1])]),
        ["--model_from_pretrained=best", "--input=few shot/tiny/dev.jsonl"],
        "dev.jsonl" + TEXT,
    ),
    "export": (
        "export",
        no_change,
        ["--model_from_pretrained=best", "--output=x.onnx"],
        "is not a folder: give the folder of",
    ),
    "convert": ("convert", no_change, ["--input=none.bio", "--output=converted"], "none.bio is missing"),
    "check": ("check", no_change, ["few shot/none"], "few shot/none"),
    # names
    **{
        f"name {name!r}": ("s4", no_change, [f"--file_name={name}"], "must be the name of one folder")
        for name in ("/etc", "..", ".", "", " ", "a/b", "a\\b", "C:x", "..\\x", "a\0b", "tiny/../../x")
    },
    "results name": (
        "s4",
        no_change,
        ["--save_type_name=/tmp/x"],
        "--save_type_name: '/tmp/x' must be the name of one",
    ),
    "results linked": (
        "s1",
        link_out,
        [],
        "GLM4 is a link to a folder outside the dataset: replace it",
    ),
    # flags
    "a word": ("s4", no_change, ["weibo"], "unrecognized arguments: weibo"),
    "backend": ("s1", no_change, ["--backend=tensorflow"], "--backend: invalid choice: 'tensorflow'"),
    "skip": ("s1", no_change, ["--skip=1.5"], "--skip: '1.5' is not a whole number"),
    "limit": ("s1", no_change, ["--limit=0"], "--limit: '0' must be at least 1"),
    "gpu": ("s1", no_change, ["--n_gpu=cuda"], "--n_gpu: 'cuda' must be a GPU index"),
    "temperature": ("s2", no_change, ["--temperature=-1"], "--temperature: '-1' must be a number that is 0 or greater"),
    "top_p": ("s2", no_change, ["--top_p=2"], "--top_p: '2' must be greater than 0 and at most 1"),
    "dense": ("s4", no_change, ["--dense_lang=2"], "--dense_lang: '2' must be 0 or 1"),
    "dtype": ("s1", no_change, ["--dtype=int8"], "--dtype: invalid choice"),
    "dtype of a recording": ("s1", no_change, [*RECORDED, "--dtype=float32"], "only transformers and vllm use it"),
    "patience": ("s2", no_change, [*RECORDED, "--patience=9"], "--patience=9 needs --api_base"),
    "a comparison with a model": ("evaluate", no_change, ["--compare", "a", "b", "--test=c"], "leave out --test, or"),
    "two kinds of seeds": ("train", no_change, [*TRAIN, "--seed=1", "--seeds=1,2"], "--seed and --seeds both choose"),
    "inclusive ends": (
        "s4",
        train([{"text": list("abcd"), "entities": [{"start": 0, "end": 1, "entity": "PERSON", "text": "ab"}]}] * 3),
        [],
        'train_1000.jsonl:1: the offsets of 3 spans .*are your ends inclusive.*add 1 to each "end"',
    ),
    "doccano": ("s1", train({"text": "a b", "label": [[0, 3, "PERSON"]]}), [], ':1: the spans are in "label"'),
    "stray NUL": ("s1", train(b'{"text": ["a\0b"], "entities": []}\n'), [], ":1: contains 1 NUL character"),
    **{
        f"empty {flag}": (step, no_change, [f"--{flag}="], f"--{flag}: the value is empty")
        for step, flag in (
            ("s1", "model_from_pretrained"),
            ("s1", "api_base"),
            ("s1", "prompt"),
            ("s1", "file_dir"),
            ("s5", "entity_label"),
            ("s7", "model_from_pretrained"),
            ("s7", "from_pretrained"),
            ("train", "from_pretrained"),
            ("train", "train"),
            ("train", "save_dir"),
            ("evaluate", "test"),
            ("evaluate", "report"),
            ("predict", "input"),
            ("predict", "output"),
            ("export", "output"),
            ("audit", "models"),
        )
    },
}


NO_DATASET = ("evaluate", "predict", "export", "convert", "check")  # scripts without --file_name


def words_for(step, work, flags):
    """Return the name and flags of a script that would run without `flags`."""
    given = [f"--file_dir={work.file_dir}", "--file_name=tiny"] if step not in NO_DATASET else []
    if step in ("s1", "s2", "s3"):
        # No backend can load this checkpoint: an attempt would give another message than the expected one.
        write_json(work.folder / "checkpoint" / "config.json", {})
        given.append(f"--model_from_pretrained={work.folder / 'checkpoint'}")
    if step in ("train", "ablate"):
        given.append(f"--from_pretrained={make_folder(work.folder / 'encoder')}")
    return [f"{STEPS[step]}.py", *given, *flags]


def make_folder(path):
    path.mkdir(exist_ok=True)
    return path


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_one_line_and_exit_code_2(english, monkeypatch, caplog, name):
    step, change, flags, message = BAD_INPUT[name]
    __import__(STEPS[step])
    change(english)
    before = bytes_below(english.file_dir)
    monkeypatch.chdir(english.folder)
    monkeypatch.setattr(sys, "argv", words_for(step, english, flags))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    caplog.clear()
    with pytest.raises(SystemExit) as ending:
        sys.modules[STEPS[step]].main(cmd_args=True)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert message in errors[0] or re.search(message, errors[0])
    assert "\n" not in errors[0]
    assert ending.value.code == 2
    after = bytes_below(english.file_dir)
    changed = {name for name in after if after[name] != before.get(name)}
    assert all(name.endswith(".journal.jsonl") for name in changed), changed


@pytest.mark.parametrize("name", ["missing labels.txt", "span out of range", "unknown mode", "s5 before s4"])
def test_a_user_sees_one_line_and_no_traceback(english, name):
    step, change, flags, message = BAD_INPUT[name]
    change(english)
    script, *words = words_for(step, english, flags)
    done = run_python(SCRIPTS / script, *words, cwd=english.folder)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert message in done.stderr
    shown = run_python(SCRIPTS / script, *words, "--debug", cwd=english.folder)
    assert shown.returncode != 0
    assert "Traceback" in shown.stderr


def test_there_are_bad_inputs_of_every_kind_of_file():
    assert len(BAD_INPUT) >= 80
    assert {step for step, *_ in BAD_INPUT.values()} >= {*STEPS} - {"report"}


# --- unusual but valid input

UNUSUAL = {
    "emoji": "Tom 🧑‍🚀 flew 🙂",
    "combining marks": "e\u0301cole of Zu\u0308rich",
    "right to left": "\u202bשלום עולם\u202c said Tom",
    "Arabic": "قال توم مرحبا",
    "line separator": "a\u2028b \u2029 c",
    "other kinds of spaces": "a\u00a0b \u3000 \u200b c",
    "control characters": "a \x01 \x1f \x7f b",
    "private use": "\ue000 \U0010ffff",
    "like markup": '<|im_end|> {sentence} "quoted" \\ </s> %s',
    "1 MB": "word " * 200_000,
}


def chars(text):
    """Return the tokens of a text: its words."""
    return [token for token in text.split(" ") if token]


def test_unusual_text_goes_through_the_steps_unchanged(tmp_path):
    work = Workspace(tmp_path, ENGLISH)
    rows = [{"text": chars(text), "entities": [], "note": name} for name, text in UNUSUAL.items()]
    rows.append({"text": [""], "entities": []})
    rows.append({"text": [], "entities": []})
    lines = [json.dumps(one, ensure_ascii=False).encode() for one in rows]
    (work.dataset / "train_1000.jsonl").write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines) + b"\r\n")
    answer = '[{"entity": "Tom", "type": "person"}]'
    write_rows(work.recording, [{"id": str(n), "task": "entity", "answer": answer} for n in range(1, len(rows) + 1)])
    call("s1", **work.llm)
    for step in ("s4", "s5", "s6", "s8"):
        call(step, **work.data)
    call("audit", **work.data)
    call("status", **work.data)
    found = work.lines("train_1000_fusion.jsonl", "1000")
    assert [{**one, "entities": []} for one in found] == rows
    assert sum(span["text"] == ["Tom"] for one in found for span in one["entities"]) == 2
