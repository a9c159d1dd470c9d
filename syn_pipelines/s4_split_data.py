"""Step 4: split the data into 25 %, 50 % and 100 % of the sentences, called sizes 250, 500 and 1000.

    python syn_pipelines/s4_split_data.py --file_name=weibo --save_type_name=GLM4

Reads   <file_dir>/<file_name>/train_1000.jsonl, and the results of s1, s2 and s3 (one of s1 is required)
Writes  <file_dir>/<file_name>/<save_type_name>/{250,500,1000}/:
        train_<size>.jsonl and train_<size>_synthetic.jsonl: the sentences
        entity_train_<size>.jsonl, pos_train_<size>.jsonl, and the same with _synthetic: their annotations

A synthetic sentence belongs to a size if and only if its source sentence does.
Raw text (s2 --raw) belongs to every size.
"""

import contextlib
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.annotation.splitting import SizeSplit, find_split_files
from utils.cli import data_flags
from utils.cli.parser import Parser
from utils.cli.script import report, start
from utils.dataset.held_out import warn_of_shared_sentences
from utils.dataset.sentence_file import read_dataset_info
from utils.files.manifest import hash_inputs, warn_if_stale
from utils.files.run_log import logged_run

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the step's flags."""
    parser = Parser(__doc__ or "")
    data_flags.add_dataset_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Write the three sizes."""
    layout = data_flags.layout_of(args)
    dataset = read_dataset_info(layout.train, layout.labels, tokenisation=args.dense_lang)
    warn_of_shared_sentences(layout.train, (layout.dev, layout.test))
    files = find_split_files(layout)
    for file in files.results:
        warn_if_stale(file, layout.find)
    hashes = hash_inputs(layout.portable_names([files.train, *files.results]))
    with logged_run(layout.run_log, "s4"):
        counts = SizeSplit(layout, dataset, files, hashes).publish()
    report(counts, layout.results, advice=counts.advice)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the step with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
