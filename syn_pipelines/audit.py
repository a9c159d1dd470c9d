"""Check that nothing leaks: everything in a size comes from that size, and nothing comes from dev or test.

    python syn_pipelines/audit.py --file_name=weibo --save_type_name=GLM4

Each line, label, count and model of a size is traced back to that size by ids, hashes and manifests.

Reads   the dataset, its results in <file_dir>/<file_name>/<save_type_name>/, and training.json of
        the models in --models
Writes  to the screen only: a line for each problem, and for what could not be checked; the exit
        code is 1 if there is a problem
"""

import contextlib
import logging
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.audit.checks import audit
from utils.cli import data_flags
from utils.cli.parser import Parser
from utils.cli.script import report, start, write_lines
from utils.dataset.layout import require_results
from utils.wording import counted

log = logging.getLogger(__name__)

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    data_flags.add_dataset_flags(parser)
    data_flags.add_models_flag(parser)
    return parser


def run(args: Namespace) -> None:
    """Write each problem to standard output; raise RuntimeError if there is one."""
    layout = data_flags.layout_of(args)
    require_results(layout)
    found = audit(layout, args.models, tokenisation=args.dense_lang)
    write_lines(map(str, found.problems))
    for one in found.not_seen:
        log.warning("not seen: %s", one.message)
    if found.problems:
        raise RuntimeError(f"{counted(len(found.problems), 'problem')} in {layout.results}")
    unseen = f", as far as it was seen ({len(found.not_seen)} × not seen)" if found.not_seen else ""
    report(f"{found.conclusion} of a size comes from that size{unseen}", layout.results)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the script with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
