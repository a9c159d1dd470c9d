"""Part (b): a training step and a prediction of the span model, against the tests' plain formulas and the encoder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from benchmarks.gpu_parts.setup import Row, Session, sentences_of
from benchmarks.span_cases import Case, examples_of, random_encoder, sentences
from benchmarks.span_measures import labels_of
from tests.helpers.oracle import plain_logits, plain_loss
from utils.ner import SpanNer
from utils.ner.config import NerConfig
from utils.ner.model.span_model import SpanModel
from utils.ner.model.word_pieces import Batch
from utils.ner.prediction.judgement import LOWEST_SCORE
from utils.ner.training.learner import Learner, seed_all
from utils.ner.training.optimizer import trainable
from utils.ner.training.precision import computing_in
from utils.ner.training.settings import TrainSettings, make_plan

LABELS, TARGETS = 20, 8  # besides O
STEP = 16  # sentences of a training step
PREDICTED = 64  # sentences of a batch
SETTINGS = TrainSettings(batch_size=STEP, adversarial=0.0)  # one forward pass in each step


def run(session: Session) -> None:
    """Measure each shape of the encoder and each length of sentences."""
    for name, sizes in session.shapes.encoders.items():
        for words in session.shapes.words:
            session.measure("b", f"{name}, {words} words", partial(_lengths, session, name, sizes, words))
        session.measure("b", f"{name}, labelling as in s7", partial(_labelling, session, name, sizes))


def make_ner(session: Session, sizes: Mapping[str, int]) -> SpanNer:
    """Return an untrained span model with a random encoder, on the device."""
    seed_all(0)
    encoder, tokenizer = random_encoder(session.data / "train_1000.jsonl", sizes)
    labels = ("O", *map(str, range(LABELS)))
    config = replace(NerConfig(labels, TARGETS), **session.shapes.head)
    return SpanNer(SpanModel(encoder, config).to(session.device), tokenizer)


def _lengths(session: Session, name: str, sizes: Mapping[str, int], words: int) -> Row:
    """Return the times of sentences of one length."""
    ner = make_ner(session, sizes)
    texts = session.data / "train_1000.jsonl"
    case = Case("knowfree", words, LABELS, None, texts, PREDICTED, 1, torch.get_num_threads())
    size = STEP if session.on_gpu else 2
    examples = examples_of(ner, sentences(case, [words] * size))
    learner = Learner(ner.model.train(), ner.words, [1.0] * LABELS, SETTINGS, make_plan(SETTINGS, 1000))
    batch = ner.words.collate([example.window for example in examples]).to(session.device)
    labels = labels_of(examples, LABELS).to(session.device)
    seconds: Callable[[Callable[[], object]], float] = lambda run: session.timed(run, session.shapes.repeats)  # noqa: E731
    session.free()
    ours = seconds(lambda: learner.step(examples))
    memory = session.peak()
    encoder = seconds(lambda: _optimised(learner, lambda: _encoded(learner, batch)))
    session.free()
    plain = _or_reason(lambda: seconds(lambda: _optimised(learner, lambda: _plain_loss(learner, batch, labels))))
    plain_memory = session.peak()
    tokens = [sentence.tokens for sentence in sentences(case, [words] * size)]
    prediction = seconds(lambda: ner.predict(tokens, batch_size=PREDICTED))
    return {
        "encoder": name,
        "words": words,
        "sentences": size,
        "products in": str(learner.dtype).removeprefix("torch."),
        "step, ms": round(1000 * ours, 1),
        "the encoder's own step, ms": round(1000 * encoder, 1),
        "step / encoder": round(ours / encoder, 2),
        "plain step, ms": round(1000 * plain, 1) if isinstance(plain, float) else plain,
        "memory, GB": memory,
        "plain memory, GB": plain_memory,
        "prediction, ms": round(1000 * prediction, 1),
    }


def _labelling(session: Session, name: str, sizes: Mapping[str, int]) -> Row:
    """Return how many sentences of the dataset are labelled in a second, with all scores above the lowest."""
    ner = make_ner(session, sizes)
    tokens = [list(row["text"]) for row in sentences_of(session.data)][: session.shapes.sentences]
    ner.judge(tokens[:2], PREDICTED, lowest=LOWEST_SCORE)
    begin = time.perf_counter()
    ner.judge(tokens, PREDICTED, lowest=LOWEST_SCORE)
    seconds = time.perf_counter() - begin
    return {"encoder": name, "sentences": len(tokens), "labelled sentences/s": round(len(tokens) / seconds, 1)}


def _optimised(learner: Learner, loss: Callable[[], torch.Tensor]) -> None:
    """Run an optimizer step on a loss."""
    learner.scaler.scale(loss()).backward()
    learner.scaler.unscale_(learner.optimizer)
    torch.nn.utils.clip_grad_norm_(trainable(learner.model), SETTINGS.clip_norm)
    learner.scaler.step(learner.optimizer)
    learner.scaler.update()
    learner.optimizer.zero_grad()


def _encoded(learner: Learner, batch: Batch) -> torch.Tensor:
    """Return a loss that needs the encoder alone."""
    with computing_in(learner.dtype, learner.device):
        states = learner.model.bert(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
    mean: torch.Tensor = states.float().mean()
    return mean


def _plain_loss(learner: Learner, batch: Batch, labels: torch.Tensor) -> torch.Tensor:
    """Return the loss of the plain formulas: full attention, and a vector for each cell."""
    with computing_in(learner.dtype, learner.device):
        logits = plain_logits(learner.model, learner.model.word_states(batch))
    return plain_loss(logits.float(), labels, learner.weights)


def _or_reason(run: Callable[[], float]) -> Any:
    """Return what `run` returns, or a word for the memory that it lacks."""
    try:
        return run()
    except torch.cuda.OutOfMemoryError:
        return "out of memory"
