"""A conversion of files, as a notebook runs it."""

from __future__ import annotations

import pytest

from tests.helpers.builders import call, read_lines


@pytest.fixture
def convert(tmp_path, caplog):
    """Convert a file, or text that is written to one; return the rows and the messages."""
    caplog.set_level("INFO")

    def run(source, *, name="given.txt", **values):
        if isinstance(source, (str, bytes)):
            data = source.encode() if isinstance(source, str) else source
            source = tmp_path / name
            source.write_bytes(data)
        caplog.clear()
        call("convert", input=source, output=tmp_path / "out.jsonl", overwrite=True, **values)
        return read_lines(tmp_path / "out.jsonl"), list(caplog.messages)

    return run
