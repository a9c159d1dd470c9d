"""Manifests with random damage: read, or refused with the file's name; never another error."""

from __future__ import annotations

import json
import random
from dataclasses import astuple

import pytest

from utils.files.manifest import ChangeFinder, build_manifest, publish, read_manifest

VALUES: list[object] = [
    *(None, True, 0, -1, 1.5, float("inf"), 10**400, "", "x", "\ud800", "a\0b", "\x1b[31m", "../..", "/", "x" * 5000),
    *([], [[]], {}, {"": ""}, {"a": None}, {"a\0": "b"}, {"..": "b"}, {"x" * 300: "b"}, {"\udc80": "b"}),
]


def change_value(text, rng):
    value = json.loads(text)
    holder = rng.choice([value, value, value["inputs"], value["parameters"], value["counts"]])
    holder[rng.choice([*holder, "other", ""])] = rng.choice(VALUES)
    return json.dumps(value).encode()


def remove_key(text, rng):
    value = json.loads(text)
    del value[rng.choice([*value])]
    return json.dumps(value).encode()


def change_bytes(text, rng):
    start = rng.randrange(len(text))
    piece = rng.choice([b"", bytes(50), rng.randbytes(5), b"[" * 5000, b'"', b"}", b"\xef\xbb\xbf", text])
    return text[:start] + piece + text[start + rng.randrange(20) :]


@pytest.mark.parametrize("rounds", [500, pytest.param(20_000, marks=pytest.mark.slow)])
def test_a_manifest_with_random_damage_is_read_or_refused_with_its_name(tmp_path, rounds):
    result = tmp_path / "a.jsonl"
    inputs = {"train_1000.jsonl": "0" * 64, "labels.txt": "1" * 64}
    publish(result, [{"a": 1}], build_manifest("s4", inputs, {"size": "250"}, {"lines": 1}))
    path = tmp_path / "a.jsonl.meta.json"
    text = path.read_bytes()
    outcomes = set()
    for seed in range(rounds):
        rng = random.Random(seed)
        path.write_bytes(rng.choice([change_value, remove_key, change_bytes])(text, rng))
        try:
            manifest = read_manifest(result)
        except ValueError as error:
            assert str(error).startswith(str(path)), seed
            outcomes.add("refused")
            continue
        assert manifest is not None
        assert len(astuple(manifest)) == 7
        ChangeFinder(lambda name: tmp_path / name).find(result)
        outcomes.add("read")
    assert outcomes == {"read", "refused"}
