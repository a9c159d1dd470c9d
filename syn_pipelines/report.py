"""Show the training data of a size: numbers of sentences and spans, and the test F1 of the models trained on it.

    python syn_pipelines/report.py --file_name=weibo --save_type_name=GLM4 --size=1000

Reads   the training data of a size (base, fusion and syn_fusion), and of the model trained on each
        save_model/<save_type_name>/<file_name>_<size>_<data>/test_report.json or, if it was trained with several seeds,
        seeds.json; for base, save_model/<file_name>_<size>_base/. A model that was trained on other data than there
        are now is not shown without a note.
Writes  to the screen only
"""

import contextlib
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.ablation.results.finished import ablation_line
from utils.audit.results import result_lines
from utils.cli import data_flags
from utils.cli.parser import Parser
from utils.cli.script import start, write_lines

cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    data_flags.add_dataset_flags(parser)
    data_flags.add_size_flag(parser)
    data_flags.add_models_flag(parser)
    return parser


def run(args: Namespace) -> None:
    """Write the table, its title and its legend to standard output."""
    layout = data_flags.unchecked_layout(args)  # models can be shown without the dataset
    lines = result_lines(layout, args.size, args.models, tokenisation=args.dense_lang)
    write_lines([*lines, *filter(None, [ablation_line(layout)])])


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the script with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


if __name__ == "__main__":
    main()
