"""Runs the command blocks of the documentation: bash reads them, and this process runs the scripts that they start.

A `python` that only records its words takes the place of Python, so quotes, loops, variables and comments mean what
they mean to a user. The recorded commands are then run on a small dataset, with recorded answers and a tiny encoder.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.builders import CHINESE, ROOT, SCRIPTS, read_lines, row_of, run_command, write_rows
from tests.helpers.span_models import make_encoder, words_of
from utils.cli import data_flags
from utils.dataset import layout

RECORDER = f"""#!{sys.executable}
import json, os, sys
with open(os.environ["CALLS"], "a", encoding="utf-8") as file:
    file.write(json.dumps({{"words": sys.argv[1:], "stdin": "-" in sys.argv}}) + "\\n")
"""
LLM_STEPS = ("s1_predict_data", "s2_continous_generation", "s3_predict_syn_data")
QUICK_TRAINING = {"epochs": "25", "min_steps": "1", "lr": "0.004", "adversarial": "0", "ema": "0"}
# Sentences that resemble the training sentences, so that a tiny model finds a span in them.
HELD_OUT = {
    "dev": [
        row_of(list("邓超在北京大学上课。"), ("邓超", "PER.NAM"), ("北京", "LOC.NAM")),
        row_of(list("李明去上海开会了。"), ("李明", "PER.NAM"), ("上海", "LOC.NAM")),
    ],
    "test": [row_of(list("邓超在北京大学教书。"), ("邓超", "PER.NAM"), ("北京", "LOC.NAM"))],
}


class DocRunner:
    """A folder with the datasets `weibo` and `mine`, their LLM's answers and an encoder, in which blocks run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file_dir = folder / "few_shot"
        for name in ("weibo", "mine"):
            dataset = CHINESE.write(self.file_dir, name)
            for split, rows in HELD_OUT.items():
                write_rows(dataset / f"{split}.jsonl", rows)
        self.recording = self._record()
        self.encoder = make_encoder(folder / "encoder", words_of([*CHINESE.rows, *HELD_OUT["dev"], *HELD_OUT["test"]]))
        (folder / "my.bio").write_text(bio_of(CHINESE.rows), encoding="utf-8")
        for name in ("texts.txt", "posts.txt"):
            (folder / name).write_text("王芳去年到过上海的海边。\n李明后来住在北京。\n", encoding="utf-8")
        self.save_model = folder / "save_model"
        self.python = folder / "bin" / "python"
        self.python.parent.mkdir()
        self.python.write_text(RECORDER, encoding="utf-8")
        self.python.chmod(0o755)
        self.started: list[str] = []  # the scripts of the last block
        # placeholders in commands: whole words of them, or the values of flags
        self.files = {
            "--train=FILE": f"--train={dataset}/train_1000.jsonl",
            "--dev=FILE": f"--dev={dataset}/dev.jsonl",
            "--test=FILE": f"--test={dataset}/test.jsonl",
            "--labels=FILE": f"--labels={dataset}/labels.txt",
            "data/few_shot/mine": str(folder / "converted"),
            "DIR": str(folder / "trained"),
            "BASE/best": str(folder / "trained" / "best"),
            "DIR/best": str(folder / "trained" / "best"),
        }

    def run(self, block: str) -> list[str]:
        """Run a block; return the scripts that it started."""
        self.started = [self._run_script(words) for words in self.recorded(block)]
        return self.started

    def recorded(self, block: str) -> list[list[str]]:
        """Return the words of each Python command that a block starts."""
        calls = self.folder / "calls.jsonl"
        calls.unlink(missing_ok=True)
        environment = {
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHON": str(self.python),
            "CALLS": str(calls),
            "FILE_DIR": str(self.file_dir),
            "N_GPU": "-1",
        }
        done = run_command(["bash", "-euo", "pipefail", "-c", block], cwd=ROOT, stdin="", **environment)
        assert done.returncode == 0, done.stderr
        lines = calls.read_text(encoding="utf-8").splitlines() if calls.is_file() else []
        return [json.loads(line)["words"] for line in lines]

    def run_python(self, block: str) -> None:
        """Run a block of Python on the files of this folder."""
        for shown, own in {
            "/path/to/the/repository/syn_pipelines": str(SCRIPTS),
            "/models/glm-4-9b-chat/": str(self.recording),
            'file_name="weibo"': f'file_name="weibo", file_dir={str(self.file_dir)!r}, backend="scripted"',
            "save_model/": f"{self.save_model}/",
        }.items():
            block = block.replace(shown, own)
        exec(compile(block, "<block>", "exec"), {})

    def _record(self) -> Path:
        """Write the recording of all answers, also those that name target labels."""
        path = CHINESE.record(self.folder / "answers.jsonl")
        names = {id_: [name for name, _ in found] for id_, found in CHINESE.entities.items()}
        rows = [
            {"id": id_, "task": "target", "answer": json.dumps([{"entity": one, "type": "LOC.NAM"} for one in found])}
            for id_, found in names.items()
        ]
        return write_rows(path, [*read_lines(path), *rows])

    def _run_script(self, words: list[str]) -> str:
        """Run a recorded command in this process; return the name of its script."""
        script = Path(words[0])
        assert script.parent.name == "syn_pipelines"
        assert (SCRIPTS / script.name).is_file()
        module = importlib.import_module(script.stem)
        parser = module.build_parser()
        values = self._values(script.stem, words[1:])
        flags = parser._option_string_actions
        kept = {name: value for name, value in values.items() if f"--{name}" in flags}
        module.run(parser.parse_words([*self._own_words(words[1:], kept), *(f"--{n}={v}" for n, v in kept.items())]))
        return script.stem

    def _values(self, script: str, words: list[str]) -> Mapping[str, str]:
        """Return the flags that take the place of those in a command: the files of this folder, and quick settings."""
        given = [word.split("=")[0] for word in words]
        values = {"file_dir": str(self.file_dir), "n_gpu": "-1"}
        if script in LLM_STEPS and "--api_base" not in given:
            values |= {"backend": "scripted"}
            if "--model_from_pretrained" in given:
                values |= {"model_from_pretrained": str(self.recording)}
        if script == "doctor" and "--model_from_pretrained" in given:
            values |= {"model_from_pretrained": str(self.encoder)}
        if "--from_pretrained" in given:
            values |= {"from_pretrained": str(self.encoder)}
        return values | (QUICK_TRAINING if script in ("train_ner", "ablate") else {})

    def _own_words(self, words: list[str], replaced: Mapping[str, str]) -> list[str]:
        """Return the words of a command without the replaced flags, and with the paths of this folder."""
        words = [self._with_paths(word) for word in words]
        return [word for word in words if word.removeprefix("--").split("=")[0] not in replaced]

    def _with_paths(self, word: str) -> str:
        flag, equals, value = word.partition("=")
        if word in self.files:
            return self.files[word]
        if equals and value.startswith("save_model/"):
            return f"{flag}={self.save_model.parent}/{value}"
        return f"{flag}={self.files[value]}" if equals and value in self.files else word


def bio_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as a BIO file: a token and its tag per line, an empty line between sentences."""
    sentences = []
    for row in rows:
        tags = ["O"] * len(row["text"])
        for span in row["entities"]:
            tags[span["start"] : span["end"]] = [f"I-{span['entity']}"] * (span["end"] - span["start"])
            tags[span["start"]] = f"B-{span['entity']}"
        sentences.append("".join(f"{token} {tag}\n" for token, tag in zip(row["text"], tags, strict=True)))
    return "\n".join(sentences)


def use_models_of(runner: DocRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the scripts keep trained models in the runner's folder instead of the repository's."""
    monkeypatch.setattr(layout, "SAVE_MODEL", runner.save_model)
    monkeypatch.setattr(data_flags, "SAVE_MODEL", runner.save_model)
