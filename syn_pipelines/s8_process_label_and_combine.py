"""Step 8: merge again, now with the target labels of s7, and add the fusion sentences to the synthetic ones.

    python syn_pipelines/s8_process_label_and_combine.py --file_name=weibo --is_syn=0 --save_type_name=GLM4

Reads   <file_dir>/<file_name>/<save_type_name>/<size>/: what s4 and s7 made, and the files that standardise labels
Writes  there: the results of s5 and s6 anew; train_<size>_synthetic_fusion.jsonl holds the synthetic sentences with
        target and extension labels, then the fusion sentences, and is trained with label_syn_fusion.json.
        Where s7 has not run, the synthetic side is left as s5 made it.
"""

import contextlib
import logging
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed, nor found, in a notebook started in the root
    import _repo_root  # noqa: F401

from utils import cli, flags
from utils.fusion_files import Merger, combine_labels, find_side
from utils.layout import SIZES, Size, needed
from utils.runlog import logged_run

log = logging.getLogger(__name__)

cmd_args = True  # set to False inside a notebook


def build_parser() -> cli.Parser:
    """Return the step's flags."""
    parser = cli.Parser(__doc__ or "")
    flags.add_dataset_flags(parser)
    flags.add_merge_flags(parser, is_syn="0: merge both sides anew, 1: leave the fusion side as s5 made it")
    return parser


def run(args: Namespace) -> None:
    """Rebuild the results of the three sizes."""
    merger = flags.merger(args, "s8")
    with logged_run(merger.layout.run_log, "s8"):
        for size in SIZES:
            if not args.is_syn:
                merge_fusion(merger, size)
            merge_synthetic(merger, size)
            labels = combine_labels("s8", merger.layout, size, merger.naming.targets)
            cli.report(labels, merger.layout.label_file("syn_fusion", size))


def merge_fusion(merger: Merger, size: Size) -> None:
    """Merge the original sentences of a size."""
    side = find_side(merger.layout, size, synthetic=False)
    merger.check(side, overwrite=True)
    counts = merger.publish(side)
    cli.report(counts, side.fusion, advice=counts.advice)


def merge_synthetic(merger: Merger, size: Size) -> None:
    """Merge the synthetic sentences that s7 marked, and put the fusion sentences behind them."""
    layout = merger.layout
    fusion = needed({"fusion": layout.size_fusion(size)}, "run s5 --is_syn=0")["fusion"]
    target = layout.size_target(size)
    if not target.is_file():
        log.info("%s is not there (run s7): the synthetic side is left as s5 made it", target)
        return
    side = find_side(layout, size, synthetic=True, sentences=target)
    merger.check(side, overwrite=True)
    counts = merger.publish(side, behind=fusion)
    cli.report(f"{counts}; the fusion sentences follow", side.fusion, advice=counts.advice)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the step with the command line's flags or, with `cmd_args=False`, with `values`."""
    cli.start(build_parser(), run, cmd_args=cmd_args, values=values)


if __name__ == "__main__":
    main()
