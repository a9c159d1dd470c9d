"""Compare the speed and the answers of LLM backends on the first sentences of a dataset, in each mode.

    python benchmarks/backends.py run --data data/few_shot/weibo --model models/qwen --backend vllm --to vllm.jsonl
    python benchmarks/backends.py compare transformers.jsonl vllm.jsonl llamacpp.jsonl

Backends may need different environments, so each run writes its answers to a file. `compare` compares every file with
the first one.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # the scripts' value

from utils.dataset.modes import Mode
from utils.llm import LLM, Backend, LLMOptions, load_llm


def run(args: argparse.Namespace) -> None:
    """Ask a backend about the sentences, and write one line with the answers for each mode."""
    from utils.annotation.annotator import Annotator
    from utils.annotation.settings import AnnotationSettings
    from utils.dataset.layout import ENTITY_LABELS, POS_LABELS
    from utils.dataset.reading import read_dataset

    dataset = read_dataset(args.data / "train_1000.jsonl", args.data / "labels.txt")
    begin = time.monotonic()
    options = LLMOptions(batch_size=args.batch_size, dtype=args.dtype, api_base=args.api_base)
    llm = load(args.model, args.backend, options)
    loading = round(time.monotonic() - begin, 1)
    with args.to.open("w", encoding="utf-8") as file:
        for mode, number in zip(args.modes, args.sentences, strict=False):
            labels = ENTITY_LABELS if mode == "entity" else POS_LABELS
            plain = Annotator.for_dataset(dataset, AnnotationSettings(mode, labels))
            annotator = replace(plain, guidance="grammar") if args.guided else plain
            requests = [annotator.question(sentence).request for sentence in dataset.sentences[:number]]
            begin = time.monotonic()
            answers = list(llm.generate(requests))
            line = {
                "backend": args.backend,
                "guided": args.guided,
                "mode": mode,
                "loading": loading,
                "seconds": round(time.monotonic() - begin, 1),
                "tokens": sum(answer.answer_tokens for answer in answers),
                "answers": {answer.request.id: answer.text for answer in answers},
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            print({name: value for name, value in line.items() if name != "answers"}, flush=True)


def load(model: str, backend: str, options: LLMOptions) -> LLM:
    """Load a model with a backend of the project, or with one of `outsiders.py`."""
    if backend in ("plain", "bounded-plain", "ctranslate2"):
        from benchmarks.outsiders import OUTSIDERS

        return OUTSIDERS[backend](model, options)
    return load_llm(model, cast(Backend, backend), options)


def compare(args: argparse.Namespace) -> None:
    """Print a table with a row for each run: its speed, and the share of answers that are equal in the first file."""
    files = [[json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] for path in args.files]
    baseline = {run["mode"]: run["answers"] for run in files[0]}
    print("| backend | guided | mode | loading, s | sentences/s | tokens/s | equal answers | equal items |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for one in (run for runs in files for run in runs):
        speed = [f"{number / one['seconds']:.2f}" for number in (len(one["answers"]), one["tokens"])]
        others = baseline.get(one["mode"])
        same = [f"{share:.0%}" for share in agreement(one["answers"], others, one["mode"])] if others else ["–", "–"]
        cells = [one["backend"], "yes" if one["guided"] else "no", one["mode"], str(one["loading"]), *speed, *same]
        print("| " + " | ".join(cells) + " |")


def agreement(answers: dict[str, str], others: dict[str, str], mode: Mode) -> tuple[float, float]:
    """Return the share of equal answers, and the number of common items divided by the number of all items."""
    from utils.parsing import parse_items

    equal = common = either = 0
    for id_, answer in answers.items():
        mine, theirs = (set(parse_items(text, mode)) for text in (answer, others[id_]))
        equal += answer == others[id_]
        common += len(mine & theirs)
        either += len(mine | theirs)
    return equal / len(answers), common / max(1, either)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("run")
    one.add_argument("--data", type=Path, required=True)
    one.add_argument("--model", required=True)
    one.add_argument("--backend", required=True, help="a backend of the project, plain, bounded-plain or ctranslate2")
    one.add_argument("--to", type=Path, required=True)
    one.add_argument("--sentences", type=int, nargs="+", default=[40, 40], help="for each mode")
    one.add_argument("--modes", nargs="+", choices=("entity", "pos"), default=("entity", "pos"))
    one.add_argument("--guided", type=int, choices=(0, 1), default=0)
    one.add_argument("--batch_size", type=int, default=20)
    one.add_argument("--dtype", default="auto")
    one.add_argument("--api_base")
    one.set_defaults(do=run)
    several = commands.add_parser("compare")
    several.add_argument("files", type=Path, nargs="+")
    several.set_defaults(do=compare)
    args = parser.parse_args()
    args.do(args)


if __name__ == "__main__":
    main()
