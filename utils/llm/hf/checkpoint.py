"""Loading a checkpoint's model and tokenizer, in every version of transformers that this project supports."""

from __future__ import annotations

import pickle
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig, PretrainedConfig
from transformers import __version__ as transformers_version

from utils.compute.checkpoint_errors import (
    CODE_ERRORS,
    TranslatedErrors,
    damaged,
    is_damage,
    is_out_of_memory,
    too_large,
)
from utils.compute.devices import choose_dtype
from utils.llm.base import LLMOptions
from utils.llm.hf.chat_format import read_chat_template
from utils.llm.hf.context import limit_position_tables, share_position_tables
from utils.llm.hf.device_map import DeviceMap, devices_of
from utils.llm.hf.files import is_hub_id, read_template
from utils.llm.hf.quantisation import bitsandbytes_settings, quantised_by_itself, quantises_itself
from utils.llm.hf.trust import own_code, runs_own_code, tensors_only

VERSION = tuple(map(int, transformers_version.split(".")[:2]))
HAS_TEMPLATES = VERSION >= (4, 34)
HAS_CACHES = VERSION >= (4, 36)  # and the argument `attn_implementation`
DTYPE_ARGUMENT = "dtype" if VERSION >= (5, 0) else "torch_dtype"

OUT_OF_MEMORY = (
    "{} does not fit into the memory of the GPUs: use more GPUs (--n_gpu=0,1), --load_in=8bit or 4bit, "
    "or a smaller model"
)


class Checkpoint:
    """A folder or hub id; its model can be loaded several times."""

    def __init__(self, model: str, options: LLMOptions) -> None:
        self.name = model
        self.options = options
        self.trust = runs_own_code(model, allowed=options.trust_remote_code)
        self._own_code = own_code(Path(model))
        self._code_refused = not self.trust and bool(self._own_code)

    def load(self, device_map: DeviceMap) -> tuple[Any, Any]:
        """Return the model, on the devices of `device_map`, and its tokenizer."""
        tokenizer = self.tokenizer()
        with self._short_errors(), tensors_only():
            dtype = choose_dtype(self.options.dtype, device_map.gpus)
            config = self._config()
            check_is_text_model(config, self.name)
            load_in = self.options.load_in
            if load_in is not None and quantises_itself(config, self.name, trust=self.trust):
                loaded = self._load(config, torch.float16)  # its kernels do not support bfloat16
                return quantised_by_itself(loaded, load_in, device_map.first).eval(), tokenizer
            settings = {} if load_in is None else bitsandbytes_settings(load_in, dtype)
            return self._load(config, dtype, **device_map.settings, **settings).eval(), tokenizer

    def tokenizer(self) -> Any:
        """Return the tokenizer; raise ValueError if it has no chat format."""
        with self._short_errors():
            tokenizer = AutoTokenizer.from_pretrained(self.name, trust_remote_code=self.trust)
        if hasattr(tokenizer, "build_chat_input") or _fills_templates_itself(tokenizer):
            return tokenizer
        if not HAS_TEMPLATES:
            raise ValueError(
                f"{self.name}: transformers {transformers_version} has no chat templates and runs only ChatGLM3; "
                "use the environment of requirements.txt"
            )
        if not getattr(tokenizer, "chat_template", None):
            tokenizer.chat_template = read_template(Path(self.name))
        if not tokenizer.chat_template:
            newer = "; chat_template.jinja is read only from a local folder" if is_hub_id(self.name) else ""
            raise ValueError(f"{self.name}: its tokenizer has no chat template; use a chat (instruct) model{newer}")
        read_chat_template(tokenizer)  # a broken template is found before the weights are loaded
        return tokenizer

    def settings(self) -> Any:
        """Return an object with the model's `config` and `generation_config`; its weights are not loaded."""
        with self._short_errors():
            try:
                generation = GenerationConfig.from_pretrained(self.name)
            except OSError:  # the checkpoint has none
                generation = GenerationConfig()
            return SimpleNamespace(config=self._config(), generation_config=generation)

    def _short_errors(self) -> TranslatedErrors:
        return TranslatedErrors(partial(_short_error, self.name, self._own_code, code_refused=self._code_refused))

    def _config(self) -> Any:
        return AutoConfig.from_pretrained(self.name, trust_remote_code=self.trust)

    def _load(self, config: PretrainedConfig, dtype: torch.dtype, **settings: Any) -> Any:
        """Return the model; `settings` are arguments of `from_pretrained` for GPUs, and none for the CPU."""
        # GLM's own code creates its parameters in the configuration's dtype and ignores the argument.
        setattr(config, DTYPE_ARGUMENT, dtype)
        arguments = {DTYPE_ARGUMENT: dtype, **settings}
        if not self._own_code and VERSION < (5, 0):
            limit_position_tables(config)
        if self._own_code and not settings:
            arguments |= _cpu_attention(dtype)
        model = AutoModelForCausalLM.from_pretrained(
            self.name, config=config, trust_remote_code=self.trust, **arguments
        )
        if not {"cpu", "disk"}.isdisjoint(devices_of(model)):
            raise torch.cuda.OutOfMemoryError
        share_position_tables(model)
        return model


def check_is_text_model(config: PretrainedConfig, model: str) -> None:
    """Raise ValueError if a configuration is not that of a decoder-only text model that transformers can run."""
    kind = config.model_type
    if config.is_encoder_decoder:
        raise ValueError(f"{model} is an encoder-decoder model ({kind}); use a decoder-only chat model")
    runs_own_model = "AutoModelForCausalLM" in (getattr(config, "auto_map", None) or {})
    if type(config) not in AutoModelForCausalLM._model_mapping and not runs_own_model:
        raise ValueError(
            f"{model}: transformers {transformers_version} has no text model for {kind!r}, such as a multimodal model; "
            "use a chat model for text alone"
        )


def _fills_templates_itself(tokenizer: Any) -> bool:
    """Return whether a tokenizer's own code writes the chat, as in one revision of GLM-4."""
    return "apply_chat_template" in vars(type(tokenizer))


def _cpu_attention(dtype: torch.dtype) -> dict[str, Any]:
    """Return the arguments that choose the attention of a model with its own code on the CPU.

    In bfloat16, torch's fused attention decodes 3 times slower on the CPU than plain products (benchmarks/README.md).
    Models of transformers do not use it: they have the attention of `decoding.ragged.cache`.
    """
    return {"attn_implementation": "eager"} if dtype == torch.bfloat16 and HAS_CACHES else {}


def _short_error(model: str, own_classes: Collection[str], error: Exception, *, code_refused: bool) -> Exception | None:
    """Return an error of transformers about a checkpoint as one line with a remedy; None if it is one already."""
    if isinstance(error, torch.cuda.OutOfMemoryError) or "offload_folder" in str(error):
        return RuntimeError(OUT_OF_MEMORY.format(model))
    if is_out_of_memory(error):
        return too_large(model)
    if any(isinstance(cause, pickle.UnpicklingError) for cause in _chain(error)):
        return ValueError(
            f"{model}: its pickled weights contain other objects than tensors, so they were not loaded; "
            "use the checkpoint's .safetensors files, or save the weights again"
        )
    if isinstance(error, CODE_ERRORS):
        return wrong_version(model, error) if own_classes else damaged(model, error)
    if not isinstance(error, (OSError, ValueError, RuntimeError)):
        return damaged(model, error) if is_damage(error) else None
    return _own_error(model, error, code_refused=code_refused)


def _own_error(model: str, error: Exception, *, code_refused: bool) -> Exception | None:
    """Return an error that transformers raises on purpose, with the model's name; None if it has it already."""
    if code_refused or "trust_remote_code" in str(error):
        return ValueError(
            f"{model} needs its own Python code: if you trust the code, run it with --trust_remote_code=1"
        )
    is_of_system = "CUDA" in str(error) or (isinstance(error, OSError) and error.errno is not None)
    return None if model in str(error) or is_of_system else damaged(model, error)


def wrong_version(model: str, error: BaseException) -> ValueError:
    """Return the error for a checkpoint whose code does not fit the installed version of transformers."""
    return ValueError(
        f"{model} does not run under transformers {transformers_version} ({type(error).__name__}: {error}); "
        "ChatGLM3 needs the environment of requirements-glm3.txt; for another model, download the newest .py files of "
        "the checkpoint, such as modeling_chatglm.py of GLM-4"
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
