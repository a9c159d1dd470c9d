"""Measure how fast s5 places items and merges them into sentences, on one core.

    python benchmarks/merge_sentence.py [--train data/few_shot/weibo/train_1000.jsonl] [--lines 4000] [--profile]

Each sentence gets 6 entity and 23 pos items. The pos items are the words of the sentence in their order (`tiling`), or
every fifth word is left out and another fifth is replaced by a word that is not in the sentence (`damaged`).
"""

import argparse
import cProfile
import json
import random
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from utils.dataset.layout import ENTITY_LABELS, POS_LABELS
from utils.dataset.records import Sentence, sentence_from_row, sentence_to_row
from utils.dataset.tokens import CHARACTERS
from utils.fusion.counts import FusionCounts
from utils.fusion.extension_labels import LabelMapping
from utils.fusion.merge import merge_sentence
from utils.labels.normaliser import LabelNormaliser
from utils.parsing import Item

ENTITIES, POS_WORDS = 6, 23
TEXTS = ROOT / "data" / "few_shot" / "demo_zh" / "train_1000.jsonl"


def read(path: Path, lines: int) -> list[Sentence]:
    """Return this many sentences; those of the file are repeated."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        sentence_from_row(rows[number % len(rows)], id=str(number), tokenisation=CHARACTERS) for number in range(lines)
    ]


def answers(sentence: Sentence, draw: random.Random, *, damaged: bool) -> dict[str, list[Item]]:
    """Return the items of one sentence by mode."""
    text = "".join(sentence.tokens)
    cuts = sorted(draw.sample(range(1, len(text)), min(POS_WORDS, len(text)) - 1))
    words = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    if damaged:
        words = ["囍" if number % 5 == 2 else word for number, word in enumerate(words) if number % 5]
    starts = [draw.randrange(max(1, len(text) - 4)) for _ in range(ENTITIES)]
    return {
        "entity": [Item(text[start : start + draw.randint(2, 4)], "地名") for start in starts],
        "pos": [Item(word, "名词") for word in words],
    }


def main() -> None:
    """Print the lines per second and the kB per line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, default=TEXTS)
    parser.add_argument("--lines", type=int, default=4000)
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    sentences = [sentence for sentence in read(args.train, args.lines) if len(sentence.tokens) > 1]
    mapping = LabelMapping(
        (),
        {
            "entity": LabelNormaliser.from_files([ENTITY_LABELS, POS_LABELS]),
            "pos": LabelNormaliser.from_files([POS_LABELS, ENTITY_LABELS]),
        },
    )
    for damaged in (False, True):
        draw = random.Random(0)
        found = {sentence.id: answers(sentence, draw, damaged=damaged) for sentence in sentences}

        def merge(counts: FusionCounts, found: dict[str, Any] = found) -> list[dict[str, Any]]:
            rows = []
            for sentence in sentences:
                merged = merge_sentence(sentence, found[sentence.id], mapping, tokenisation=CHARACTERS)
                counts.add(merged)
                rows.append(sentence_to_row(merged.sentence))
            return rows

        if args.profile:
            cProfile.runctx("merge(FusionCounts())", globals(), locals(), sort="tottime")
        counts = FusionCounts()
        begin = time.process_time()
        merge(counts)
        seconds = time.process_time() - begin
        tracemalloc.start()
        kept = merge(FusionCounts())
        size = tracemalloc.get_traced_memory()[0] / 1000 / len(kept)
        tracemalloc.stop()
        name = "damaged" if damaged else "tiling "
        print(f"{name}  {len(sentences) / seconds:7.0f} lines/s  {size:5.1f} kB/line  {counts}")


if __name__ == "__main__":
    main()
