"""Measure how long it takes to parse good and bad answers of 1 kB to 10 MB.

    python benchmarks/parsing.py [--largest 10_000_000] [--form NAME …]

Each line shows the microseconds per character of one form at each size. Parsing is linear if they do not grow.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from utils.parsing import read_answer

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
REPEATED = {
    "valid objects, cut off": '{"entity": "北京", "type": "地名"}, ',
    "keys without quotes": "{entity: 'x', type: 'y'}, ",
    "a missing quotation mark": '{"entity": "北京, "type": "地名"}, ',
    "Python literals": "{'entity': '北京', 'type': '地名'}, ",
    "unescaped apostrophes": "{'a': 'it's', ",
    "lines": "北京: 地名\n",
    "tagged words": "北京/ns ",
    "a table": "| 北京 | 地名 |\n",
    "open brackets": "[",
    "open braces": "{",
    "open arrays of strings": '["',
    "nested objects": '{"a":',
    "nested arrays": '"a": [',
    "quotation marks": '"',
    "commas": ",",
    "one huge string": "x",
    "spaces": " ",
    "fences": "```json\n[\n",
    "thinking": "<think>",
    "tags": "<a>b",
    "equals signs": "a=",
    "prose with brackets": "The cat, he said: it's a [good] {thing} (yes). ",
}
BEFORE = {"one huge string": '[{"entity": "', "equals signs": "{", "commas": "["}


def answer(form: str, size: int) -> str:
    """Return an answer of a form with `size` characters."""
    unit = REPEATED[form]
    return (BEFORE.get(form, "[" if unit.startswith("{") and len(unit) > 8 else "") + unit * (size // len(unit) + 1))[
        :size
    ]


def main() -> None:
    """Print one line for each form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=SIZES[-1])
    parser.add_argument("--form", nargs="+", choices=sorted(REPEATED), default=list(REPEATED))
    args = parser.parse_args()
    for form in args.form:
        figures = []
        for size in SIZES:
            if size <= args.largest:
                text = answer(form, size)
                begin = time.process_time()
                read_answer(text, "entity")
                figures.append(f"{1e6 * (time.process_time() - begin) / size:8.2f}")
        print(f"{form:24}", *figures, flush=True)


if __name__ == "__main__":
    main()
