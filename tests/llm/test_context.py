"""The number of tokens that a model reads, and its tables of positions."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from utils.llm.hf.context import MAX_CONTEXT, context_of, limit_position_tables


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
