"""Check this machine, the packages, the models and a dataset; report what is missing, and how to fix it.

    python syn_pipelines/doctor.py
    python syn_pipelines/doctor.py --file_name=weibo --model_from_pretrained=/models/glm-4-9b-chat/
    python syn_pipelines/doctor.py --debug

Reads   the versions of Python and of the packages, and the names and headers of models; the dataset of --file_name
Writes  to the screen only: a line for each finding: "ok", "optional" (needed by some flags only) or "to do"
        doctor-report.txt in the working folder, with --debug: the same lines, all packages and the last runs of
        --file_name, for a bug report; it contains no keys and no data

Exits with code 1 if there is something to do (not with --debug). Nothing is loaded or sent anywhere.
"""

import contextlib
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.cli.data_flags import add_location_flags, unchecked_layout
from utils.cli.doctor.bundle import BUNDLE, bundle_text
from utils.cli.doctor.data import check_files
from utils.cli.doctor.finding import Diagnosis, number_to_do
from utils.cli.doctor.machine import check_machine
from utils.cli.doctor.models import check_model, find_models
from utils.cli.doctor.packages import check_packages
from utils.cli.parser import Parser
from utils.cli.script import start, write_lines
from utils.cli.values import path_or_hub_id
from utils.files.jsonl import replace_file
from utils.wording import counted

# %%
cmd_args = True  # set to False inside a notebook


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "", debug=f"also write {BUNDLE}, for a bug report")
    add_location_flags(parser, required=False)
    parser.add_argument("--model_from_pretrained", type=path_or_hub_id, help="an LLM to look at")
    return parser


def findings(args: Namespace) -> list[Diagnosis]:
    """Return everything that was found."""
    found = [*check_machine(args.file_dir), *check_packages()]
    found += check_model(args.model_from_pretrained) if args.model_from_pretrained else find_models()
    return [*found, *(check_files(unchecked_layout(args)) if args.file_name else ())]


def run(args: Namespace) -> None:
    """Write a line for each finding; raise RuntimeError if there is something to do."""
    found = findings(args)
    write_lines(map(str, found))
    if args.debug:
        run_log = unchecked_layout(args).run_log if args.file_name else None
        with replace_file(BUNDLE) as file:
            file.write(bundle_text(found, run_log).encode())
        write_lines([f"written to {BUNDLE.resolve()}: look through it before you send it"])
    if (number := number_to_do(found)) and not args.debug:  # with --debug an error would show a traceback
        raise RuntimeError(f"{counted(number, 'line')} with something to do")


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the script with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
