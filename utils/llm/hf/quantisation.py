"""Weights in 8 or 4 bits on GPUs: by bitsandbytes, or by the checkpoint's own code (ChatGLM3)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from transformers import BitsAndBytesConfig, PretrainedConfig
from transformers.dynamic_module_utils import get_class_from_dynamic_module

from utils.llm.base import LoadIn

BITS: dict[LoadIn, int] = {"8bit": 8, "4bit": 4}


def quantises_itself(config: PretrainedConfig, model: str, *, trust: bool) -> bool:
    """Return whether the checkpoint's own model class has a method `quantize`, as ChatGLM3's has."""
    target = (getattr(config, "auto_map", None) or {}).get("AutoModelForCausalLM")
    if not trust or target is None:
        return False
    return hasattr(get_class_from_dynamic_module(target, model), "quantize")


def quantised_by_itself(model: Any, load_in: LoadIn, device: torch.device) -> Any:
    """Return a half-precision model, quantised by its own code and moved from the CPU to a GPU."""
    with torch.cuda.device(device):
        return model.quantize(BITS[load_in]).to(device)


def bitsandbytes_settings(load_in: LoadIn, dtype: torch.dtype) -> dict[str, Any]:
    """Return the arguments of `from_pretrained`; raise ImportError with the install command if it is missing."""
    if find_spec("bitsandbytes") is None:
        raise ImportError(f"--load_in={load_in} needs bitsandbytes: pip install bitsandbytes")
    arguments: dict[str, Any] = {"load_in_8bit": True}
    if load_in == "4bit":
        arguments = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_compute_dtype": dtype}
    return {"quantization_config": BitsAndBytesConfig(**arguments)}
