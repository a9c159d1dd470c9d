"""The text for a bug report: the doctor's lines, all packages and the last runs, without keys and data."""

from __future__ import annotations

import getpass
import importlib.metadata
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from utils import __version__
from utils.cli.doctor.finding import Diagnosis
from utils.files.run_log import read_run_log
from utils.wording import printable

BUNDLE = Path("doctor-report.txt")
RUNS = 20  # the last ones of the run log
# what a line of the run log tells about a run without names of hosts, files and datasets
RUN_KEYS = ("step", "version", "status", "backend", "seconds", "answers", "prompt_tokens", "answer_tokens", "retries")
# variables that change how the project runs; the values of all others may be secret
VARIABLES = ("LANG", "LC_ALL", "PYTHONUTF8", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "HF_HUB_OFFLINE")
_PASSWORD = re.compile(r"(?<=://)[^/\s]+(?=@)")  # http://user:password@host


def bundle_text(findings: Iterable[Diagnosis], run_log: Path | None) -> str:
    """Return the text of the bundle."""
    lines = [f"version {__version__}", *map(str, findings), "", "packages:", *_packages(), "", "variables:"]
    lines += [f"{name}={os.environ[name]}" for name in VARIABLES if name in os.environ]
    lines += ["", "last runs:", *(_runs(run_log) if run_log else ())]
    return "".join(f"{without_names(line)}\n" for line in lines)


def without_names(line: str) -> str:
    """Return a line without the user's home folder and name, and without the passwords in addresses."""
    line = _PASSWORD.sub("<secret>", printable(line))
    line = line.replace(str(Path.home()), "~") if Path.home() != Path("/") else line
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return line
    return line if user == "root" else line.replace(f"/{user}/", "/<user>/")


def _packages() -> list[str]:
    found = {(one.metadata["Name"] or "?", one.version) for one in importlib.metadata.distributions()}
    return [f"{name}=={version}" for name, version in sorted(found)]


def _runs(run_log: Path) -> Iterator[str]:
    for line in list(read_run_log(run_log))[-RUNS:]:
        yield ", ".join(f"{key} {line[key]}" for key in RUN_KEYS if isinstance(line.get(key), (str, int, float)))
