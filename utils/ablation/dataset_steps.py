"""Steps s4, s5, s7 and s8 for one size, run in the dataset folder of a training set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from utils.ablation.variants import DataRecipe
from utils.annotation.splitting import SizeSplit, SplitFiles
from utils.dataset.layout import Layout, Size
from utils.dataset.modes import MODES
from utils.dataset.reading import Dataset, read_dataset, read_sentences, read_synthetic
from utils.dataset.records import Sentence
from utils.dataset.tokens import Tokenisation
from utils.files.manifest import hash_inputs
from utils.fusion.corrections import Patch
from utils.fusion.counts import warn_about_patch
from utils.fusion.files import find_merge_files
from utils.fusion.settings import MergeSettings
from utils.fusion.step import FusionStep, combine_label_files
from utils.marking.sizes import SizeModels, label_size, make_labeller
from utils.marking.trained_model import check_leaks, find_model
from utils.ner.prediction.judgement import LOWEST_SCORE, Judge, Judgement
from utils.ner.prediction.pool import blocks_of_batches

if TYPE_CHECKING:
    from utils.ner.prediction.predictor import SpanNer

LABELLING_BATCH = 16  # sentences


@dataclass(frozen=True)
class DatasetSteps:
    """The steps for one size of the dataset."""

    layout: Layout
    size: Size
    recipe: DataRecipe
    gpus: tuple[int, ...]
    patch: Patch | None = None  # corrections of a person

    def run(self, tokenisation: Tokenisation, teachers: Sequence[Path]) -> tuple[Path, Path]:
        """Run the steps; return the file of training sentences and the file of their labels.

        `teachers` are the folders of the models that label synthetic sentences.
        """
        layout, size, data = self.layout, self.size, self.recipe.data
        dataset = read_dataset(layout.train, layout.labels, tokenisation=tokenisation)
        self._split(dataset)
        if data == "base":
            return layout.size_sentences(size), layout.labels
        self._merge("s5", dataset, self.recipe.original, synthetic=False)
        if data == "fusion":
            return layout.size_fusion(size), layout.label_file("fusion", size)
        self._label(dataset, teachers)
        self._merge("s8", dataset, self.recipe.synthetic, synthetic=True)
        if data == "synthetic":
            return layout.size_fusion(size, synthetic=True), layout.label_file("syn", size)
        combine_label_files("s8", layout, size, dataset.targets)
        return layout.size_fusion(size, synthetic=True), layout.label_file("syn_fusion", size)

    def _split(self, dataset: Dataset) -> None:
        """Do the work of s4 for this size."""
        layout = self.layout
        synthetic = layout.synthetic()
        files = SplitFiles(
            layout.train,
            {mode: file for mode in MODES if (file := layout.annotation_file(mode)).is_file()},
            synthetic if synthetic.is_file() else None,
            {mode: file for mode in MODES if (file := layout.annotation_file(mode, synthetic=True)).is_file()},
        )
        hashes = hash_inputs(layout.portable_names([files.train, *files.results]))
        SizeSplit(layout, dataset.info, files, hashes, [self.size], self._is_wanted).publish()

    def _is_wanted(self, synthetic: Sentence) -> bool:
        """Return whether a synthetic sentence is of the chosen kind."""
        wanted = self.recipe.sentences
        return wanted == "all" or synthetic.is_raw == (wanted == "raw")

    def _merge(self, step: str, dataset: Dataset, settings: MergeSettings, *, synthetic: bool) -> None:
        """Do the work of s5, or of s8 for synthetic sentences, for this size."""
        layout, size = self.layout, self.size
        sentences = layout.size_target(size) if synthetic else None
        files = find_merge_files(layout, size, synthetic=synthetic, sentences=sentences, at_least=0)
        appended = layout.size_fusion(size) if self.recipe.data == "syn_fusion" and synthetic else None
        counts = FusionStep.for_dataset(step, layout, dataset, settings, patch=self.patch).publish(
            files, appended=appended
        )
        warn_about_patch(self.patch, [counts])

    def _label(self, dataset: Dataset, teachers: Sequence[Path]) -> None:
        """Do the work of s7 for this size."""
        models = [find_model(teacher) for teacher in teachers]
        own = read_sentences(self.layout.size_sentences(self.size), tokenisation=dataset.tokenisation)
        own += read_synthetic(self.layout.size_sentences(self.size, synthetic=True), tokenisation=dataset.tokenisation)
        for model in models:
            check_leaks(model, own, self.size, refuse=True)
        from utils.compute.devices import choose_device
        from utils.ner.prediction.predictor import SpanNer

        def load(folder: Path) -> Judge:
            ner = SpanNer.from_pretrained(folder, device=choose_device(self.gpus))
            return partial(_judgements, ner)

        label_size(
            self.layout,
            self.size,
            SizeModels(models, make_labeller(models, dataset, load), None, None),
            dataset=dataset.info,
            drop_disagreeing=self.recipe.drop_disagreeing,
        )


def _judgements(ner: SpanNer, texts: Iterable[Sequence[str]]) -> Iterator[Judgement]:
    """Yield a model's judgement of each text; the longest must come first."""
    for block in blocks_of_batches(texts, LABELLING_BATCH):
        yield from ner.judge(block, LABELLING_BATCH, lowest=LOWEST_SCORE)
