"""Evaluate a trained span model on annotated sentences, or compare the predictions of two models.

    python syn_pipelines/evaluate_ner.py --model_from_pretrained=save_model/GLM4/weibo_250_fusion/best --test=FILE
    python syn_pipelines/evaluate_ner.py --model_from_pretrained=… --test=FILE --output=fusion.jsonl
    python syn_pipelines/evaluate_ner.py --compare base.jsonl fusion.jsonl

Reads   a trained model and a JSON Lines file of annotated sentences; or, with --compare, two files that --output
        wrote for the same test file
Writes  to the screen and, with --report=FILE, as JSON:
        precision, recall and F1 (micro, macro and per label; a span is correct if its start, end and label are), 95 %
        bootstrap intervals, and the numbers of errors: wrong label, wrong boundaries, both, missed and spurious; or,
        with --compare, the difference in micro-F1 with its interval and p-value (paired bootstrap over sentences)
        --output=FILE: the test sentences with their gold spans as "entities", and the "predicted" spans with scores
"""

import contextlib
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.cli import data_flags, span_model_flags
from utils.cli.exits import UsageError
from utils.cli.parser import Parser
from utils.cli.script import start
from utils.cli.values import count, new_path, path, positive_number
from utils.ner.scoring.files import EvaluationFiles, Resampling, compare_files, evaluate_file

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    parser.add_argument("--test", type=path, help="test sentences with gold spans, JSON Lines")
    parser.add_argument(
        "--output", type=new_path, help="JSON Lines file to write the predictions to, with the gold spans"
    )
    parser.add_argument("--report", type=new_path, help="JSON file to write the scores to")
    parser.add_argument(
        "--compare",
        type=path,
        nargs=2,
        metavar=("FIRST", "SECOND"),
        help="two files that --output wrote for the same test file",
    )
    parser.add_argument(
        "--resamples", type=positive_number, default=1000, help="number of resampled test sets for the intervals"
    )
    parser.add_argument("--seed", type=count, default=0, help="random seed of the resampling")
    data_flags.add_dense_flag(parser, auto="detected from the test file")
    span_model_flags.add_span_model_flags(parser, batch_size=16, required=False)
    return parser


def run(args: Namespace) -> None:
    """Evaluate the model, or compare two files."""
    resampling = Resampling(args.resamples, args.seed)
    if args.compare:
        first, second = args.compare
        unused = [
            f"--{name}" for name in ("model_from_pretrained", "test", "output") if getattr(args, name) is not None
        ]
        if unused:
            raise UsageError(f"--compare runs no model: leave out {' and '.join(unused)}, or --compare")
        compare_files(first, second, resampling, args.report)
        return
    missing = [f"--{name}" for name in ("model_from_pretrained", "test") if getattr(args, name) is None]
    if missing:
        raise UsageError(f"give {' and '.join(missing)}, or --compare with two files that --output wrote")
    files = EvaluationFiles(args.test, args.output, args.report)
    evaluate_file(files, span_model_flags.prediction_settings(args), resampling, args.dense_lang)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the script with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
