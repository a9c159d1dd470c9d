"""Generated results of s1, s2 and s3 with the shape of Weibo, in any size, for measurements of time and memory.

    python benchmarks/generated_data.py --lines 10000 --folder /tmp/bench

Half of the lines are sentences of the dataset, half are synthetic. A sentence has 54 tokens on average (at most 175),
0 to 3 gold spans, an answer with 6 entities and one with about 23 words. 7.5 % of the answers are spoilt as LLMs spoil
them. The same number of lines always gives the same bytes. Nothing is kept in memory.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from utils.annotation.answers import read_answers
from utils.dataset.layout import SIZES, Layout
from utils.dataset.modes import Mode
from utils.dataset.records import Sentence
from utils.dataset.splits import share_of

NAME = "generated"
TARGETS = ["GPE.NAM", "GPE.NOM", "LOC.NAM", "LOC.NOM", "ORG.NAM", "ORG.NOM", "PER.NAM", "PER.NOM"]
ENTITIES = ["人名", "地名", "组织机构", "LOC", "作品", "产品", "日期", "数量", "怪东西"]
TAGS = ["名词", "动词", "形容词", "副词", "代词", "标点符号", "n", "v", "数词", "介词", "某类词"]
SPOILT = 0.075  # share of the answers
CHARACTERS = [chr(code) for code in range(0x4E00, 0x4E00 + 2500)]
WORDS_EACH = 23


def words_of(draw: random.Random) -> list[str]:
    """Return the words of a sentence: 1 to 4 characters each, frequent characters more often."""
    length = min(175, max(4, round(draw.lognormvariate(3.75, 0.68))))
    cuts = sorted(draw.sample(range(1, length), min(WORDS_EACH, length) - 1))
    text = [CHARACTERS[int(len(CHARACTERS) * draw.random() ** 2)] for _ in range(length)]
    return ["".join(text[start:end]) for start, end in zip([0, *cuts], [*cuts, length], strict=True)]


def gold_spans(tokens: list[str], draw: random.Random) -> list[dict[str, Any]]:
    """Return 0 to 3 spans that do not overlap, as in a file."""
    spans = []
    end = 0
    for _ in range(draw.choice((0, 0, 1, 1, 2, 3))):
        start = end + draw.randrange(12)
        end = start + draw.randint(2, 3)
        if end > len(tokens):
            break
        spans.append({"start": start, "end": end, "entity": draw.choice(TARGETS), "text": tokens[start:end]})
    return spans


def answer(rows: list[dict[str, str]], draw: random.Random) -> str:
    """Return the answer of an LLM that lists these items; some answers are not valid JSON."""
    text = json.dumps(rows, ensure_ascii=False)
    if draw.random() >= SPOILT:
        return text
    spoil: list[Callable[[str], str]] = [
        lambda text: text[: len(text) * 2 // 3],  # cut off
        lambda text: text.replace('"', "'"),
        lambda text: text.replace('"}]', '",}]'),
        lambda text: text.replace('": "', '": ', 1),
        lambda text: f"好的，结果如下：\n```json\n{text}\n```",
    ]
    return draw.choice(spoil)(text)


def annotation_answer(words: list[str], mode: Mode, draw: random.Random) -> str:
    """Return the answer of an LLM about a sentence of these words."""
    if mode == "pos":
        return answer([{"word": word, "pos": draw.choice(TAGS)} for word in words], draw)
    text = "".join(words)
    starts = [draw.randrange(max(1, len(text) - 4)) for _ in range(6)]
    parts = [text[start : start + draw.randint(2, 4)] for start in starts]
    return answer([{"entity": part, "type": draw.choice(ENTITIES)} for part in parts], draw)


def annotation(sentence: Sentence, words: list[str], mode: Mode, draw: random.Random) -> dict[str, Any]:
    """Return the line that s1 writes for a sentence."""
    given = annotation_answer(words, mode, draw)
    return read_answers([given], sentence, mode, None).row_of(sentence, mode).to_json()


def write_lines(layout: Layout, number: int) -> None:
    """Write the dataset, and the results of s1, s2 and s3, with this many original and synthetic sentences each."""
    layout.results.mkdir(parents=True, exist_ok=True)
    layout.labels.write_text("\n".join(["O", *TARGETS]) + "\n", encoding="utf-8")
    for synthetic in (False, True):
        draw = random.Random(int(synthetic))
        sentences = layout.synthetic() if synthetic else layout.train
        files: list[Path] = [sentences, *(layout.annotation_file(m, synthetic=synthetic) for m in ("entity", "pos"))]
        opened = [file.open("w", encoding="utf-8") for file in files]
        for index in range(1, number + 1):
            words = words_of(draw)
            tokens = list("".join(words))
            id_ = f"{index}-1" if synthetic else str(index)
            row: dict[str, Any] = {"text": tokens, "entities": [] if synthetic else gold_spans(tokens, draw)}
            if synthetic:
                row = {"id": id_, "source": index, **row, "synthetic": True, "asked": [], "mentions": []}
            sentence = Sentence(id_, tuple(tokens))
            modes: tuple[Mode, Mode] = ("entity", "pos")
            rows = [row, *(annotation(sentence, words, mode, draw) for mode in modes)]
            for file, one in zip(opened, rows, strict=True):
                _write(file, one)
        for file in opened:
            file.close()


def write_targets(layout: Layout) -> None:
    """Write the results of s7: the synthetic sentences of each size (s4) with spans of a model."""
    for size in SIZES:
        draw = random.Random(7)
        with layout.size_target(size).open("w", encoding="utf-8") as file:
            for row in _rows(layout.size_sentences(size, synthetic=True)):
                spans = [{**span, "origin": "ner", "score": 0.9} for span in gold_spans(row["text"], draw)]
                _write(file, {**row, "entities": spans})


def write_test(layout: Layout) -> None:
    """Write a dev and a test set of 270 sentences each."""
    for file, seed in ((layout.dev, 11), (layout.test, 12)):
        draw = random.Random(seed)
        with file.open("w", encoding="utf-8") as opened:
            for _ in range(270):
                tokens = list("".join(words_of(draw)))
                _write(opened, {"text": tokens, "entities": gold_spans(tokens, draw)})


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _write(file: TextIO, row: dict[str, Any]) -> None:
    file.write(json.dumps(row, ensure_ascii=False) + "\n")


def generate(folder: Path, lines: int) -> Layout:
    """Write a dataset of `lines` sentences, half of them synthetic, unless it is there; return its files."""
    layout = Layout(folder, f"{NAME}_{lines}")
    done = layout.dataset / "complete"
    if not done.exists():
        write_lines(layout, share_of(lines, 50))
        write_test(layout)
        done.touch()
    return layout


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, required=True)
    args = parser.parse_args()
    generate(args.folder, args.lines)


if __name__ == "__main__":
    main()
