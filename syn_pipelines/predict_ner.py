"""Mark the entities of any text with a trained span model.

    python syn_pipelines/predict_ner.py --model_from_pretrained=save_model/weibo_250_fusion/best --input=texts.txt
    echo 邓超在北京 | python syn_pipelines/predict_ner.py --model_from_pretrained=DIR --input=- --nested > found.jsonl

Reads   a file, or standard input (-): plain text, one text a line; or JSON Lines with "text", a string or a list of
        tokens. Texts may be of any length, and so may the file: it is read and written a part at a time
Writes  JSON Lines in the project's format, to --output or standard output: a row a text, with the spans that the
        model found as "entities", each with its "score"; "entities" that a row came with are kept as "gold".
        Where "text" was a string, it is kept as "raw_text", and each span says where in it it stands: "char_start",
        "char_end" (exclusive), "surface"
"""

import contextlib
import logging
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import BinaryIO, get_args

with contextlib.suppress(ModuleNotFoundError):  # not needed, nor found, in a notebook started in the root
    import _repo_root  # noqa: F401

from utils.cli import span_model_flags
from utils.cli.exits import UsageError
from utils.cli.parser import Parser
from utils.cli.script import report, start
from utils.cli.values import auto_tokenisation, input_path, output_path
from utils.dataset.records import Span
from utils.files.jsonl import JsonObject, encode_json, write_rows
from utils.ner.prediction.texts import Form, InputText, form_of, predicted_rows, read_texts

cmd_args = True  # set to False inside a notebook
log = logging.getLogger(__name__)


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    parser.add_argument("--input", type=input_path, required=True, help="file of texts; - standard input")
    parser.add_argument("--output", type=output_path, default="-", help="JSON Lines file; - standard output")
    parser.add_argument(
        "--format",
        choices=("auto", *get_args(Form)),
        default="auto",
        help="what the input holds; auto: jsonl by the name's ending or, of standard input, by its first line",
    )
    parser.add_argument(
        "--dense_lang",
        type=auto_tokenisation,
        default="auto",
        help="how a string becomes tokens; 1: a character each, 0: a word each; auto: as the model was trained",
    )
    span_model_flags.add_span_model_flags(parser, batch_size=16)
    return parser


def run(args: Namespace) -> None:
    """Mark the texts."""
    with open_input(args.input) as file:
        name = str(args.input or "standard input")
        first = file.readline()
        form = form_of(name, first) if args.format == "auto" else args.format
        lines = chain([first] if first else [], file)
        if args.input is not None:
            check(args.input, form)
        rows = predictions(lines, name, form, args)
        counts: Counter[str] = Counter()
        write(counted(rows, counts), args.output)
    advice = "the model found nothing: try a lower --threshold" if counts["texts"] and not counts["spans"] else None
    report(
        f"found {counts['spans']} spans in {counts['texts']} texts",
        args.output or Path("standard output"),
        advice=advice,
    )


def open_input(path: Path | None) -> contextlib.AbstractContextManager[BinaryIO]:
    """Return the input's bytes; standard input is left open."""
    if path is not None:
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: --input names a file of texts, or - for standard input")
        return path.open("rb")
    if sys.stdin is None:
        raise UsageError("--input=-: there is no standard input here")
    return contextlib.nullcontext(sys.stdin.buffer)


def check(path: Path, form: Form) -> None:
    """Raise ValueError for the first line of a file that cannot be read, before a model is loaded."""
    with path.open("rb") as file:
        for _ in read_texts(file, str(path), form, list):
            pass


def predictions(lines: Iterable[bytes], name: str, form: Form, args: Namespace) -> Iterator[JsonObject]:
    """Yield a row for each text, with what the model finds in it."""
    from utils.compute.devices import choose_device
    from utils.ner import SpanNer

    ner = SpanNer.from_pretrained(
        args.model_from_pretrained, encoder=args.from_pretrained, device=choose_device(args.n_gpu)
    )

    def predict(texts: Sequence[Sequence[str]]) -> list[list[Span]]:
        return ner.predict(texts, args.batch_size, **span_model_flags.prediction_settings(args).decoding, progress=True)

    split = ner.tokens if args.dense_lang is None else args.dense_lang.split
    texts: Iterable[InputText] = read_texts(lines, name, form, split)
    return predicted_rows(texts, predict)


def counted(rows: Iterable[JsonObject], counts: Counter[str]) -> Iterator[JsonObject]:
    """Yield the rows, and count their texts and spans as they pass."""
    for row in rows:
        counts.update(texts=1, spans=len(row["entities"]))
        yield row


def write(rows: Iterable[JsonObject], path: Path | None) -> None:
    """Write the rows: to standard output as they come, or to a file that is replaced once it is whole."""
    if path is not None:
        write_rows(path, rows)
        return
    for row in rows:
        line = encode_json(row) + b"\n"
        if hasattr(sys.stdout, "buffer"):
            sys.stdout.buffer.write(line)  # UTF-8, whatever the terminal's own encoding
        else:  # a notebook's
            sys.stdout.write(line.decode())


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Predict with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


if __name__ == "__main__":
    main()
