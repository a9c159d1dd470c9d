"""The index of MinHashes: it finds what the index of the MinHash package finds."""

from __future__ import annotations

import random

from rensa import RMinHash, RMinHashLSH

from utils.synthesis.copies.band_index import FIRST_SLOTS, BandIndex
from utils.synthesis.copies.near_duplicates import BANDS, NEAR, ROWS, SEED


def minhash(text):
    made = RMinHash(num_perm=BANDS * ROWS, seed=SEED)
    made.update(sorted({text[start : start + 2] for start in range(len(text) - 1)}))
    return made


def test_items_are_found_by_any_equal_band():
    index = BandIndex(bands=2)
    for item in ([5, 1, 7, 2], [9, 4, 7, 2], [7, 2, 5, 1]):
        index.add(item)
    assert len(index) == 3
    assert index.find([0, 0, 7, 2]) == {0, 1}
    assert index.find([7, 2, 0, 0]) == {2}
    assert index.find([1, 5, 2, 7]) == set()


def test_the_index_finds_what_that_of_the_package_finds():
    draw = random.Random(0)
    index, other = BandIndex(BANDS), RMinHashLSH(threshold=NEAR, num_perm=BANDS * ROWS, num_bands=BANDS)
    found = 0
    for number in range(600):  # more keys than the first slots
        text = "".join(chr(0x4E00 + int(60 * draw.random() ** 2)) for _ in range(draw.randrange(3, 40)))
        made = minhash(text)
        assert index.find(made.digest()) == set(other.query(made))
        found += len(index.find(made.digest()))
        index.add(made.digest())
        other.insert(number, made)
    assert found > 100
    assert len(index) * BANDS > 4 * FIRST_SLOTS
