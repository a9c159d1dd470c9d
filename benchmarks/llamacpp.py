"""Measure guided annotation with llama.cpp, alone on the machine and with two other busy processes.

    python benchmarks/llamacpp.py [--model models/SmolLM2-135M-Instruct.Q4_1.gguf] [--sentences 8]

Each line is measured in a new process, because OpenMP reads only once how long its threads spin.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
DEMO = ROOT / "data" / "few_shot" / "demo"
SPINS = ("300000", "2000", "0")  # values of GOMP_SPINCOUNT: libgomp's default, the project's, no spinning
BUSY = "while True: pass"


def measure(model: str, sentences: int) -> dict[str, float]:
    """Return the speed of guided answers to the first sentences of the demo in both modes."""
    from utils.annotation.annotator import Annotator
    from utils.annotation.settings import AnnotationSettings
    from utils.dataset.layout import ENTITY_LABELS, POS_LABELS
    from utils.dataset.modes import EXTENSION_MODES
    from utils.dataset.reading import read_dataset
    from utils.llm import LLMOptions, load_llm

    dataset = read_dataset(DEMO / "train_1000.jsonl", DEMO / "labels.txt")
    llm = load_llm(model, "llamacpp", LLMOptions())
    figures: dict[str, float] = {}
    for mode, labels in zip(EXTENSION_MODES, (ENTITY_LABELS, POS_LABELS), strict=True):
        annotator = replace(Annotator.for_dataset(dataset, AnnotationSettings(mode, labels)), guidance="grammar")
        requests = [annotator.question(sentence).request for sentence in dataset.sentences[:sentences]]
        begin = time.monotonic()
        tokens = sum(answer.answer_tokens for answer in llm.generate(requests))
        figures[f"{mode} tokens/s"] = round(tokens / (time.monotonic() - begin), 1)
    return figures


def main() -> None:
    """Print one line for each setting; with `--here`, measure in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(ROOT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"))
    parser.add_argument("--sentences", type=int, default=8)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.here:
        print(json.dumps(measure(args.model, args.sentences)))
        return
    again = [sys.executable, __file__, "--here", "--model", args.model, "--sentences", str(args.sentences)]
    for busy in (0, 2):
        for spin in SPINS:
            load = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(busy)]
            environment = {**os.environ, "GOMP_SPINCOUNT": spin}
            done = subprocess.run(again, env=environment, capture_output=True, text=True, check=True)
            for process in load:
                process.kill()
            print(f"busy processes {busy}  GOMP_SPINCOUNT {spin:>6}  {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    main()
