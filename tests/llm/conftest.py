"""What several tests of LLM backends share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.helpers.tiny_checkpoint import write_tiny_checkpoint

if TYPE_CHECKING:
    from utils.llm.hf.chat_format import ChatFormat


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients of LLM servers wait only milliseconds before they try again, and forget servers of other tests."""
    from utils.llm.server import probing, retrying

    probing.find_dialect.cache_clear()  # a new server may have the port of an old one
    monkeypatch.setattr(retrying, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(retrying, "MAX_WAIT", 0.2)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> ChatFormat:
    """The chat format of a tiny random checkpoint."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from utils.llm.hf.chat_format import ChatFormat

    folder = write_tiny_checkpoint(tmp_path_factory.mktemp("chat"))
    return ChatFormat(AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder))
