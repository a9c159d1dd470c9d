"""Show which steps are done, partial, stale or missing, and the next command to run.

    python syn_pipelines/status.py --file_name=weibo --save_type_name=GLM4

Reads   the dataset, its results in <file_dir>/<file_name>/<save_type_name>/, and the trained models in --models
Writes  to the screen only: a line for each step and size, and the next command
"""

import contextlib
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.ablation.results.finished import ablation_line
from utils.audit.status import Survey, next_step
from utils.cli import data_flags
from utils.cli.parser import Parser
from utils.cli.script import start, write_lines
from utils.dataset.layout import require_results
from utils.dataset.sentence_file import read_dataset_info

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    data_flags.add_dataset_flags(parser)
    data_flags.add_models_flag(parser)
    return parser


def run(args: Namespace) -> None:
    """Write a line for each step and size, and the next command."""
    layout = data_flags.layout_of(args)
    dataset = read_dataset_info(layout.train, layout.labels, tokenisation=args.dense_lang)
    require_results(layout)
    statuses = Survey(layout, dataset, args.models, data_flags.dataset_words(args)).statuses()
    undone = next_step(statuses)
    done = "all steps and trainings are done: compare the scores with report.py"
    ending = f"next: {undone.command}" if undone else done
    write_lines([*map(str, statuses), *filter(None, [ablation_line(layout)]), ending])


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the script with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
