"""Texts and what models say about them, in a temporary file, for more texts than should be in memory."""

from __future__ import annotations

import json
import pickle
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from utils.dataset.tokens import text_hash
from utils.files.jsonl import encode_json
from utils.ner.prediction.judgement import Judgement


class JudgedTexts:
    """Judgements by text. The file is deleted with the process."""

    def __init__(self) -> None:
        self._table = sqlite3.connect("")  # a temporary file, of which SQLite keeps only a part in memory
        self._table.execute(
            "CREATE TABLE texts (number INTEGER PRIMARY KEY, hash BLOB UNIQUE, length INTEGER, text BLOB)"
        )
        self._table.execute("CREATE TABLE judgements (number INTEGER PRIMARY KEY, judgement BLOB)")

    def add(self, texts: Iterable[Sequence[str]]) -> int:
        """Add the texts that are new; return how many texts have no judgement."""
        rows = ((_key(tokens), len(tokens), encode_json(list(tokens))) for tokens in texts)
        self._table.executemany("INSERT OR IGNORE INTO texts (hash, length, text) VALUES (?, ?, ?)", rows)
        (number,) = self._table.execute(
            "SELECT (SELECT count(*) FROM texts) - (SELECT count(*) FROM judgements)"
        ).fetchone()
        return int(number)

    def unjudged(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield the number and the tokens of each text without a judgement: the longest first, equal ones as added."""
        query = (
            "SELECT number, text FROM texts WHERE number NOT IN (SELECT number FROM judgements) "
            "ORDER BY length DESC, number"
        )
        for number, text in self._table.execute(query):
            yield number, tuple(json.loads(text))

    def judge(self, number: int, judgement: Judgement) -> None:
        """Add the judgement of a text."""
        self._table.execute("INSERT INTO judgements VALUES (?, ?)", (number, pickle.dumps(judgement)))

    def find(self, tokens: Sequence[str]) -> Judgement:
        """Return the judgement of a text, which must have one."""
        query = "SELECT judgement FROM judgements JOIN texts USING (number) WHERE hash = ?"
        (found,) = self._table.execute(query, (_key(tokens),)).fetchone()
        return pickle.loads(found)


def _key(tokens: Sequence[str]) -> bytes:
    return bytes.fromhex(text_hash(tokens))
