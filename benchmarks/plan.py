"""Compare the tokens that `--plan` estimates with the tokens that a run used.

    python benchmarks/plan.py DATASET RESULTS MODEL

DATASET is the folder of a dataset, RESULTS the folder of its answers (s1), and MODEL the checkpoint folder or .gguf
file that gave them. Each mode is estimated without answers, and from 20 and 40 real answers.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from utils.annotation.annotator import Annotator
from utils.annotation.settings import AnnotationSettings
from utils.annotation.step import questions
from utils.asking.estimate import TokenCounter, estimate_tokens, evenly_spaced
from utils.asking.journal import Entry, journal_path
from utils.asking.questions import Question
from utils.dataset.layout import ENTITY_LABELS, POS_LABELS
from utils.dataset.modes import EXTENSION_MODES
from utils.dataset.reading import read_dataset
from utils.files.jsonl import read_rows
from utils.llm import LLMOptions, load_counter
from utils.llm.base import choose_backend


def compare(
    asked: list[Question], entries: Mapping[tuple[str, str, str, int], Entry], count: TokenCounter, known: int
) -> str:
    """Return the estimated and the real tokens of the questions, except the `known` ones that the estimate is from."""
    seen = evenly_spaced(sorted(asked, key=lambda one: one.request.max_new_tokens), known) if known else []
    keys = {one.key for one in seen}
    left = [one for one in asked if one.key not in keys]
    plan = estimate_tokens(left, seen, entries, count)
    prompt = sum(entries[one.key].prompt_tokens for one in left)
    answer = sum(entries[one.key].answer_tokens for one in left)
    return (
        f"{known:>3} real: prompts {plan.prompt:.0f} for {prompt} ({plan.prompt / prompt - 1:+.1%}), "
        f"answers {plan.answer:.0f} for {answer} ({plan.answer / answer - 1:+.1%})"
    )


def main(dataset_folder: Path, results: Path, model: str) -> None:
    dataset = read_dataset(dataset_folder / "train_1000.jsonl", dataset_folder / "labels.txt", tokenisation=None)
    count = load_counter(model, choose_backend(model, "auto"), LLMOptions())
    for mode, labels in zip(EXTENSION_MODES, (ENTITY_LABELS, POS_LABELS), strict=True):
        journal = journal_path(results / f"{mode}_train_1000.jsonl")
        entries = {entry.key: entry for _, row in read_rows(journal) for entry in [Entry(**row)]}
        annotator = Annotator.for_dataset(dataset, AnnotationSettings(mode, labels))
        asked = [one for one in questions(dataset.sentences, annotator) if one.key in entries]
        for known in (0, 20, 40):
            print(mode, compare(asked, entries, count, known))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
