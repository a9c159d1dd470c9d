"""The trained span model that labels a size: its labels, and the sentences of its training."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from utils.dataset.layout import Layout, Size, TrainingData
from utils.dataset.records import Sentence
from utils.dataset.tokens import Tokenisation, text_hash
from utils.files.jsonl import read_json
from utils.files.manifest import hash_inputs, read_manifest
from utils.ner.config import DEFAULT_THRESHOLD
from utils.ner.kept_models import find_kept_model, is_trained_on
from utils.ner.label_files import find_label_files, labels_of_model
from utils.ner.tokenizer_files import has_tokenizer, tokenizer_files
from utils.ner.training.record import BEST, RECORD, read_record, training_sentences
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedModel:
    """A trained model's folder, how it decides on spans, and the sentences that it was trained on."""

    folder: Path
    targets: tuple[str, ...]
    threshold: float
    nested: bool
    sentences: frozenset[str] | None  # text hashes; None: not recorded
    tokenizer: tuple[Path, ...] = ()  # files of the base encoder, if the folder has no tokenizer of its own

    @property
    def files(self) -> list[Path]:
        """The files that the model's predictions depend on."""
        names = ("config.json", "model.safetensors", "pytorch_model.bin")
        files = [self.folder / name for name in names if (self.folder / name).is_file()]
        return [*files, *find_label_files(self.folder), *self.tokenizer]

    def leak_reason(self, own: Iterable[Sentence]) -> str | None:
        """Return why the model may know sentences other than a size's `own`, or None if it was trained on these only.

        Such a model leaks: its labels on a small size would also reflect the sentences of a larger one.
        """
        if self.sentences is None:
            return "it has no training.json, so nobody knows which sentences it was trained on"
        left = set(self.sentences)
        for sentence in own:
            left.discard(text_hash(sentence.tokens))
        outside = len(left)
        if not outside:
            return None
        number, are = counted(len(self.sentences), "training sentence"), agreeing(outside, "is", "are")
        return f"{outside} of its {number} {are} not of this size"


def find_teachers(folder: Path, encoder: str | None = None) -> list[TrainedModel]:
    """Return the model in a folder or, in the folder of a training with several seeds, the models of all seeds.

    `encoder` is the folder of the base encoder: models without a tokenizer have its tokenizer.
    """
    seeds = [path.parent for path in folder.glob(f"seed_*/{BEST}/config.json")]
    if (folder / "config.json").is_file() or not seeds:
        return [find_model(folder, encoder)]
    seeds.sort(key=lambda path: (len(path.parent.name), path.parent.name))
    models = [find_model(seed, encoder) for seed in seeds]
    if any(model.targets != models[0].targets for model in models):
        raise ValueError(f"{folder}: its seeds have different target labels: train them again with --overwrite")
    return models


def find_model(folder: Path, encoder: str | None = None) -> TrainedModel:
    """Return the trained model in a folder, read from its small files; raise FileNotFoundError if there is none."""
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(
            f"--model_from_pretrained: {folder} has no config.json: train a model with train_ner.py first"
        )
    values = read_json(folder / "config.json")
    labels, targets = labels_of_model(values, folder)
    threshold, nested = values.get("span_threshold", DEFAULT_THRESHOLD), bool(values.get("nested"))
    tokenizer = tokenizer_files(Path(encoder)) if encoder and not has_tokenizer(folder) else []
    sentences = _training_sentences(folder)
    return TrainedModel(folder, labels[1 : targets + 1], threshold, nested, sentences, tuple(tokenizer))


def common_targets(model: TrainedModel, targets: Collection[str]) -> frozenset[str]:
    """Return the target labels of both the model and the dataset.

    Warns about labels of the model that are not in the dataset. Raises ValueError if there is no common label.
    """
    common = frozenset(model.targets) & frozenset(targets)
    lists = f"the model's labels are {', '.join(model.targets)}; the dataset's are {', '.join(targets)}"
    if not common:
        raise ValueError(f"{model.folder} predicts no label of this dataset: {lists}")
    if len(common) < len(model.targets):
        log.warning("labels of %s that are not in the dataset's labels.txt are skipped: %s", model.folder, lists)
    return common


def check_leaks(model: TrainedModel, own: Iterable[Sentence], size: str, *, refuse: bool) -> str | None:
    """Return why the model may know sentences other than a size's `own`, for the manifest, and warn about it.

    Raises ValueError instead with `refuse`: a model that was trained for this size should know no others.
    """
    reason = model.leak_reason(own)
    if reason and refuse:
        raise ValueError(f"{model.folder} cannot label size {size}: {reason}; train it with --size={size}")
    if reason:
        log.warning(
            "size %s is labelled by %s, but %s; to use one model for each size, write {size} in the path",
            size,
            model.folder,
            reason,
        )
    return reason


def check_data(model: TrainedModel, layout: Layout, *, tokenisation: Tokenisation) -> str | None:
    """Return why the model may be that of another LLM, for the manifest, and warn about it.

    The record of a model shows its training sentences with their spans, which are different for each LLM.
    """
    record = model.folder / RECORD
    if not record.is_file() or is_trained_on(read_record(record), layout, tokenisation) is not False:
        return None
    reason = f"it was not trained on the sentences and spans that {layout.save_type_name} has now"
    log.warning(
        "%s may be the model of another LLM: %s; train it again, if necessary with another --save_dir of train_ner.py",
        model.folder,
        reason,
    )
    return reason


def check_same_models(layout: Layout, size: Size, models: Sequence[TrainedModel]) -> None:
    """Raise ValueError if the target spans of a size were made with other models."""
    result = layout.size_target(size)
    found = read_manifest(result) if result.is_file() else None
    if found is None:
        return
    llm = layout.size_annotation_file(size, "target", synthetic=True)
    others = layout.portable_names([layout.size_sentences(size, synthetic=True), layout.labels, llm])
    before = {name: digest for name, digest in found.inputs.items() if name not in others}
    now = hash_inputs(layout.portable_names([file for model in models for file in model.files]))
    old_files, new_files = _by_file_name(before), _by_file_name(now)
    tokenizers = {file.name for model in models for file in model.tokenizer}
    if not any(name in tokenizers for name, _ in old_files):  # an older version did not record them
        new_files = Counter({file: count for file, count in new_files.items() if file[0] not in tokenizers})
    if files := sorted([*(old_files - new_files), *(new_files - old_files)]):
        names = ", ".join(dict.fromkeys(name for name, _ in files))
        raise ValueError(
            f"{result} was made with another model: {_folder_of(before)} before, {_folder_of(now)} now (different: "
            f"{names}); use the same one again, another --save_type_name, or --overwrite to label the sentences again"
        )


def find_model_folder(folder: Path, layout: Layout, size: Size, *, tokenisation: Tokenisation) -> Path:
    """Return the folder of a model; if it is missing there, that of the same training in an older or newer version.

    Models of an older version are in save_model/<file_name>_<size>_<data>, without the name of the LLM.
    """
    kind = next((data for data in get_args(TrainingData) if f"{layout.file_name}_{size}_{data}" in folder.parts), None)
    if (folder / "config.json").is_file() or folder.name != BEST or kind is None:
        return folder
    above = folder.parent.parent
    models = above.parent if above.name == layout.save_type_name else above
    kept = find_kept_model(layout, size, kind, models=models, tokenisation=tokenisation)
    if not (kept.folder / BEST / "config.json").is_file():
        if kept.note:
            log.warning("%s", kept.note)
        return folder
    log.info("%s is missing: %s is used", folder, kept.folder / BEST)
    return kept.folder / BEST


def _by_file_name(hashes: Mapping[str, str]) -> Counter[tuple[str, str]]:
    """Return how often each pair of a file's name, without its folder, and hash occurs."""
    return Counter((name.rpartition("/")[2], digest) for name, digest in hashes.items())


def _folder_of(names: Iterable[str]) -> str:
    return next((name.rpartition("/")[0] for name in names), "no model")


def _training_sentences(folder: Path) -> frozenset[str] | None:
    """Return the hashes of the sentences that a model was trained on, or None if its folder has no record of them."""
    record = folder / RECORD
    return training_sentences(read_json(record), record) if record.is_file() else None
