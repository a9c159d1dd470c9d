"""The work of evaluate_ner.py: evaluate a model on a test file, or compare two files of predictions."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.dataset.reading import read_sentences, tokenisation_of_file
from utils.dataset.records import Sentence, Span
from utils.dataset.tokens import Tokenisation
from utils.files.jsonl import write_json
from utils.files.manifest import build_manifest, check_owner, fingerprint, hash_file, publish
from utils.files.models import model_identity
from utils.ner.prediction.settings import PredictionSettings
from utils.wording import counted

log = logging.getLogger(__name__)

STEP = "evaluate_ner"


@dataclass(frozen=True)
class Resampling:
    """How often a test set is resampled for intervals, and with which seed."""

    resamples: int
    seed: int


@dataclass(frozen=True)
class EvaluationFiles:
    """The test file, and the files to write."""

    test: Path
    output: Path | None = None  # the predictions
    report: Path | None = None  # the scores, as JSON

    def check(self) -> None:
        """Raise ValueError if the predictions would replace the test file or the result of a step."""
        if self.output is None:
            return
        if self.output.exists() and self.output.samefile(self.test):
            raise ValueError(f"--output={self.output} is the test file itself: use another name")
        check_owner(self.output, step=STEP)


def evaluate_file(
    files: EvaluationFiles, settings: PredictionSettings, resampling: Resampling, tokenisation: Tokenisation | None
) -> None:
    """Evaluate a model on the test file, log the scores, and write what `files` names.

    `tokenisation=None` is detected from the test file.
    """
    files.check()
    sentences = read_sentences(files.test, tokenisation=tokenisation or tokenisation_of_file(files.test))
    from utils.compute.devices import choose_device
    from utils.ner import SpanNer
    from utils.ner.scoring.evaluation import assess, scored_labels

    ner = SpanNer.from_pretrained(settings.model, encoder=settings.encoder, device=choose_device(settings.gpus))
    labels = scored_labels(ner, sentences)
    texts = [sentence.tokens for sentence in sentences]
    predicted = ner.predict(texts, settings.batch_size, **settings.decoding, progress=True)
    assessment = assess(sentences, predicted, labels, seed=resampling.seed, resamples=resampling.resamples)
    if files.output:
        _write_predictions(files.output, files.test, sentences, predicted, {"labels": labels, **_model(settings)})
    if files.report:
        write_json(files.report, assessment.to_dict())
    arrow = f" -> {files.output}" if files.output else ""
    micro = 100 * assessment.report.micro.f1
    log.info("%s\nmicro-F1 %.2f on %s%s", assessment.to_text(), micro, counted(len(sentences), "sentence"), arrow)


def compare_files(first: Path, second: Path, resampling: Resampling, report: Path | None = None) -> None:
    """Log the scores of two files of predictions and their difference, and write them to `report`, if given."""
    from utils.ner.prediction.outputs import compare_outputs, read_output

    one, other = read_output(first), read_output(second)
    comparison = compare_outputs(one, other, seed=resampling.seed, resamples=resampling.resamples)
    reports = [output.report(one.labels | other.labels) for output in (one, other)]
    width = max(len(str(first)), len(str(second)))
    lines = [
        f"{file!s:{width}}  P {100 * r.micro.precision:6.2f}  R {100 * r.micro.recall:6.2f}  F1 {100 * r.micro.f1:6.2f}"
        for file, r in zip((first, second), reports, strict=True)
    ]
    log.info("%s\n%s", "\n".join(lines), comparison.to_text())
    if report:
        scores = [one.to_dict() for one in reports]
        write_json(report, {**comparison.to_dict(), "first": scores[0], "second": scores[1]})


def _model(settings: PredictionSettings) -> dict[str, object]:
    """Return the settings that decide the predictions, for a manifest."""
    return {"model": fingerprint(model_identity(str(settings.model))), **settings.decoding}


def _write_predictions(
    path: Path,
    test: Path,
    sentences: Sequence[Sentence],
    predicted: Sequence[Sequence[Span]],
    parameters: dict[str, object],
) -> None:
    """Write the sentences with gold and predicted spans, and a manifest."""
    from utils.ner.prediction.outputs import output_rows

    counts = {"sentences": len(sentences), "spans": sum(map(len, predicted))}
    publish(
        path, output_rows(sentences, predicted), build_manifest(STEP, {test.name: hash_file(test)}, parameters, counts)
    )
