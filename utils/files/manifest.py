"""Manifests: the step, inputs and settings that each result was made with."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from utils import __version__
from utils.files.compressed import open_input
from utils.files.jsonl import encode_json, read_json, write_json, write_rows

log = logging.getLogger(__name__)

MIB = 1 << 20
MAX_NAME, MAX_PATH = 255, 2000  # bytes; longer names are an error of the file system
KEYS = ("step", "version", "inputs", "parameters", "fingerprint", "counts", "output")  # in the order of the file
SUFFIX = ".meta.json"


@dataclass(frozen=True)
class Manifest:
    """The origin of a result. It contains no times or host names, so that the same work gives the same bytes."""

    step: str
    inputs: Mapping[str, str]  # portable name -> SHA-256
    parameters: Mapping[str, Any]
    fingerprint: str
    counts: Mapping[str, Any]
    version: str = __version__
    output: str | None = None  # SHA-256 of the result; manifests of earlier versions do not have it


def build_manifest(
    step: str, hashes: Mapping[str, str], parameters: Mapping[str, Any], counts: Mapping[str, Any]
) -> Manifest:
    """Return the manifest of a result that depends only on its inputs and parameters.

    `hashes` are the hashes of the inputs (`hash_inputs`), taken before the inputs are read. Then a change of an input
    during the step is noticed later.
    """
    return Manifest(step, hashes, parameters, fingerprint(step, hashes, parameters), counts)


def fingerprint(*parts: Any) -> str:
    """Return the SHA-256 of JSON values; the order of keys does not matter."""
    return hashlib.sha256(encode_json(_sorted(list(parts)))).hexdigest()


def fingerprint_of_rows(rows: Iterable[Any]) -> str:
    """Return the fingerprint of the list of some JSON values, with one of them in memory at a time.

    >>> fingerprint_of_rows([{"a": "ä"}, 1]) == fingerprint([{"a": "ä"}, 1])
    True
    """
    digest = hashlib.sha256(b"[[")
    for number, row in enumerate(rows):
        digest.update((b", " if number else b"") + encode_json(_sorted(row)))
    digest.update(b"]]")
    return digest.hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; of a compressed file, those of its content."""
    digest = hashlib.sha256()
    with open_input(path) as file:
        while block := file.read(MIB):
            digest.update(block)
    return digest.hexdigest()


def hash_inputs(inputs: Mapping[str, Path], hash_of: Callable[[Path], str] = hash_file) -> dict[str, str]:
    """Return the SHA-256 of each file, by its portable name, sorted."""
    return {name: hash_of(inputs[name]) for name in sorted(inputs)}


def manifest_path(result: Path) -> Path:
    """Return the path of the manifest of a result, in the same folder."""
    return result.with_name(result.name + SUFFIX)


def publish(result: Path, rows: Iterable[Mapping[str, Any]], manifest: Manifest) -> None:
    """Write the rows and the manifest of a result, each file completely or not at all."""
    write_rows(result, rows)
    write_manifest(result, manifest)


def write_manifest(result: Path, manifest: Manifest) -> None:
    """Write the manifest of `result`, which must be written before: the manifest contains its hash."""
    values = {**asdict(manifest), "output": hash_file(result)}
    write_json(manifest_path(result), {key: _sorted(values[key]) for key in KEYS})


def read_manifest(result: Path) -> Manifest | None:
    """Return the manifest of `result`, or None if it has none."""
    path = manifest_path(result)
    if not path.is_file():
        return None
    value = read_json(path)
    if not _is_manifest(value):
        raise ValueError(f"{path} is not a manifest of this project; delete it, or run the step of the result again")
    return Manifest(**value)


def _is_manifest(value: Any) -> bool:
    """Return whether the value of a JSON file has the keys of a manifest, with values that can be used."""
    if not isinstance(value, dict) or {*value, "output"} != {*KEYS}:
        return False
    if not all(isinstance(value[key], dict) for key in ("inputs", "parameters", "counts")):
        return False
    texts = [value["step"], value["version"], value["fingerprint"], *value["inputs"].values()]
    return (
        all(isinstance(text, str) for text in texts)
        and isinstance(value.get("output"), (str, type(None)))
        and re.fullmatch("[a-z0-9_]{1,40}", value["step"]) is not None
        and all(map(is_portable, value["inputs"]))
    )


def is_portable(name: str) -> bool:
    """Return whether the name of an input can be a path in the dataset or the project, and not one that leaves them."""
    parts = PurePosixPath(name).parts
    is_inside = bool(parts) and parts[0] != "/" and ".." not in parts and "\0" not in name
    return is_inside and max(_size(part) for part in parts) <= MAX_NAME and _size(name) <= MAX_PATH


def _size(name: str) -> int:
    return len(name.encode("utf-8", "surrogatepass"))


def check_owner(result: Path, *, step: str, overwrite: bool = False) -> None:
    """Raise ValueError if `result` was made by another step, unless it may be overwritten."""
    found = read_manifest(result) if result.exists() else None
    if found is not None and found.step != step and not overwrite:
        raise ValueError(f"{result} was made by {found.step}; use --overwrite to replace it by the result of {step}")


def warn_if_stale(result: Path, find: Callable[[str], Path], changes: ChangeFinder | None = None) -> None:
    """Warn if `result` must be made again; `find` returns the path of an input by its name in manifests.

    With `changes`, a file that was hashed for an earlier result is not hashed again.
    """
    changes = changes or ChangeFinder(find)
    manifest = read_manifest(result)
    if manifest is None:
        log.info("%s has no manifest: it cannot be checked whether it is up to date", result)
        return
    if manifest.output not in (None, changes.hash(result)):
        log.warning("%s was changed after %s wrote it: the changed file is used", result, manifest.step)
    if change := changes.find(result):
        log.warning("%s is stale: %s", result, change)


def is_as_written(result: Path, hash_of: Callable[[Path], str] = hash_file) -> bool:
    """Return whether a manifest shows that a step wrote exactly this file; such a file need not be checked again."""
    manifest = read_manifest(result)
    return manifest is not None and manifest.output is not None and manifest.output == hash_of(result)


@dataclass(frozen=True)
class Change:
    """A file that has changed, and the steps to run again, in their order."""

    name: str
    steps: tuple[str, ...]

    @property
    def earlier_steps(self) -> str:
        """The steps before the last one; "" if the last step alone must run again."""
        return _joined(self.steps[:-1])

    def __str__(self) -> str:
        return f"{self.name} has changed since it was made; run {_joined(self.steps)} again"


class ChangeFinder:
    """Follows the manifests of results back to the files that have changed. Each file is hashed once.

    With the manifests train_250.jsonl <- train_1000.jsonl (s4) and train_250_fusion.jsonl <- train_250.jsonl (s5), both
    results are stale if train_1000.jsonl has changed: s4 and s5 must run again.
    """

    def __init__(self, find: Callable[[str], Path]) -> None:
        self._find = find  # returns the path of an input by its name in manifests
        self._hashes: dict[Path, str] = {}
        self._changes: dict[Path, Change | None] = {}

    def find(self, result: Path) -> Change | None:
        """Return the change that makes a result stale; None if it is up to date or has no manifest."""
        if result not in self._changes:
            self._changes[result] = None  # ends the search if manifests name each other
            manifest = read_manifest(result)
            self._changes[result] = self._change(manifest) if manifest else None
        return self._changes[result]

    def _change(self, manifest: Manifest) -> Change | None:
        files = {name: file for name in manifest.inputs if (file := self._find(name)).is_file()}
        for name, file in files.items():
            if self.hash(file) != manifest.inputs[name]:
                return Change(name, (manifest.step,))
        earlier = (change for file in files.values() if (change := self.find(file)))
        first = next(earlier, None)
        if first is None:
            return None
        return Change(first.name, tuple(dict.fromkeys([*first.steps, manifest.step])))

    def hash(self, file: Path) -> str:
        """Return the SHA-256 of a file, which is computed once."""
        if file not in self._hashes:
            self._hashes[file] = hash_file(file)
        return self._hashes[file]


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, (list, tuple)) else value


def _joined(steps: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(steps[:-1]), *steps[-1:])))
