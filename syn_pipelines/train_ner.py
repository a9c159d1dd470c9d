"""Train a span model, KnowFREE or CNN Nested NER; the best model is chosen on dev, never on test.

    python syn_pipelines/train_ner.py --file_name=weibo --save_type_name=GLM4 --size=250 --data=fusion \\
        --from_pretrained=/models/chinese-bert-wwm-ext/
    python syn_pipelines/train_ner.py --train FILE --dev FILE --labels FILE --save_dir DIR --from_pretrained=…

Reads   --data=base        <size>/train_<size>.jsonl                   and the dataset's labels.txt
        --data=fusion      <size>/train_<size>_fusion.jsonl            and <size>/label_fusion.json
        --data=syn_fusion  <size>/train_<size>_synthetic_fusion.jsonl  and <size>/label_syn_fusion.json
        and the dataset's dev.jsonl (without it, a tenth of the training sentences is held out) and test.jsonl
Writes  save_model/<save_type_name>/<file_name>_<size>_<data>/best/: the model; for base, which depends on no LLM,
        save_model/<file_name>_<size>_base/best/
        last/: the state of the training; train_log.jsonl: the losses and scores
        test_report.json, if there is a test file: the scores on it
        With --seeds=1,2,3 the same files in seed_1/, seed_2/ and seed_3/, the model with the best dev F1 in best/,
        and mean and standard deviation in seeds.json

If the training is interrupted, run the same command again to continue.
"""

import contextlib
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.cli.parser import Parser
from utils.cli.script import start
from utils.cli.training import file_flags, learning_flags
from utils.ner.training.runs import run_trainings

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    file_flags.add_file_flags(parser)
    learning_flags.add_learning_flags(parser)
    learning_flags.add_computing_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Train with each seed, and evaluate on test."""
    run_trainings(file_flags.training_config(args))


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the training with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
