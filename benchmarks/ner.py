"""Compare the span model with a plain implementation of the same formulas, in training and prediction.

    python benchmarks/ner.py [--model knowfree] [--lengths 32 64 128 256] [--labels 9 60] [--encoder FOLDER]

The plain one is what the tests hold the model to (`tests/ner/oracle.py`): attention over whole rows with a mask, a
concatenated vector for every cell, dense labels, a loop over cells to decode. Encoder, optimiser and sentences are the
same. Without `--encoder`, a random BERT of 12 layers of 384 stands for a small one.

Each measurement has a process of its own. Seconds are of the CPU, the system's share included, and by the clock (in
brackets), the best of some runs after one that warms up. A step is one of training, of 4 sentences (2 of 256 words); a
prediction begins with tokens and ends with spans. Memory is a prediction's peak above the model's.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks"), str(ROOT / "tests" / "ner")]

from span_cases import Case
from span_measures import Seconds, compare, compare_batches, measure

Result = TypeVar("Result")
TEXTS = ROOT / "data" / "few_shot" / "demo_zh" / "train_1000.jsonl"
COLUMNS = ("words", "labels", "step: plain", "ours", "faster", "prediction: plain", "ours", "faster")
MEMORY = ("memory: plain", "ours", "less")
DIFFERENCES = ("scores differ by", "loss", "gradients", "spans")


def alone(function: Callable[..., Result], *arguments: object, **options: object) -> Result:
    """Return a function's result from a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments, **options).result()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", default=["knowfree"], choices=["knowfree", "cnnner"])
    parser.add_argument("--lengths", nargs="+", type=int, default=[32, 64, 128, 256], help="words of all sentences")
    parser.add_argument("--labels", nargs="+", type=int, default=[9, 60], help="columns of scores, 8 of them targets")
    parser.add_argument("--encoder", help="folder of an encoder and its tokenizer (default: a random BERT)")
    parser.add_argument("--texts", type=Path, default=TEXTS, help="JSONL file: characters, and lengths to batch by")
    parser.add_argument(
        "--predicted", type=int, default=8, help="sentences at once; the plain way needs 14 GB for 8 of 256"
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs, of which the fastest counts")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def line(*cells: object) -> None:
    """Print a row of a Markdown table."""
    print("|", " | ".join(map(str, cells)), "|", flush=True)


def row(case: Case) -> None:
    """Measure a case both ways, compare the results, and print them as a row."""
    plain, ours = alone(measure, case, plain=True), alone(measure, case, plain=False)
    difference = alone(compare, case)
    line(
        *(case.words, case.labels),
        *_times(plain.step, ours.step),
        *_times(plain.prediction, ours.prediction),
        *(f"{plain.memory:.0f} MB", f"{ours.memory:.0f} MB", f"{plain.memory / ours.memory:.0f}×"),
        *(f"{value:.0e}" for value in (difference.scores, difference.loss, difference.gradients)),
        f"{difference.equal_spans} of {difference.spans} equal",
    )


def _times(plain: Seconds, ours: Seconds) -> tuple[str, str, str]:
    return str(plain), str(ours), f"**{plain.cpu / ours.cpu:.1f}×**"


def main() -> None:
    """Print a table for each model, and what batches of similar length save."""
    args = parse()
    for span_model in args.model:
        print(f"\n{span_model}\n")
        line(*COLUMNS, *MEMORY, *DIFFERENCES)
        line(*["---:"] * len((*COLUMNS, *MEMORY, *DIFFERENCES)))
        for words, labels in product(args.lengths, args.labels):
            row(Case(span_model, words, labels, args.encoder, args.texts, args.predicted, args.repeats, args.threads))
    case = Case(
        args.model[0], max(args.lengths), min(args.labels), args.encoder, args.texts, args.predicted, 1, args.threads
    )
    saved = alone(compare_batches, case)
    print(f"\n{args.texts}, batches of 4: {saved}")


if __name__ == "__main__":
    main()
