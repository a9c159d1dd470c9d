"""Training: it learns, chooses on dev, resumes after an interruption, and does not mix trainings."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
import safetensors.torch
import torch

from utils.dataset.records import Sentence, Span
from utils.dataset.tokens import WORDS, text_hash
from utils.ner import SpanNer
from utils.ner.config import NerConfig
from utils.ner.label_set import LabelSet
from utils.ner.scoring.evaluation import THRESHOLDS, evaluate, evaluate_best
from utils.ner.scoring.metrics import score_spans
from utils.ner.training import trainer
from utils.ner.training.data import NerData, hold_out, warn_of_leaks
from utils.ner.training.examples import Examples, has_nested_spans, shuffled_batches
from utils.ner.training.learner import Learner
from utils.ner.training.optimizer import make_optimizer, make_schedule
from utils.ner.training.record import discard_training, is_finished, training_record
from utils.ner.training.settings import TrainSettings, make_plan
from utils.ner.training.trainer import Trainer, TrainRun

LABELS = LabelSet(("O", "PER", "LOC", "NOUN"), 2, (12,))
SETTINGS = TrainSettings(epochs=1, min_steps=120, encoder_lr=1e-3, head_lr=2e-3)


RESUMED = replace(SETTINGS, min_steps=150, ema=0.9)  # of the trainings that are killed


class KilledError(Exception):
    """Raised by a test in the middle of a training."""


@pytest.fixture
def data(sentences) -> NerData:
    return NerData(sentences, sentences, LABELS, tokenisation=WORDS)


@pytest.fixture
def start(data, encoder_folder, tmp_path):
    """Return a function that trains in a folder, as the script does."""

    def run(name: str, settings: TrainSettings = SETTINGS, data: NerData = data, **run: Any) -> Trainer:
        record = training_record(data, settings, str(encoder_folder))
        folder = tmp_path / name
        assert not is_finished(folder, record)
        training = Trainer(data, settings, TrainRun(str(encoder_folder), folder, torch.device("cpu"), **run), record)
        training.train()
        return training

    return run


def test_a_new_model_predicts_no_span(data, encoder_folder, tmp_path):
    training = Trainer(
        data, SETTINGS, TrainRun(str(encoder_folder), tmp_path, torch.device("cpu")), {"fingerprint": ""}
    )
    learner = training.learner
    with torch.no_grad():
        logits = learner.model.eval()(learner.words.collate([example.window for example in training.examples]))
    log_odds = logits[logits.isfinite()]
    assert log_odds.mean() == pytest.approx(-9, abs=0.5)  # the prior; the share of spans among all cells
    assert log_odds.max() < -5


def test_a_tiny_model_memorises_eight_sentences(start, sentences, tmp_path):
    start("model")
    ner = SpanNer.from_pretrained(tmp_path / "model" / "best", device="cpu")
    assert evaluate(ner, sentences, batch_size=4).micro.f1 == 1.0


def test_the_threshold_is_the_best_on_dev_and_saved_with_the_model(start, sentences, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "NerConfig", NerConfig)  # small layers learn nothing in 50 steps
    settings = replace(SETTINGS, min_steps=50, encoder_lr=2e-4, head_lr=2e-4)  # unsure yet, so that thresholds differ
    training = start("model", settings)
    best = json.loads((tmp_path / "model" / "best" / "training.json").read_text())["best_epoch"]
    row = next(row for row in training.history if row["epoch"] == best)
    ner = SpanNer.from_pretrained(tmp_path / "model" / "best", device="cpu")
    assert ner.model.config.span_threshold == row["threshold"]
    texts, gold = [sentence.tokens for sentence in sentences], [sentence.spans for sentence in sentences]
    f1 = {
        threshold: score_spans(gold, ner.predict(texts, threshold=threshold), ner.targets).micro.f1
        for threshold in THRESHOLDS
    }
    assert len(set(f1.values())) > 1
    assert evaluate_best(ner, sentences, batch_size=4)[0] == row["threshold"] == max(f1, key=f1.__getitem__)
    assert row["dev_f1"] == pytest.approx(max(f1.values()), abs=1e-6)


def test_an_encoder_may_be_cut_to_its_lowest_layers(start, sentences, tmp_path):
    start("model", replace(SETTINGS, encoder_layers=1))
    ner = SpanNer.from_pretrained(tmp_path / "model" / "best", device="cpu")
    assert ner.model.bert.config.num_hidden_layers == 1
    assert evaluate(ner, sentences, batch_size=4).micro.f1 == 1.0


def test_extension_labels_are_learnt_but_never_predicted(start, sentences, tmp_path):
    nouns = [
        replace(s, spans=(*s.spans, *(Span(at, at + 1, "NOUN") for at, word in enumerate(s.tokens) if word != "sees")))
        for s in sentences
    ]
    start("model", data=NerData(nouns, sentences, LABELS, tokenisation=WORDS))
    ner = SpanNer.from_pretrained(tmp_path / "model" / "best", device="cpu")
    assert evaluate(ner, nouns, batch_size=4).micro.f1 == 1.0


def test_sentences_longer_than_the_encoder_are_learnt_in_windows(start, tmp_path):
    text = tuple(["the", "likes", "in", "and", "anna", "sees", "the", "rome"] * 4)
    spans = tuple(Span(at, at + 1, "PER") for at, word in enumerate(text) if word == "anna")
    long = [Sentence("1", text, spans)]
    start("model", data=NerData(long, long, LABELS, tokenisation=WORDS))
    (found,) = SpanNer.from_pretrained(tmp_path / "model" / "best", device="cpu").predict([text])
    assert [(span.start, span.label) for span in found] == [(span.start, "PER") for span in spans]


def test_spans_in_no_window_cause_a_warning(make_ner, caplog):
    text = ("anna", "sees") * 20
    spans = (Span(0, 2, "PER"), Span(5, 35, "LOC"), Span(38, 40, "PER"))
    examples = Examples([Sentence("1", text, spans)], make_ner().words, LABELS.labels)
    assert "1 of 3 spans is too long for a window of the encoder and ignored" in caplog.text
    assert {example.window.first + cell[0] for example in examples for cell in example.cells} == {0, 38}


@dataclass(frozen=True)
class Kill:
    """The call of a method at which a training is killed, and the step after which it resumes."""

    owner: type
    method: str
    call: int
    goes_on: int
    save_minutes: float = 10.0


KILLS = [
    Kill(Trainer, "_save_state", 3, goes_on=100),  # after the second evaluation
    Kill(Learner, "step", 80, goes_on=50),  # from the last evaluation
    Kill(Learner, "step", 80, goes_on=79, save_minutes=0),  # from the middle of a round
]


@pytest.fixture(scope="module")
def whole(encoder_folder, sentences, tmp_path_factory):
    """The history and the folder of a training that was not killed."""
    data = NerData(sentences, sentences, LABELS, tokenisation=WORDS)
    folder = tmp_path_factory.mktemp("whole")
    run = TrainRun(str(encoder_folder), folder, torch.device("cpu"))
    training = Trainer(data, RESUMED, run, training_record(data, RESUMED, str(encoder_folder)))
    training.train()
    return training.history, folder


@pytest.mark.parametrize("kill", KILLS)
def test_a_killed_training_that_is_resumed_has_the_same_result(whole, start, tmp_path, monkeypatch, caplog, kill):
    history, folder = whole
    calls, method = [], getattr(kill.owner, kill.method)

    def killing(self, *args):
        calls.append(1)
        if len(calls) == kill.call:
            raise KilledError
        return method(self, *args)

    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(kill.owner, kill.method, killing)
        start("killed", RESUMED, save_minutes=kill.save_minutes)
    caplog.set_level("INFO")
    resumed = start("killed", RESUMED)
    assert f"resuming after step {kill.goes_on} of 150, from" in caplog.text
    assert without_times(resumed.history) == without_times(history)
    best = [path / "best" for path in (folder, tmp_path / "killed")]
    one, other = (safetensors.torch.load_file(path / "model.safetensors") for path in best)
    assert all(torch.equal(one[name], other[name]) for name in one)
    records = [(path / "training.json").read_bytes() for path in best]
    assert records[0] == records[1]


def without_times(history):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history]


def test_the_best_model_on_dev_is_saved_and_not_the_last(start, tmp_path, monkeypatch):
    real = trainer.evaluate_best
    scores = iter([0.2, 0.9, 0.5, 0.9])

    def staged(ner, sentences, **options):
        threshold, report = real(ner, sentences, **options)
        micro = replace(report.micro, correct=int(10 * next(scores)), predicted=10, gold=10)
        return threshold, replace(report, micro=micro)

    monkeypatch.setattr(trainer, "evaluate_best", staged)
    training = start("model", replace(SETTINGS, min_steps=200))
    record = json.loads((tmp_path / "model" / "best" / "training.json").read_text())
    assert record["best_epoch"] == training.history[1]["epoch"]
    assert record["dev"]["micro"]["f1"] == 0.9


def test_training_stops_early_once_dev_no_longer_improves(start):
    training = start("model", replace(SETTINGS, min_steps=1000, patience=1))
    assert training.history[-1]["step"] < 500
    assert [row["dev_f1"] for row in training.history[-2:]] == [1.0, 1.0]


def test_a_training_without_any_dev_span_keeps_its_last_model_and_warns(start, tmp_path, caplog):
    start("model", TrainSettings(epochs=1, min_steps=1, encoder_lr=0.0, head_lr=0.0))
    assert "no dev span was predicted correctly after any epoch: the last model is kept" in caplog.text
    assert SpanNer.from_pretrained(tmp_path / "model" / "best", device="cpu").predict([["anna"]]) == [[]]


def test_a_finished_training_is_recognised_and_another_is_refused(start, data, encoder_folder, tmp_path):
    settings = replace(SETTINGS, min_steps=50)
    start("model", settings)
    folder = tmp_path / "model"
    record = training_record(data, settings, str(encoder_folder))
    assert is_finished(folder, record)
    assert not (folder / "last" / "state.pt").exists()
    other = training_record(data, replace(settings, seed=7), str(encoder_folder))
    with pytest.raises(ValueError, match=r"differs in: settings; use --overwrite to replace it"):
        is_finished(folder, other)
    fewer = replace(data, train=data.train[1:])
    with pytest.raises(ValueError, match=r"differs in: data; use --overwrite"):
        is_finished(folder, training_record(fewer, settings, str(encoder_folder)))
    discard_training(folder)
    assert not is_finished(folder, other)
    assert list(folder.iterdir()) == []


def test_the_last_model_is_also_saved_and_can_be_loaded(start, tmp_path, sentences):
    training = start("model", replace(SETTINGS, min_steps=100))
    record = json.loads((tmp_path / "model" / "last" / "training.json").read_text())
    assert (record["epoch"], record["finished"]) == (training.history[-1]["epoch"], True)
    last = SpanNer.from_pretrained(tmp_path / "model" / "last", device="cpu")
    assert evaluate(last, sentences, batch_size=4).micro.f1 == pytest.approx(training.history[-1]["dev_f1"], abs=1e-6)


def test_the_record_has_a_hash_per_training_sentence_and_no_times(start, sentences, tmp_path):
    start("model", replace(SETTINGS, min_steps=50))
    record = json.loads((tmp_path / "model" / "best" / "training.json").read_text())
    assert record["sentences"] == sorted(text_hash(sentence.tokens) for sentence in sentences)
    assert record["finished"] is True
    assert record["settings"]["seed"] == 0
    assert "seconds" not in json.dumps(record)


def test_the_log_has_a_line_for_each_round(start, tmp_path):
    training = start("model", replace(SETTINGS, min_steps=100))
    lines = [json.loads(line) for line in (tmp_path / "model" / "train_log.jsonl").read_text().splitlines()]
    assert lines == training.history
    assert [line["step"] for line in lines] == [50, 100]


def steps_per_round(plan):
    """Return the number of steps in the first round, which is the shortest one."""
    return plan.steps_per_epoch * len(plan.epochs_of(0))


@pytest.mark.parametrize(
    ("sentences", "dev", "batch", "steps", "round_steps", "rounds"),
    [
        (15, 10, 4, 416, 52, 8),  # at least 400 steps; an evaluation each 50 or more
        (60, 20, 4, 405, 60, 7),
        (250, 50, 4, 1260, 63, 20),
        (250, 270, 4, 1260, 126, 10),  # evaluation takes a sixth of the time
        (250, 5000, 4, 1260, 252, 5),  # more than that, to choose among five models
        (1000, 500, 4, 5000, 250, 20),
        (10_000, 1000, 8, 25_000, 1250, 20),
    ],
)
def test_the_plan_suits_small_and_large_data(sentences, dev, batch, steps, round_steps, rounds):
    plan = make_plan(TrainSettings(epochs=20, min_steps=400), sentences, dev)
    assert (plan.batch_size, plan.step_size) == (batch, batch)
    assert (steps_per_round(plan), plan.rounds) == (round_steps, rounds)
    assert steps <= plan.steps < steps + round_steps


@pytest.mark.parametrize("sentences", [60, 250, 1000, 10_000])
@pytest.mark.parametrize("dev", [6, 270, 5000])
def test_the_default_plan_learns_long_enough_and_evaluates_several_times(sentences, dev):
    plan = make_plan(TrainSettings(), sentences, dev)
    assert plan.steps >= 200
    assert plan.rounds >= 4
    assert steps_per_round(plan) >= 50
    evaluation = dev / 4 / plan.step_size  # in steps
    assert evaluation <= steps_per_round(plan) / 5 or plan.rounds <= 6


@pytest.mark.parametrize("epochs", [1, 2, 7, 9, 12, 20])
@pytest.mark.parametrize("sentences", [8, 15, 60, 250])
def test_the_given_number_of_epochs_is_trained(epochs, sentences):
    plan = make_plan(TrainSettings(epochs=epochs, min_steps=1), sentences, 10)
    rounds = [plan.epochs_of(number) for number in range(plan.rounds)]
    assert [epoch for round_ in rounds for epoch in round_] == list(range(epochs))
    assert all(len(round_) * plan.steps_per_epoch >= 50 for round_ in rounds) or plan.rounds == 1


def test_the_plan_gives_a_reason_for_each_number_that_was_not_given():
    def described(**settings):
        return make_plan(TrainSettings(**settings), 60, 10).describe(TrainSettings(**settings))

    assert described(epochs=2, min_steps=1, warmup_steps=3) == "2 epochs of 15 steps, 1 evaluations"
    assert described(epochs=2, warmup_steps=0) == (
        "16 epochs of 15 steps, 4 evaluations; not --epochs=2, since --min_steps=200"
    )
    assert described(epochs=20) == (
        "20 epochs of 15 steps, 5 evaluations; warm-up 30 steps, a tenth of all, not --warmup_steps=190"
    )


def test_the_line_about_patience_says_when_it_is_not_counted_yet(start, caplog):
    caplog.set_level("INFO")
    start("model", TrainSettings(epochs=50, min_steps=1, patience=1, encoder_lr=0.0, head_lr=0.0))
    assert caplog.text.count("--patience=1 is counted from the first dev F1 above 0") == 1


def test_several_batches_per_step_make_fewer_steps():
    plan = make_plan(TrainSettings(epochs=20, batch_size=8, accumulate=4), 1600)
    assert (plan.batch_size, plan.step_size, plan.steps_per_epoch) == (8, 32, 50)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"ema": 1.0}, "ema is 1.0; it must be at least 0 .no average. and below 1"),
        ({"layer_decay": 0.0}, "layer_decay is 0.0; it must be above 0 and at most 1"),
        (
            {"synthetic_weight": 0.0},
            "synthetic_weight is 0.0; it must be above 0; to exclude synthetic sentences, train on data",
        ),
    ],
)
def test_impossible_training_settings_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        TrainSettings(**wrong)


def test_a_tenth_is_held_out_in_order_and_by_seed(sentences):
    many = sentences * 5
    rest, dev = hold_out(many, seed=1)
    assert (len(rest), len(dev)) == (36, 4)
    assert [bool(sentence.spans) for sentence in dev].count(False) == 1
    assert hold_out(many, seed=1) == (rest, dev)
    with pytest.raises(ValueError, match="1 annotated sentence is too few to hold out dev data: provide a dev file"):
        hold_out(many[:1], seed=1)


def test_sentences_made_from_held_out_ones_are_not_learnt(sentences):
    many = [replace(sentence, id=str(number)) for number, sentence in enumerate(sentences * 5, start=1)]
    made = [
        replace(sentence, id=f"{number}-1", row={"synthetic": True, "source": number})
        for number, sentence in enumerate(many, start=1)
    ]
    rest, dev = hold_out([*made, *many], seed=1)
    assert not any(sentence.is_synthetic for sentence in dev)
    chosen = {sentence.id for sentence in dev}
    assert len(chosen) == 4
    assert {s.id for s in rest} == {s.id for s in [*made, *many] if s.id.split("-")[0] not in chosen}


def test_a_synthetic_sentence_has_another_fingerprint(data, encoder_folder):
    made = replace(data, train=[replace(data.train[0], row={"synthetic": True}), *data.train[1:]])
    one, other = (training_record(each, SETTINGS, str(encoder_folder)) for each in (data, made))
    assert one["data"]["train"] != other["data"]["train"]
    assert one["data"]["dev"] == other["data"]["dev"]


def test_dev_sentences_in_the_training_data_cause_a_warning(data, sentences, caplog):
    warn_of_leaks(replace(data, train=data.train[:3]), "dev", sentences)
    assert "3 of 8 dev sentences are also training sentences: scores will be too high" in caplog.text


def test_data_without_a_sentence_are_refused(sentences):
    with pytest.raises(ValueError, match="the dev data has no sentences"):
        NerData(sentences, [], LABELS, tokenisation=WORDS)


def test_data_are_nested_where_two_target_spans_share_a_word():
    def sentence(*spans):
        return [Sentence("1", ("a", "b", "c"), tuple(Span(*span) for span in spans))]

    assert has_nested_spans(sentence((0, 3, "PER"), (1, 2, "LOC")), ("PER", "LOC"))
    assert not has_nested_spans(sentence((0, 2, "PER"), (2, 3, "LOC")), ("PER", "LOC"))
    assert not has_nested_spans(sentence((0, 3, "PER"), (1, 2, "NOUN")), ("PER", "LOC"))
    assert not has_nested_spans(sentence((0, 3, "PER"), (0, 3, "LOC")), ("PER", "LOC"))


def test_every_example_is_in_one_batch_of_an_epoch_and_epochs_differ(make_ner):
    import random

    texts = [Sentence(str(n), ("anna",) * (1 + n % 7)) for n in range(50)]
    examples = Examples(texts, make_ner().words, LABELS.labels)
    indices = range(len(examples))
    first, second = (shuffled_batches(indices, examples.lengths, 4, random.Random(seed)) for seed in (0, 1))
    assert sorted(index for batch in first for index in batch) == list(indices)
    assert first != second


def test_biases_and_norms_do_not_decay_and_the_head_learns_faster(make_ner):
    model = make_ner().model
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    optimizer = make_optimizer(model, TrainSettings(encoder_lr=1e-4, layer_decay=1.0, head_lr=1e-3))
    groups = {(g["lr"], g["weight_decay"]): [names[id(p)] for p in g["params"]] for g in optimizer.param_groups}
    assert groups.keys() == {(1e-4, 0.01), (1e-4, 0.0), (1e-3, 0.01), (1e-3, 0.0)}
    assert all(name.startswith("bert.") == (rate == 1e-4) for (rate, _), group in groups.items() for name in group)
    assert not any("bias" in n or "norm" in n.lower() for (_, d), group in groups.items() if d for n in group)
    assert not any(name.startswith("cnn.") for group in groups.values() for name in group)


def test_each_layer_of_the_encoder_learns_slower_than_the_one_above_it(make_ner):
    model = make_ner().model
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    optimizer = make_optimizer(model, TrainSettings(encoder_lr=1e-4, layer_decay=0.5))
    rates = {names[id(p)]: group["lr"] for group in optimizer.param_groups for p in group["params"]}
    top = model.bert.config.num_hidden_layers - 1
    assert top > 0
    for layer in range(top + 1):
        assert rates[f"bert.encoder.layer.{layer}.output.dense.weight"] == 1e-4 * 0.5 ** (top - layer)
    assert rates["bert.embeddings.word_embeddings.weight"] == 1e-4 * 0.5 ** (top + 1)
    assert rates["down_fc.weight"] == TrainSettings().head_lr


def test_learning_rates_rise_and_fall_linearly(make_ner):
    optimizer = make_optimizer(make_ner().model, TrainSettings())
    schedule = make_schedule(optimizer, steps=10, warmup=2)
    rates = []
    for _ in range(11):
        rates.append(round(float(schedule.get_last_lr()[0]) / TrainSettings().head_lr, 4))
        optimizer.step()
        schedule.step()
    assert rates == [0.0, 0.5, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0.0]
