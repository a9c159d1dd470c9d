"""A training step: parts equal one batch, and the average and number formats do what they should."""

from __future__ import annotations

import copy
from dataclasses import replace
from unittest.mock import Mock

import pytest
import torch

from utils.ner.model.encoder import checkpoint_gradients
from utils.ner.model.span_model import span_loss
from utils.ner.training import examples as examples_module
from utils.ner.training import precision
from utils.ner.training.examples import Examples, TrainingExample, dense_targets
from utils.ner.training.learner import Learner
from utils.ner.training.optimizer import moving_average
from utils.ner.training.perturbation import hardest_shift, observed, shifted
from utils.ner.training.precision import computing_dtype, loss_scaler
from utils.ner.training.settings import TrainSettings, make_plan

CPU = torch.device("cpu")
WEIGHTS = [1.0, 1.0, 0.5]
SETTINGS = TrainSettings(
    head_lr=1e-3, encoder_lr=1e-3, layer_decay=1.0, warmup_steps=0, precision="fp32", ema=0.0, adversarial=0.0
)


class TaughtLearner(Learner):
    """A learner with examples that it can memorise."""

    examples: list[TrainingExample]


@pytest.fixture
def make_learner(make_ner, sentences):
    """Return a function that builds learners of equal models, without dropout."""

    def build(settings: TrainSettings = SETTINGS, **config: object) -> TaughtLearner:
        ner = make_ner(**{"head_dropout": 0.0, **config})
        for module in ner.model.bert.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
            if hasattr(module, "dropout_prob"):  # attention's, in transformers 4
                module.dropout_prob = 0.0
        ner.model.train()
        learner = TaughtLearner(ner.model, ner.words, WEIGHTS, settings, make_plan(settings, 8))
        learner.examples = list(Examples(sentences, ner.words, ner.labels))
        return learner

    return build


def gradients(learner: TaughtLearner, monkeypatch) -> dict[str, torch.Tensor]:
    """Return the gradients of a learner's step before clipping."""
    found = {}

    def keep(parameters, limit):
        found.update({n: p.grad.clone() for n, p in learner.model.named_parameters() if p.grad is not None})

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", keep)
    learner.step(learner.examples)
    return found


def assert_close(one, other, tolerance=1e-5):
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=tolerance, atol=tolerance, msg=f"{name}: {{}}".format)


def test_several_batches_per_step_have_the_gradients_of_one_large_batch(make_learner, monkeypatch):
    large = make_learner(replace(SETTINGS, batch_size=8))
    small = make_learner(replace(SETTINGS, batch_size=2, accumulate=4))
    assert (large.plan.step_size, small.plan.step_size) == (8, 8)
    assert large.plan.steps == small.plan.steps
    assert_close(gradients(small, monkeypatch), gradients(large, monkeypatch))


def test_several_batches_per_step_have_the_loss_of_one_large_batch(make_learner):
    large, small = make_learner(replace(SETTINGS, batch_size=8)), make_learner(replace(SETTINGS, batch_size=2))
    assert small.step(small.examples) == pytest.approx(large.step(large.examples), rel=1e-6)


def test_a_step_with_too_many_cells_is_split_with_the_same_gradients(make_learner, monkeypatch):
    whole, parted = make_learner(replace(SETTINGS, batch_size=8)), make_learner(replace(SETTINGS, batch_size=8))
    expected = gradients(whole, monkeypatch)
    calls = []
    parted.model.register_forward_hook(lambda model, given, result: calls.append(result.shape[0]))
    monkeypatch.setattr(examples_module, "MOST_CELLS", 30)  # one sentence of five words is 25
    assert_close(gradients(parted, monkeypatch), expected)
    assert calls == [1, 1, 3, 2]  # of 5, 5, 3 and 2 words


def test_synthetic_sentences_are_weighted(make_learner, sentences, monkeypatch):
    made = [replace(sentence, row={"synthetic": True}) for sentence in sentences]

    def learner(weight, of=made):
        one = make_learner()
        one.examples = Examples(of, one.words, ("O", "PER", "LOC", "NOUN"), weight)
        return one

    whole, tenth = (gradients(learner(weight), monkeypatch) for weight in (1.0, 0.1))
    assert_close(tenth, {name: 0.1 * gradient for name, gradient in whole.items()})
    assert_close(gradients(learner(0.1, of=sentences), monkeypatch), whole)  # they are the dataset's own
    first, second = learner(1.0), learner(0.1)
    assert second.step(second.examples) == pytest.approx(0.1 * first.step(first.examples), rel=1e-5)


def test_gradient_checkpointing_gives_the_same_gradients(make_learner, monkeypatch):
    keeping, saving = make_learner(), make_learner()
    checkpoint_gradients(saving.model.bert)
    runs: dict[int, list[int]] = {id(learner): [] for learner in (keeping, saving)}
    for learner in (keeping, saving):
        learner.model.bert.encoder.layer[0].attention.register_forward_hook(
            lambda *_, of=learner: runs[id(of)].append(1)
        )
    assert_close(gradients(saving, monkeypatch), gradients(keeping, monkeypatch), tolerance=0)
    assert len(runs[id(saving)]) == 2 * len(runs[id(keeping)]) > 0  # computed again for the gradients


def test_the_average_follows_the_weights_by_its_decay_and_faster_at_first(make_learner):
    learner = make_learner(replace(SETTINGS, ema=0.3))
    decays = [0.0, 2 / 11, 3 / 12, 0.3, 0.3]  # of the first update nothing is old
    expected = learner.model.state_dict()
    for decay in decays:
        learner.step(learner.examples)
        current = copy.deepcopy(learner.model.state_dict())
        expected = {name: decay * expected[name] + (1 - decay) * tensor for name, tensor in current.items()}
    averaged = learner.released_model.state_dict()
    assert_close(averaged, expected, tolerance=1e-6)
    assert any(not torch.equal(averaged[name], current[name]) for name in current)


def test_without_an_average_the_model_itself_is_saved(make_learner):
    learner = make_learner()
    assert learner.released_model is learner.model


def test_an_average_of_a_constant_is_that_constant_bit_for_bit(make_learner):
    model = make_learner().model
    average = moving_average(model, 0.99)
    for _ in range(5):
        average.update_parameters(model)
    assert all(torch.equal(average.module.state_dict()[name], tensor) for name, tensor in model.state_dict().items())


def test_bfloat16_learns_with_weights_and_loss_in_float32(make_learner):
    exact, rounded = make_learner(), make_learner(replace(SETTINGS, precision="bf16"))
    losses = [(exact.step(exact.examples), rounded.step(rounded.examples)) for _ in range(30)]
    assert losses[0][0] != losses[0][1]
    assert losses[0][1] == pytest.approx(losses[0][0], rel=0.02)
    assert losses[-1][1] < losses[0][1] / 2
    assert {parameter.dtype for parameter in rounded.model.parameters()} == {torch.float32}


def test_the_number_format_is_chosen_by_the_device(monkeypatch):
    for fast, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(precision, "has_bf16_instructions", lambda known=fast: known)
        assert computing_dtype("auto", CPU) == dtype
    assert computing_dtype("bf16", CPU) == torch.bfloat16
    with pytest.raises(ValueError, match="--precision=fp16 needs a GPU: use bf16 or fp32 on the CPU"):
        computing_dtype("fp16", CPU)
    gpu = torch.device("cuda", 0)
    for supported, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(precision, "has_bfloat16", lambda device, known=supported: known)
        assert computing_dtype("auto", gpu) == dtype
    assert computing_dtype("fp16", gpu) == torch.float16


def test_only_float16_scales_its_loss():
    assert not loss_scaler(torch.bfloat16, CPU).is_enabled()
    assert loss_scaler(torch.float16, CPU).is_enabled()


def test_a_learner_resumes_exactly_from_its_state(make_learner):
    settings = replace(SETTINGS, ema=0.9)
    one = make_learner(settings, head_dropout=0.4)
    one.step(one.examples)
    state = copy.deepcopy(one.state())
    losses = [one.step(one.examples) for _ in range(3)]
    other = make_learner(settings, head_dropout=0.4)
    other.set_state(state)
    assert [other.step(other.examples) for _ in range(3)] == losses
    for model in ("model", "released_model"):
        first, second = (getattr(learner, model).state_dict() for learner in (one, other))
        assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_perturbed_sentence_has_a_higher_loss_in_this_call_only(make_learner):
    learner = make_learner()
    batch = learner.words.collate([example.window for example in learner.examples])
    targets = dense_targets(learner.examples, len(WEIGHTS))
    embeddings = learner.model.bert.get_input_embeddings()

    def losses():
        logits = learner.model(batch)
        return torch.stack([span_loss(logits[i, None], targets[i, None], learner.weights) for i in range(len(logits))])

    with observed(embeddings) as seen:
        plain = losses()
        plain.sum().backward()
    (embedded,) = seen
    shift = hardest_shift(embedded, batch.attention_mask, 0.02)
    for one, row, is_piece in zip(shift, embedded, batch.attention_mask.bool(), strict=True):
        assert one.norm().item() == pytest.approx(0.02 * row[is_piece].norm().item(), rel=1e-5)
    with shifted(embeddings, shift):
        assert (losses() > plain).all()
    assert torch.equal(losses(), plain)


def test_a_sentence_without_a_gradient_is_not_shifted():
    embedded = torch.ones(2, 4, 1, requires_grad=True)
    embedded.grad = torch.stack([torch.zeros(4, 1), torch.ones(4, 1)])
    shift = hardest_shift(embedded, torch.ones(2, 4), 0.5)
    assert shift[0].tolist() == torch.zeros(4, 1).tolist()
    assert shift[1].norm().item() == pytest.approx(0.5 * 2)


def test_perturbed_sentences_add_gradients_but_not_to_the_reported_loss(make_learner, monkeypatch):
    plain, harder = make_learner(), make_learner(replace(SETTINGS, adversarial=1e-7))
    once, twice = gradients(plain, monkeypatch), gradients(harder, monkeypatch)
    assert_close(twice, {name: 2 * gradient for name, gradient in once.items()}, tolerance=1e-4)  # a shift of nearly 0
    far = gradients(make_learner(replace(SETTINGS, adversarial=0.1)), monkeypatch)
    assert any(not torch.allclose(far[name], twice[name], rtol=1e-2) for name in far)
    one, other = make_learner(), make_learner(replace(SETTINGS, adversarial=0.1))
    assert one.step(one.examples) == other.step(other.examples)


def test_every_second_step_learns_shifted_sentences(make_learner):
    learner = make_learner(replace(SETTINGS, adversarial=0.1))
    backward = Mock(wraps=learner._backward)
    learner._backward = backward

    def passes_of_step():
        backward.reset_mock()
        learner.step(learner.examples[:2])
        return backward.call_count

    assert [passes_of_step() for _ in range(4)] == [2, 1, 2, 1]
    resumed_after_one_step = make_learner(replace(SETTINGS, adversarial=0.1))
    resumed_after_one_step.step(learner.examples[:2])
    learner.set_state(resumed_after_one_step.state())
    assert passes_of_step() == 1


def test_synthetic_sentences_are_not_shifted(make_learner, sentences, monkeypatch):
    gold, made = list(sentences[:2]), [replace(sentence, row={"synthetic": True}) for sentence in sentences[2:]]

    def gradients_of(chosen, adversarial=0.0):
        learner = make_learner(replace(SETTINGS, adversarial=adversarial))
        learner.examples = Examples(chosen, learner.words, ("O", "PER", "LOC", "NOUN"))
        return gradients(learner, monkeypatch)

    every, own = gradients_of([*gold, *made]), gradients_of(gold)
    share = len(gold) / sum(bool(sentence.tokens) for sentence in sentences)
    expected = {name: gradient + share * own[name] for name, gradient in every.items()}
    assert_close(gradients_of([*gold, *made], adversarial=1e-7), expected, tolerance=1e-4)
    assert_close(gradients_of(made, adversarial=0.1), gradients_of(made))
