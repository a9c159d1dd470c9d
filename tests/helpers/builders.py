"""Datasets, recordings of an LLM's answers, and runs of the scripts for tests."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from utils.dataset.records import Sentence, Span
from utils.llm.base import Answer, Request

ROOT = Path(__file__).resolve().parents[2]

SCRIPTS = ROOT / "syn_pipelines"
STEPS = {
    "s1": "s1_predict_data",
    "s2": "s2_continous_generation",
    "s3": "s3_predict_syn_data",
    "s4": "s4_split_data",
    "s5": "s5_merge_data",
    "s6": "s6_combine_syn_fusion_label",
    "s7": "s7_pred_syn_data",
    "s8": "s8_process_label_and_combine",
    "train": "train_ner",
    "evaluate": "evaluate_ner",
    "predict": "predict_ner",
    "export": "export_ner",
    "report": "report",
    "audit": "audit",
    "status": "status",
    "ablate": "ablate",
    "convert": "convert",
    "check": "check",
}


# --- files


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write JSON Lines without the code under test."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a JSON Lines file, read without the code under test."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def write_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def bytes_below(folder: Path) -> dict[str, bytes]:
    """Return the content of every file below a folder except the run log, which contains times."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "run.log.jsonl")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


# --- sentences


def sentence(text: str | Sequence[str], *spans: tuple[int, int, str], id: str = "1") -> Sentence:  # noqa: A002
    """Return a sentence with spans; a string is split at whitespace."""
    tokens = tuple(text.split() if isinstance(text, str) else text)
    rows = [{"start": start, "end": end, "entity": label} for start, end, label in spans]
    row = {"text": list(tokens), "entities": rows}
    built = tuple(Span(*span, row=span_row) for span, span_row in zip(spans, rows, strict=True))
    return Sentence(id=id, tokens=tokens, spans=built, row=row)


def row_of(tokens: Sequence[str], *names: tuple[str, str]) -> dict[str, Any]:
    """Return the row of an annotated sentence; each name is annotated where its tokens first occur."""
    dense = all(len(token) == 1 for token in tokens)
    entities = []
    for name, label in names:
        parts = list(name) if dense else name.split()
        start = next(at for at in range(len(tokens)) if list(tokens[at : at + len(parts)]) == parts)
        entities.append({"start": start, "end": start + len(parts), "entity": label, "text": parts})
    return {"text": list(tokens), "entities": entities}


# --- two datasets of eight sentences; sizes 250, 500 and 1000 contain 2, 4 and 8 of them


@dataclass(frozen=True)
class Corpus:
    """A dataset, and an LLM's answers to every question about it."""

    labels: tuple[str, ...]
    rows: Sequence[dict[str, Any]]
    dev: Sequence[dict[str, Any]]
    entities: Mapping[str, Sequence[tuple[str, str]]]  # id -> (text, label), with those of synthetic sentences
    words: Mapping[str, Sequence[tuple[str, str]]]
    explained: Mapping[str, str]
    synthetic: Mapping[str, Sequence[str]] = field(default_factory=dict)  # id of a source -> its synthetic sentences

    def write(self, file_dir: Path, name: str = "tiny") -> Path:
        """Write the dataset; return its folder."""
        folder = file_dir / name
        write_rows(folder / "train_1000.jsonl", self.rows)
        write_rows(folder / "dev.jsonl", self.dev)
        (folder / "labels.txt").write_text("\n".join(("O", *self.labels)) + "\n", encoding="utf-8")
        return folder

    def record(self, path: Path) -> Path:
        """Write the recording of all answers."""
        rows: list[dict[str, str]] = []
        for task, keys, answers in (
            ("entity", ("entity", "type"), self.entities),
            ("pos", ("word", "pos"), self.words),
        ):
            for id_, items in answers.items():
                answer = json.dumps([dict(zip(keys, item, strict=True)) for item in items], ensure_ascii=False)
                rows.append({"id": id_, "task": task, "answer": answer})
        rows += [{"id": id_, "task": "explain", "answer": text} for id_, text in self.explained.items()]
        return write_rows(path, rows)


def _corpus(
    labels: Sequence[str],
    gold: Sequence[tuple[str, Sequence[tuple[str, str]]]],
    new: Mapping[str, Sequence[str]],
    *,
    dense: bool,
    kinds: Mapping[str, str],
    word_kinds: Sequence[str],
    dev: str,
) -> Corpus:
    def cut(text: str) -> list[str]:
        return [character for character in text if character != " "] if dense else text.split()

    texts = {str(number): text for number, (text, _) in enumerate(gold, start=1)}
    texts |= {f"{id_}-{place}": text for id_, made in new.items() for place, text in enumerate(made, start=1)}
    return Corpus(
        labels=tuple(labels),
        rows=[row_of(cut(text), *names) for text, names in gold],
        dev=[row_of(cut(dev))],
        entities={id_: [(name, kind) for name, kind in kinds.items() if name in text] for id_, text in texts.items()},
        words={
            id_: [(word, word_kinds[place % len(word_kinds)]) for place, word in enumerate(_words(text, dense=dense))]
            for id_, text in texts.items()
        },
        explained={id_: ("" if dense else " ").join(made).replace(" .", ".") for id_, made in new.items()},
        synthetic=new,
    )


def _words(text: str, *, dense: bool) -> list[str]:
    """Return the words of a text; in dense text every two characters are a word."""
    return [text[at : at + 2] for at in range(0, len(text), 2)] if dense else text.split()


ENGLISH = _corpus(
    ["PERSON", "VESSEL"],
    [
        ("The Mary-Ann sank within sight of Lerwick .", [("Mary-Ann", "VESSEL")]),
        ("Agnes Muir doesn't like the U.S. at all .", [("Agnes Muir", "PERSON")]),
        ("Nobody in Port Ellis knew about it .", []),
        ("Tom Reid sold lamps to Apple Inc . in May .", [("Tom Reid", "PERSON")]),
        ("The Petrel waited for the Petrel pilot .", [("Petrel", "VESSEL")]),
        ("An old e-mail names Dr. Muir of Lerwick .", [("Muir", "PERSON")]),
        ("In 1897 the Swift ran aground near Port Ellis .", [("Swift", "VESSEL")]),
        ("Tom Reid never saw the Swift again .", [("Tom Reid", "PERSON"), ("Swift", "VESSEL")]),
    ],
    {
        "1": ["Lerwick is a town in the north .", "The Mary-Ann was built of oak ."],
        "2": ["Agnes Muir lived in Lerwick for years ."],
        "4": ["Tom Reid owned a shop in Port Ellis .", "He often wrote to Apple about lamps ."],
        "5": ["The Petrel was a small grey ship ."],
        "6": ["Dr. Muir came from Lerwick in spring ."],
        "7": ["The Swift carried mail to Port Ellis ."],
        "8": ["Tom Reid was the master of a ship ."],
    },
    dense=False,
    kinds={"Lerwick": "city", "Port Ellis": "LOC", "Apple": "company", "Tom Reid": "person", "1897": "zorkmid"},
    word_kinds=["NN", "VB", "prep"],
    dev="Nobody in Lerwick saw the Swift .",
)

CHINESE = _corpus(
    ["PER.NAM", "LOC.NAM"],
    [
        ("邓超在北京大学读书。", [("邓超", "PER.NAM"), ("北京", "LOC.NAM")]),
        ("李明去上海出差了。", [("李明", "PER.NAM"), ("上海", "LOC.NAM")]),
        ("今天天气真的很好！", []),
        ("王芳住在北京的东边。", [("王芳", "PER.NAM"), ("北京", "LOC.NAM")]),
        ("邓超喜欢喝绿茶。", [("邓超", "PER.NAM")]),
        ("李明买了一台电脑。", [("李明", "PER.NAM")]),
        ("上海的春天雨水多。", [("上海", "LOC.NAM")]),
        ("王芳明天要去上海。", [("王芳", "PER.NAM"), ("上海", "LOC.NAM")]),
    ],
    {
        "1": ["北京大学是一所著名的大学。", "邓超是一名认真的学生！"],
        "2": ["上海是中国最大的城市。"],
        "4": ["王芳每天坐地铁去上班。", "北京的东边有很多公司。"],
        "5": ["邓超每天早上都喝绿茶。"],
        "6": ["李明用电脑写小说。"],
        "7": ["上海的夏天非常热。"],
        "8": ["王芳要去上海看朋友。"],
    },
    dense=True,
    kinds={"北京大学": "学校", "北京": "地名", "上海": "城市", "绿茶": "饮料", "邓超": "人名", "电脑": "某某某"},
    word_kinds=["名词(n)", "v", "副词"],
    dev="李明在上海工作。",
)


# --- LLMs


class ReplayingLLM:
    """Answers by (id, task), and keeps the requests in `asked`."""

    def __init__(self, answers: Mapping[tuple[str, str], str], finish: str = "stop") -> None:
        self.answers = answers
        self.finish = finish
        self.asked: list[Request] = []

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        for request in requests:
            self.asked.append(request)
            yield Answer(request, self.answers[request.id, request.task], self.finish, 3, 2)  # type: ignore[arg-type]


# --- scripts


def call(step: str, **values: object) -> None:
    """Run a script as a notebook does, with `main(cmd_args=False, …)`."""
    importlib.import_module(STEPS[step]).main(cmd_args=False, **values)


def run_python(*words: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a new process."""
    return run_command([sys.executable, *words], cwd=cwd, **environment)


def run_pasted(code: str, *, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run code as the kernel of a notebook does: with no file, and with the working folder on the path."""
    return run_command([sys.executable, "-"], cwd=cwd, stdin=code)


def run_command(
    command: Sequence[str | Path], *, cwd: Path, stdin: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in the environment of a user without settings, but for `environment`."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=clean_environment(**environment),
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,  # on a busy machine, imports alone may take a minute
        check=False,
    )


def clean_environment(**more: str) -> dict[str, str]:
    """Return the environment of a user without settings: no PYTHONPATH."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSTARTUP")}
    return {**kept, "HF_HUB_OFFLINE": "1", "PYTHONUTF8": "0", **more}
