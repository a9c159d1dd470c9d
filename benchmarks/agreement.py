"""Compare a span model and an LLM as annotators of the target labels: each alone, both, either, and one only.

    python syn_pipelines/s1_predict_data.py --file_name=weibo --mode=target --split=dev --limit=150 …
    python benchmarks/agreement.py save_model/weibo_250_base/best \
        data/few_shot/weibo/GLM4/target_dev.jsonl data/few_shot/weibo/dev.jsonl

Only the sentences that the LLM was asked about count. P is the share of the spans that are gold spans, R the share of
the gold spans that are among them.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from utils.annotation.files import read_annotations
from utils.annotation.targets.bounds import has_overlaps
from utils.annotation.targets.spans import target_spans
from utils.dataset.reading import read_sentences, tokenisation_of_file
from utils.dataset.records import Sentence, Span
from utils.dataset.scores import Scores

SpanKey = tuple[int, int, int, str]  # number of the sentence, start, end, label


def read_llm(target_file: Path, gold_file: Path) -> tuple[list[Sentence], list[Sequence[Span]]]:
    """Return the gold sentences that the LLM was asked about, and the spans that it found in them.

    Raises ValueError if a line of the target file is of another text than the gold sentence with its id.
    """
    gold = read_sentences(gold_file, tokenisation=tokenisation_of_file(gold_file))
    by_id = {sentence.id: sentence for sentence in gold}
    rows = [row for row in read_annotations(target_file, "target", gold) if row.status != "skipped"]
    for row in rows:
        if row.id not in by_id or by_id[row.id].tokens != tuple(row.text):
            raise ValueError(f"{target_file}: sentence {row.id} is not that of {gold_file}")
    nested = has_overlaps(gold)
    return [by_id[str(row.id)] for row in rows], [target_spans(row, nested=nested) for row in rows]


def keys_of(spans: Sequence[Sequence[Span]]) -> set[SpanKey]:
    """Return the spans of all sentences as keys."""
    return {(number, span.start, span.end, span.label) for number, found in enumerate(spans) for span in found}


def agreement_table(model: set[SpanKey], llm: set[SpanKey], gold: set[SpanKey]) -> dict[str, Scores]:
    """Return the scores of the spans of each annotator and of their combinations, by name."""
    found = {
        "span model": model,
        "LLM": llm,
        "both": model & llm,
        "either": model | llm,
        "span model only": model - llm,
        "LLM only": llm - model,
    }
    return {name: Scores(len(spans & gold), len(spans), len(gold)) for name, spans in found.items()}


def main(model: Path, target_file: Path, gold_file: Path) -> None:
    """Print a line for each annotator and combination."""
    sentences, llm = read_llm(target_file, gold_file)
    from utils.ner import SpanNer

    predicted = SpanNer.from_pretrained(model).predict([sentence.tokens for sentence in sentences], 8)
    gold = keys_of([[span for span in sentence.spans if span.origin is None] for sentence in sentences])
    print(f"{len(sentences)} sentences, {len(gold)} gold spans")
    print(f"{'':<16} {'spans':>6} {'P':>7} {'R':>7} {'F1':>7}")
    for name, scores in agreement_table(keys_of(predicted), keys_of(llm), gold).items():
        ratios = " ".join(f"{100 * value:7.1f}" for value in (scores.precision, scores.recall, scores.f1))
        print(f"{name:<16} {scores.predicted:>6} {ratios}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
