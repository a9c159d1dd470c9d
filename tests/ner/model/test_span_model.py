"""The span model against the published formula."""

from __future__ import annotations

import pytest
import torch

from tests.helpers.oracle import plain_logits, plain_loss, plain_spans
from utils.ner.model import layers
from utils.ner.model import span_model as span_models
from utils.ner.model.span_model import SpanModel, span_loss
from utils.ner.model.word_pieces import Batch
from utils.ner.prediction.candidates import drop_clashes
from utils.ner.prediction.decoding import find_candidates

BOTH = pytest.mark.parametrize("span_model", ["knowfree", "cnnner"])
PUBLISHED_SIZES = {"cnn_dim": 200, "biaffine_size": 200, "size_embed_dim": 25, "cnn_depth": 3}


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
def test_a_padded_batch_is_scored_as_each_sentence_alone(make_ner, span_model, monkeypatch):
    monkeypatch.setitem(span_models.BAND_ROWS, span_model, 4)
    monkeypatch.setattr(layers, "QUERY_CHUNK", 8)
    model = make_ner(span_model=span_model).model
    lengths = [12, 1, 7, 21]  # several bands of rows and chunks of queries, and beyond the buckets of distances
    states = torch.randn(4, 21, 32)
    model.bert = WordStates(states)
    logits = model(batch_of(lengths))
    for row, length in enumerate(lengths):
        expected = plain_logits(model, states[row, None, :length])
        torch.testing.assert_close(
            upper(logits[row, :length, :length]), upper(expected[0]), atol=1e-4, rtol=1e-4, msg=f"length {length}"
        )


@BOTH
@torch.no_grad()
def test_bands_are_rows_of_the_logits_with_the_requested_labels(make_ner, span_model, monkeypatch):
    monkeypatch.setitem(span_models.BAND_ROWS, span_model, 4)
    model = make_ner(span_model=span_model).model
    model.bert = WordStates(torch.randn(2, 11, 32))
    whole, bands = model(batch_of([11, 6])), list(model.bands(batch_of([11, 6]), labels=2))
    assert [band.shape for band in bands] == [(2, 4, 11, 2), (2, 4, 11, 2), (2, 3, 11, 2)]
    torch.testing.assert_close(torch.cat(bands, dim=1), whole[..., :2])


@BOTH
@pytest.mark.parametrize("labels", [9, 60])
@pytest.mark.parametrize("words", [32, 64, *(pytest.param(n, marks=pytest.mark.slow) for n in (128, 256))])
def test_scores_loss_and_gradients_are_those_of_the_plain_formulas(make_ner, span_model, words, labels):
    names = tuple(map(str, range(labels)))
    model = make_ner(span_model=span_model, labels=("O", *names), num_target_labels=8, **PUBLISHED_SIZES).model
    lengths, states = [words, 3 * words // 5], torch.randn(2, words, 32)
    gold = (torch.rand(2, words, words, labels) < 0.01).long()
    weights = torch.rand(labels)
    model.bert = WordStates(states)
    logits = model(batch_of(lengths))
    loss = span_loss(logits, gold.float(), weights)
    plain = [plain_logits(model, states[row, None, :length]) for row, length in enumerate(lengths)]
    for row, scores in enumerate(plain):
        square = logits[row, : scores.shape[1], : scores.shape[1]]
        torch.testing.assert_close(upper(square), upper(scores[0]), atol=1e-4, rtol=0)
    plain_losses = [
        plain_loss(scores, gold[row, None, : scores.shape[1], : scores.shape[1]], weights)
        for row, scores in enumerate(plain)
    ]
    plain_mean = torch.stack(plain_losses).sum() / 2
    torch.testing.assert_close(loss, plain_mean, atol=0, rtol=1e-5)
    assert_same_gradients(model, loss, plain_mean)


def assert_same_gradients(model: SpanModel, loss: torch.Tensor, plain: torch.Tensor) -> None:
    """Compare each parameter's gradients, with the tolerance that sums over all cells need in float32."""
    used = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    found, expected = (torch.autograd.grad(one, [*used.values()], allow_unused=True) for one in (loss, plain))
    for name, one, other in zip(used, found, expected, strict=True):
        if one is None or other is None:
            assert one is other, name
            assert name.startswith("cnn.cnns."), "only the convolution that is never computed has no gradient"
        else:
            largest = float(other.abs().max())
            torch.testing.assert_close(one, other, atol=1e-4 * largest, rtol=1e-3, msg=f"{name}: {{}}".format)


def test_a_cell_is_a_bilinear_plus_an_affine_term_of_its_words(make_ner):
    model = make_ner().model
    model.attn.norm.weight.data.zero_()  # nothing is refined
    states = torch.randn(1, 18, 32)
    model.bert = WordStates(states)
    logits = model(batch_of([18]))[0]
    head, tail, one = model.head_mlp(states[0]), model.tail_mlp(states[0]), torch.ones(1)
    bilinear = model.multi_head_biaffine.W  # (heads, out / heads, size / heads, size / heads)
    for i, j in ((0, 0), (2, 5), (0, 13), (0, 14), (0, 17)):
        ends = zip(bilinear, head[i].chunk(len(bilinear)), tail[j].chunk(len(bilinear)), strict=True)
        products = torch.stack([h @ matrix @ t for matrices, h, t in ends for matrix in matrices])
        distance = model.size_embedding.weight[min(j - i, 14) + 15]
        cell = products + model.W @ torch.cat([head[i], one, tail[j], one, distance])
        torch.testing.assert_close(logits[i, j], model.down_fc(cell), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("nested", [False, True])
def test_spans_are_those_of_a_loop_over_all_cells(nested):
    for seed in range(20):
        logits = torch.randn(3, 9, 9, 4, generator=torch.Generator().manual_seed(seed)) - 1
        is_span = torch.ones(9, 9).triu().bool()[None, :, :, None]
        targets = logits.masked_fill(~is_span, -torch.inf)[..., :3]
        rows = find_candidates(targets.split(4, dim=1), threshold=0.5, multi_label=False)
        for row, one in zip(rows, logits, strict=True):
            found = [(span.start, span.end - 1, span.column) for span in drop_clashes(row, nested=nested)]
            assert found == [span[:3] for span in plain_spans(one, 3, 0.5, nested=nested)]


def test_cells_that_are_not_spans_score_minus_infinity_without_gradient(make_ner):
    model = make_ner().model
    model.bert = WordStates(torch.randn(2, 5, 32))
    logits = model(batch_of([5, 3]))
    assert torch.isinf(logits[0]).all(dim=-1).tolist() == [[j < i for j in range(5)] for i in range(5)]
    assert torch.isinf(logits[1]).all(dim=-1).tolist() == [
        [j < i or j > 2 or i > 2 for j in range(5)] for i in range(5)
    ]
    span_loss(logits, torch.zeros_like(logits), torch.ones(3)).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_padding_does_not_change_the_scores_of_a_sentence(make_ner):
    ner = make_ner()
    short, long = (ner.words.windows(text.split())[0] for text in ("anna sees", "the bert likes paris in rome"))
    alone = ner.model(ner.words.collate([short]))
    padded = ner.model(ner.words.collate([short, long]))[:1, :2, :2]
    torch.testing.assert_close(padded, alone, atol=1e-5, rtol=1e-5)


def test_a_word_is_the_maximum_of_its_pieces(make_ner):
    ner = make_ner()
    batch = ner.words.collate(ner.words.windows(["annas", "likes"]))  # anna ##s, likes
    pieces = ner.model.bert(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state[0]
    states = ner.model.word_states(batch)[0]
    torch.testing.assert_close(states, torch.stack([pieces[1:3].amax(dim=0), pieces[3]]))


def test_parameters_have_the_names_and_shapes_of_the_public_checkpoints(make_ner):
    shapes = {name: tuple(tensor.shape) for name, tensor in make_ner(**PUBLISHED_SIZES).model.state_dict().items()}
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
