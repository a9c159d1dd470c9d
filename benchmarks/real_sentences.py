"""Give real sentences of each dataset to s2 as if an LLM had written them, and show how many it keeps.

    python benchmarks/real_sentences.py DATASETS_FOLDER [NAME ...]

Reads   <folder>/<name>/{train_1000,dev,test}.jsonl, labels.txt
Prints  a line for each dataset: the habits that s2 learns from train_1000.jsonl, the share of the second half of
        test.jsonl that s2 keeps and that comes back as the same tokens, and the reasons to drop the others. For
        word-based datasets also the share of training sentences that, written as a person would, come back as their
        tokens.

Sentences of the first half of test.jsonl and of dev.jsonl are held out, as in a real run. Copies and near copies of
other sentences are dropped rightly, and do not count.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from utils.asking.entries import AnswerKey, Entry
from utils.asking.sampling import SamplingSettings
from utils.dataset.reading import read_dataset, read_sentences
from utils.dataset.records import Sentence, Span
from utils.dataset.tokens import Tokenisation, language_of
from utils.prompts import load_prompt
from utils.synthesis.cleaning import Cleaner, entities_line, template_sentences
from utils.synthesis.copies.near_duplicates import KnownTexts
from utils.synthesis.generator import TASK, Generator
from utils.synthesis.quota import Quota
from utils.synthesis.rounds import Synthesis
from utils.synthesis.writing_style import WritingStyle

MOST_ANSWERS = 300
COPIES = {"copied", "nearly copied", "repeated", "nearly repeated", "in dev or test", "near dev or test"}

Tokens = Sequence[str]


@dataclass(frozen=True)
class Kept:
    """What s2 made of real sentences."""

    style: WritingStyle
    made: int  # without copies and near copies
    kept: int
    unchanged: int  # kept sentences with exactly the tokens of a real one
    dropped: Counter
    examples: Sequence[tuple[str, str]]  # reason, text

    @property
    def share(self) -> float:
        return self.kept / max(1, self.made)


def keep_real(
    train: Sequence[Sentence], held_out: Sequence[Tokens], real: Sequence[Tokens], tokenisation: Tokenisation
) -> Kept:
    """Return what s2 keeps of `real` sentences, one for each answer, written as a person would."""
    sentences = [Sentence(str(number), one.tokens, one.spans) for number, one in enumerate(train, start=1)]
    style = WritingStyle.of([sentence.tokens for sentence in sentences], tokenisation=tokenisation)
    synthesis = _synthesis(sentences, held_out, style, tokenisation)
    asked = [sentence for sentence in sentences if sentence.spans]
    answers: dict[AnswerKey, Entry] = {}
    for sentence, tokens in zip(asked, real, strict=False):
        text = style.written(tokens)
        entry = Entry(sentence.id, TASK, synthesis.generator.input_hash(sentence), "f", text, "stop", 1, 1, 0)
        answers[entry.key] = entry
    synthesis.take_round(answers)
    rows, dropped, counts = synthesis.result()
    known = {tuple(tokens) for tokens in real}
    others = [(row["reason"], row["text"]) for row in dropped if row["reason"] not in COPIES]
    return Kept(
        style=style,
        made=counts.kept + len(others),
        kept=counts.kept,
        unchanged=sum(tuple(row["text"]) in known for row in rows),
        dropped=Counter(reason for reason, _ in others),
        examples=others,
    )


def _synthesis(
    sentences: Sequence[Sentence], held_out: Sequence[Tokens], style: WritingStyle, tokenisation: Tokenisation
) -> Synthesis:
    language = language_of(tokenisation.join(sentence.tokens) for sentence in sentences)
    prompt = load_prompt("explain", language)
    cleaner = Cleaner(
        language=language,
        writing=style,
        labels=sorted({span.label for sentence in sentences for span in sentence.spans}),
        template=KnownTexts(template_sentences(prompt.text), tokenisation=tokenisation),
        entities_line=entities_line(prompt.text),
    )
    generator = Generator(prompt, tokenisation, SamplingSettings(0.8))
    return Synthesis(sentences, generator, cleaner, held_out=held_out, quota=Quota())


def line_of(name: str, kept: Kept, tokens: Sequence[Tokens]) -> str:
    """Return the line of a dataset."""
    reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(kept.dropped.items())) or "none dropped"
    joined = "" if kept.style.tokenisation.is_dense else f", tokens {kept.style.accuracy(tokens):.1%}"
    shares = f"kept {kept.share:6.1%} of {kept.made}, unchanged {kept.unchanged / max(1, kept.made):6.1%}{joined}"
    return f"{name:18} {shares} ({reasons})"


def main(root: Path, names: Sequence[str]) -> None:
    """Print the lines of all datasets in a folder, with the texts that were dropped."""
    for folder in sorted(root.iterdir()):
        if not (folder / "test.jsonl").is_file() or (names and folder.name not in names):
            continue
        dataset = read_dataset(folder / "train_1000.jsonl", folder / "labels.txt")
        dev, test = (
            [one.tokens for one in read_sentences(folder / f"{part}.jsonl", tokenisation=dataset.tokenisation)]
            for part in ("dev", "test")
        )
        half = len(test) // 2
        train = [one if one.spans else Sentence(one.id, one.tokens, (Span(0, 1, "X"),)) for one in dataset.sentences]
        seen = {tuple(tokens) for tokens in [*(one.tokens for one in train), *dev, *test[:half]]}
        real = [tokens for tokens in test[half:] if tuple(tokens) not in seen][:MOST_ANSWERS]
        kept = keep_real(train, [*dev[:MOST_ANSWERS], *test[:half][:MOST_ANSWERS]], real, dataset.tokenisation)
        print(line_of(folder.name, kept, [one.tokens for one in train]))
        print(f"    {kept.style}")
        for reason, text in kept.examples:
            print(f"    {reason}: {text}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
