"""Find the entities in any text with a trained span model.

    python syn_pipelines/predict_ner.py --model_from_pretrained=save_model/GLM4/weibo_250_fusion/best --input=texts.txt
    echo 邓超在北京 | python syn_pipelines/predict_ner.py --model_from_pretrained=DIR --input=- --nested > found.jsonl

Reads   a file, or standard input (-): plain text with one text per line, or JSON Lines with "text" (a string or a
        list of tokens). Texts and files can be of any length
Writes  JSON Lines to --output, or to standard output: a row for each text, with the predicted spans as "entities",
        each with its "score". "entities" in the input are kept as "gold".
        If "text" was a string, it is kept as "raw_text", and each span has its position in it: "char_start",
        "char_end" (exclusive) and "surface" (the text between them)
"""

import contextlib
from argparse import Namespace
from pathlib import Path
from typing import get_args

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.cli import data_flags, span_model_flags
from utils.cli.parser import Parser
from utils.cli.script import report, start
from utils.cli.values import input_path, output_path
from utils.files.text_files import Form
from utils.ner.prediction.files import predict_file

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    parser.add_argument("--input", type=input_path, required=True, help="file of texts; -: standard input")
    parser.add_argument("--output", type=output_path, default="-", help="JSON Lines file; -: standard output")
    parser.add_argument(
        "--format",
        choices=("auto", *get_args(Form)),
        default="auto",
        help="format of the input; auto: by the file name extension, or by the first line of standard input",
    )
    data_flags.add_dense_flag(parser, auto="as in the model's training data")
    span_model_flags.add_span_model_flags(parser, batch_size=16)
    return parser


def run(args: Namespace) -> None:
    """Predict the spans of the texts."""
    counts = predict_file(
        args.input,
        args.output,
        span_model_flags.prediction_settings(args),
        form=None if args.format == "auto" else args.format,
        tokenisation=args.dense_lang,
    )
    report(counts, args.output or Path("standard output"), advice=counts.advice)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the script with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
