"""Step 1: an LLM marks extra entities, or parts of speech, in the annotated sentences.

    python syn_pipelines/s1_predict_data.py --file_name=weibo --model_from_pretrained=/models/glm-4-9b-chat/

Reads   <file_dir>/<file_name>/train_1000.jsonl, labels.txt
Writes  <file_dir>/<file_name>/<save_type_name>/<mode>_train_1000.jsonl and its journal; after an interruption the
        same command asks only for what the journal lacks
"""

import contextlib
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed, nor found, in a notebook started in the root
    import _repo_root  # noqa: F401

from utils.annotation.step import annotate, questions
from utils.cli import flags, question_flags, run_flags
from utils.cli import script as cli
from utils.dataset.reading import read_dataset

cmd_args = True  # set to False inside a notebook


def build_parser() -> cli.Parser:
    """Return the step's flags."""
    parser = cli.Parser(__doc__ or "")
    flags.add_dataset_flags(parser)
    flags.add_llm_flags(parser, batch_size=20)
    question_flags.add_annotation_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Mark the sentences of the dataset."""
    layout = flags.layout_of(args)
    dataset = read_dataset(layout.train, layout.labels, tokenisation=args.dense_lang)
    annotator = question_flags.annotator(args, dataset)
    result = layout.annotation_file(args.mode)
    step = flags.llm_step(
        args,
        "s1",
        result,
        inputs=[layout.train],
        parameters=annotator.parameters,
        result_parameters=annotator.result_parameters,
    )
    if settings := run_flags.estimate_settings(args):
        run_flags.report_estimate(
            step, questions(dataset.sentences, annotator, skip=args.skip, limit=args.limit), settings
        )
        return
    counts = annotate(dataset.sentences, annotator, step, skip=args.skip, limit=args.limit)
    cli.report(counts, result, advice=counts.advice)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the step with the command line's flags or, with `cmd_args=False`, with `values`."""
    cli.start(build_parser(), run, cmd_args=cmd_args, values=values)


if __name__ == "__main__":
    main()
