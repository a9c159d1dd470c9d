"""What an LLM marks in sentences, entities or parts of speech, and what else it is asked for."""

from __future__ import annotations

from typing import Literal, get_args

Mode = Literal["entity", "pos"]
Task = Literal["entity", "pos", "explain"]  # explain: new sentences, in every style
MODES: tuple[Mode, ...] = get_args(Mode)
