"""Check whether a dataset is fit for use: its numbers, and its faults with their first example, on one screen.

    python syn_pipelines/check.py data/few_shot/weibo
    python syn_pipelines/check.py --file_name=weibo --json > weibo.json

Reads   train_1000.jsonl, labels.txt and, if they exist, dev.jsonl and test.jsonl of the dataset's folder
Writes  to the screen only: sentences, tokens, spans and labels, then a line for each kind of fault
        error    a step refuses the dataset, or reads it wrongly
        warning  scores or training may suffer: leaks, duplicates, rare labels, mixed scripts
        note     a fact, such as nested spans

The exit code is 0 if there is no error, 1 if there is one, and 2 if the folder has no training file.
"""

import contextlib
import json
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.cli.exchange.flags import add_check_flags, checked_folder
from utils.cli.parser import Parser
from utils.cli.script import report, start, write_lines
from utils.dataset.checkup.checkup import check_dataset

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    add_check_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Write the report to standard output; raise RuntimeError if there is an error in the dataset."""
    checkup = check_dataset(checked_folder(args), args.dense_lang)
    write_lines(_json_lines(checkup.to_json()) if args.json else checkup.lines())
    if checkup.errors:
        raise RuntimeError(f"{checkup.folder} is {checkup}")
    report(str(checkup), checkup.folder)


def _json_lines(value: object) -> list[str]:
    r"""Return a value as lines of JSON; control characters that JSON allows are escaped in its own way, as \u0085."""
    controls = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}
    return json.dumps(value, ensure_ascii=False, indent=1).translate(controls).split("\n")


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the script with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
