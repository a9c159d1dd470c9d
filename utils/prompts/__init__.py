"""The prompts: one file each, `<task>.<language>.txt`, with places such as `{sentence}` to fill."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from utils.dataset.modes import Task

FOLDER = Path(__file__).resolve().parent

# The places of a task's prompt: those that it must have, and those that it may have.
PLACES: dict[Task, tuple[set[str], set[str]]] = {
    "entity": ({"sentence"}, {"labels", "examples"}),
    "pos": ({"sentence"}, {"labels", "examples"}),
    "explain": ({"sentence", "entities"}, set()),
}
_PLACE = re.compile(r"\{([A-Za-z_]+)\}")


@dataclass(frozen=True)
class Prompt:
    """The text of a prompt, with its places in braces."""

    text: str

    @property
    def digest(self) -> str:
        """The SHA-256 of the prompt, which is part of a result's fingerprint."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def places(self) -> set[str]:
        return set(_PLACE.findall(self.text))

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the prompt with each place filled; braces inside a value, and those of JSON, stay as they are."""
        return _PLACE.sub(lambda place: values.get(place[1], place[0]), self.text)


def load_prompt(name: str, language: str) -> Prompt:
    """Return the project's prompt for a task (entity, pos, explain), or the form of an example, in a language."""
    return Prompt((FOLDER / f"{name}.{language}.txt").read_text(encoding="utf-8").strip())


def read_prompt(path: Path, task: Task) -> Prompt:
    """Return a user's own prompt for a task.

    Raises FileNotFoundError, or ValueError where it is not UTF-8, lacks a place that it must have, or has another one.
    """
    if not path.is_file():
        raise FileNotFoundError(f"--prompt: {path} is missing: a text file with {{sentence}} where the sentence goes")
    try:
        prompt = Prompt(path.read_text(encoding="utf-8-sig").strip())
    except UnicodeDecodeError:
        raise ValueError(
            f"--prompt: {path} is not UTF-8; convert it first, for example: iconv -f GB18030 -t UTF-8 OLD > NEW"
        ) from None
    _check_places(prompt, path, task)
    return prompt


def _check_places(prompt: Prompt, path: Path, task: Task) -> None:
    needed, allowed = PLACES[task]
    for name in sorted(needed - prompt.places):
        raise ValueError(f"--prompt: {path} has no {{{name}}}, which the prompt of this step must have")
    for name in sorted(prompt.places - needed - allowed):
        known = ", ".join(f"{{{place}}}" for place in sorted(needed | allowed))
        raise ValueError(f"--prompt: {path} has the place {{{name}}}, which nothing fills; places are {known}")
