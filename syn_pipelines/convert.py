"""Convert annotated data: from the formats of other tools into a dataset of this project, and back.

    python syn_pipelines/convert.py --input=my.bio --output=data/few_shot/mine
    python syn_pipelines/convert.py --from=doccano --input=all.jsonl --split=0.8,0.1,0.1 --output=data/few_shot/mine
    python syn_pipelines/convert.py --to=labelstudio --output=weibo.json \\
        --input=data/few_shot/weibo/GLM4/1000/train_1000_fusion.jsonl

Reads   a file, or a folder with files for train, dev and test; --from=auto recognises the format
Writes  --output: a file or, if it has no extension, a folder. For --to=project, the folder is a dataset that s1 takes:
        train_1000.jsonl, labels.txt and, if the input has them or with --split, dev.jsonl and test.jsonl.
        --card adds README.md, a dataset card

Offsets are compared with the text of the spans. Everything that is lost or changed is counted, with the first example:
spans that overlap in a format without nesting, spans with gaps, spans that do not fit their text.
"""

import contextlib
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.cli.exchange.flags import add_conversion_flags, read_settings
from utils.cli.parser import Parser
from utils.cli.script import report, start
from utils.compute.progress import tracked
from utils.dataset.formats.conversion import Conversion, convert, write_conversion_card

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    add_conversion_flags(parser)
    return parser


def run(args: Namespace) -> None:
    """Convert the input."""
    conversion = Conversion(
        args.input,
        args.from_format,
        args.output,
        args.to,
        read_settings(args),
        shares=args.split or (),
        seed=args.seed,
        overwrite=args.overwrite,
    )
    done = convert(conversion, lambda items: tracked(items, "converting", total=len(items), unit="sentence"))
    if args.card:
        write_conversion_card(conversion, done, license=args.license)
    report(done, args.output, advice=done.advice)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the script with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
