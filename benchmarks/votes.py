"""Compare the word boundaries of voted answers with the gold words, for each number of votes that a span needs.

    python syn_pipelines/s1_predict_data.py --file_name=ud_gsdsimp --mode=pos --votes=5 --limit=30 …
    python benchmarks/votes.py data/few_shot/ud_gsdsimp GLM4

The dataset's gold spans must be words. Words of one character count, although the merge drops them.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from utils.annotation.answers import read_answers
from utils.annotation.voting import VotedItem, Voting
from utils.dataset.reading import read_dataset
from utils.dataset.records import Sentence
from utils.files.jsonl import read_rows


def boundaries(answers: Sequence[str], sentence: Sentence, min_votes: int) -> set[tuple[int, int]]:
    """Return the spans that at least `min_votes` answers contain, with any label."""
    voting = Voting(len(answers), min_votes, lambda label: "WORD")
    found = read_answers(answers, sentence, "pos", voting)
    return {(item.start, item.end) for item in found.items if isinstance(item, VotedItem)}


def main(folder: Path, save_type_name: str) -> None:
    """Print one line for single answers, and one for each number of votes that a span needs."""
    dataset = read_dataset(folder / "train_1000.jsonl", folder / "labels.txt")
    rows = {row["id"]: row for _, row in read_rows(folder / save_type_name / "pos_train_1000.jsonl")}
    answered = [sentence for sentence in dataset.sentences if rows[sentence.id]["answers"]]
    answers = [rows[sentence.id]["answers"] for sentence in answered]
    gold = [{(span.start, span.end) for span in sentence.spans} for sentence in answered]
    asked = max(map(len, answers))
    single = [
        [boundaries([one], sentence, 1) for one in given] for sentence, given in zip(answered, answers, strict=True)
    ]
    print(f"{len(answered)} sentences, {asked} answers each, {sum(map(len, gold))} gold words")
    print_scores("one answer", [(one, words) for given, words in zip(single, gold, strict=True) for one in given])
    for needed in range(1, asked + 1):
        kept = [boundaries(given, sentence, needed) for sentence, given in zip(answered, answers, strict=True)]
        print_scores(f"{needed} of {asked}", list(zip(kept, gold, strict=True)))


def print_scores(name: str, pairs: Sequence[tuple[set[tuple[int, int]], set[tuple[int, int]]]]) -> None:
    """Print the precision, recall and F1 of pairs of found spans and gold spans."""
    found, gold, right = (
        sum(map(len, sets)) for sets in ([p[0] for p in pairs], [p[1] for p in pairs], [p[0] & p[1] for p in pairs])
    )
    precision, recall = right / max(1, found), right / max(1, gold)
    f1 = 2 * right / max(1, found + gold)
    print(f"{name:<12} {found:>6} spans   precision {precision:.3f}   recall {recall:.3f}   F1 {f1:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
