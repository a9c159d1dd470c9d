"""The byte order mark of text files."""

from __future__ import annotations

from codecs import BOM_UTF8


def mark_before(text: str) -> bytes:
    """Return a byte order mark for a file whose text begins with U+FEFF: readers remove one, and so keep the text."""
    return BOM_UTF8 if text.startswith("\ufeff") else b""
