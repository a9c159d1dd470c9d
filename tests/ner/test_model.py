"""The span model against the published formula."""

from __future__ import annotations

import pytest
import torch
from oracle import plain_logits, plain_loss, plain_spans

from utils.ner import layers
from utils.ner import model as span_models
from utils.ner.decoding import drop_clashes, find_candidates
from utils.ner.encoding import Batch
from utils.ner.model import span_loss

BOTH = pytest.mark.parametrize("span_model", ["knowfree", "cnnner"])


class WordStates(torch.nn.Module):
    """An encoder that returns given states, so that sentences may be of any length."""

    def __init__(self, states: torch.Tensor) -> None:
        super().__init__()
        self.states = states

    def forward(self, **inputs: torch.Tensor) -> object:
        return type("Output", (), {"last_hidden_state": self.states})


def batch_of(lengths: list[int]) -> Batch:
    positions = torch.arange(1, max(lengths) + 1)
    index = torch.stack([positions * (positions <= length) for length in lengths])
    return Batch(index, (index > 0).long(), index, torch.tensor(lengths))


def upper(logits: torch.Tensor) -> torch.Tensor:
    rows, columns = torch.triu_indices(len(logits), len(logits))
    return logits[rows, columns]


@BOTH
def test_scores_of_a_padded_batch_are_those_of_the_plain_formula_for_each_sentence_alone(
    make_ner, span_model, monkeypatch
):
    monkeypatch.setattr(span_models, "BAND", 4)
    monkeypatch.setattr(layers, "QUERY_CHUNK", 8)
    model = make_ner(span_model=span_model).model
    lengths = [12, 1, 7, 21]  # several bands of rows and chunks of queries, and beyond the buckets of distances
    states = torch.randn(4, 21, 32)
    model.bert = WordStates(states)
    logits = model(batch_of(lengths))
    for row, length in enumerate(lengths):
        expected = plain_logits(model, states[None, row, :length])[0]
        torch.testing.assert_close(
            upper(logits[row, :length, :length]), upper(expected), atol=1e-4, rtol=1e-4, msg=f"length {length}"
        )


@BOTH
@pytest.mark.parametrize("labels", [9, 60])
@pytest.mark.parametrize("length", [32, 64, *(pytest.param(long, marks=pytest.mark.slow) for long in (128, 256))])
def test_scores_loss_and_gradients_are_those_of_the_plain_formula_at_each_size(make_ner, span_model, length, labels):
    names = ("O", *(f"label {number}" for number in range(labels)))
    model = make_ner(span_model=span_model, labels=names, num_target_labels=labels).model
    states, lengths = torch.randn(2, length, 32), [length, length - 3]
    model.bert = WordStates(states)
    gold = (torch.rand(2, length, length, labels) < 0.001).float()
    logits = model(batch_of(lengths))
    expected = [plain_logits(model, states[None, row, :size]) for row, size in enumerate(lengths)]
    for row, size in enumerate(lengths):
        torch.testing.assert_close(upper(logits[row, :size, :size]), upper(expected[row][0]), atol=1e-4, rtol=0)
    loss = span_loss(logits, gold, torch.ones(labels))
    plain = sum(
        plain_loss(one, gold[None, row, :size, :size], torch.ones(labels)) / 2
        for row, (one, size) in enumerate(zip(expected, lengths, strict=True))
    )
    torch.testing.assert_close(loss, plain, atol=0, rtol=1e-5)
    used = [p for name, p in model.named_parameters() if p.requires_grad and name != "cnn.cnns.6.conv2d.weight"]
    for one, other in zip(torch.autograd.grad(loss, used), torch.autograd.grad(plain, used), strict=True):
        assert (one - other).norm() <= 1e-4 * (1 + other.norm())


def test_spans_are_those_of_a_loop_over_all_cells():
    for seed in range(20):
        logits = torch.randn(3, 9, 9, 4, generator=torch.Generator().manual_seed(seed)) - 1
        is_span = torch.ones(9, 9).triu().bool()[None, :, :, None]
        rows = find_candidates(logits.masked_fill(~is_span, -torch.inf), targets=4, threshold=0.5, multi_label=False)
        found = [[(one.start, one.end - 1, one.column) for one in drop_clashes(row, nested=False)] for row in rows]
        assert found == [sorted(spans) for spans in plain_spans(logits)]


@BOTH
def test_gradients_are_those_of_the_plain_formula(make_ner, span_model):
    model = make_ner(span_model=span_model).model
    lengths, weights = [20, 6], torch.tensor([1.0, 1.0, 0.2])
    states = torch.randn(2, 20, 32)
    gold = (torch.rand(2, 20, 20, 3) < 0.1).float()
    model.bert = WordStates(states)
    used = {name: p for name, p in model.named_parameters() if p.requires_grad and name != "cnn.cnns.6.conv2d.weight"}
    plain = sum(
        plain_loss(plain_logits(model, states[None, row, :length]), gold[None, row, :length, :length], weights)
        for row, length in enumerate(lengths)
    )
    loss = span_loss(model(batch_of(lengths)), gold, weights)
    torch.testing.assert_close(loss, plain / 2, atol=1e-3, rtol=1e-4)
    found = torch.autograd.grad(loss, used.values())
    for name, one, other in zip(used, found, torch.autograd.grad(plain / 2, used.values()), strict=True):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-3, msg=name)


def test_cells_that_are_no_span_score_minus_infinity_and_leave_no_gradient(make_ner):
    model = make_ner().model
    model.bert = WordStates(torch.randn(2, 5, 32))
    logits = model(batch_of([5, 3]))
    assert torch.isinf(logits[0]).all(dim=-1).tolist() == [[j < i for j in range(5)] for i in range(5)]
    assert torch.isinf(logits[1]).all(dim=-1).tolist() == [
        [j < i or j > 2 or i > 2 for j in range(5)] for i in range(5)
    ]
    span_loss(logits, torch.zeros_like(logits), torch.ones(3)).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_padding_does_not_change_a_sentence_s_scores(make_ner):
    ner = make_ner()
    short, long = (ner.words.windows(text.split())[0] for text in ("anna sees", "the bert likes paris in rome"))
    alone = ner.model(ner.words.collate([short]))
    padded = ner.model(ner.words.collate([short, long]))[:1, :2, :2]
    torch.testing.assert_close(padded, alone, atol=1e-5, rtol=1e-5)


def test_a_word_is_the_largest_value_of_its_pieces(make_ner):
    ner = make_ner()
    batch = ner.words.collate(ner.words.windows(["annas", "likes"]))  # anna ##s, likes
    pieces = ner.model.bert(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state[0]
    states = ner.model.word_states(batch)[0]
    torch.testing.assert_close(states, torch.stack([pieces[1:3].amax(dim=0), pieces[3]]))


def test_parameters_have_the_names_and_shapes_of_the_public_checkpoints(make_ner):
    settings = {"cnn_dim": 200, "biaffine_size": 200, "size_embed_dim": 25, "cnn_depth": 3}
    shapes = {name: tuple(tensor.shape) for name, tensor in make_ner(**settings).model.state_dict().items()}
    heads = {name: shape for name, shape in shapes.items() if not name.startswith(("bert.", "cnn."))}
    assert heads == {
        "W": (200, 427),
        "head_mlp.1.weight": (200, 32),
        "head_mlp.1.bias": (200,),
        "tail_mlp.1.weight": (200, 32),
        "tail_mlp.1.bias": (200,),
        "multi_head_biaffine.W": (4, 50, 50, 50),
        "size_embedding.weight": (30, 25),
        "attn.local_attention.attn.in_proj_weight": (600, 200),
        "attn.local_attention.attn.in_proj_bias": (600,),
        "attn.local_attention.attn.out_proj.weight": (200, 200),
        "attn.local_attention.attn.out_proj.bias": (200,),
        "attn.norm.weight": (200,),
        "attn.norm.bias": (200,),
        "down_fc.weight": (3, 200),
        "down_fc.bias": (3,),
    }
    convolutions = {f"cnn.cnns.{n}.conv2d.weight": (200, 200, 3, 3) for n in (0, 3, 6, 9)}
    norms = {f"cnn.cnns.{n}.{kind}": (1, 200, 1, 1) for n in (1, 4, 7) for kind in ("weight", "bias")}
    assert {name: shape for name, shape in shapes.items() if name.startswith("cnn.")} == convolutions | norms
    assert "bert.embeddings.word_embeddings.weight" in shapes
    assert not any("pooler" in name for name in shapes)
    assert not any(name.startswith("attn.") for name in make_ner(span_model="cnnner").model.state_dict())
