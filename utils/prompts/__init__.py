"""The prompts: one file each, `<task>.<language>.txt`, with `{sentence}`, `{labels}` and `{entities}` to fill."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Prompt:
    """The text of a prompt, with its places in braces."""

    text: str

    @property
    def digest(self) -> str:
        """The SHA-256 of the prompt, which is part of a result's fingerprint."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the prompt with each `{name}` replaced; other braces, as in JSON, stay as they are."""
        parts = self.text
        for name, value in values.items():
            if name != "sentence":
                parts = parts.replace(f"{{{name}}}", value)
        # Last, so that braces inside the user's text are never taken for a place.
        return parts.replace("{sentence}", values.get("sentence", ""))


def load_prompt(task: str, language: str) -> Prompt:
    """Return the project's prompt for a task (entity, pos, explain) in a language (zh, en)."""
    return Prompt((FOLDER / f"{task}.{language}.txt").read_text(encoding="utf-8").strip())
