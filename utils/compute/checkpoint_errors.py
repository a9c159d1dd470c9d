"""Errors of transformers and torch about a checkpoint as one line that names it: damaged files, too little memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

# Raised by transformers for valid JSON in which it expects something else, and by code for another version.
CODE_ERRORS = (AttributeError, LookupError, TypeError, AssertionError, ArithmeticError, NameError)
MAX_REASON = 300  # characters of another library's message
_ALLOCATOR_WORDS = (
    "DefaultCPUAllocator",
    "CUDA out of memory",
    "HIP out of memory",
    "not enough memory",
    "Cannot allocate memory",
    "bad allocation",
    "bad_alloc",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that this computer's memory, or a GPU's, is too small."""
    return isinstance(error, MemoryError) or any(word in str(error) for word in _ALLOCATOR_WORDS)


def is_damage(error: BaseException) -> bool:
    """Return whether an error comes from the readers of tokenizer.json or of .safetensors files."""
    return type(error) is Exception or type(error).__name__ == "SafetensorError"


def short(error: BaseException) -> str:
    """Return an error's kind and the beginning of its message on one line."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words[:MAX_REASON]}{'…' if len(words) > MAX_REASON else ''}"


def too_large(source: str) -> RuntimeError:
    """Return the error for a checkpoint that needs more memory than there is."""
    return RuntimeError(f"{source} does not fit into memory: close other programs, or use a smaller model")


def damaged(source: str, error: BaseException) -> ValueError:
    """Return the error for a checkpoint whose files cannot be read."""
    return ValueError(
        f"{source} cannot be read ({short(error)}): a file of it is damaged or incomplete (copy or download it again), "
        "or it needs another version of transformers"
    )


class TranslatedErrors:
    """A block whose errors are replaced by those that a function makes of them; None: the error stays as it is."""

    def __init__(self, translate: Callable[[Exception], Exception | None]) -> None:
        self.translate = translate

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        better = self.translate(error) if isinstance(error, Exception) else None
        if better is not None:
            raise better from error


def named_errors(source: str) -> TranslatedErrors:
    """Return a block that raises errors as one line that names `source`, the checkpoint that is read there."""
    return TranslatedErrors(partial(_named_error, source))


def _named_error(source: str, error: Exception) -> Exception | None:
    if isinstance(error, OSError) and error.errno is not None:  # of the file system, which names the file
        return None
    if is_out_of_memory(error):
        return too_large(source)
    known = isinstance(error, (OSError, ValueError, RuntimeError, *CODE_ERRORS)) or is_damage(error)
    return damaged(source, error) if known else None
