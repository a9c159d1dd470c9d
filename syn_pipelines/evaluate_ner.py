"""Report precision, recall and F1 of a trained span model: micro, macro and per label.

    python syn_pipelines/evaluate_ner.py --model_from_pretrained=save_model/weibo_250_fusion/best --test=FILE

Reads   the model's folder and a JSON Lines file of annotated sentences
Writes  the table to the screen and, with --report=FILE, the figures as JSON
"""

import contextlib
import logging
from argparse import Namespace
from pathlib import Path

with contextlib.suppress(ModuleNotFoundError):  # not needed, nor found, in a notebook started in the root
    import _repo_root  # noqa: F401

from utils import cli, flags
from utils.dataset import file_looks_dense, read_sentences
from utils.jsonl import write_json

cmd_args = True  # set to False inside a notebook
log = logging.getLogger(__name__)


def build_parser() -> cli.Parser:
    """Return the script's flags."""
    parser = cli.Parser(__doc__ or "")
    parser.add_argument("--model_from_pretrained", type=cli.path, required=True, help="folder of a trained span model")
    parser.add_argument("--test", type=cli.path, required=True, help="annotated sentences, JSON Lines")
    parser.add_argument("--from_pretrained", type=cli.path, help="base encoder; for a checkpoint without a tokenizer")
    parser.add_argument("--report", type=Path, help="JSON file for the figures")
    parser.add_argument(
        "--dense_lang", type=cli.auto_switch, default="auto", help="1: a token is a character, 0: a word"
    )
    flags.add_device_flags(parser, batch_size=16)
    return parser


def run(args: Namespace) -> None:
    """Evaluate the model."""
    dense = args.dense_lang
    if dense is None:
        dense = file_looks_dense(args.test)
    sentences = read_sentences(args.test, dense=dense)
    from utils.devices import choose_device
    from utils.ner import SpanNer
    from utils.ner.evaluation import evaluate

    ner = SpanNer.from_pretrained(
        args.model_from_pretrained, encoder=args.from_pretrained, device=choose_device(args.n_gpu)
    )
    report = evaluate(ner, sentences, batch_size=args.batch_size, progress=True)
    log.info("%s\nmicro-F1 %.2f on %d sentences", report.to_text(), 100 * report.micro.f1, len(sentences))
    if args.report:
        write_json(args.report, report.to_dict())


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Evaluate with the command line's flags or, with `cmd_args=False`, with `values`."""
    cli.start(build_parser(), run, cmd_args=cmd_args, values=values)


if __name__ == "__main__":
    main()
