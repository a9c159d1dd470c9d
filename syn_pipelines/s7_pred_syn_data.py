"""Step 7: a trained span model marks the target labels in the synthetic sentences.

    python syn_pipelines/s7_pred_syn_data.py --file_name=weibo --save_type_name=GLM4 \\
        --from_pretrained=/models/chinese-bert-wwm-ext/ --model_from_pretrained='save_model/weibo_{size}_fusion/best'

Reads   <file_dir>/<file_name>/<save_type_name>/<size>/train_<size>_synthetic.jsonl, and models of train_ner.py:
        {size} in the path stands for 250, 500 and 1000, so that each size is marked by the model trained on it
Writes  there: train_<size>_synthetic_target.jsonl, and train_<size>_synthetic_review.jsonl: the mentions of entities
        that s2 asked for where the model marks another label, or none; --drop_disagreeing leaves out the former
"""

import contextlib
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

with contextlib.suppress(ModuleNotFoundError):  # not needed, nor found, in a notebook started in the root
    import _repo_root  # noqa: F401

from utils.cli import flags
from utils.cli import script as cli
from utils.cli.run_flags import add_engine_flags, engine
from utils.dataset.layout import SIZES, Layout, Size, needed
from utils.dataset.reading import read_dataset, read_sentences, read_synthetic
from utils.files.manifest import hash_inputs, made_by, publish, tell_of_stale
from utils.files.run_log import logged_run
from utils.marking.marker import Marker, Predictor, TrainedModel, check_origin, common_targets, find_model
from utils.marking.review import Review, review
from utils.ner.prediction.pool import NerPool

cmd_args = True  # set to False inside a notebook


def build_parser() -> cli.Parser:
    """Return the step's flags."""
    parser = cli.Parser(__doc__ or "")
    flags.add_dataset_flags(parser)
    parser.add_argument("--from_pretrained", type=cli.path, help="base encoder; for a checkpoint without a tokenizer")
    parser.add_argument("--model_from_pretrained", required=True, help="trained model; {size} stands for each size")
    parser.add_argument(
        "--drop_disagreeing",
        action="store_true",
        help="leave out the sentences in which an entity is marked with another label than s2 asked for",
    )
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
            source = layout.size_sentences(size, synthetic=True)
            tell_of_stale(source, layout.find)
            hashes = hash_inputs(layout.named([source, layout.labels, *models[size].files]))
            marker = markers[models[size].folder]
            marked = review(marker.rows(read_synthetic(source, dense=dataset.dense)), marker.labels)
            kept = marked.without_disagreeing() if args.drop_disagreeing else marked
            parameters = {"size": size, "model_warning": notes[size], "drop_disagreeing": args.drop_disagreeing}
            write(layout, size, kept, hashes=hashes, parameters=parameters)


def origin_note(layout: Layout, size: Size, model: TrainedModel, *, dense: bool, one_each: bool) -> str | None:
    """Return what the manifest must say of a model that may know sentences outside a size."""
    own = read_sentences(layout.size_sentences(size), dense=dense)
    own += read_synthetic(layout.size_sentences(size, synthetic=True), dense=dense)
    return check_origin(model, own, size, must_fit=one_each)


def predictor(folder: Path, args: Namespace) -> Predictor:
    """Return what loads a model when it is first needed, and predicts with it."""
    return NerPool(folder, args.from_pretrained, args.n_gpu, args.batch_size, engine(args)).predict


def write(
    layout: Layout, size: Size, marked: Review, *, hashes: Mapping[str, str], parameters: Mapping[str, object]
) -> None:
    """Write the marked sentences of one size, and what is to be looked at in them."""
    rows, spans = marked.rows, sum(len(row["entities"]) for row in marked.rows)
    counts = {"sentences": len(rows), "spans": spans, **marked.counts}
    manifest = made_by("s7", hashes, parameters, counts)
    publish(layout.size_target(size), rows, manifest)
    publish(layout.size_review(size), marked.mentions, manifest)
    dropped = f" ({marked.dropped} left out)" if marked.dropped else ""
    cli.report(
        f"marked {spans} target spans in {len(rows)} synthetic sentences{dropped}; of the entities that were "
        f"asked for, {marked.disagreeing} have another label and {marked.unmarked} none",
        layout.size_target(size),
        advice="the model found no target: train it longer, or on more data" if rows and not spans else None,
    )


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the step with the command line's flags or, with `cmd_args=False`, with `values`."""
    cli.start(build_parser(), run, cmd_args=cmd_args, values=values)


if __name__ == "__main__":
    main()
