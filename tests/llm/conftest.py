"""What several tests of LLM backends share."""

from __future__ import annotations

import pytest


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients of LLM servers wait only milliseconds before they try again, and forget servers of other tests."""
    from utils.llm.server import probing, retrying

    probing.find_dialect.cache_clear()  # a new server may have the port of an old one
    monkeypatch.setattr(retrying, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(retrying, "MAX_WAIT", 0.2)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
