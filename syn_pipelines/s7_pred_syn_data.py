"""Step 7: a trained span model marks the target labels in the synthetic sentences.

    python syn_pipelines/s7_pred_syn_data.py --file_name=weibo --save_type_name=GLM4 \\
        --from_pretrained=/models/chinese-bert-wwm-ext/ --model_from_pretrained='save_model/weibo_{size}_fusion/best'

Reads   <file_dir>/<file_name>/<save_type_name>/<size>/train_<size>_synthetic.jsonl, and models of train_ner.py:
        {size} in the path stands for 250, 500 and 1000, so that each size is marked by the model trained on it
Writes  there: train_<size>_synthetic_target.jsonl
"""

import contextlib
from argparse import Namespace
from pathlib import Path

with contextlib.suppress(ModuleNotFoundError):  # not needed, nor found, in a notebook started in the root
    import _repo_root  # noqa: F401

from utils import cli, flags
from utils.dataset import read_dataset, read_sentences, read_synthetic
from utils.layout import SIZES, Layout, Size, needed
from utils.manifest import made_by, publish, tell_of_stale
from utils.marking import Marker, Predictor, TrainedModel, check_origin, common_targets, find_model
from utils.ner.pool import NerPool
from utils.run_flags import add_engine_flags, engine
from utils.runlog import logged_run

cmd_args = True  # set to False inside a notebook


def build_parser() -> cli.Parser:
    """Return the step's flags."""
    parser = cli.Parser(__doc__ or "")
    flags.add_dataset_flags(parser)
    parser.add_argument("--from_pretrained", type=cli.path, help="base encoder; for a checkpoint without a tokenizer")
    parser.add_argument("--model_from_pretrained", required=True, help="trained model; {size} stands for each size")
    flags.add_device_flags(parser, batch_size=4)
    add_engine_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Mark the synthetic sentences of the three sizes."""
    layout = flags.layout_of(args)
    dataset = read_dataset(layout.train, layout.labels, dense=args.dense_lang)
    needed({size: layout.size_sentences(size, synthetic=True) for size in SIZES}, "run s2 and then s4", at_least=3)
    models = {size: find_model(cli.path(args.model_from_pretrained.replace("{size}", size))) for size in SIZES}
    one_each = "{size}" in args.model_from_pretrained
    notes = {size: origin_note(layout, size, models[size], dense=dataset.dense, one_each=one_each) for size in SIZES}
    markers = {
        folder: Marker(predictor(folder, args), common_targets(model, dataset.targets))
        for folder, model in {model.folder: model for model in models.values()}.items()
    }
    with logged_run(layout.run_log, "s7"):
        for size in reversed(SIZES):  # the largest first: where one model serves all, the others are known then
            mark(layout, size, models[size], markers[models[size].folder], notes[size], dense=dataset.dense)


def origin_note(layout: Layout, size: Size, model: TrainedModel, *, dense: bool, one_each: bool) -> str | None:
    """Return what the manifest must say of a model that may know sentences outside a size."""
    own = read_sentences(layout.size_sentences(size), dense=dense)
    own += read_synthetic(layout.size_sentences(size, synthetic=True), dense=dense)
    return check_origin(model, own, size, must_fit=one_each)


def predictor(folder: Path, args: Namespace) -> Predictor:
    """Return what loads a model when it is first needed, and predicts with it."""
    return NerPool(folder, args.from_pretrained, args.n_gpu, args.batch_size, engine(args)).predict


def mark(layout: Layout, size: Size, model: TrainedModel, marker: Marker, note: str | None, *, dense: bool) -> None:
    """Write the marked sentences of one size."""
    source = layout.size_sentences(size, synthetic=True)
    tell_of_stale(source, layout.find)
    rows = marker.rows(read_synthetic(source, dense=dense))
    spans = sum(len(row["entities"]) for row in rows)
    inputs = layout.named([source, layout.labels, *model.files])
    counts = {"sentences": len(rows), "spans": spans}
    publish(layout.size_target(size), rows, made_by("s7", inputs, {"size": size, "model_warning": note}, counts))
    advice = "the model found no target: train it longer, or on more data" if rows and not spans else None
    cli.report(
        f"marked {spans} target spans in {len(rows)} synthetic sentences", layout.size_target(size), advice=advice
    )


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the step with the command line's flags or, with `cmd_args=False`, with `values`."""
    cli.start(build_parser(), run, cmd_args=cmd_args, values=values)


if __name__ == "__main__":
    main()
