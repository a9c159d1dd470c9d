"""Measure how s1 is continued with many answers in its journal: the time until the first new question, and memory.

    python benchmarks/resume.py [--answers 1000000] [--new 100] [--mode pos] [--finish] [--num_workers 2]

The dataset (benchmarks/generated_data.py) has as many sentences as there are recorded answers, and `--new` more.
Without `--finish`, the run ends where the model would be loaded to answer the first new question. With it, recorded
answers take the place of a model, and the result is written. Each run is a process of its own.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "syn_pipelines"))

from benchmarks.generated_data import TARGETS, annotation_answer, gold_spans, words_of, write_test
from utils.asking.journal import journal_path
from utils.dataset.layout import Layout
from utils.dataset.modes import Mode
from utils.dataset.tokens import text_hash

FIRST = 100  # sentences of the dataset that is annotated first, for a journal with the fingerprint of the run


def write_line(file: Any, row: dict[str, Any]) -> None:
    """Write a JSON object as a line of bytes."""
    file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def step_flags(layout: Layout, mode: Mode) -> dict[str, Any]:
    """Return the values of s1's flags."""
    flags: dict[str, Any] = {"file_dir": layout.file_dir, "file_name": layout.file_name, "mode": mode}
    recording = layout.dataset / f"{mode}.recording.jsonl"
    return {**flags, "model_from_pretrained": recording, "backend": "scripted", "n_gpu": "-1"}


def write_dataset(layout: Layout, answers: int, new: int, mode: Mode) -> None:
    """Write a dataset, recorded answers to its last sentences, and a journal with answers to all the others."""
    layout.dataset.mkdir(parents=True, exist_ok=True)
    layout.labels.write_text("\n".join(["O", *TARGETS]) + "\n", encoding="utf-8")
    write_test(layout)
    draw, journal = random.Random(0), journal_path(layout.annotation_file(mode))
    with (
        layout.train.open("wb") as train,
        (layout.dataset / f"{mode}.recording.jsonl").open("wb") as recording,
        (layout.dataset / f"{mode}.answers.jsonl").open("wb") as recorded,
    ):
        for number in range(1, answers + new + 1):
            words = words_of(draw)
            tokens = list("".join(words))
            write_line(train, {"text": tokens, "entities": gold_spans(tokens, draw)})
            given = {"id": str(number), "task": mode, "answer": annotation_answer(words, mode, draw)}
            if number > answers:
                write_line(recording, given)
            else:
                write_line(recorded, {**given, "input": text_hash(tokens)})
    write_journal(layout, journal, mode)


def write_journal(layout: Layout, journal: Path, mode: Mode) -> None:
    """Write the journal: its first line as s1 writes it for a small part of the dataset, and then all answers."""
    import s1_predict_data

    whole = layout.train.with_suffix(".whole")
    layout.train.rename(whole)
    with whole.open("rb") as lines, layout.train.open("wb") as part:
        part.writelines(line for _, line in zip(range(FIRST), lines, strict=False))
    s1_predict_data.main(cmd_args=False, **step_flags(layout, mode), limit=1, overwrite=True)
    whole.replace(layout.train)
    row = json.loads(journal.read_bytes())
    with journal.open("wb") as file, (layout.dataset / f"{mode}.answers.jsonl").open("rb") as recorded:
        for line in recorded:
            row |= json.loads(line)
            row |= {"prompt_tokens": 400, "answer_tokens": 150}
            write_line(file, row)
            row.pop("settings", None)
    for other in layout.results.iterdir():
        if other != journal:
            other.unlink()


def measure_run(layout: Layout, mode: Mode, *, finish: bool, num_workers: int | None) -> None:
    """Run s1 in this process, and print the seconds and the peak of memory until the first new question."""
    import s1_predict_data

    from utils.asking.model import ModelChoice

    begin = time.monotonic()
    load = ModelChoice.load

    def report(what: str) -> None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(
            f"{what}: {time.monotonic() - begin:.1f} s, {used.ru_utime + used.ru_stime:.1f} s CPU, "
            f"peak {used.ru_maxrss / 1000:.0f} MB",
            flush=True,
        )

    def load_after_report(choice: ModelChoice) -> Any:
        report("first new question")
        if not finish:
            raise SystemExit(0)
        return load(choice)

    setattr(ModelChoice, "load", load_after_report)  # noqa: B010
    workers = {"num_workers": num_workers} if num_workers else {}
    s1_predict_data.main(cmd_args=False, **step_flags(layout, mode), **workers)
    report("result written")


def main() -> None:
    """Write the dataset unless it is there, and measure the run in a new process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=1_000_000)
    parser.add_argument("--new", type=int, default=100, help="sentences without an answer")
    parser.add_argument("--mode", choices=("entity", "pos"), default="entity")
    parser.add_argument("--finish", action="store_true")
    parser.add_argument("--num_workers", type=int)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/bench"))
    parser.add_argument("--here", action="store_true", help="measure in this process")
    args = parser.parse_args()
    layout = Layout(args.folder, f"resume_{args.answers}_{args.mode}")
    done = layout.dataset / "complete"
    if args.here:
        measure_run(layout, args.mode, finish=args.finish, num_workers=args.num_workers)
        return
    if not done.exists():
        write_dataset(layout, args.answers, args.new, args.mode)
        done.touch()
    sys.exit(subprocess.run([sys.executable, *sys.argv, "--here"], check=False).returncode)


if __name__ == "__main__":
    main()
