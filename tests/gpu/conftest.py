"""Tests that need a real GPU: `bash tests/run.sh -m gpu -o log_cli=true`. Without one, each is skipped by name.

What a test does is a function of the device. Tests without the mark `gpu` call the same functions with the CPU, so that
a mistake in them is found on any machine.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.tiny_checkpoint import write_tiny_checkpoint

torch = pytest.importorskip("torch")
pytest.importorskip("transformers", "4.44", reason="the span model needs it")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests with the mark `gpu` on a machine without a GPU."""
    for item in items:
        if item.get_closest_marker("gpu") and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random chat model."""
    return write_tiny_checkpoint(tmp_path_factory.mktemp("checkpoint"))
