"""Step 7: a trained span model labels the target spans in the synthetic sentences.

    python syn_pipelines/s7_pred_syn_data.py --file_name=weibo --save_type_name=GLM4 \\
        --from_pretrained=/models/chinese-bert-wwm-ext/ \\
        --model_from_pretrained='save_model/GLM4/weibo_{size}_fusion/best'

Reads   <file_dir>/<file_name>/<save_type_name>/<size>/train_<size>_synthetic.jsonl
        in the same folder, if s3 --mode=target has run: target_train_<size>_synthetic.jsonl
        trained models: {size} in the path is replaced by 250, 500 and 1000, so that each size has its own model
Writes  in the same folder: train_<size>_synthetic_target.jsonl: the synthetic sentences with target spans; beside
        them "target_scores", the scores of all cells above 0.01, and "llm_spans", the target spans that the LLM found
        train_<size>_synthetic_review.jsonl: mentions to review, because the model predicts no label, or
        another label than s2 asked for
"""

import contextlib
from argparse import Namespace
from pathlib import Path

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.cli import data_flags, run_flags, span_model_flags
from utils.cli.parser import Parser
from utils.cli.script import report, start
from utils.cli.values import not_empty, path
from utils.dataset.layout import SIZES, require_files
from utils.dataset.sentence_file import read_dataset_info
from utils.files.run_log import logged_run
from utils.marking.sizes import ModelFolders, find_size_models, label_size
from utils.ner.prediction.judgement import Judge
from utils.ner.prediction.pool import NerPool

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the step's flags."""
    parser = Parser(__doc__ or "")
    data_flags.add_dataset_flags(parser)
    parser.add_argument(
        "--model_from_pretrained",
        type=not_empty,
        required=True,
        help="folder of a trained span model; {size} in it is replaced by 250, 500 and 1000. The folder of a training "
        "with --seeds means the models of all its seeds: they label together, by the mean of their scores",
    )
    span_model_flags.add_encoder_flag(parser)
    span_model_flags.add_labelling_flags(parser)
    parser.add_argument(
        "--overwrite", action="store_true", help="label the sentences again if they were labelled by another model"
    )
    run_flags.add_device_flags(parser, batch_size=4)
    run_flags.add_engine_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Label the synthetic sentences of the three sizes."""
    layout = data_flags.layout_of(args)
    dataset = read_dataset_info(layout.train, layout.labels, tokenisation=args.dense_lang)
    require_files(
        {size: layout.size_sentences(size, synthetic=True) for size in SIZES}, "run s2 and then s4", at_least=3
    )
    by_size = {size: path(args.model_from_pretrained.replace("{size}", size)) for size in SIZES}
    folders = ModelFolders(by_size, args.from_pretrained)
    one_each = "{size}" in args.model_from_pretrained

    def load(folder: Path) -> Judge:
        return NerPool(folder, args.from_pretrained, args.n_gpu, args.batch_size, run_flags.engine(args)).judge

    models = find_size_models(layout, dataset, folders, load, refuse_leaks=one_each, overwrite=args.overwrite)
    with logged_run(layout.run_log, "s7"):
        for size in reversed(SIZES):  # a shared model then predicts each text once: the largest size has them all
            labelled = label_size(layout, size, models[size], dataset=dataset, drop_disagreeing=args.drop_disagreeing)
            report(labelled, layout.size_target(size), advice=labelled.advice)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the step with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
