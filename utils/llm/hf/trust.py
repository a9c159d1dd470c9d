"""Which parts of a checkpoint may run here: its Python code, if that is allowed, and pickles with only tensors."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from utils.llm.hf.files import code_classes

log = logging.getLogger(__name__)


@cache
def runs_own_code(model: str, *, allowed: bool) -> bool:
    """Return whether a checkpoint's own code may run: code in a local folder may, code of a hub only if `allowed`.

    If a folder's code runs, one warning names its files. Code that a folder's settings fetch from a hub counts as
    code of the hub.
    """
    folder = Path(model)
    if not folder.is_dir():
        return allowed
    targets = own_code(folder)
    if any("--" in target for target in targets):
        return allowed
    if targets:
        files = sorted({f"{target.rpartition('.')[0]}.py" for target in targets})
        log.warning("running the checkpoint's own code: %s", ", ".join(str(folder / file) for file in files))
    return True


def own_code(folder: Path) -> set[str]:
    """Return the classes of a folder's own code that its settings name, as `module.Class`."""
    maps = [code_classes(folder / name) for name in ("config.json", "tokenizer_config.json")]
    return {target for classes in maps for targets in classes.values() for target in targets}


@contextmanager
def tensors_only() -> Iterator[None]:
    """Refuse pickles with anything but tensors inside the block, whatever the defaults and the environment are.

    This is torch's default since version 2.6. transformers 4.30 does not set it itself.
    """
    names = ("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ[names[0]] = "1"
    try:
        yield
    finally:
        del os.environ[names[0]]
        os.environ.update({name: value for name, value in before.items() if value is not None})
