"""Step 3: an LLM annotates the synthetic sentences, as step 1 does the original ones.

    python syn_pipelines/s3_predict_syn_data.py --file_name=weibo --model_from_pretrained=/models/glm-4-9b-chat/

Reads   <file_dir>/<file_name>/<save_type_name>/train_1000_synthetic.jsonl
Writes  <mode>_train_1000_synthetic.jsonl in the same folder: the annotations of each synthetic sentence
        <mode>_train_1000_synthetic.jsonl.journal.jsonl: all answers of the LLM

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
from utils.dataset.layout import require_files
from utils.dataset.sentence_file import open_dataset, open_synthetic
from utils.files.manifest import warn_if_stale

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the step's flags."""
    parser = Parser(__doc__ or "")
    data_flags.add_dataset_flags(parser)
    llm_flags.add_llm_flags(parser, batch_size=20, local_workers="read the answers for the result")
    flags.add_annotation_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Annotate the synthetic sentences."""
    layout = data_flags.layout_of(args)
    dataset = open_dataset(layout.train, layout.labels, tokenisation=args.dense_lang, read=tracked_lines)
    source = require_files({"s2": layout.synthetic()}, "run s2")["s2"]
    warn_if_stale(source, layout.find)
    sentences = open_synthetic(source, tokenisation=dataset.tokenisation, sources=dataset.sentences, read=tracked_lines)
    run_annotation(
        args,
        dataset,
        sentences,
        step="s3",
        result=layout.annotation_file(args.mode, synthetic=True),
        inputs=[source, layout.train] if args.mode == "target" else [source],
    )


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the step with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
