"""A folder with a dataset on which tests run the steps."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.helpers.builders import Corpus, call, read_lines
from tests.helpers.span_models import make_encoder, make_model, words_of
from utils.dataset.layout import Size

SIZES: dict[Size, int] = {"250": 2, "500": 4, "1000": 8}  # size -> sentences of a dataset of eight
ORIGINAL = ("entity_train_1000.jsonl", "pos_train_1000.jsonl")
SYNTHETIC = ("entity_train_1000_synthetic.jsonl", "pos_train_1000_synthetic.jsonl")


class Workspace:
    """A folder with a dataset, the recording of an LLM's answers, and the results in GLM4."""

    def __init__(self, folder: Path, corpus: Corpus) -> None:
        self.folder = folder
        self.corpus = corpus
        self.file_dir = folder / "few shot"  # with a space, as in many users' paths
        self.dataset = corpus.write(self.file_dir)
        self.recording = corpus.record(folder / "answers.jsonl")
        self.results = self.dataset / "GLM4"

    @property
    def data(self) -> dict[str, Any]:
        return {"file_dir": self.file_dir, "file_name": "tiny"}

    @property
    def llm(self) -> dict[str, Any]:
        return {**self.data, "backend": "scripted", "model_from_pretrained": self.recording}

    @property
    def synthetic_number(self) -> int:
        return sum(len(made) for made in self.corpus.synthetic.values())

    def lines(self, name: str, size: str = "") -> list[dict[str, Any]]:
        """Return the rows of a result, of a size if one is given."""
        return read_lines(self.results / size / name)

    def json(self, name: str, size: str = "") -> Any:
        return json.loads((self.results / size / name).read_text(encoding="utf-8"))

    def runs(self, step: str) -> list[dict[str, Any]]:
        """Return the lines of a step in the run log."""
        return [line for line in read_lines(self.results / "run.log.jsonl") if line["step"] == step]

    def annotate(self) -> None:
        """Run s1, s2 and s3 in both modes."""
        for mode in ("entity", "pos"):
            call("s1", **self.llm, mode=mode)
        call("s2", **self.llm)
        for mode in ("entity", "pos"):
            call("s3", **self.llm, mode=mode)

    def split(self) -> Workspace:
        """Run s1, s2 and s4, the steps that s7 needs."""
        call("s1", **self.llm)
        call("s2", **self.llm)
        call("s4", **self.data)
        return self

    def merge(self) -> None:
        """Run s4, s5 for original and synthetic sentences, and s6."""
        call("s4", **self.data)
        for is_syn in (0, 1):
            call("s5", **self.data, is_syn=is_syn)
        call("s6", **self.data)

    def models(self) -> str:
        """Make a tiny span model for each size, trained on that size alone by its record; return their path."""
        rows = self.corpus.rows
        self.encoder = make_encoder(self.folder / "encoder", words_of(rows))
        for size, number in SIZES.items():
            folder = self.folder / "save_model" / "GLM4" / f"tiny_{size}_fusion" / "best"
            make_model(folder, self.encoder, self.corpus.labels, rows[:number])
        return f"{self.folder}/save_model/GLM4/tiny_{{size}}_fusion/best"

    def finish(self) -> Workspace:
        """Run all eight steps, in both modes, on original and synthetic sentences, with a model for each size."""
        self.annotate()
        self.merge()
        call("s7", **self.data, model_from_pretrained=self.models(), n_gpu=-1)
        call("s8", **self.data)
        return self

    def copy(self, folder: Path) -> Workspace:
        """Return a copy of the dataset, its results and its models in another folder."""
        other = Workspace(folder, self.corpus)
        shutil.copytree(self.file_dir, other.file_dir, dirs_exist_ok=True)
        if (models := self.folder / "save_model").is_dir():
            shutil.copytree(models, folder / "save_model")
        return other
