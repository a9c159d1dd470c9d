"""Step 5: merge the extension labels of s1 (or s3) into the sentences, as spans beside their target labels.

    python syn_pipelines/s5_merge_data.py --file_name=weibo --is_syn=0 --save_type_name=GLM4

Reads   <file_dir>/<file_name>/<save_type_name>/<size>/: the files of s4; the label files; corrections (--patch)
Writes  in the same folder, with --is_syn=0 (or 1):
        train_<size>_fusion.jsonl (or train_<size>_synthetic_fusion.jsonl): the sentences with extension spans
        label_fusion.json (or label_syn.json): all labels, with the numbers of extension spans
        unknown_fusion.json (or unknown_syn.json): labels that are in no label file, with counts and examples
        agreement_fusion.json (with --is_syn=0): how the spans of each extension label agree with the gold spans
"""

import contextlib
import sys
from argparse import Namespace
from pathlib import Path

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.cli import data_flags, merge_flags
from utils.cli.parser import Parser
from utils.cli.script import report, start
from utils.compute.engine import Engine
from utils.dataset.layout import SIZES
from utils.dataset.modes import Mode
from utils.dataset.sentence_file import read_dataset_info
from utils.files.run_log import logged_run
from utils.fusion.counts import warn_about_patch
from utils.fusion.files import find_merge_files
from utils.fusion.step import FusionStep
from utils.labels.suggestions import label_patch

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the step's flags."""
    parser = Parser(__doc__ or "")
    data_flags.add_dataset_flags(parser)
    merge_flags.add_merge_flags(parser, is_syn="0: the original sentences, 1: the synthetic ones")
    parser.add_argument("--overwrite", action="store_true", help="replace results that were made by s8")
    parser.add_argument(
        "--suggest", action="store_true", help="print a patch for git apply that adds unknown labels to the label files"
    )
    merge_flags.add_worker_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Merge one side of the three sizes."""
    layout = data_flags.layout_of(args)
    dataset = read_dataset_info(layout.train, layout.labels, tokenisation=args.dense_lang)
    patch, engine = merge_flags.patch(args), Engine(args.engine, args.num_workers)
    step = FusionStep.for_dataset("s5", layout, dataset, merge_flags.merge_settings(args), patch=patch, engine=engine)
    merges = [find_merge_files(layout, size, synthetic=args.is_syn) for size in SIZES]
    for files in merges:
        step.check(files, overwrite=args.overwrite)
    found = []
    with logged_run(layout.run_log, "s5"):
        for files in merges:
            counts = step.publish(files)
            found.append(counts)
            if files is merges[-1] and not args.is_syn:  # of all sentences; the last line has the counts of the step
                report(counts.agreement, files.agreement, advice=counts.agreement.advice)
                if str(counts.answers):
                    report(counts.answers, files.agreement, advice=counts.answers.advice)
            report(counts, files.fusion, advice=counts.advice)
    warn_about_patch(patch, found)
    if args.suggest:
        canonical: dict[Mode, Path] = {"entity": args.entity_label, "pos": args.pos_label}
        sys.stdout.write(label_patch(counts.unknown_modes, canonical))


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the step with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
