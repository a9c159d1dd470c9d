"""An index in a temporary file, for more keys than should be in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

Position = tuple[int, int]  # of a line: its number, and its first byte


class DiskIndex:
    """The positions of each key, in ascending order. The file is deleted with the process."""

    def __init__(self, keys: Iterable[tuple[str, Position]]) -> None:
        self._table = sqlite3.connect("")  # a temporary file, of which SQLite keeps only a part in memory
        self._table.execute("CREATE TABLE positions (key BLOB, line INTEGER, start INTEGER)")
        rows = ((_bytes(key), line, start) for key, (line, start) in keys)
        self._table.executemany("INSERT INTO positions VALUES (?, ?, ?)", rows)
        self._table.execute("CREATE INDEX by_key ON positions (key, line, start)")

    def find(self, key: str) -> list[Position]:
        """Return the positions of a key."""
        query = "SELECT line, start FROM positions WHERE key = ? ORDER BY line"
        return self._table.execute(query, (_bytes(key),)).fetchall()


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")
