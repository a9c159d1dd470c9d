"""Step 4: split the data into 25 %, 50 % and 100 %, named 250, 500 and 1000.

    python syn_pipelines/s4_split_data.py --file_name=weibo --save_type_name=GLM4

Reads   <file_dir>/<file_name>/train_1000.jsonl, and the results of s1, s2 and s3 that are there (one of s1 must be)
Writes  <file_dir>/<file_name>/<save_type_name>/{250,500,1000}/: train_<size>.jsonl, train_<size>_synthetic.jsonl, and
        entity_… and pos_… of both. A synthetic sentence belongs to a size exactly if its source does.
"""

import contextlib
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

with contextlib.suppress(ModuleNotFoundError):  # not needed, nor found, in a notebook started in the root
    import _repo_root  # noqa: F401

from utils.annotation.files import read_annotation_rows
from utils.cli import data_flags
from utils.cli.parser import Parser
from utils.cli.script import report, start
from utils.dataset.layout import SIZES, Layout, Size, require_files
from utils.dataset.modes import MODES
from utils.dataset.reading import read_dataset, read_synthetic
from utils.dataset.records import sentence_to_row
from utils.dataset.splits import Share
from utils.dataset.tokens import Tokenisation
from utils.files.jsonl import JsonObject
from utils.files.manifest import build_manifest, hash_inputs, publish, warn_if_stale
from utils.files.run_log import logged_run

cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the step's flags."""
    parser = Parser(__doc__ or "")
    data_flags.add_dataset_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Write the three sizes."""
    layout = data_flags.layout_of(args)
    dataset = read_dataset(layout.train, layout.labels, tokenisation=args.dense_lang)
    annotations = require_files({mode: layout.annotation_file(mode) for mode in MODES}, "run s1")
    synthetic = require_files({"s2": layout.synthetic()}, "run s2", at_least=0)
    synthetic_annotations = require_files(
        {mode: layout.annotation_file(mode, synthetic=True) for mode in MODES if synthetic}, "run s3", at_least=0
    )
    for file in (*annotations.values(), *synthetic.values(), *synthetic_annotations.values()):
        warn_if_stale(file, layout.find)
    hashes = hash_inputs(
        layout.portable_names(
            [layout.train, *annotations.values(), *synthetic.values(), *synthetic_annotations.values()]
        )
    )
    with logged_run(layout.run_log, "s4"):
        made = [s for file in synthetic.values() for s in read_synthetic(file, tokenisation=dataset.tokenisation)]
        whole = Share(
            dataset.sentences,
            made,
            {
                mode: [row for _, row in read_annotation_rows(file, mode, dataset.sentences)]
                for mode, file in annotations.items()
            },
            {
                mode: [row for _, row in read_annotation_rows(file, mode, made)]
                for mode, file in synthetic_annotations.items()
            },
        )
        for size, percent in SIZES.items():
            publish_share(layout, size, whole.first(percent), hashes, tokenisation=dataset.tokenisation)
    strays = f", {whole.stray_rows} annotations of other texts dropped" if whole.stray_rows else ""
    counts = f"split {len(whole.sentences)} sentences and {len(whole.synthetic)} synthetic ones{strays}"
    report(counts, layout.results, advice="run s1 and s3 again: sentences have changed" if whole.stray_rows else None)


def publish_share(
    layout: Layout, size: Size, share: Share, hashes: Mapping[str, str], *, tokenisation: Tokenisation
) -> None:
    """Write the files of one size, each with the files that it was taken from in its manifest."""

    def write(result: Path, rows: list[JsonObject], *sources: Path) -> None:
        inputs = {name: hashes[name] for name in layout.portable_names([layout.train, *sources])}
        publish(
            result,
            rows,
            build_manifest("s4", inputs, {"size": size, "dense": tokenisation.is_dense}, {"lines": len(rows)}),
        )

    write(layout.size_sentences(size), [sentence_to_row(sentence) for sentence in share.sentences])
    for mode, rows in share.annotations.items():
        write(layout.size_annotation_file(size, mode), rows, layout.annotation_file(mode))
    source = layout.synthetic()
    if not source.is_file():
        return
    write(
        layout.size_sentences(size, synthetic=True), [sentence_to_row(sentence) for sentence in share.synthetic], source
    )
    for mode, rows in share.synthetic_annotations.items():
        write(
            layout.size_annotation_file(size, mode, synthetic=True),
            rows,
            source,
            layout.annotation_file(mode, synthetic=True),
        )


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the step with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


if __name__ == "__main__":
    main()
