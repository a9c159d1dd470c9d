"""The installed packages: those that requirements.txt asks for, and optional ones with the flags that need them."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator
from pathlib import Path

from utils.cli.doctor.finding import Diagnosis, problem
from utils.dataset.layout import ROOT

GLM3_TRANSFORMERS = "4.30."
# package -> what needs it, and the command that installs it
OPTIONAL = {
    "openai": ("--api_base", "pip install 'openai>=1.50'"),
    "vllm": ("--backend=vllm", "it needs a separate environment (docs/llms.md)"),
    "bitsandbytes": ("--load_in on a GPU", "pip install bitsandbytes"),
    "ray": ("--engine=ray", "pip install 'ray[data]>=2.51,<2.64'"),
    "matplotlib": ("the plots of ablate.py", "pip install matplotlib"),
    "zstandard": ("inputs that end in .zst", "pip install zstandard"),
    "onnxruntime": ("export_ner.py", "pip install onnx onnxscript onnxruntime"),
}
# first and last version of transformers -> the documented families that it runs, and how to run the others
FAMILIES = (
    ((4, 30), (4, 33), "runs ChatGLM3 alone; for other LLMs use the environment of requirements.txt"),
    ((4, 34), (4, 42), "runs Qwen2 and Llama 3; GLM-4 needs 4.43 or 4.44 (requirements.txt)"),
    ((4, 43), (4, 44), "runs GLM-4, Qwen2, Llama 3; ChatGLM3 needs requirements-glm3.txt, Qwen3 'transformers>=5,<6'"),
    ((4, 45), (4, 50), "runs Qwen2 and Llama 3; GLM-4 needs 4.43 or 4.44, Qwen3 'transformers>=5,<6'"),
    ((4, 51), (5, 99), "runs Qwen2, Qwen3, Llama 3; GLM-4 needs 4.43 or 4.44 (requirements.txt)"),
)


def check_packages() -> Iterator[Diagnosis]:
    """Yield what was found about the packages."""
    transformers = installed("transformers")
    file = "requirements-glm3.txt" if (transformers or "").startswith(GLM3_TRANSFORMERS) else "requirements.txt"
    yield from _required(ROOT / file)
    if transformers:
        yield Diagnosis("transformers", f"{transformers} {families(transformers)}")
    for name, (needed_for, command) in OPTIONAL.items():
        if version := installed(name):
            yield Diagnosis("package", f"{name} {version}, for {needed_for}")
        else:
            yield Diagnosis("package", f"{name} is not installed; it is needed for {needed_for}", command, "optional")


def installed(name: str) -> str | None:
    """Return the version of an installed package, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def families(transformers: str) -> str:
    """Return which documented families of LLMs a version of transformers runs."""
    numbers = [int(number) for number in re.findall(r"\d+", transformers)[:2]]
    version = (numbers[0], numbers[1])
    known = (text for first, last, text in FAMILIES if first <= version <= last)
    return next(known, "is older than all supported versions; use the environment of requirements.txt")


def _required(file: Path) -> Iterator[Diagnosis]:
    """Yield a finding for torch and for each package that is missing or has another version than the file asks for."""
    wrong = False
    lines = (line.split("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    for name, versions in (re.findall(r"([\w-]+)(.*)", line)[0] for line in lines if line):
        version = installed(name)
        if version is None:
            wrong = True
            yield problem("package", f"{name} is missing", f"pip install '{name}{versions}'")
        elif not _fits(version, versions):
            wrong = True
            remedy = None if name == "transformers" else f"pip install '{name}{versions}'"
            yield Diagnosis("package", f"{name} {version}, where {file.name} has {versions}", remedy, "optional")
        elif name == "torch":
            yield Diagnosis("torch", version)
    if not wrong:
        yield Diagnosis("packages", f"all of {file.name}")


def _fits(version: str, versions: str) -> bool:
    """Return whether a version is one of `>=4.0,<5`; True if the package that compares them is missing."""
    try:
        from packaging.specifiers import SpecifierSet
    except ImportError:
        return True
    return SpecifierSet(versions).contains(version, prereleases=True)
