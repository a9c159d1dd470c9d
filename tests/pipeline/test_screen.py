"""What a stranger's files put on the screen: no control character, and no command that does anything else."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from typing import get_args

import pytest

from tests.helpers.builders import ENGLISH, SCRIPTS, STEPS, call, read_lines, run_python, write_json, write_rows
from tests.helpers.workspace import Workspace
from utils.audit.commands import recorded_s2_command
from utils.dataset.layout import Layout
from utils.dataset.modes import Style
from utils.dataset.records import Span
from utils.files.manifest import build_manifest, publish
from utils.labels.suggestions import label_patch
from utils.ner.scoring.error_kinds import count_errors
from utils.ner.scoring.metrics import score_spans

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
EVIL = "\x1b[31mPER\x1b]0;title\x07\x9b2J\u202e\x08"
INJECTED = "$(touch PWNED); `touch PWNED` '; touch PWNED; '"


def shown(step, work, *words):
    """Run a script as a user does; return what it wrote to both streams."""
    flags = [f"--{name}={value}" for name, value in (work.llm if step in ("s1", "s2") else work.data).items()]
    done = run_python(SCRIPTS / f"{STEPS[step]}.py", *flags, *words, cwd=work.folder)
    assert done.returncode in (0, 1, 2), done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def work(tmp_path):
    return Workspace(tmp_path, ENGLISH)


def use_evil_label(work):
    """Give the first target label, everywhere in the dataset, a name with escape sequences."""
    label = ENGLISH.labels[0]
    for path in work.dataset.glob("*.jsonl"):
        rows = read_lines(path)
        for row in rows:
            row["entities"] = [span | {"entity": span["entity"].replace(label, EVIL)} for span in row["entities"]]
        write_rows(path, rows)
    names = work.dataset / "labels.txt"
    names.write_text(names.read_text(encoding="utf-8").replace(label, EVIL), encoding="utf-8")


def test_labels_with_escape_sequences_do_not_reach_the_terminal(work):
    use_evil_label(work)
    said = [shown(step, work, *words) for step, *words in (["s1"], ["s4"], ["s5", "--is_syn=0"], ["s6"])]
    fusion = work.results / "250" / "train_250_fusion.jsonl"
    rows = read_lines(fusion)
    rows[0]["entities"].append({**rows[0]["entities"][0], "origin": "entity", "entity": EVIL})
    write_rows(fusion, rows)
    labels = work.results / "250" / "label_fusion.json"
    write_json(labels, json.loads(labels.read_text("utf-8")) | {EVIL + "X": {"idx": 9, "count": 1, "is_target": False}})
    said += [shown(step, work) for step in ("audit", "report", "status")]
    assert "\\x1b[31mPER" in said[4]
    assert [text for text in said if CONTROL.search(text)] == []
    assert all(
        "GLM4" in line or line.startswith("not seen: ") for line in said[4].splitlines()
    )  # each problem is one line


@pytest.mark.parametrize("key", ["step", "version", "fingerprint"])
def test_a_manifest_with_escape_sequences_does_not_reach_the_terminal(work, key):
    for step, *words in (["s1"], ["s4"], ["s5", "--is_syn=0"]):
        shown(step, work, *words)
    for path in work.results.rglob("*.meta.json"):
        value = json.loads(path.read_text(encoding="utf-8"))
        changed = {**value["inputs"], f"GLM4/{EVIL}": "0" * 64, f"GLM4/500/{EVIL}": "0" * 64}
        write_json(path, {**value, key: EVIL, "inputs": changed})
    for step in ("status", "audit", "s5", "report"):
        assert not CONTROL.search(shown(step, work)), step


LOGS: dict[str, dict[str, object]] = {
    "backend": {"model": "m.gguf", "backend": INJECTED},
    "model": {"model": INJECTED, "backend": "llamacpp"},
    "model with a line break": {"model": "m\ntouch PWNED\n", "backend": "llamacpp"},
    "escape sequence": {"model": EVIL, "backend": EVIL},
    "list": {"model": ["a"], "backend": "llamacpp"},
    "number": {"model": 7, "backend": 7},
    "object": {"model": {"a": 1}, "backend": {}},
    "no backend": {"model": "m.gguf"},
    "lone surrogate": {"model": "\ud800", "backend": "openai"},
}


@pytest.mark.parametrize("name", LOGS)
def test_the_next_command_does_nothing_else_whatever_the_run_log_says(work, name):
    work.results.mkdir()
    line = json.dumps({"step": "s1", **LOGS[name]})
    (work.results / "run.log.jsonl").write_text(f"{line}\n", encoding="utf-8")
    said = shown("status", work)
    assert not CONTROL.search(said)
    command = said.splitlines()[-1].removeprefix("next: ")
    assert command.startswith("python syn_pipelines/s1_predict_data.py ")
    words = shlex.split(command)
    given = next(word for word in words if word.startswith("--model_from_pretrained="))
    expected = INJECTED if name == "model" else "PATH_OF_THE_LLM"
    assert given == f"--model_from_pretrained={expected}"
    # The shell sees the same words, and runs nothing else.
    program = "import sys; sys.stdout.write('\\0'.join(sys.argv[1:]))"
    script = work.folder / "paste.sh"
    script.write_text(command.replace("python ", f"python3 -c {shlex.quote(program)} ", 1), encoding="utf-8")
    done = run_shell(script)
    assert done.split("\0") == words[1:]
    assert not (work.folder / "PWNED").exists()


@pytest.mark.parametrize("value", [INJECTED, EVIL, ["a"], {"a": 1}, 7, True, "x" * 5000, "a\0b"], ids=ascii)
@pytest.mark.parametrize("key", ["style", "raw"])
def test_the_command_of_s2_repeats_no_unknown_setting(work, key, value):
    call("s2", **work.llm)
    path = work.results / "train_1000_synthetic.jsonl.meta.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    write_json(path, {**manifest, "parameters": {**manifest["parameters"], key: value}})
    assert recorded_s2_command(Layout(work.file_dir, "tiny")).flags == ""


@pytest.mark.parametrize("style", get_args(Style))
def test_the_command_of_s2_repeats_its_style(tmp_path, style):
    result = Layout(tmp_path, "tiny").synthetic()
    publish(result, [], build_manifest("s2", {}, {"style": style}, {}))
    assert recorded_s2_command(Layout(tmp_path, "tiny")).flags == ("" if style == "explain" else f"--style={style}")


def run_shell(script):
    return subprocess.run(["bash", script], cwd=script.parent, capture_output=True, text=True, check=True).stdout


def test_damaged_lines_of_the_run_log_are_skipped(work):
    work.results.mkdir()
    good = json.dumps({"step": "s1", "model": "m.gguf", "backend": "llamacpp"}).encode()
    lines = [good, b"\xff\xfe", b"[" * 100_000, b"null", b"{}", b'{"model": ', bytes(100)]
    (work.results / "run.log.jsonl").write_bytes(b"\n".join(lines))
    assert "--model_from_pretrained=m.gguf --backend=llamacpp --mode=entity" in shown("status", work)


def test_tables_of_scores_show_labels_escaped_and_on_one_line():
    label = f"{EVIL}\nmicro 100"
    report = score_spans([[Span(0, 1, label)]], [[Span(0, 1, label)]], [label, "LOC"])
    assert not CONTROL.search(report.to_text())
    assert len(report.to_text().splitlines()) == 5
    errors = count_errors([[Span(0, 1, label)]], [[Span(0, 1, "LOC")]], [label, "LOC"])
    assert not CONTROL.search(errors.to_text())
    assert len(errors.to_text().splitlines()) == 2


def test_a_suggested_patch_is_escaped_and_still_json(tmp_path):
    path = write_json(tmp_path / "entity_label.json", {"PERSON": ["person name"]})
    patch = label_patch({"person name\x1b": "entity"}, {"entity": path})
    assert not CONTROL.search(patch)
    added = next(line for line in patch.splitlines() if line.startswith("+{"))
    assert json.loads(added[1:]) == {"PERSON": ["person name", "person name\x1b"]}


PROGRAM = """
import sys
sys.path.insert(0, {scripts!r})
import status
from utils.cli.script import start
def run(args):
    {raises}
start(status.build_parser(), run, cmd_args=True, values={{}})
"""


@pytest.mark.parametrize("raises", [f"raise ValueError({EVIL!r})", f"raise KeyError({EVIL!r} + chr(27))"])
@pytest.mark.parametrize("debug", [[], ["--debug"]], ids=["", "debug"])
def test_errors_and_tracebacks_are_escaped(tmp_path, raises, debug):
    (tmp_path / "program.py").write_text(PROGRAM.format(scripts=str(SCRIPTS), raises=raises), encoding="utf-8")
    done = run_python(tmp_path / "program.py", "--file_name=x", *debug, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert "PER" in done.stderr
    assert not CONTROL.search(done.stderr)
