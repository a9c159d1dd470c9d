"""The run of s1 and s3 that the flags describe."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from utils.annotation.annotator import Annotator
from utils.annotation.step import annotate, questions
from utils.asking.answer_settings import AnswerSettings, first_fingerprint
from utils.asking.estimate import QuestionPlan, report_estimate
from utils.asking.model import ModelChoice
from utils.asking.step import LLMStep
from utils.cli import data_flags, run_flags
from utils.cli.annotation.flags import annotation_settings
from utils.cli.exits import UsageError
from utils.cli.llm_flags import model_choice
from utils.cli.script import report
from utils.dataset.reading import Dataset
from utils.dataset.records import Sentence
from utils.llm import GUIDANCE_NAMES, Guidance

log = logging.getLogger(__name__)

FORM_NAMES = {"json_schema": "with a JSON schema", "json_object": "as JSON"}


def run_annotation(
    args: argparse.Namespace,
    dataset: Dataset,
    sentences: Sequence[Sentence],
    *,
    step: str,
    result: Path,
    inputs: Sequence[Path],
) -> None:
    """Annotate sentences, and write and report the result; with --plan, only estimate the work."""
    layout = data_flags.unchecked_layout(args)
    annotator = Annotator.for_dataset(dataset, annotation_settings(args))
    model = model_choice(args, local_workers=True)
    annotator = with_guidance(args, annotator, model, result)
    llm_step = LLMStep(
        name=step,
        model=model,
        result=result,
        run_log=layout.run_log,
        inputs=layout.portable_names(inputs),
        parameters=annotator.parameters,
        result_parameters=annotator.result_parameters,
        overwrite=args.overwrite,
        flags=run_flags.repeatable_flags(args),
    )
    if settings := run_flags.estimate_settings(args):
        asked = questions(sentences, annotator, skip=args.skip, limit=args.limit)
        report_estimate(llm_step, lambda _: QuestionPlan([asked]), settings)
        return
    counts = annotate(sentences, annotator, llm_step, skip=args.skip, limit=args.limit, engine=model.engine)
    report(counts, result, advice=counts.advice)


def choose_guidance(args: argparse.Namespace, model: ModelChoice) -> Guidance:
    """Return what answers are held to; raise UsageError for --guided=1 if it cannot be a grammar.

    This may load a checkpoint's tokenizer or ask a server, so call it after all cheaper checks.
    """
    if args.guided is False:
        return "free"
    best = model.best_guidance()
    if args.guided and best != "grammar":
        name = f"the server {args.api_base}" if args.api_base else f"{model.path} ({model.backend})"
        other = f" (only {FORM_NAMES[best]}: --guided=auto uses it)" if best in FORM_NAMES else ""
        raise UsageError(
            f"--guided=1: {name} cannot constrain answers with a grammar{other}: omit the flag, or use a .gguf file or "
            "another checkpoint"
        )
    return best


def with_guidance(args: argparse.Namespace, annotator: Annotator, model: ModelChoice, result: Path) -> Annotator:
    """Return the annotator whose answers are guided as the flags say and the model allows, and say how.

    With --guided=auto, a journal that was begun with a looser guidance is continued with it.
    """
    best = choose_guidance(args, model)
    choice = best
    if args.guided is None and not args.overwrite and best in FORM_NAMES:
        begun = first_fingerprint(result)
        options: tuple[Guidance, ...] = ("json_object", "free")
        looser = [one for one in options if answer_settings(model, annotator, one).fingerprint == begun]
        choice = looser[0] if looser else best
    if args.api_base:
        continued = f", as in the answers of {result.name} so far" if choice != best else ""
        log.info("%s: answers are %s%s", args.api_base, GUIDANCE_NAMES[choice], continued)
    return replace(annotator, guidance=choice)


def answer_settings(model: ModelChoice, annotator: Annotator, guidance: Guidance) -> AnswerSettings:
    """Return what answers depend on with a guidance."""
    guided = replace(annotator, guidance=guidance)
    return AnswerSettings(model.identity(), {**model.parameters, **guided.parameters})
