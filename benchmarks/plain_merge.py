"""Compare s5 with a plain version of it: json_repair for each answer, and a comparison with every window of tokens.

    python benchmarks/plain_merge.py [--lines 1000]

Both run on one core, on the same generated sentences and answers, and read, place, merge and encode the same lines. The
plain version keeps all lines in memory. `windows` compares the joined tokens of every window, from every start to every
end; `windows of the right length` only those with as many characters as the item.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from json_repair import repair_json

from benchmarks.generated_data import generate
from utils.dataset.layout import ENTITY_LABELS, POS_LABELS, Layout
from utils.dataset.tokens import CHARACTERS
from utils.fusion.blocks import BlockMerger, read_blocks
from utils.fusion.extension_labels import LabelMapping
from utils.fusion.files import MergeFiles
from utils.labels.normaliser import LabelNormaliser

Windows = Callable[[list[str], str], Iterator[tuple[int, int]]]


def every_window(tokens: list[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield the windows with a text; every window is compared."""
    for start in range(len(tokens)):
        for end in range(start + 1, len(tokens) + 1):
            if "".join(tokens[start:end]) == text:
                yield start, end


def windows_of_length(tokens: list[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield the windows with a text; only windows of as many characters are compared."""
    for start in range(len(tokens) - len(text) + 1):
        if "".join(tokens[start : start + len(text)]) == text:
            yield start, start + len(text)


def merge_plainly(layout: Layout, names: dict[str, LabelNormaliser], windows: Windows) -> list[set[Any]]:
    """Return the extension spans of each sentence."""
    read = {
        mode: [json.loads(line) for line in layout.annotation_file(mode).read_text(encoding="utf-8").splitlines()]
        for mode in ("entity", "pos")
    }
    sentences = [json.loads(line) for line in layout.train.read_text(encoding="utf-8").splitlines()]
    merged = []
    for number, sentence in enumerate(sentences):
        spans: set[Any] = set()
        for mode, keys in (("entity", ("entity", "type")), ("pos", ("word", "pos"))):
            found = repair_json(read[mode][number]["answers"][0], return_objects=True)
            after = 0
            for item in found if isinstance(found, list) else []:
                text, label = (str(item.get(key, "")) if isinstance(item, dict) else "" for key in keys)
                for start, end in windows(sentence["text"], text) if text else ():
                    if mode == "pos" and start < after:
                        continue
                    if end - start > 1:
                        spans.add((start, end, names[mode](label) or "WORD"))
                    if mode == "pos":
                        after = end
                        break
        sentence["entities"] += [{"start": s, "end": e, "entity": label} for s, e, label in sorted(spans)]
        json.dumps(sentence, ensure_ascii=False)
        merged.append(spans)
    return merged


def merge_files(layout: Layout) -> MergeFiles:
    """Return the files of s1 as those of a merge."""
    annotations: Any = {mode: layout.annotation_file(mode) for mode in ("entity", "pos")}
    unused = layout.results / "unused"
    return MergeFiles(layout.train, annotations, unused, (), unused, unused, synthetic=False)


def merge_as_s5(files: MergeFiles, mapping: LabelMapping) -> list[set[Any]]:
    """Return the extension spans of each sentence, from the lines that s5 writes."""
    merger = BlockMerger(files, mapping, CHARACTERS)
    data = b"".join(merger(block).data for block in read_blocks(files))
    rows = [json.loads(line) for line in data.splitlines()]
    return [{(s["start"], s["end"], s["entity"]) for s in row["entities"] if "origin" in s} for row in rows]


def main() -> None:
    """Print the CPU seconds of both versions, and how many sentences have the same spans."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1000)
    args = parser.parse_args()
    names = {
        "entity": LabelNormaliser.from_files([ENTITY_LABELS, POS_LABELS]),
        "pos": LabelNormaliser.from_files([POS_LABELS, ENTITY_LABELS]),
    }
    mapping = LabelMapping((), names)  # type: ignore[arg-type]
    with TemporaryDirectory() as folder:
        layout = generate(Path(folder), 2 * args.lines)
        versions: dict[str, Callable[[], list[set[Any]]]] = {
            "s5": lambda: merge_as_s5(merge_files(layout), mapping),
            "windows": lambda: merge_plainly(layout, names, every_window),
            "windows of the right length": lambda: merge_plainly(layout, names, windows_of_length),
        }
        results = {}
        for name, version in versions.items():
            begin = time.process_time()
            results[name] = version()
            seconds = time.process_time() - begin
            same = sum(one == other for one, other in zip(results[name], results["s5"], strict=True))
            print(f"{name:<28}{seconds:>8.2f} s{args.lines / seconds:>9.0f} sentences/s{same:>8} the same", flush=True)


if __name__ == "__main__":
    main()
