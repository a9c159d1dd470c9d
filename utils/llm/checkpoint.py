"""A checkpoint's model and tokenizer in memory; what differs between versions of transformers stands here."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig
from transformers import __version__ as transformers_version

from utils.devices import choose_dtype, usable_gpus
from utils.llm.base import LLMOptions

log = logging.getLogger(__name__)


def load_checkpoint(model: str, options: LLMOptions) -> tuple[Any, Any]:
    """Return the model and the tokenizer of a checkpoint folder, or hub id, on the asked GPUs or the CPU."""
    trust = trusts(model, options)
    gpus = usable_gpus(options.gpus)
    tokenizer = load_tokenizer(model, trust=trust)
    dtype = choose_dtype(options.dtype, on_gpu=bool(gpus))
    loaded = AutoModelForCausalLM.from_pretrained(
        model,
        trust_remote_code=trust,
        torch_dtype=dtype,
        **(_on_gpus(gpus) if gpus else _on_cpu(dtype)),
    )
    return loaded.eval(), tokenizer


def load_tokenizer(model: str, *, trust: bool) -> Any:
    """Return a checkpoint's tokenizer; raise ValueError where it does not know how a chat is written."""
    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=trust)
    if not hasattr(tokenizer, "build_chat_input") and not getattr(tokenizer, "chat_template", None):
        raise ValueError(f"{model}: its tokenizer has no chat template; a chat (instruct) model is needed")
    return tokenizer


def load_settings(model: str, *, trust: bool) -> Any:
    """Return what a loaded model would know of itself, `config` and `generation_config`, without its weights."""
    config = AutoConfig.from_pretrained(model, trust_remote_code=trust)
    try:
        generation = GenerationConfig.from_pretrained(model)
    except OSError:  # the checkpoint has none
        generation = GenerationConfig()
    return SimpleNamespace(config=config, generation_config=generation)


def trusts(model: str, options: LLMOptions) -> bool:
    """Tell whether a checkpoint's own code may run: a local folder's always, a hub id's where it is asked for."""
    return options.trust_remote_code or _trusts_folder(model)


def _on_gpus(gpus: Sequence[int]) -> dict[str, Any]:
    """Return how a checkpoint is loaded onto one GPU, or spread over several."""
    if len(gpus) == 1:
        return {"device_map": {"": gpus[0]}}
    return {"device_map": "auto", "max_memory": {index: torch.cuda.mem_get_info(index)[0] for index in gpus}}


def _on_cpu(dtype: torch.dtype) -> dict[str, Any]:
    """Return how a checkpoint is loaded for the CPU.

    In bfloat16, torch's fused attention decodes 3 times slower there than plain products (benchmarks/README.md).
    transformers has had the choice since 4.36.
    """
    major, minor = map(int, transformers_version.split(".")[:2])
    return {"attn_implementation": "eager"} if dtype == torch.bfloat16 and (major, minor) >= (4, 36) else {}


def _trusts_folder(model: str) -> bool:
    """Tell whether `model` is a local folder, whose code the documented models need; warn where it has any."""
    folder = Path(model)
    if not folder.is_dir():
        return False
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for target in sorted(set((config.get("auto_map") or {}).values())):
        log.warning("running the checkpoint's own code: %s", folder / f"{target.split('.')[0]}.py")
        break
    return True
