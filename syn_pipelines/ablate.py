"""Compare variants of the training data: does the augmentation help, and by how much?

    python syn_pipelines/ablate.py --file_name=weibo --save_type_name=GLM4 \\
        --from_pretrained=/models/chinese-bert-wwm-ext/ --sizes=250,500,1000 --seeds=1,2,3

Reads   the dataset with dev.jsonl and test.jsonl, and the results of s1, s2 and s3; no LLM is asked
Writes  <file_dir>/<file_name>/<save_type_name>/ablation/: table.txt, table.md, table.csv, table.tex and,
        with matplotlib, plot.png and plot.svg
        <variant>/<size>/seed_<seed>-…/cell.json: the scores of each training; data/: the training data

Built-in variants: base (the sentences of the dataset), fusion (plus extension labels), synthetic (synthetic sentences
alone) and syn_fusion (both). More variants can be described in a file (docs/experiments.md).

Several sets of training flags are tried for base. The best one on dev is used for all variants. Epochs and thresholds
are chosen on dev as well. Each training is evaluated on test at its end, but test scores are shown only in the last
table; with --choose, only those of base and of the variant that is best on dev.

If the run is interrupted, run the same command again to continue. Finished trainings are not repeated.
"""

import contextlib
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.ablation.experiment import Ablation
from utils.ablation.jobs import default_jobs, start_workers
from utils.ablation.results.report import make_report
from utils.ablation.training_sets import TrainingSetBuilder
from utils.cli import data_flags, merge_flags
from utils.cli.ablation.flags import ablation_plan, add_ablation_flags, experiment_of
from utils.cli.parser import Parser
from utils.cli.script import report, start, write_lines
from utils.dataset.layout import require_files, require_results
from utils.dataset.reading import read_dataset
from utils.files.locks import exclusive_lock
from utils.files.run_log import logged_run
from utils.wording import counted

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    add_ablation_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Train and evaluate all variants, show the table, and write it."""
    layout = data_flags.layout_of(args)
    dataset = read_dataset(layout.train, layout.labels, tokenisation=args.dense_lang)
    require_results(layout)
    require_files({"dev": layout.dev, "test": layout.test}, "add it to the dataset", at_least=2)
    experiment = experiment_of(args, layout, dataset.tokenisation)
    builder = TrainingSetBuilder(experiment.root / "data", layout, dataset.tokenisation, merge_flags.patch(args))
    plan = ablation_plan(args, builder)
    with exclusive_lock(experiment.root / "cells"), logged_run(layout.run_log, "ablate"):
        builder.remove_partial()
        jobs, gpus = default_jobs(args.jobs, args.n_gpu)
        with start_workers(jobs, gpus, experiment.root) as workers:
            result = Ablation(plan, experiment, builder, workers).run()
    found = make_report(plan, result, layout, dataset)
    write_lines(found.to_text(choose=args.choose).splitlines())
    files = found.write(experiment.root, choose=args.choose)
    report(f"compared {counted(len(plan.variants), 'variant')}", files[0])


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the script with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
