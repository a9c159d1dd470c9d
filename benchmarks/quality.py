"""Measure the quality of answers: valid JSON, items in their sentence, and gold words, tags and entities found.

    python benchmarks/backends.py run --data=DATASET --model=MODEL --backend=transformers --guided=1 --to=on.jsonl
    python benchmarks/quality.py DATASET on.jsonl off.jsonl

`words`, `tags` and `both` are for a dataset whose gold spans are words with their parts of speech: the F1 of word
boundaries, the share of correctly split words with the correct tag, and the F1 of boundaries and tags together.
`entities` is the share of gold spans whose boundaries the answers contain.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from utils.annotation.answers import place_items
from utils.dataset.layout import ENTITY_LABELS, POS_LABELS
from utils.dataset.modes import Mode
from utils.dataset.reading import read_dataset
from utils.dataset.records import Sentence
from utils.dataset.tokens import without_spaces
from utils.labels.normaliser import LabelNormaliser
from utils.parsing import parse_items

Spans = dict[tuple[int, int], set[str | None]]


@dataclass
class Tally:
    """Counts of one run's answers."""

    answers: int = 0
    strict: int = 0  # answers that are valid JSON without other text
    items: int = 0
    placed: int = 0  # items in their sentence
    whole: int = 0  # answers whose items together are the sentence
    spans: int = 0
    gold: int = 0
    right: int = 0  # gold spans whose boundaries were found
    tagged: int = 0  # gold spans whose boundaries and label were found

    def row(self, mode: Mode) -> list[str]:
        """Return the cells of a table's row."""
        shares = [self.strict / self.answers, self.placed / max(1, self.items), self.whole / self.answers]
        f1 = 2 * self.right / max(1, self.spans + self.gold)
        worth = [f1, self.tagged / max(1, self.right), 2 * self.tagged / max(1, self.spans + self.gold)]
        recall = self.right / max(1, self.gold)
        gold = [f"{share:.1%}" for share in worth] + ["–"] if mode == "pos" else ["–", "–", "–", f"{recall:.1%}"]
        whole = [f"{shares[2]:.1%}" if mode == "pos" else "–"]
        return [*(f"{share:.1%}" for share in shares[:2]), *whole, f"{self.spans / self.answers:.1f}", *gold]


def tally(answers: dict[str, str], mode: Mode, sentences: dict[str, Sentence], names: LabelNormaliser) -> Tally:
    """Return the counts of a run's answers."""
    counts = Tally()
    for id_, answer in answers.items():
        sentence = sentences[id_]
        items = parse_items(answer, mode)
        placement = place_items(items, sentence.tokens, mode)
        found: Spans = {}
        for placed in placement.placed:
            found.setdefault((placed.start, placed.end), set()).add(names(placed.item.label))
        counts.answers += 1
        counts.strict += is_json(answer)
        counts.items += len(items)
        counts.placed += len(items) - len(placement.lost)
        counts.whole += same_text([item.text for item in items], sentence.tokens)
        counts.spans += len(found)
        counts.gold += len(sentence.spans)
        counts.right += sum((span.start, span.end) in found for span in sentence.spans)
        counts.tagged += sum(names(span.label) in found.get((span.start, span.end), ()) for span in sentence.spans)
    return counts


def is_json(answer: str) -> bool:
    try:
        return isinstance(json.loads(answer), list)
    except ValueError:
        return False


def same_text(one: Sequence[str], other: Sequence[str]) -> bool:
    return without_spaces("".join(one)) == without_spaces("".join(other))


def main(data: Path, files: Sequence[Path]) -> None:
    dataset = read_dataset(data / "train_1000.jsonl", data / "labels.txt")
    sentences = {sentence.id: sentence for sentence in dataset.sentences}
    normalisers = {
        "entity": LabelNormaliser.from_files([ENTITY_LABELS, POS_LABELS]),
        "pos": LabelNormaliser.from_files([POS_LABELS, ENTITY_LABELS]),
    }
    heads = ["run", "mode", "sentences/s", "JSON", "in the sentence", "whole", "spans a sentence"]
    heads += ["words", "tags", "both", "entities"]
    print("| " + " | ".join(heads) + " |\n| " + "--- | " * len(heads))
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            run = json.loads(line)
            counts = tally(run["answers"], run["mode"], sentences, normalisers[run["mode"]])
            speed = f"{len(run['answers']) / run['seconds']:.2f}"
            print(f"| {file.stem} | {run['mode']} | {speed} | " + " | ".join(counts.row(run["mode"])) + " |")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
