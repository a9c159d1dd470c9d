"""A dataset in a folder of its own, on which tests run the steps."""

from __future__ import annotations

import json
import shutil

from tests.helpers.builders import call, read_lines
from tests.helpers.span_models import make_encoder, make_model, words_of

SIZES = {"250": 2, "500": 4, "1000": 8}  # of a dataset of eight sentences
ORIGINAL = ("entity_train_1000.jsonl", "pos_train_1000.jsonl")
SYNTHETIC = ("entity_train_1000_synthetic.jsonl", "pos_train_1000_synthetic.jsonl")


class Workspace:
    """A dataset in a folder of its own, the recording of its LLM, and the results in GLM4."""

    def __init__(self, folder, corpus):
        self.folder = folder
        self.corpus = corpus
        self.file_dir = folder / "few shot"  # a blank, as in many users' paths
        self.dataset = corpus.write(self.file_dir)
        self.recording = corpus.record(folder / "answers.jsonl")
        self.results = self.dataset / "GLM4"

    @property
    def data(self):
        return {"file_dir": self.file_dir, "file_name": "tiny"}

    @property
    def llm(self):
        return {**self.data, "backend": "scripted", "model_from_pretrained": self.recording}

    @property
    def synthetic_number(self):
        return sum(len(made) for made in self.corpus.synthetic.values())

    def lines(self, name, size=None):
        return read_lines((self.results / size if size else self.results) / name)

    def json(self, name, size=None):
        return json.loads(((self.results / size if size else self.results) / name).read_text(encoding="utf-8"))

    def runs(self, step):
        return [line for line in read_lines(self.results / "run.log.jsonl") if line["step"] == step]

    def annotate(self):
        """Run s1, s2 and s3 in both modes."""
        for mode in ("entity", "pos"):
            call("s1", **self.llm, mode=mode)
        call("s2", **self.llm)
        for mode in ("entity", "pos"):
            call("s3", **self.llm, mode=mode)

    def split(self):
        """Run s1, s2 and s4: all that s7 needs."""
        call("s1", **self.llm)
        call("s2", **self.llm)
        call("s4", **self.data)
        return self

    def merge(self):
        """Run s4, s5 of both sides, and s6."""
        call("s4", **self.data)
        for side in (0, 1):
            call("s5", **self.data, is_syn=side)
        call("s6", **self.data)

    def models(self):
        """Make a tiny span model for each size, which knows the sentences of that size alone."""
        rows = self.corpus.rows
        self.encoder = make_encoder(self.folder / "encoder", words_of(rows))
        for size, number in SIZES.items():
            folder = self.folder / "save_model" / f"tiny_{size}_fusion" / "best"
            make_model(folder, self.encoder, self.corpus.labels, rows[:number])
        return f"{self.folder}/save_model/tiny_{{size}}_fusion/best"

    def finish(self):
        """Run all eight steps, in both modes and on both sides, with a model for each size."""
        self.annotate()
        self.merge()
        call("s7", **self.data, model_from_pretrained=self.models(), n_gpu=-1)
        call("s8", **self.data)
        return self

    def copy(self, folder):
        """Return a copy of the dataset, its results and its models in another folder."""
        other = Workspace(folder, self.corpus)
        shutil.copytree(self.file_dir, other.file_dir, dirs_exist_ok=True)
        shutil.copytree(self.folder / "save_model", folder / "save_model")
        return other
