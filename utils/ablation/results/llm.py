"""The LLM: the tokens that it has spent, and the scores of its own annotations of dev and test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from utils.annotation.files import read_annotations
from utils.annotation.targets.bounds import has_overlaps
from utils.annotation.targets.spans import score_rows
from utils.dataset.layout import HeldOut, Layout
from utils.dataset.reading import Dataset, read_sentences
from utils.files.run_log import logged_number, read_run_log
from utils.wording import counted


def spent_tokens(run_log: Path) -> Counter[str]:
    """Return the prompt and answer tokens of all runs, by the name of the file that they made."""
    tokens: Counter[str] = Counter()
    for row in read_run_log(run_log):
        if isinstance(row.get("result"), str):
            tokens[row["result"]] += sum(int(logged_number(row, name)) for name in ("prompt_tokens", "answer_tokens"))
    return tokens


def tokens_of(files: Iterable[str], tokens: Counter[str], percent: int) -> int:
    """Return the tokens that a share of the sentences has cost, in these files."""
    return sum(tokens[file] for file in files) * percent // 100


def llm_remark(layout: Layout, dataset: Dataset, split: HeldOut) -> str | None:
    """Return the scores of the LLM alone on dev or test, in words; None if s1 has not asked it (`--mode=target`)."""
    annotations = layout.held_out_annotation_file(split)
    if not annotations.is_file():
        return None
    sentences = read_sentences(layout.held_out(split), tokenisation=dataset.tokenisation)
    rows = {(row.id, row.text): row for row in read_annotations(annotations, "target", sentences)}
    asked = [(one, row) for one in sentences if (row := rows.get((one.id, one.tokens))) is not None]
    known, found = [one for one, _ in asked], [row for _, row in asked]
    number, scores = score_rows(known, found, nested=has_overlaps(dataset.sentences))
    if not number:
        return None
    return f"the LLM alone on {number} of {counted(len(sentences), f'{split} sentence')}: {scores}"
