"""A trial of a chat template in a process of its own, with limits of time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

WALL_SECONDS = 120.0  # on a busy machine; the child's limit of CPU time usually comes first


@cache
def try_template(template: str, source: str) -> None:
    """Raise ValueError if a template never ends, takes too much memory, or does what a sandbox forbids.

    `source` names the file or model in the message. Without jinja2, nothing is tried.
    """
    if find_spec("jinja2") is None:
        return
    command = [sys.executable, str(Path(__file__).with_name("child.py"))]
    try:
        child = subprocess.run(
            command, input=template.encode("utf-8", "replace"), capture_output=True, timeout=WALL_SECONDS, check=False
        )
        killed = child.returncode < 0
        reason = "it needs too much time or memory" if killed else json.loads(child.stdout or b"null")
    except subprocess.TimeoutExpired:
        reason = "it needs too much time"
    if reason is not None:
        raise ValueError(
            f"{source}: its chat template is refused ({reason}), because it would not end or could do harm; use the "
            "model from another source"
        )
