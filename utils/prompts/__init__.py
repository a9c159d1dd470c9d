"""The prompts, one file each: `<task>.<language>.txt`, with placeholders such as `{sentence}`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from utils.dataset.modes import Task

FOLDER = Path(__file__).resolve().parent

# Placeholders by task: those that a prompt must have, and those that it may have.
PLACEHOLDERS: dict[Task, tuple[set[str], set[str]]] = {
    "entity": ({"sentence"}, {"labels", "examples"}),
    "pos": ({"sentence"}, {"labels", "examples"}),
    "target": ({"sentence"}, {"labels", "guide", "examples"}),
    "explain": ({"sentence", "entities"}, {"examples"}),
    "rewrite": ({"entities"}, {"examples"}),
    "names": ({"label", "names", "number"}, set()),
}
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]+)\}")


@dataclass(frozen=True)
class Prompt:
    """The text of a prompt, with placeholders in braces."""

    text: str

    @property
    def digest(self) -> str:
        """The SHA-256 of the prompt's text, for the fingerprint of a result."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def placeholders(self) -> set[str]:
        """The names of the placeholders, without braces."""
        return set(_PLACEHOLDER.findall(self.text))

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the prompt with the placeholders replaced. Braces in values and in JSON stay as they are."""
        return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), self.text)


def load_prompt(name: str, language: str) -> Prompt:
    """Return a prompt of the project in a language: of a task, of a style of s2, or the layout of an example."""
    return Prompt((FOLDER / f"{name}.{language}.txt").read_text(encoding="utf-8").strip())


def read_prompt(path: Path, task: Task) -> Prompt:
    """Return a user's prompt for a task.

    Raises FileNotFoundError if the file is missing, and ValueError if it is not UTF-8, if a required placeholder is
    missing, or if it has an unknown placeholder.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"--prompt: {path} is missing: it must be a text file with the placeholder {{sentence}}"
        )
    try:
        prompt = Prompt(path.read_text(encoding="utf-8-sig").strip())
    except UnicodeDecodeError:
        raise ValueError(
            f"--prompt: {path} is not UTF-8; convert it first, for example: iconv -f GB18030 -t UTF-8 OLD > NEW"
        ) from None
    _check_placeholders(prompt, path, task)
    return prompt


def _check_placeholders(prompt: Prompt, path: Path, task: Task) -> None:
    needed, allowed = PLACEHOLDERS[task]
    for name in sorted(needed - prompt.placeholders):
        raise ValueError(f"--prompt: {path} does not contain {{{name}}}, which is required for this step")
    for name in sorted(prompt.placeholders - needed - allowed):
        known = ", ".join(f"{{{other}}}" for other in sorted(needed | allowed))
        raise ValueError(
            f"--prompt: {path} has the unknown placeholder {{{name}}}; the placeholders of this step are {known}"
        )
