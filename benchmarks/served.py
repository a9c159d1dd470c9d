"""Compare what a server's answers are held to: a grammar, a JSON schema, a JSON object, and nothing.

    python benchmarks/served.py --model=models/SmolLM2-135M-Instruct.Q4_1.gguf [--sentences 40]

The model is served by llama.cpp's HTTP server in this process, and asked by the openai backend. For each guidance and
mode: how many answers can be read, how many of their items are in the sentence, how many pos answers are the whole
sentence, and the speed.
"""

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # the scripts' value
DEMO = ROOT / "data" / "few_shot" / "demo"
GUIDANCES = ("grammar", "json_schema", "json_object", "free")


def serve(model: Path, slots: int) -> Any:
    """Return a running server of a GGUF file; it ends with the process."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.verbosity, params.ui = -1, False
    params.n_ctx, params.n_parallel = 4096 * slots, slots
    params.cpuparams.n_threads = len(os.sched_getaffinity(0))
    return xllamacpp.Server(params)


def measure(api_base: str, model: str, slots: int, sentences: int) -> None:
    """Print a row of the table for each guidance and mode."""
    from utils.annotation.annotator import Annotator
    from utils.annotation.answers import read_answers
    from utils.annotation.settings import AnnotationSettings
    from utils.dataset.layout import ENTITY_LABELS, POS_LABELS
    from utils.dataset.modes import EXTENSION_MODES
    from utils.dataset.reading import read_dataset
    from utils.llm import Guidance, LLMOptions, load_llm

    dataset = read_dataset(DEMO / "train_1000.jsonl", DEMO / "labels.txt")
    llm = load_llm(model, "openai", LLMOptions(api_base=api_base, batch_size=slots, patience=3600))
    print("| held to | mode | read | items in the sentence | whole | sentences/s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for mode, labels in zip(EXTENSION_MODES, (ENTITY_LABELS, POS_LABELS), strict=True):
        plain = Annotator.for_dataset(dataset, AnnotationSettings(mode, labels))
        for guidance in GUIDANCES:
            annotator = replace(plain, guidance=cast(Guidance, guidance))
            asked = {sentence.id: sentence for sentence in dataset.sentences[:sentences]}
            begin = time.monotonic()
            answers = list(llm.generate([annotator.question(sentence).request for sentence in asked.values()]))
            seconds = time.monotonic() - begin
            found = [
                (asked[answer.request.id], read_answers([answer.text], asked[answer.request.id], mode, None))
                for answer in answers
            ]
            read = sum(one.readable for _, one in found) / len(found)
            items = sum(one.num_items for _, one in found)
            placed = 1 - sum(one.lost for _, one in found) / max(1, items)
            whole = sum([item.text for item in one.items] == list(sentence.tokens) for sentence, one in found)
            share = f"{whole / len(found):.0%}" if mode == "pos" else "–"
            speed = f"{len(found) / seconds:.2f}"
            print(f"| {guidance} | {mode} | {read:.0%} | {placed:.0%} of {items} | {share} | {speed} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf")
    parser.add_argument("--sentences", type=int, default=40)
    parser.add_argument("--slots", type=int, default=4)
    args = parser.parse_args()
    server = serve(args.model, args.slots)
    from utils.llm.server.background import run_in_background
    from utils.llm.server.endpoint import Endpoint  # the model's name is what the server calls it
    from utils.llm.server.retrying import Patience

    api_base = f"{server.listening_address}/v1"

    async def name() -> str:
        async with Endpoint(api_base, "", Patience(api_base, 60)) as endpoint:
            return (await endpoint.models())[0]

    measure(api_base, run_in_background(name()), args.slots, args.sentences)
    sys.stdout.flush()
    os._exit(0)  # the server's threads do not end by themselves


if __name__ == "__main__":
    main()
