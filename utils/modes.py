"""What an LLM marks in sentences: entities, or parts of speech."""

from __future__ import annotations

from typing import Literal, get_args

Mode = Literal["entity", "pos"]
MODES: tuple[Mode, ...] = get_args(Mode)
