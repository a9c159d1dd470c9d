"""Report how well a trained span model does on annotated sentences, or compare two models' predictions.

    python syn_pipelines/evaluate_ner.py --model_from_pretrained=save_model/weibo_250_fusion/best --test=FILE
    python syn_pipelines/evaluate_ner.py --model_from_pretrained=… --test=FILE --output=fusion.jsonl
    python syn_pipelines/evaluate_ner.py --compare base.jsonl fusion.jsonl

Reads   the model's folder and a JSON Lines file of annotated sentences; or two files that --output wrote on one test
        file: comparing runs no model
Writes  to the screen, and with --report=FILE as JSON:
        precision, recall and F1 (micro, macro, per label; a span counts where start, end and label are right), what
        95 % of resampled test sets give, and kinds of errors: wrong label, wrong bounds, both, missed, spurious;
        or the difference of two micro-F1, with its interval and p-value (paired bootstrap over sentences)
        --output=FILE  the test's rows, gold as "entities" beside "predicted" spans with their scores
"""

import contextlib
import logging
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

with contextlib.suppress(ModuleNotFoundError):  # not needed, nor found, in a notebook started in the root
    import _repo_root  # noqa: F401

from utils.cli import span_model_flags
from utils.cli.exits import UsageError
from utils.cli.parser import Parser
from utils.cli.script import start
from utils.cli.values import auto_tokenisation, count, path, positive_number
from utils.dataset.reading import read_sentences, tokenisation_of_file
from utils.dataset.records import Sentence, Span
from utils.files.jsonl import write_json
from utils.files.manifest import build_manifest, check_owner, fingerprint, hash_file, model_identity, publish

cmd_args = True  # set to False inside a notebook
log = logging.getLogger(__name__)

STEP = "evaluate_ner"


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    parser.add_argument("--test", type=path, help="annotated sentences, JSON Lines")
    parser.add_argument("--output", type=Path, help="JSON Lines file for the predictions, gold beside them")
    parser.add_argument("--report", type=Path, help="JSON file for the figures")
    parser.add_argument(
        "--compare", type=path, nargs=2, metavar=("ONE", "OTHER"), help="two files of --output, on one test file"
    )
    parser.add_argument("--resamples", type=positive_number, default=1000, help="how often the test is resampled")
    parser.add_argument("--seed", type=count, default=0, help="of the resampling")
    parser.add_argument(
        "--dense_lang", type=auto_tokenisation, default="auto", help="1: a token is a character, 0: a word"
    )
    span_model_flags.add_span_model_flags(parser, batch_size=16, required=False)
    return parser


def run(args: Namespace) -> None:
    """Evaluate the model, or compare two files."""
    if args.compare:
        compare(args)
        return
    missing = [f"--{name}" for name in ("model_from_pretrained", "test") if getattr(args, name) is None]
    if missing:
        raise UsageError(f"{' and '.join(missing)} must be given, or --compare with two files of --output")
    if args.output:
        check_output(args.output, args.test)
    tokenisation = tokenisation_of_file(args.test) if args.dense_lang is None else args.dense_lang
    evaluate(read_sentences(args.test, tokenisation=tokenisation), args)


def check_output(output: Path, test: Path) -> None:
    """Raise ValueError where predictions would replace what is not theirs."""
    if output.exists() and output.samefile(test):
        raise UsageError(f"--output={output} is the test file itself: give another name")
    check_owner(output, step=STEP)


def evaluate(sentences: Sequence[Sentence], args: Namespace) -> None:
    """Report on the model's predictions, and write them where that is asked for."""
    from utils.compute.devices import choose_device
    from utils.ner import SpanNer
    from utils.ner.scoring.evaluation import assess, labels_that_count

    ner = SpanNer.from_pretrained(
        args.model_from_pretrained, encoder=args.from_pretrained, device=choose_device(args.n_gpu)
    )
    labels = labels_that_count(ner, sentences)
    texts = [sentence.tokens for sentence in sentences]
    predicted = ner.predict(
        texts, args.batch_size, **span_model_flags.prediction_settings(args).decoding, progress=True
    )
    found = assess(sentences, predicted, labels, seed=args.seed, resamples=args.resamples)
    if args.output:
        write_predictions(sentences, predicted, labels, args)
    if args.report:
        write_json(args.report, found.to_dict())
    where = f" -> {args.output}" if args.output else ""
    micro = 100 * found.report.micro.f1
    log.info("%s\nmicro-F1 %.2f on %d sentences%s", found.to_text(), micro, len(sentences), where)


def write_predictions(
    sentences: Sequence[Sentence], predicted: Sequence[Sequence[Span]], labels: Sequence[str], args: Namespace
) -> None:
    """Write the rows of --output, and their manifest, which says what they were predicted with."""
    from utils.ner.prediction.outputs import output_rows

    parameters = {
        "model": fingerprint(model_identity(str(args.model_from_pretrained))),
        "labels": list(labels),
        **span_model_flags.prediction_settings(args).decoding,
    }
    counts = {"sentences": len(sentences), "spans": sum(map(len, predicted))}
    manifest = build_manifest(STEP, {args.test.name: hash_file(args.test)}, parameters, counts)
    publish(args.output, output_rows(sentences, predicted), manifest)


def compare(args: Namespace) -> None:
    """Report on two files of predictions, and on how sure their difference is."""
    from utils.ner.prediction.outputs import compare_outputs, read_output

    one, other = (read_output(file) for file in args.compare)
    found = compare_outputs(one, other, seed=args.seed, resamples=args.resamples)
    reports = [file.report(one.labels | other.labels) for file in (one, other)]
    width = max(len(str(file)) for file in args.compare)
    lines = [
        f"{file!s:{width}}  P {100 * r.micro.precision:6.2f}  R {100 * r.micro.recall:6.2f}  F1 {100 * r.micro.f1:6.2f}"
        for file, r in zip(args.compare, reports, strict=True)
    ]
    log.info("%s\n%s", "\n".join(lines), found.to_text())
    if args.report:
        first, second = (report.to_dict() for report in reports)
        write_json(args.report, {**found.to_dict(), "first": first, "second": second})


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Evaluate with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


if __name__ == "__main__":
    main()
