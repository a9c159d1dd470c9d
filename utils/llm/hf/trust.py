"""What a checkpoint may bring along and have run: Python code of its own, and pickles of tensors alone."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


@cache
def runs_own_code(model: str, *, allowed: bool) -> bool:
    """Tell whether a checkpoint's own code may run: a local folder's may, a hub's only where that is allowed.

    A folder's code runs with one warning that names its files. Code that a folder's settings fetch from a hub is the
    hub's.
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
    """Return the classes that a folder's settings name as its own, as `module.Class`."""
    maps = [_settings(folder / name).get("auto_map") or {} for name in ("config.json", "tokenizer_config.json")]
    named = [target for map_ in maps for target in map_.values()]
    lists = [target if isinstance(target, list) else [target] for target in named]
    return {target for targets in lists for target in targets if target}


@contextmanager
def tensors_only() -> Iterator[None]:
    """Refuse pickles that hold more than tensors while the block runs, whatever torch and the environment say.

    torch's own default is that since 2.6; transformers 4.30 leaves it to torch.
    """
    names = ("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ[names[0]] = "1"
    try:
        yield
    finally:
        del os.environ[names[0]]
        os.environ.update({name: value for name, value in before.items() if value is not None})


def _settings(path: Path) -> dict[str, Any]:
    """Return the settings in a JSON file; none where there is no such file."""
    settings: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return settings
