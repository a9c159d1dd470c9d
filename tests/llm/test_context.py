"""The number of tokens that a model reads, and its tables of positions."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from utils.llm.hf.context import MAX_CONTEXT, context_of, limit_position_tables, share_position_tables


@pytest.mark.parametrize(
    ("config", "tokens"),
    [
        ({"max_position_embeddings": 2048}, 2048),
        ({"max_position_embeddings": 32768}, MAX_CONTEXT),
        ({"seq_length": 4096}, 4096),
        ({"n_positions": 1024}, 1024),
        ({"max_position_embeddings": -1}, MAX_CONTEXT),
        ({}, MAX_CONTEXT),
        ({"text_config": SimpleNamespace(max_position_embeddings=512), "max_position_embeddings": 9}, 512),
    ],
)
def test_the_context_is_that_of_the_text_model(config, tokens):
    assert context_of(SimpleNamespace(**config)) == tokens


@pytest.mark.parametrize(
    ("config", "positions"),
    [
        ({"rope_theta": 1e6, "max_position_embeddings": 32768}, MAX_CONTEXT),
        ({"rope_theta": 1e6, "rope_scaling": None, "max_position_embeddings": 32768}, MAX_CONTEXT),
        ({"rope_theta": 1e6, "max_position_embeddings": 2048}, 2048),
        ({"rope_theta": 1e6, "rope_scaling": {"type": "longrope"}, "max_position_embeddings": 131072}, 131072),
        ({"max_position_embeddings": 32768}, 32768),  # a learnt vector for each position
    ],
)
def test_only_tables_that_can_be_shorter_are_limited(config, positions):
    limited = SimpleNamespace(**config)
    limit_position_tables(limited)
    assert limited.max_position_embeddings == positions


def test_equal_tables_of_positions_are_in_memory_once():
    torch = pytest.importorskip("torch")
    layers = torch.nn.ModuleList(torch.nn.Module() for _ in range(4))
    for layer, base in zip(layers, (2.0, 2.0, 3.0, 2.0), strict=True):
        layer.register_buffer("cos_cached", base ** torch.arange(6.0), persistent=False)
        layer.register_buffer("running_mean", torch.ones(6))  # a buffer that is not a table
    before = [layer.cos_cached.clone() for layer in layers]
    share_position_tables(layers)
    assert all(torch.equal(layer.cos_cached, old) for layer, old in zip(layers, before, strict=True))
    places = [layer.cos_cached.data_ptr() for layer in layers]
    assert places[0] == places[1] == places[3] != places[2]
    assert len({layer.running_mean.data_ptr() for layer in layers}) == 4
