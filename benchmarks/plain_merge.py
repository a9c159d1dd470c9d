"""Compare s5 with a plain version of it: json_repair for each answer, and a comparison with every window of tokens.

    python benchmarks/plain_merge.py [--lines 1000] [--repeats 3] [--windows all growing length]

Both run on one core, on the same generated sentences and answers, and read, place, merge and encode the same lines. The
plain version keeps all lines in memory. It joins the tokens of windows and compares them with the item: with `all`
those of every window, from every start to every end; with `growing` from every start, until the window is as long as
the item; with `length` only windows of as many tokens as the item has characters, which finds nothing where a token is
a word.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
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


def growing_windows(tokens: list[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield the windows with a text; from each start, a window grows until it has as many characters."""
    for start in range(len(tokens)):
        joined = ""
        for end in range(start + 1, len(tokens) + 1):
            joined += tokens[end - 1]
            if len(joined) >= len(text):
                if joined == text:
                    yield start, end
                break


PLAIN: dict[str, Windows] = {"all": every_window, "growing": growing_windows, "length": windows_of_length}


def merge_plainly(layout: Layout, names: dict[str, LabelNormaliser], windows: Windows) -> bytes:
    """Return the merged lines."""
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
                        spans.add((start, end, names[mode](label) or "WORD", mode))
                    if mode == "pos":
                        after = end
                        break
        sentence["entities"] += [
            {"start": start, "end": end, "entity": label, "text": sentence["text"][start:end], "origin": mode}
            for start, end, label, mode in sorted(spans)
        ]
        merged.append(json.dumps(sentence, ensure_ascii=False))
    return "\n".join(merged).encode()


def merge_files(layout: Layout) -> MergeFiles:
    """Return the files of s1 as those of a merge."""
    annotations: Any = {mode: layout.annotation_file(mode) for mode in ("entity", "pos")}
    unused = layout.results / "unused"
    return MergeFiles(layout.train, annotations, unused, (), unused, unused, synthetic=False)


def merge_as_s5(files: MergeFiles, mapping: LabelMapping) -> bytes:
    """Return the lines that s5 writes."""
    merger = BlockMerger(files, mapping, CHARACTERS)
    return b"".join(merger(block).data for block in read_blocks(files))


def extension_spans(data: bytes) -> list[set[Any]]:
    """Return the extension spans of each line; those of the plain version follow the sentence's own spans."""
    rows = [json.loads(line)["entities"] for line in data.splitlines()]
    return [{(span["start"], span["end"], span["entity"]) for span in spans if "origin" in span} for spans in rows]


def main() -> None:
    """Print the CPU seconds of each version, and how many sentences have the same spans."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3, help="the fastest run counts")
    parser.add_argument("--windows", nargs="+", choices=PLAIN, default=list(PLAIN), help="the plain versions")
    args = parser.parse_args()
    names = {
        "entity": LabelNormaliser.from_files([ENTITY_LABELS, POS_LABELS]),
        "pos": LabelNormaliser.from_files([POS_LABELS, ENTITY_LABELS]),
    }
    mapping = LabelMapping((), names)  # type: ignore[arg-type]
    with TemporaryDirectory() as folder:
        layout = generate(Path(folder), 2 * args.lines)
        versions: dict[str, Callable[[], bytes]] = {"s5": lambda: merge_as_s5(merge_files(layout), mapping)}
        for name in args.windows:
            versions[f"plain, {name}"] = partial(merge_plainly, layout, names, PLAIN[name])
        spans = {}
        for name, version in versions.items():
            seconds = []
            for _ in range(args.repeats):
                begin = time.process_time()
                data = version()
                seconds.append(time.process_time() - begin)
            spans[name] = extension_spans(data)
            same = sum(one == other for one, other in zip(spans[name], spans["s5"], strict=True))
            speed = args.lines / min(seconds)
            print(f"{name:<16}{min(seconds):>8.2f} s{speed:>9.0f} sentences/s{same:>8} the same", flush=True)


if __name__ == "__main__":
    main()
