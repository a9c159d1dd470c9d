"""Time the span model against a plain implementation of the same formulas, and compare the memory of prediction.

    python benchmarks/ner.py
    python benchmarks/ner.py --lengths 128 --labels 9 --span_model cnnner

The plain one is the tests' oracle: full attention with a mask, [head, 1, tail, 1, distance] of every cell, dense
labels, and a loop over cells to decode. Both share the encoder, a random one of 12 layers and 384 features, and times
include it: CPU seconds of one thread, the least of some runs. Memory is a fresh process's peak above the model's.
"""

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import BertConfig, BertModel

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "ner")]

from oracle import plain_logits, plain_loss, plain_spans

from utils.ner.config import NerConfig
from utils.ner.decoding import drop_clashes, find_candidates
from utils.ner.encoding import Batch
from utils.ner.model import SpanModel, span_loss

TRAINED, PREDICTED = 4, 8  # sentences a batch
SPANS = 5  # gold spans a sentence

Spans = list[list[tuple[int, int, int]]]


def make_model(labels: int, span_model: str) -> SpanModel:
    """Return a random model of the default sizes."""
    torch.manual_seed(0)
    encoder = BertModel(
        BertConfig(
            vocab_size=8000, hidden_size=384, num_hidden_layers=12, num_attention_heads=12, intermediate_size=1536
        ),
        add_pooling_layer=False,
    )
    names = ("O", *(f"label {number}" for number in range(labels)))
    return SpanModel(encoder, NerConfig(labels=names, num_target_labels=labels, span_model=span_model))


def make_batch(sentences: int, length: int) -> Batch:
    """Return random sentences of one length, a piece a word."""
    ids = torch.randint(5, 8000, (sentences, length + 2))
    words = torch.nn.functional.pad(torch.arange(1, length + 1), (1, 1)).expand_as(ids)
    return Batch(ids, torch.ones_like(ids), words, torch.full((sentences,), length))


def make_gold(sentences: int, length: int, labels: int) -> torch.Tensor:
    """Return dense labels with some short spans a sentence."""
    gold = torch.zeros(sentences, length, length, labels)
    for sentence in gold:
        for _ in range(SPANS):
            first = random.randrange(length)
            sentence[first, min(length - 1, first + random.randrange(4)), random.randrange(labels)] = 1.0
    return gold


def ours(model: SpanModel, batch: Batch) -> Spans:
    """Return the spans that the span model predicts."""
    rows = find_candidates(model(batch), targets=len(model.config.targets), threshold=0.5, multi_label=False)
    return [[(one.start, one.end - 1, one.column) for one in drop_clashes(row, nested=False)] for row in rows]


def plain(model: SpanModel, batch: Batch) -> Spans:
    """Return the spans that the plain implementation predicts."""
    return [sorted(spans) for spans in plain_spans(plain_logits(model, model.word_states(batch)))]


def seconds(run: Callable[[], object], repeats: int) -> float:
    """Return the CPU seconds of the fastest of some runs, after one that warms up."""
    run()
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        run()
        times.append(time.process_time() - begin)
    return min(times)


def step(model: SpanModel, loss: Callable[[], torch.Tensor]) -> None:
    """Compute a batch's gradients."""
    loss().backward()
    model.zero_grad()


def prediction_memory(way: str, length: int, labels: int, span_model: str) -> float:
    """Return the peak MB of a prediction in a fresh process, above what the model itself takes."""
    command = [sys.executable, __file__, "--memory_of", way, "--span_model", span_model]
    command += ["--lengths", str(length), "--labels", str(labels)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peak() -> float:
    """Return the most MB that this process has held; `getrusage` would count its parent's too (Linux only)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure_memory(way: str, length: int, labels: int, span_model: str) -> None:
    """Print the peak MB above the model; run in a process of its own."""
    model, batch = make_model(labels, span_model).eval(), make_batch(PREDICTED, length)
    predict = {"ours": ours, "plain": plain}[way]
    with torch.inference_mode():
        predict(model, make_batch(1, 8))
        before = peak()
        predict(model, batch)
    print(peak() - before)


def compare(length: int, labels: int, span_model: str, repeats: int) -> None:
    """Print a row of the table: differences, then times and memory."""
    model = make_model(labels, span_model)
    trained, predicted = make_batch(TRAINED, length), make_batch(PREDICTED, length)
    gold, weights = make_gold(TRAINED, length, labels), torch.ones(labels)
    model.eval()
    with torch.inference_mode():
        one, other = model(trained), plain_logits(model, model.word_states(trained))
        apart = (one - other)[one > -torch.inf].abs().max().item()
    losses = {
        "ours": lambda: span_loss(model(trained), gold, weights),
        "plain": lambda: plain_loss(plain_logits(model, model.word_states(trained)), gold, weights),
    }
    model.train()
    learning = {way: seconds(lambda loss=loss: step(model, loss), repeats) for way, loss in losses.items()}
    model.eval()
    with torch.inference_mode():
        predicting = {way.__name__: seconds(lambda way=way: way(model, predicted), repeats) for way in (plain, ours)}
    memory = {way: prediction_memory(way, length, labels, span_model) for way in ("plain", "ours")}
    cells = [f"{length}", f"{labels}", f"{apart:.0e}"]
    cells += [
        f"{times['plain']:.2f} / {times['ours']:.2f} s = {times['plain'] / times['ours']:.1f}"
        for times in (learning, predicting)
    ]
    cells += [f"{memory['plain']:.0f} / {memory['ours']:.0f} MB = {memory['plain'] / max(memory['ours'], 1):.0f}"]
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Print a table with a row for each length and number of labels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", type=int, nargs="+", default=[32, 64, 128, 256], help="words a sentence")
    parser.add_argument("--labels", type=int, nargs="+", default=[9, 60], help="numbers of labels")
    parser.add_argument("--span_model", choices=("knowfree", "cnnner"), default="knowfree", help="architecture")
    parser.add_argument("--repeats", type=int, default=2, help="runs that are timed; the fastest counts")
    parser.add_argument("--memory_of", choices=("plain", "ours"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    random.seed(0)
    if args.memory_of:
        measure_memory(args.memory_of, args.lengths[0], args.labels[0], args.span_model)
        return
    names = ("words", "labels", "scores differ by", "training step of 4", "prediction of 8", "memory of prediction")
    print(f"| {' | '.join(names)} |")
    print(f"|{' --- |' * len(names)}")
    for labels in args.labels:
        for length in args.lengths:
            compare(length, labels, args.span_model, args.repeats)


if __name__ == "__main__":
    main()
