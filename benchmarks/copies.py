"""Measure how s2 finds copies and near copies among many new sentences: time and memory.

    python benchmarks/copies.py [--sentences 10000 100000] [--dense 1]

The sentences are generated with Weibo's lengths; a tenth of them are copies and near copies of earlier ones. Each
number is measured in a process of its own.
"""

import argparse
import random
import resource
import sys
import time
from collections.abc import Iterator
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.generated_data import CHARACTERS, words_of
from utils.dataset.tokens import Tokenisation
from utils.synthesis.copies.finder import CopyFinder

KNOWN = 1000  # sentences of the dataset; dev and test have a quarter of them
COPIES = 0.1  # share of copies and near copies


def sentences(draw: random.Random, number: int, *, dense: bool) -> Iterator[list[str]]:
    """Yield generated sentences; few earlier ones are kept, to copy them."""
    earlier: list[list[str]] = []
    for _ in range(number):
        if earlier and draw.random() < COPIES:
            tokens = list(draw.choice(earlier))
            for _ in range(draw.choice((0, 1, 3))):
                tokens[draw.randrange(len(tokens))] = draw.choice(CHARACTERS)
        else:
            words = words_of(draw)
            tokens = list("".join(words)) if dense else words
            if len(earlier) < 2 * KNOWN:
                earlier.append(tokens)
        yield tokens


def measure(number: int, dense: bool) -> tuple[float, float, float, int]:
    """Return the CPU microseconds of a sentence, those of one of the last tenth, the peak in MB, and the copies."""
    draw = random.Random(1)
    known = list(sentences(draw, KNOWN, dense=dense))
    finder = CopyFinder(known, known[::4], tokenisation=Tokenisation(is_dense=dense))
    made = sentences(draw, number, dense=dense)
    spent = []  # CPU seconds of each block: reading the clock takes longer than a sentence
    copies = 0
    while block := list(islice(made, number // 10)):
        begin = time.process_time()
        for tokens in block:
            if finder.reason(tokens) is None:
                finder.add(tokens)
            else:
                copies += 1
        spent.append(time.process_time() - begin)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return 1e6 * sum(spent) / number, 1e7 * spent[-1] / number, peak, copies


def main() -> None:
    """Print a line for each number of sentences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--dense", type=int, choices=(0, 1), default=1)
    args = parser.parse_args()
    print(f"{'sentences':>10}{'µs each':>10}{'last tenth':>12}{'peak MB':>9}{'copies':>9}", flush=True)
    for number in args.sentences:
        with get_context("spawn").Pool(1) as pool:
            each, last, peak, copies = pool.apply(measure, (number, bool(args.dense)))
        print(f"{number:>10}{each:>10.0f}{last:>12.0f}{peak:>9.0f}{copies:>9}", flush=True)


if __name__ == "__main__":
    main()
