"""Times, memory and results of the span model and of the plain implementation of its formulas, for `ner.py`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.span_cases import Case, batch_of, build, examples_of, read_tokens, sentences, upper
from tests.helpers.oracle import Found, plain_labels, plain_logits, plain_loss, plain_spans
from utils.compute.linear.onednn import FastLinear
from utils.ner import SpanNer
from utils.ner.model.span_model import SpanModel, span_loss
from utils.ner.training.examples import TrainingExample, dense_targets, shuffled_batches
from utils.ner.training.learner import Learner
from utils.ner.training.optimizer import trainable
from utils.ner.training.settings import TrainSettings, make_plan

STEP = 4  # sentences of a training step
STEP_CELLS = 2 * 256**2  # most pairs of words in a step; a step with long sentences has fewer of them, as in training
TIMED = 192  # sentences
SETTINGS = TrainSettings(precision="fp32", batch_size=STEP, adversarial=0.0)  # one forward pass per step


@dataclass(frozen=True, slots=True)
class Seconds:
    cpu: float
    clock: float

    def __str__(self) -> str:
        return f"{self.cpu:.2f} ({self.clock:.2f})"


@dataclass(frozen=True, slots=True)
class Figures:
    step: Seconds
    prediction: Seconds
    memory: float  # MB of a prediction, without the model


@dataclass(frozen=True, slots=True)
class Differences:
    """Differences between both implementations: the largest of the logits, and relative ones of loss and gradients."""

    scores: float
    loss: float
    gradients: float
    spans: int  # spans that the plain implementation predicts
    equal_spans: int


def measure(case: Case, *, plain: bool) -> Figures:
    """Return the time and memory of a prediction and a training step; the memory is right only in a new process."""
    ner = build(case)
    texts = [sentence.tokens for sentence in sentences(case, [case.words] * case.predicted)]
    predict = partial(plain_predictions, ner) if plain else partial(ner.predict, batch_size=case.predicted)
    predict([text[:8] for text in texts])
    before = peak_megabytes()
    predict(texts)
    memory = peak_megabytes() - before
    prediction = best_seconds(lambda: predict(texts), case.repeats)
    step = training_step(ner, case, plain=plain)
    step()
    return Figures(best_seconds(step, case.repeats), prediction, memory)


def compare(case: Case) -> Differences:
    """Return the differences without dropout, in one batch of sentences with different numbers of words."""
    ner = build(case)
    size = max(1, min(3, STEP_CELLS // case.words**2))
    chosen = sentences(case, [case.words, case.words // 2, case.words * 3 // 4][:size])
    examples, weights = examples_of(ner, chosen), torch.linspace(0.1, 1.0, case.labels)
    (scores, loss), (plain_scores, plain) = scored(ner, examples, weights), plainly_scored(ner, examples, weights)
    found, expected = gradients(ner.model, loss), gradients(ner.model, plain)
    texts = [sentence.tokens for sentence in chosen]
    spans = {(number, s.start, s.end, s.label) for number, row in enumerate(ner.predict(texts)) for s in row}
    plain_found = [plain_predictions(ner, [text])[0] for text in texts]
    expected_spans = {
        (number, first, last + 1, ner.targets[column])
        for number, row in enumerate(plain_found)
        for first, last, column, _ in row
    }
    return Differences(
        scores=max(float((one - other).detach().abs().max()) for one, other in zip(scores, plain_scores, strict=True)),
        loss=abs(loss.item() / plain.item() - 1),
        gradients=float((found - expected).norm() / expected.norm()),
        spans=len(expected_spans),
        equal_spans=len(spans & expected_spans),
    )


def scored(ner: SpanNer, examples: Sequence[TrainingExample], weights: Tensor) -> tuple[list[Tensor], Tensor]:
    """Return the logits of each sentence's spans, and the loss, of the project's model in one batch."""
    with FastLinear():
        logits = ner.model(batch_of(ner, examples))
    loss = span_loss(logits, dense_targets(examples, len(weights)), weights)
    return [upper(row, example.window.words) for row, example in zip(logits, examples, strict=True)], loss


def plainly_scored(ner: SpanNer, examples: Sequence[TrainingExample], weights: Tensor) -> tuple[list[Tensor], Tensor]:
    """Return the same values of the plain formulas, with each sentence alone."""
    scores = [plain_logits(ner.model, ner.model.word_states(batch_of(ner, [example]))) for example in examples]
    losses = [
        plain_loss(logits, labels_of([example], len(weights)), weights)
        for logits, example in zip(scores, examples, strict=True)
    ]
    return [upper(logits[0], logits.shape[1]) for logits in scores], torch.stack(losses).mean()


def training_step(ner: SpanNer, case: Case, *, plain: bool) -> Callable[[], object]:
    """Return a function that runs a training step with dropout, always on the same sentences."""
    size = max(1, min(STEP, STEP_CELLS // case.words**2))
    examples = examples_of(ner, sentences(case, [case.words] * size))
    ner.model.train()
    learner = Learner(ner.model, ner.words, [1.0] * case.labels, SETTINGS, make_plan(SETTINGS, 1000))
    if not plain:
        return lambda: learner.step(examples)
    return partial(plain_step, learner, examples, labels_of(examples, case.labels))


def plain_step(learner: Learner, examples: Sequence[TrainingExample], labels: Tensor) -> None:
    """Run a training step with the plain formulas, and the optimizer and schedule of the project."""
    batch = learner.words.collate([example.window for example in examples])
    logits = plain_logits(learner.model, learner.model.word_states(batch))
    plain_loss(logits, labels, learner.weights).backward()
    torch.nn.utils.clip_grad_norm_(trainable(learner.model), SETTINGS.clip_norm)
    learner.optimizer.step()
    learner.schedule.step()
    learner.optimizer.zero_grad()


@torch.inference_mode()
def plain_predictions(ner: SpanNer, texts: Sequence[Sequence[str]]) -> list[list[Found]]:
    """Return the spans of texts of the same length, in one batch."""
    batch = ner.words.collate([ner.words.windows(text)[0] for text in texts])
    logits = plain_logits(ner.model, ner.model.word_states(batch))
    return [plain_spans(row, len(ner.targets), ner.model.config.span_threshold, nested=False) for row in logits]


def compare_batches(case: Case) -> str:
    """Return how many pairs of words and how much training time batches of similar length save."""
    ner = build(case)
    lengths = [len(tokens) for tokens in read_tokens(case.texts)]
    examples = examples_of(ner, sentences(case, [length for length in lengths if length > 1]))
    ner.model.train()
    learner = Learner(ner.model, ner.words, [1.0] * case.labels, SETTINGS, make_plan(SETTINGS, len(examples)))
    cells, seconds = [], []
    for batched in (random_batches, batches_of_similar_length):
        cells.append(sum(len(batch) * max(one.window.words for one in batch) ** 2 for batch in batched(examples)))
        few = batched(examples[:TIMED])
        seconds.append(best_seconds(partial(train, learner, few), 1).cpu)
    return (
        f"{cells[0]:,} pairs of words in random batches, {cells[1]:,} in those of similar length "
        f"({cells[0] / cells[1]:.2f}×); CPU seconds to learn from {TIMED} sentences {seconds[0]:.1f} and "
        f"{seconds[1]:.1f} ({seconds[0] / seconds[1]:.2f}×)"
    )


def batches_of_similar_length(examples: Sequence[TrainingExample]) -> list[list[TrainingExample]]:
    lengths = [example.window.words for example in examples]
    batches = shuffled_batches(range(len(examples)), lengths, STEP, random.Random(0))
    return [[examples[index] for index in batch] for batch in batches]


def train(learner: Learner, batches: Sequence[Sequence[TrainingExample]]) -> None:
    for batch in batches:
        learner.step(batch)


def random_batches(examples: Sequence[TrainingExample]) -> list[list[TrainingExample]]:
    order = random.Random(0).sample(examples, len(examples))
    return [order[start : start + STEP] for start in range(0, len(order), STEP)]


def labels_of(examples: Sequence[TrainingExample], labels: int) -> Tensor:
    return torch.stack([plain_labels(example.cells, example.window.words, labels) for example in examples])


def gradients(model: SpanModel, loss: Tensor) -> Tensor:
    """Return the gradients of all parameters as one vector."""
    model.zero_grad()
    loss.backward()
    return torch.cat([one.grad.flatten() for one in model.parameters() if one.grad is not None])


def best_seconds(run: Callable[[], object], repeats: int) -> Seconds:
    """Return the shortest CPU time and the shortest wall-clock time of several runs."""
    times = []
    for _ in range(repeats):
        cpu, clock = time.process_time(), time.perf_counter()
        run()
        times.append((time.process_time() - cpu, time.perf_counter() - clock))
    return Seconds(min(cpu for cpu, _ in times), min(clock for _, clock in times))


def peak_megabytes() -> float:
    """Return the peak memory of this process, on Linux; `getrusage` would also count its parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6
