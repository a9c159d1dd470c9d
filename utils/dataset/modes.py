"""The tasks of an LLM: to find entities or parts of speech, or to write new sentences."""

from __future__ import annotations

from typing import Literal, get_args

Mode = Literal["entity", "pos"]
Task = Literal["entity", "pos", "explain"]  # explain: new sentences, in any style
MODES: tuple[Mode, ...] = get_args(Mode)
