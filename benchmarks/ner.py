"""Compare the span model with a plain implementation of the same formulas, in training and prediction.

    python benchmarks/ner.py [--model knowfree] [--lengths 32 64 128 256] [--labels 9 60] [--encoder FOLDER]

The plain implementation is the one that the tests compare the model with (`tests/helpers/oracle.py`): full attention
with a mask, a concatenated vector for every cell, dense labels, and a loop over cells to decode. Both have the same
encoder, optimizer and sentences. Without `--encoder`, the encoder is a random BERT with 12 layers and 384 features.

Each measurement runs in its own process. Times are CPU seconds, with the system's share, and in parentheses seconds of
wall-clock time. Each is the best of several runs, after one run to warm up. A step is a training step with 4 sentences
(2 of 256 words); a prediction starts from tokens and ends with spans. Memory is the peak of a prediction above the
memory of the model.
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
sys.path.insert(0, str(ROOT))

from benchmarks.span_cases import Case
from benchmarks.span_measures import Seconds, compare, compare_batches, measure

Result = TypeVar("Result")
TEXTS = ROOT / "data" / "few_shot" / "demo_zh" / "train_1000.jsonl"
COLUMNS = ("words", "labels", "step: plain", "ours", "faster", "prediction: plain", "ours", "faster")
MEMORY = ("memory: plain", "ours", "less")
DIFFERENCES = ("scores differ by", "loss", "gradients", "spans")


def alone(function: Callable[..., Result], *arguments: object, **options: object) -> Result:
    """Run a function in a new process and return its result."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments, **options).result()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", default=["knowfree"], choices=["knowfree", "cnnner"])
    parser.add_argument("--lengths", nargs="+", type=int, default=[32, 64, 128, 256], help="words of each sentence")
    parser.add_argument("--labels", nargs="+", type=int, default=[9, 60], help="labels, 8 of which are target labels")
    parser.add_argument("--encoder", help="folder of an encoder and its tokenizer (default: a random BERT)")
    parser.add_argument("--texts", type=Path, default=TEXTS, help="JSONL file with the characters and the lengths")
    parser.add_argument(
        "--predicted", type=int, default=8, help="sentences per batch; the plain one needs 14 GB for 8 of 256 words"
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs; the fastest counts")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def line(*cells: object) -> None:
    """Print a row of a Markdown table."""
    print("|", " | ".join(map(str, cells)), "|", flush=True)


def row(case: Case) -> None:
    """Measure a case with both implementations, compare their results, and print a row."""
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
    """Print a table for each model, and how much batches of similar length save."""
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
