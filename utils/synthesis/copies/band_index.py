"""A compact index of items by their keys: any item that shares a key with another one is found."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence

FIRST_SLOTS = 1 << 12
MASK = (1 << 32) - 1


class BandIndex:
    """Items by the keys of their bands: rows of a MinHash that follow each other.

    A key takes 12 to 16 bytes, where a dictionary takes 100: 42 keys of a million items fit into 700 MB. A key has 32
    bits, so that once in a while an item is found that shares no band.

    With 2 bands of 2 rows, the MinHashes [5, 1, 7, 2] and [9, 4, 7, 2] share the second band. All entries of a slot
    form a chain, from the newest to the oldest. Of 2 bands, entry 4 belongs to the second band of item 1.
    """

    def __init__(self, bands: int) -> None:
        self._bands = bands
        self._keys = array("I")  # of each entry
        self._older = array("I")  # for each entry, the number of the entry before it in its chain; 0: none
        self._newest = array("I", bytes(4 * FIRST_SLOTS))  # for each slot; entries count from 1

    def __len__(self) -> int:
        return len(self._keys) // self._bands

    def add(self, minhash: Sequence[int]) -> None:
        """Add an item; its number is the number of items before it."""
        for key in self._band_keys(minhash):
            slot = key & (len(self._newest) - 1)
            self._keys.append(key)
            self._older.append(self._newest[slot])
            self._newest[slot] = len(self._keys)
        if len(self._keys) > len(self._newest):
            self._double()

    def find(self, minhash: Sequence[int]) -> set[int]:
        """Return the numbers of the items that share a band with an item."""
        keys, older, newest, bands = self._keys, self._older, self._newest, self._bands
        mask = len(newest) - 1
        found = set()
        for band, key in enumerate(self._band_keys(minhash)):
            entry = newest[key & mask]
            while entry:
                if keys[entry - 1] == key and (entry - 1) % bands == band:
                    found.add((entry - 1) // bands)
                entry = older[entry - 1]
        return found

    def _double(self) -> None:
        """Use twice as many slots."""
        keys, older = self._keys, self._older
        newest = array("I", bytes(2 * self._newest.itemsize * len(self._newest)))
        mask = len(newest) - 1
        for entry, key in enumerate(keys, start=1):
            older[entry - 1] = newest[key & mask]
            newest[key & mask] = entry
        self._newest = newest

    def _band_keys(self, minhash: Sequence[int]) -> Iterator[int]:
        rows = len(minhash) // self._bands
        parts: Iterable[tuple[int, ...]] = zip(*(minhash[row::rows] for row in range(rows)), strict=True)
        return (hash((band, *part)) & MASK for band, part in enumerate(parts))
