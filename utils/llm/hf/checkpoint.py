"""A checkpoint's model and tokenizer in memory; what differs between versions of transformers stands here."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig, PretrainedConfig
from transformers import __version__ as transformers_version

from utils.compute.devices import choose_dtype
from utils.llm.base import LLMOptions
from utils.llm.hf.placement import Placement, devices_of
from utils.llm.hf.quantisation import bitsandbytes_settings, quantised_by_itself, quantises_itself
from utils.llm.hf.trust import own_code, runs_own_code, tensors_only

VERSION = tuple(map(int, transformers_version.split(".")[:2]))
TEMPLATES, CACHES, SHORT_DTYPE = (4, 34), (4, 36), (5, 0)  # the versions that brought them
HAS_CACHES = VERSION >= CACHES  # and the choice of an attention

CODE_ERRORS = (AttributeError, KeyError, TypeError)  # what code raises that was written for another version
NO_ROOM = (
    "{} does not fit into the memory of the GPUs: take more of them (--n_gpu=0,1), --load_in=8bit or 4bit, "
    "or a smaller model"
)


class Checkpoint:
    """A folder or hub id that can be loaded, once or several times."""

    def __init__(self, model: str, options: LLMOptions) -> None:
        self.name = model
        self.options = options
        self.trust = runs_own_code(model, allowed=options.trust_remote_code)
        self._own_code = own_code(Path(model))
        self._code_refused = not self.trust and bool(self._own_code)

    def load(self, placement: Placement) -> tuple[Any, Any]:
        """Return the model, where `placement` says, and a tokenizer."""
        with _told_in_one_line(self.name, code_refused=self._code_refused), tensors_only():
            tokenizer = self.tokenizer()
            dtype = choose_dtype(self.options.dtype, on_gpu=placement.on_gpu)
            config = self._config()
            load_in = self.options.load_in
            if load_in is not None and quantises_itself(config, self.name, trust=self.trust):
                loaded = self._load(config, torch.float16)  # its kernels know no bfloat16
                return quantised_by_itself(loaded, load_in, placement.first).eval(), tokenizer
            settings = {} if load_in is None else bitsandbytes_settings(load_in, dtype)
            return self._load(config, dtype, **placement.settings, **settings).eval(), tokenizer

    def tokenizer(self) -> Any:
        """Return the tokenizer; raise ValueError where it does not know how a chat is written."""
        tokenizer = AutoTokenizer.from_pretrained(self.name, trust_remote_code=self.trust)
        if hasattr(tokenizer, "build_chat_input") or _fills_templates_itself(tokenizer):
            return tokenizer
        if VERSION < TEMPLATES:
            raise ValueError(
                f"{self.name}: transformers {transformers_version} fills no chat templates and runs ChatGLM3 alone; "
                "use the environment of requirements.txt"
            )
        if not getattr(tokenizer, "chat_template", None):
            raise ValueError(f"{self.name}: its tokenizer has no chat template; a chat (instruct) model is needed")
        return tokenizer

    def settings(self) -> Any:
        """Return what a loaded model would know of itself, `config` and `generation_config`, without its weights."""
        try:
            generation = GenerationConfig.from_pretrained(self.name)
        except OSError:  # the checkpoint has none
            generation = GenerationConfig()
        return SimpleNamespace(config=self._config(), generation_config=generation)

    def _config(self) -> Any:
        return AutoConfig.from_pretrained(self.name, trust_remote_code=self.trust)

    def _load(self, config: PretrainedConfig, dtype: torch.dtype, **where: Any) -> Any:
        name = "dtype" if VERSION >= SHORT_DTYPE else "torch_dtype"
        # GLM's own code makes its parameters in the format of the configuration, not in the one that is asked for.
        setattr(config, name, dtype)
        attention = _attention(dtype) if self._own_code and not where else {}
        model = AutoModelForCausalLM.from_pretrained(
            self.name, config=config, trust_remote_code=self.trust, **{name: dtype}, **attention, **where
        )
        if not {"cpu", "disk"}.isdisjoint(devices_of(model)):
            raise torch.cuda.OutOfMemoryError
        return model


def _fills_templates_itself(tokenizer: Any) -> bool:
    """Tell whether a tokenizer's own code writes the chat, as a revision of GLM-4's does."""
    return "apply_chat_template" in vars(type(tokenizer))


def _attention(dtype: torch.dtype) -> dict[str, Any]:
    """Return how a model with code of its own attends on the CPU.

    In bfloat16, torch's fused attention decodes 3 times slower there than plain products (benchmarks/README.md); the
    models of transformers have an attention of ours (`ragged`) in its place.
    """
    return {"attn_implementation": "eager"} if dtype == torch.bfloat16 and HAS_CACHES else {}


@contextmanager
def _told_in_one_line(model: str, *, code_refused: bool) -> Iterator[None]:
    """Turn what transformers says of a checkpoint that cannot be loaded into a line with a way out."""
    try:
        yield
    except torch.cuda.OutOfMemoryError:
        raise RuntimeError(NO_ROOM.format(model)) from None
    except (OSError, ValueError, RuntimeError, pickle.UnpicklingError) as error:
        if any(isinstance(cause, pickle.UnpicklingError) for cause in _chain(error)):
            raise ValueError(
                f"{model}: its pickled weights hold more than tensors, so they were not loaded; "
                "take the checkpoint's .safetensors files, or save it anew"
            ) from error
        if code_refused or "trust_remote_code" in str(error):
            raise ValueError(f"{model} brings code of its own, which --trust_remote_code=1 runs") from error
        if "offload_folder" in str(error):
            raise RuntimeError(NO_ROOM.format(model)) from error
        raise
    except CODE_ERRORS as error:
        raise wrong_version(model, error) from error


def wrong_version(model: str, error: BaseException) -> ValueError:
    """Return what to say where a checkpoint's code does not fit this version of transformers."""
    return ValueError(
        f"{model} does not run under transformers {transformers_version} ({type(error).__name__}: {error}); "
        "ChatGLM3 needs the environment of requirements-glm3.txt, GLM-4 that of requirements.txt"
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
