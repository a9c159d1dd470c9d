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

from utils.cli import flags
from utils.cli import script as cli
from utils.dataset.layout import SIZES, Layout, Size, needed
from utils.files.run_log import logged_run
from utils.fusion.files import Side, combine_labels, find_side

log = logging.getLogger(__name__)

cmd_args = True  # set to False inside a notebook


def build_parser() -> cli.Parser:
    """Return the step's flags."""
    parser = cli.Parser(__doc__ or "")
    flags.add_dataset_flags(parser)
    flags.add_merge_flags(parser, is_syn="0: merge both sides anew, 1: leave the fusion side as s5 made it")
    return parser


def run(args: Namespace) -> None:
    """Rebuild the results of the three sizes, after a look at all that they are made of."""
    merger = flags.merger(args, "s8")
    fusion = {} if args.is_syn else {size: find_side(merger.layout, size, synthetic=False) for size in SIZES}
    if args.is_syn:
        needed({size: merger.layout.size_fusion(size) for size in SIZES}, "run s5 --is_syn=0", at_least=len(SIZES))
    synthetic = {size: side for size in SIZES if (side := find_marked_side(merger.layout, size))}
    for side in (*fusion.values(), *synthetic.values()):
        merger.check(side, overwrite=True)
    with logged_run(merger.layout.run_log, "s8"):
        for size in SIZES:
            if size in fusion:
                counts = merger.publish(fusion[size])
                cli.report(counts, fusion[size].fusion, advice=counts.advice)
            if size in synthetic:
                counts = merger.publish(synthetic[size], behind=merger.layout.size_fusion(size))
                result = synthetic[size].fusion
                cli.report(f"{counts}; the fusion sentences follow", result, advice=counts.advice)
            labels = combine_labels("s8", merger.layout, size, merger.naming.targets)
            cli.report(labels, merger.layout.label_file("syn_fusion", size))


def find_marked_side(layout: Layout, size: Size) -> Side | None:
    """Return the side of the synthetic sentences that s7 marked; None, and a line, where it has not run."""
    target = layout.size_target(size)
    if not target.is_file():
        log.info("%s is not there (run s7): the synthetic side is left as s5 made it", target)
        return None
    return find_side(layout, size, synthetic=True, sentences=target)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the step with the command line's flags or, with `cmd_args=False`, with `values`."""
    cli.start(build_parser(), run, cmd_args=cmd_args, values=values)


if __name__ == "__main__":
    main()
