"""Journals with random damage: no exception, and no answer on another line is lost."""

from __future__ import annotations

import json
import os
import random

import pytest

from utils.asking.journal import Entry, Journal

OWN = "0123456789abcdef" * 4
IDS = "12345"


def flip_bit(data, rng):
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]


def cut_out(data, rng):
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randrange(1, 40) :]


def insert(data, rng):
    place = rng.randrange(len(data) + 1)
    piece = rng.choice(
        [bytes(rng.randrange(1, 5000)), rng.randbytes(9), b"\n", b"\r", b'"', b"{", b"[" * 5000, b"\xef\xbb\xbf"]
    )
    return data[:place] + piece + data[place:]


def change_value(data, rng):
    row = json.loads(data)
    values: list[object] = [
        None,
        True,
        1,
        -1.5,
        "x",
        [],
        {},
        [[1]],
        {"a": {}},
        float("inf"),
        float("nan"),
        10**400,
        "\ud800",
        "\0",
    ]
    row[rng.choice([*row, "surplus", ""])] = rng.choice(values)
    return json.dumps(row).encode() + b"\n"


def replace_line(data, rng):
    return rng.choice(
        [b"null\n", b"[]\n", b"{}\n", b"NaN\n", bytes(4096) + b"\n", data * 2, data.rstrip() + data, b"\n"]
    )


DAMAGES = (flip_bit, cut_out, insert, change_value, replace_line)


@pytest.mark.parametrize("rounds", [200, pytest.param(5_000, marks=pytest.mark.slow)])
def test_random_damage_to_a_line_costs_at_most_its_own_answer(tmp_path, monkeypatch, rounds):
    monkeypatch.setattr(os, "fsync", lambda number: None)  # takes most of the time
    path = tmp_path / "a.jsonl.journal.jsonl"
    with Journal(path, OWN, settings={"model": {}, "parameters": {"x": 1}}) as journal:
        journal.append(Entry(id_, "entity", id_ * 64, OWN, f"北京 {id_}", "stop", 3, 2) for id_ in IDS)
    lines = path.read_bytes().splitlines(keepends=True)
    for seed in range(rounds):
        rng = random.Random(seed)
        hit = rng.randrange(len(lines))
        damage = rng.choice(DAMAGES)
        changed = damage(lines[hit], rng)
        if not changed.endswith(b"\n") and hit < len(lines) - 1:
            changed += b"\n"  # else two lines are damaged
        path.write_bytes(b"".join([*lines[:hit], changed, *lines[hit + 1 :]]))
        others = {id_: f"北京 {id_}" for number, id_ in enumerate(IDS) if number != hit}
        for _ in range(2):  # the second time, the journal is whole again
            with Journal(path, OWN) as journal:
                found = {entry.id: entry.answer for entry in journal.entries.values() if entry.input == entry.id * 64}
            assert found.items() >= others.items(), (seed, damage.__name__)
