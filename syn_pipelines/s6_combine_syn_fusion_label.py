"""Step 6: combine the label files of the original and of the synthetic sentences.

    python syn_pipelines/s6_combine_syn_fusion_label.py --file_name=weibo --save_type_name=GLM4

Reads   <file_dir>/<file_name>/<save_type_name>/<size>/label_fusion.json and, if it exists, label_syn.json
Writes  label_syn_fusion.json in the same folder: the target labels, and all extension labels with their total counts
"""

import contextlib
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.cli import data_flags
from utils.cli.parser import Parser
from utils.cli.script import report, start
from utils.dataset.layout import SIZES
from utils.dataset.reading import read_labels
from utils.files.manifest import check_owner
from utils.files.run_log import logged_run
from utils.fusion.step import combine_label_files

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the step's flags."""
    parser = Parser(__doc__ or "")
    data_flags.add_dataset_flags(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace results that were made by s8")
    return parser


def run(args: Namespace) -> None:
    """Combine the label files of the three sizes."""
    layout = data_flags.layout_of(args)
    targets = read_labels(layout.labels)[1:]
    for size in SIZES:
        check_owner(layout.label_file("syn_fusion", size), step="s6", overwrite=args.overwrite)
    with logged_run(layout.run_log, "s6"):
        for size in SIZES:
            report(combine_label_files("s6", layout, size, targets), layout.label_file("syn_fusion", size))


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the step with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
