"""Show the training data of a size: numbers of sentences and spans, and the test F1 of the models trained on it.

    python syn_pipelines/report.py --file_name=weibo --save_type_name=GLM4 --size=1000

Reads   the training data of a size (base, fusion and syn_fusion), and of the model trained on each
        save_model/<file_name>_<size>_<data>/test_report.json or, if it was trained with several seeds, seeds.json
Writes  to the screen only
"""

import contextlib
import sys
from argparse import Namespace
from pathlib import Path
from typing import get_args

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.cli import data_flags
from utils.cli.parser import Parser
from utils.cli.script import start
from utils.dataset.layout import Layout, Size, TrainingData, model_folder
from utils.dataset.reading import read_sentences
from utils.dataset.tokens import WORDS
from utils.files.jsonl import read_json

cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    data_flags.add_dataset_flags(parser)
    data_flags.add_size_flag(parser)
    data_flags.add_models_flag(parser)
    return parser


def run(args: Namespace) -> None:
    """Write the table to standard output."""
    layout = data_flags.layout_of(args)
    lines = [f"{'data':<12}{'sentences':>10}{'target spans':>14}{'extension spans':>17}{'test micro-F1':>15}"]
    for data in get_args(TrainingData):
        model = model_folder(args.file_name, args.size, data, parent=args.models)
        lines.append(table_line(data, training_file(layout, args.size, data), model / "test_report.json"))
    sys.stdout.write("\n".join(lines) + "\n")


def training_file(layout: Layout, size: Size, data: TrainingData) -> Path:
    """Return the sentences that a model of this kind is trained on."""
    if data == "base":
        return layout.size_sentences(size)
    return layout.size_fusion(size, synthetic=data == "syn_fusion")


def table_line(data: TrainingData, file: Path, report: Path) -> str:
    """Return what is known of one kind of data; a dash stands for what has not been made yet."""
    sentences = read_sentences(file, tokenisation=WORDS) if file.is_file() else None
    spans = [span for sentence in sentences or [] for span in sentence.spans]
    extensions = sum(span.origin in ("entity", "pos") for span in spans)
    counts = ["-"] * 3 if sentences is None else [str(len(sentences)), str(len(spans) - extensions), str(extensions)]
    score = f1_of(report.parent) if report.is_file() else "no model"
    return f"{data:<12}{counts[0]:>10}{counts[1]:>14}{counts[2]:>17}{score:>15}"


def f1_of(model: Path) -> str:
    """Return a model's micro-F1 on test; where it was trained with several seeds, their mean and standard deviation."""
    seeds = model / "seeds.json"
    if not seeds.is_file():
        return f"F1 {100 * micro_f1(model / 'test_report.json'):.1f}"
    try:
        f1 = read_json(seeds)["test"]["f1"]
        return f"F1 {100 * f1['mean']:.1f} ± {100 * f1['sd']:.1f}"
    except (KeyError, TypeError):
        raise ValueError(f"{seeds} is not a report of train_ner.py: delete it, and train again") from None


def micro_f1(report: Path) -> float:
    """Return the micro-F1 of a report of train_ner.py."""
    try:
        return float(read_json(report)["micro"]["f1"])
    except (KeyError, TypeError):
        raise ValueError(f"{report} is not a report of train_ner.py: delete it, and train again") from None


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the script with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


if __name__ == "__main__":
    main()
