"""Step 8: merge again, now with the target labels of s7, and add the fusion sentences to the synthetic ones.

    python syn_pipelines/s8_process_label_and_combine.py --file_name=weibo --is_syn=0 --save_type_name=GLM4

Reads   <file_dir>/<file_name>/<save_type_name>/<size>/: the files of s4 and s7; the label files; corrections
Writes  the results of s5 and s6 again, in the same folder. train_<size>_synthetic_fusion.jsonl then contains the
        synthetic sentences with target and extension labels, followed by the fusion sentences. Use it with
        label_syn_fusion.json to train.

If s7 has not run, the results for synthetic sentences are not changed.
"""

import contextlib
import logging
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.cli import data_flags, merge_flags
from utils.cli.parser import Parser
from utils.cli.script import report, start
from utils.compute.engine import Engine
from utils.dataset.layout import SIZES, Layout, Size, require_files
from utils.dataset.sentence_file import read_dataset_info
from utils.files.run_log import logged_run
from utils.fusion.counts import warn_about_patch
from utils.fusion.files import MergeFiles, find_merge_files
from utils.fusion.step import FusionStep, combine_label_files

log = logging.getLogger(__name__)

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the step's flags."""
    parser = Parser(__doc__ or "")
    data_flags.add_dataset_flags(parser)
    merge_flags.add_merge_flags(
        parser, is_syn="0: merge the original and the synthetic sentences, 1: merge only the synthetic ones"
    )
    merge_flags.add_worker_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Check all inputs, then rebuild the results of the three sizes."""
    layout = data_flags.layout_of(args)
    dataset = read_dataset_info(layout.train, layout.labels, tokenisation=args.dense_lang)
    patch, engine = merge_flags.patch(args), Engine(args.engine, args.num_workers)
    step = FusionStep.for_dataset("s8", layout, dataset, merge_flags.merge_settings(args), patch=patch, engine=engine)
    original = {} if args.is_syn else {size: find_merge_files(layout, size, synthetic=False) for size in SIZES}
    if args.is_syn:
        require_files({size: layout.size_fusion(size) for size in SIZES}, "run s5 --is_syn=0", at_least=len(SIZES))
    synthetic = {size: files for size in SIZES if (files := find_labelled_files(layout, size))}
    for files in (*original.values(), *synthetic.values()):
        step.check(files, overwrite=True)
    found = []
    with logged_run(layout.run_log, "s8"):
        for size in SIZES:
            if size in original:
                counts = step.publish(original[size])
                found.append(counts)
                report(counts, original[size].fusion, advice=counts.advice)
            if size in synthetic:
                counts = step.publish(synthetic[size], appended=layout.size_fusion(size))
                found.append(counts)
                result = synthetic[size].fusion
                report(f"{counts}; the fusion sentences are appended", result, advice=counts.advice)
            combined = combine_label_files("s8", layout, size, dataset.targets)
            report(combined, layout.label_file("syn_fusion", size))
    warn_about_patch(patch, found)


def find_labelled_files(layout: Layout, size: Size) -> MergeFiles | None:
    """Return the files of the synthetic sentences that s7 labelled; None, with a message, if s7 has not run."""
    target = layout.size_target(size)
    if not target.is_file():
        log.info("%s is missing (run s7): the results for synthetic sentences are not changed", target)
        return None
    return find_merge_files(layout, size, synthetic=True, sentences=target)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the step with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
