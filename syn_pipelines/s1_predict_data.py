"""Step 1: an LLM annotates the sentences with extra entities, with parts of speech, or with the target labels.

    python syn_pipelines/s1_predict_data.py --file_name=weibo --model_from_pretrained=/models/glm-4-9b-chat/

Reads   <file_dir>/<file_name>/train_1000.jsonl and labels.txt
Writes  <file_dir>/<file_name>/<save_type_name>/<mode>_train_1000.jsonl: the annotations of each sentence
        <mode>_train_1000.jsonl.journal.jsonl in the same folder: all answers of the LLM
        target_dev.jsonl, target_test.jsonl: the same for dev or test, with --mode=target --split=dev or test

Each answer is saved in the journal at once. If the step is interrupted, run the same command again to continue: it
asks only for the answers that are not in the journal.
"""

import contextlib
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.annotation.files import tracked_lines
from utils.cli import data_flags, llm_flags
from utils.cli.annotation import flags
from utils.cli.annotation.run import run_annotation
from utils.cli.parser import Parser
from utils.cli.script import start
from utils.dataset.reading import read_held_out
from utils.dataset.sentence_file import open_dataset

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the step's flags."""
    parser = Parser(__doc__ or "")
    data_flags.add_dataset_flags(parser)
    llm_flags.add_llm_flags(parser, batch_size=20, local_workers="read the answers for the result")
    flags.add_annotation_flags(parser)
    flags.add_split_flag(parser)
    return parser


def run(args: Namespace) -> None:
    """Annotate the sentences of the dataset."""
    layout = data_flags.layout_of(args)
    dataset = open_dataset(
        layout.train,
        layout.labels,
        tokenisation=args.dense_lang,
        held_out=(layout.dev, layout.test),
        read=tracked_lines,
    )
    split = flags.held_out_split(args)
    source = layout.held_out(split) if split else layout.train
    sentences = read_held_out(source, dataset) if split else dataset.sentences
    run_annotation(
        args,
        dataset,
        sentences,
        step="s1",
        result=layout.held_out_annotation_file(split) if split else layout.annotation_file(args.mode),
        inputs=[layout.train, source] if split else [source],
    )


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the step with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
