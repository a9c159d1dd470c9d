"""Manifests: the origin of a result, with the same bytes for the same work."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from utils import __version__
from utils.files.manifest import (
    build_manifest,
    check_owner,
    fingerprint,
    hash_file,
    hash_inputs,
    is_as_written,
    manifest_path,
    publish,
    read_manifest,
    warn_if_stale,
    write_manifest,
)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "train_1000.jsonl"
    path.write_text("x", encoding="utf-8")
    return path


def manifest(source, **changes):
    values = {"step": "s4", "parameters": {"size": "250"}, "counts": {"lines": 1}, **changes}
    return build_manifest(values["step"], hash_inputs({source.name: source}), values["parameters"], values["counts"])


def test_a_manifest_has_the_keys_of_the_contract_in_its_order(tmp_path, source):
    publish(tmp_path / "a.jsonl", [{"a": 1}], manifest(source))
    value = json.loads((tmp_path / "a.jsonl.meta.json").read_text(encoding="utf-8"))
    assert list(value) == ["step", "version", "inputs", "parameters", "fingerprint", "counts", "output"]
    assert value["step"] == "s4"
    assert value["version"] == __version__
    assert value["inputs"] == {"train_1000.jsonl": hashlib.sha256(b"x").hexdigest()}
    assert value["parameters"] == {"size": "250"}
    assert value["counts"] == {"lines": 1}
    assert value["output"] == hashlib.sha256(b'{"a": 1}\n').hexdigest()


def test_the_order_of_settings_does_not_change_the_bytes(tmp_path, source):
    for name, parameters in (("a", {"x": 1, "y": {"b": 2, "a": (1, 2)}}), ("b", {"y": {"a": [1, 2], "b": 2}, "x": 1})):
        (tmp_path / name).touch()
        write_manifest(tmp_path / name, manifest(source, parameters=parameters))
    assert (tmp_path / "a.meta.json").read_bytes() == (tmp_path / "b.meta.json").read_bytes()


@pytest.mark.parametrize("change", [{"step": "s5"}, {"parameters": {"size": "500"}}])
def test_the_fingerprint_changes_with_step_and_parameters(source, change):
    assert manifest(source).fingerprint != manifest(source, **change).fingerprint


def test_the_fingerprint_changes_with_an_input_and_not_with_the_counts(source):
    first = manifest(source).fingerprint
    assert manifest(source, counts={"lines": 2}).fingerprint == first
    source.write_text("y", encoding="utf-8")
    assert manifest(source).fingerprint != first


def test_different_values_that_look_alike_have_different_fingerprints():
    values = [{}, {"a": "b"}, {"a": ["b"]}, ["a", "b"], [["a", "b"]], "ab", None, 1, "1"]
    assert len({fingerprint(value) for value in values}) == len(values)
    assert fingerprint("a", "b") != fingerprint("ab")


def test_the_hash_of_a_file_is_the_hash_of_all_its_bytes(tmp_path):
    data = bytes(range(256)) * 10_000  # more than a block
    (tmp_path / "a").write_bytes(data)
    assert hash_file(tmp_path / "a") == hashlib.sha256(data).hexdigest()


def test_a_manifest_is_read_as_it_was_written(tmp_path, source):
    made = manifest(source)
    publish(tmp_path / "a.jsonl", [{"a": 1}], made)
    assert read_manifest(tmp_path / "a.jsonl") == replace(made, output=hash_file(tmp_path / "a.jsonl"))
    assert manifest_path(tmp_path / "a.jsonl") == tmp_path / "a.jsonl.meta.json"


def test_a_result_without_a_manifest_gives_none(tmp_path):
    assert read_manifest(tmp_path / "a.jsonl") is None


def test_a_manifest_of_an_earlier_version_without_the_hash_of_the_result_is_read(tmp_path, source):
    made = manifest(source)
    publish(tmp_path / "a.jsonl", [{"a": 1}], made)
    path = tmp_path / "a.jsonl.meta.json"
    value = json.loads(path.read_text(encoding="utf-8"))
    del value["output"]
    path.write_text(json.dumps(value), encoding="utf-8")
    assert read_manifest(tmp_path / "a.jsonl") == made
    assert not is_as_written(tmp_path / "a.jsonl")


WRONG_NAMES = ("../../x", "/etc/passwd", "a/../../x", "", "a\0b", "x" * 300, "x/" * 3000)
WRONG_VALUES: list[dict[str, Any]] = [
    {"step": 1},
    {"step": "s4; rm"},
    {"step": "\x1b[31ms4"},
    {"version": None},
    {"fingerprint": []},
    {"output": 1},
    {"inputs": {"a": 1}},
    {"inputs": []},
    {"counts": "x"},
    {"parameters": None},
    *[{"inputs": {name: "0" * 64}} for name in WRONG_NAMES],
]


@pytest.mark.parametrize("change", WRONG_VALUES, ids=lambda change: ascii(change)[:40])
def test_a_manifest_with_a_value_that_no_step_writes_is_refused(tmp_path, source, change):
    publish(tmp_path / "a.jsonl", [{"a": 1}], manifest(source))
    path = tmp_path / "a.jsonl.meta.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.jsonl\.meta\.json is not a manifest of this project"):
        read_manifest(tmp_path / "a.jsonl")


@pytest.mark.parametrize("name", ["//label.json", "最/" + "长" * 85, "GLM4/250/x y.jsonl", ".hidden"])
def test_an_input_may_have_any_name_that_files_can_have(tmp_path, source, name):
    publish(tmp_path / "a.jsonl", [], replace(manifest(source), inputs={name: "0" * 64}))
    found = read_manifest(tmp_path / "a.jsonl")
    assert found is not None
    assert found.inputs == {name: "0" * 64}


def test_a_result_that_was_edited_causes_a_warning(tmp_path, source, caplog):
    result = tmp_path / "a.jsonl"
    publish(result, [{"a": 1}], manifest(source))
    result.write_text('{"a": 2}\n', encoding="utf-8")
    warn_if_stale(result, lambda name: tmp_path / name)
    assert [record.getMessage() for record in caplog.records] == [
        f"{result} was changed after s4 wrote it: the changed file is used"
    ]


@pytest.mark.parametrize("content", ['{"step": "s4"}', '{"other": 1}', "[]", "3"])
def test_a_file_that_is_not_a_manifest_is_refused_with_its_name(tmp_path, content):
    (tmp_path / "a.jsonl.meta.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.jsonl\.meta\.json is not a manifest of this project"):
        read_manifest(tmp_path / "a.jsonl")


def test_a_result_of_another_step_is_overwritten_only_with_the_flag(tmp_path, source):
    publish(tmp_path / "a.jsonl", [], manifest(source, step="s8"))
    check_owner(tmp_path / "a.jsonl", step="s8")
    check_owner(tmp_path / "a.jsonl", step="s5", overwrite=True)
    with pytest.raises(ValueError, match=r"a\.jsonl was made by s8; use --overwrite to replace it by the result of s5"):
        check_owner(tmp_path / "a.jsonl", step="s5")


def test_a_result_that_is_missing_or_has_no_manifest_may_be_written(tmp_path, source):
    publish(tmp_path / "a.jsonl", [], manifest(source, step="s8"))
    (tmp_path / "a.jsonl").unlink()
    check_owner(tmp_path / "a.jsonl", step="s5")
    (tmp_path / "b.jsonl").touch()
    check_owner(tmp_path / "b.jsonl", step="s5")


def test_a_warning_names_a_changed_input_and_the_step_to_run_again(tmp_path, source, caplog):
    publish(tmp_path / "a.jsonl", [], manifest(source))
    warn_if_stale(tmp_path / "a.jsonl", lambda name: tmp_path / name)
    assert not caplog.records
    source.write_text("y", encoding="utf-8")
    warn_if_stale(tmp_path / "a.jsonl", lambda name: tmp_path / name)
    assert len(caplog.records) == 1
    assert "is stale: train_1000.jsonl has changed since it was made; run s4 again" in caplog.text


def test_a_result_without_a_manifest_is_used_and_logged_in_one_line(tmp_path, caplog):
    caplog.set_level("INFO")
    (tmp_path / "a.jsonl").touch()
    warn_if_stale(tmp_path / "a.jsonl", lambda name: tmp_path / name)
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'a.jsonl'} has no manifest: it cannot be checked whether it is up to date"
    ]


def test_an_input_that_changes_during_a_step_is_noticed_afterwards(tmp_path, source, caplog):
    result = tmp_path / "a.jsonl"
    hashes = hash_inputs({source.name: source})
    source.write_text("another", encoding="utf-8")
    publish(result, [{"a": 1}], build_manifest("s4", hashes, {}, {}))
    warn_if_stale(result, lambda name: tmp_path / name)
    assert "is stale: train_1000.jsonl has changed since it was made; run s4 again" in caplog.text
