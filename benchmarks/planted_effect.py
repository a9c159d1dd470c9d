"""Plant an effect that ablate.py must find: extension labels from gold parts of speech, and a placebo beside them.

    python benchmarks/planted_effect.py DATASET OUT --from_pretrained=ENCODER --sizes=250 --seeds=1,2,3

DATASET is a folder in which the gold spans are the words of a sentence with their parts of speech, such as UD
Chinese-GSDSimp. One of these labels (--target) becomes the only target label of a new dataset in OUT. The variant
`gold` has all words as extension spans. In the variant `placebo`, each sentence is cut into words of the same lengths
in another order, with labels that are shuffled over all sentences: as many spans, but nothing to learn from them. All
other flags are those of ablate.py.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "syn_pipelines")]

import ablate

from utils.dataset.layout import Layout
from utils.dataset.reading import read_dataset, read_sentences
from utils.dataset.records import Sentence, sentence_to_row
from utils.dataset.tokens import Tokenisation
from utils.files.jsonl import write_json, write_rows

Word = tuple[str, str]  # text, part of speech

NAME = "planted"
SMALL = ("--epochs=6", "--base_trials=1")  # a minute for each training of 125 sentences; later flags replace them


def words_of(sentence: Sentence, tokenisation: Tokenisation, target: str) -> list[Word]:
    """Return the words of a sentence; words with the target label are nouns, as an LLM might call them."""
    spans = sorted(sentence.spans, key=lambda span: span.start)
    labels = ("NOUN" if span.label == target else span.label for span in spans)
    texts = (tokenisation.join(sentence.tokens[span.start : span.end]) for span in spans)
    return list(zip(texts, labels, strict=True))


def shuffled(sentences: Sequence[list[Word]], rng: random.Random) -> list[list[Word]]:
    """Return words of the same lengths in another order in each sentence; the labels are those of all sentences."""
    labels = [label for words in sentences for _, label in words]
    rng.shuffle(labels)
    drawn = iter(labels)
    return [[(text, next(drawn)) for text in _cut_elsewhere(words, rng)] for words in sentences]


def _cut_elsewhere(words: Sequence[Word], rng: random.Random) -> list[str]:
    """Return the characters of words, cut into pieces with the words' lengths in random order."""
    text = "".join(text for text, _ in words)
    lengths = [len(text) for text, _ in words]
    rng.shuffle(lengths)
    starts = [sum(lengths[:number]) for number in range(len(lengths))]
    return [text[start : start + length] for start, length in zip(starts, lengths, strict=True)]


def plant(source: Path, folder: Path, target: str, seed: int) -> None:
    """Write the new dataset and the answers of both variants, as s1 writes them."""
    dataset = read_dataset(source / "train_1000.jsonl", source / "labels.txt")
    if not dataset.tokenisation.is_dense:
        raise SystemExit("the dataset must be dense: words are cut into characters")
    layout = Layout(folder, NAME, "gold")
    for name in (layout.train.name, layout.dev.name, layout.test.name):
        rows = read_sentences(source / name, tokenisation=dataset.tokenisation)
        kept = (replace(row, spans=tuple(span for span in row.spans if span.label == target)) for row in rows)
        write_rows(layout.dataset / name, map(sentence_to_row, kept))
    layout.labels.write_text(f"O\n{target}\n", encoding="utf-8")
    gold = [words_of(sentence, dataset.tokenisation, target) for sentence in dataset.sentences]
    for name, answers in (("gold", gold), ("placebo", shuffled(gold, random.Random(seed)))):
        rows_of_answers = [
            {
                "id": sentence.id,
                "text": list(sentence.tokens),
                "mode": "pos",
                "items": [{"word": text, "pos": label} for text, label in words],
                "answers": [],
                "status": "ok",
            }
            for sentence, words in zip(dataset.sentences, answers, strict=True)
        ]
        write_rows(replace(layout, save_type_name=name).annotation_file("pos"), rows_of_answers)


def main() -> None:
    """Plant the effect, and run ablate.py."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--target", default="PROPN", help="the label that becomes the target")
    parser.add_argument("--shuffle_seed", type=int, default=0)
    args, flags = parser.parse_known_args()
    if not (args.out / NAME).is_dir():
        plant(args.dataset, args.out, args.target, args.shuffle_seed)
    variants = {
        "gold": {"data": "fusion", "modes": ["pos"]},
        "placebo": {"data": "fusion", "modes": ["pos"], "answers": "placebo"},
        **dict.fromkeys(("fusion", "synthetic", "syn_fusion")),
    }
    write_json(args.out / "variants.json", variants)
    given = (f"--file_dir={args.out}", f"--file_name={NAME}", "--save_type_name=gold")
    sys.argv = [ablate.__file__, *given, f"--variants={args.out / 'variants.json'}", *SMALL, *flags]
    ablate.main()


if __name__ == "__main__":
    main()
