"""Measure time and peak memory of the steps after the LLM (s4, s5, s6, s8, audit, status) on generated lines.

    python benchmarks/merge.py [--lines 10000 100000] [--steps s4 s5_0 …] [--num_workers 1 2] [--folder /tmp/bench]

Each step runs in a process of its own. `peak` is the largest memory of that process, or of one of its workers. `CPU` is
the time that all of them computed; `seconds` passed on the clock.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.generated_data import generate, write_targets
from utils.dataset.layout import Layout

STEPS: Mapping[str, Sequence[str]] = {
    "s4": ["s4_split_data.py"],
    "s5_0": ["s5_merge_data.py", "--is_syn=0", "--overwrite"],
    "s5_1": ["s5_merge_data.py", "--is_syn=1", "--overwrite"],
    "s6": ["s6_combine_syn_fusion_label.py", "--overwrite"],
    "s7": ["s7_pred_syn_data.py"],
    "s8": ["s8_process_label_and_combine.py", "--is_syn=0"],
    "audit": ["audit.py"],
    "status": ["status.py"],
}
MERGING = [step for step in STEPS if step != "s7"]  # benchmarks/marking.py measures s7
WITH_WORKERS = ("s5_0", "s5_1", "s8")


@dataclass(frozen=True)
class Cost:
    """What a process and its children used."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


def measure(command: Sequence[str]) -> Cost:
    """Run a command and return its cost; raise RuntimeError with its last words if it fails."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    words = process.stdout.read() if process.stdout else ""
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} failed: {words[-2000:]}")
    return Cost(time.monotonic() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000)


def step_command(scripts: Path, step: str, layout: Layout, workers: int | None) -> list[str]:
    """Return the command of a step."""
    name, *words = STEPS[step]
    data = [f"--file_dir={layout.file_dir}", f"--file_name={layout.file_name}"]
    extra = [f"--num_workers={workers}"] if workers else []
    return [sys.executable, str(scripts / name), *data, *words, *extra]


def main() -> None:
    """Print a line for each step and number of lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--steps", nargs="+", choices=MERGING, default=list(MERGING))
    parser.add_argument(
        "--num_workers", type=int, nargs="+", default=[1], help="each of s5 and s8 runs with each number"
    )
    parser.add_argument("--folder", type=Path, default=Path("/tmp/bench"))
    parser.add_argument("--checkout", type=Path, default=ROOT, help="another version of the project, to compare with")
    args = parser.parse_args()
    print(f"{'step':<8}{'workers':>8}{'lines':>9}{'seconds':>9}{'CPU':>8}{'lines/s':>9}{'peak MB':>9}")
    for lines in args.lines:
        layout = generate(args.folder, lines)
        if "s4" not in args.steps:
            measure(step_command(args.checkout / "syn_pipelines", "s4", layout, None))
        for step in args.steps:
            if step == "s8":
                write_targets(layout)
            for workers in args.num_workers if step in WITH_WORKERS else [None]:
                cost = measure(step_command(args.checkout / "syn_pipelines", step, layout, workers))
                numbers = (
                    f"{cost.seconds:>9.1f}{cost.cpu_seconds:>8.1f}{lines / cost.cpu_seconds:>9.0f}{cost.peak_mb:>9.0f}"
                )
                print(f"{step:<8}{workers or '':>8}{lines:>9}{numbers}", flush=True)


if __name__ == "__main__":
    main()
