"""The prompts, one file each: `<task>.<language>.txt`, with placeholders such as `{sentence}`.

A prompt is one message or, if it begins with the line `[system]` or `[user]`, a chat: the last two sections, `[user]`
with {sentence} and `[assistant]` with {answer}, are repeated for each example, and ask about the sentence in the end.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from utils.dataset.modes import MODES, Role, Task

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
_HEADING = re.compile(r"^\[(system|user|assistant)\][^\S\n]*$", re.MULTILINE)  # of a section, alone on its line


@dataclass(frozen=True)
class Section:
    """The text of one message of a chat, with placeholders in braces."""

    role: Role
    text: str

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the text with the placeholders replaced."""
        return Prompt(self.text).fill(values)


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

    @property
    def sections(self) -> tuple[Section, ...]:
        """The messages of a chat; () for a prompt that is one message."""
        found = list(_HEADING.finditer(self.text))
        if not found or found[0].start() > 0 or found[0][1] == "assistant":
            return ()
        ends = [heading.start() for heading in found[1:]] + [len(self.text)]
        return tuple(
            Section(cast(Role, heading[1]), self.text[heading.end() : end].strip())
            for heading, end in zip(found, ends, strict=True)
        )

    @property
    def shows_examples(self) -> bool:
        """Whether examples are inserted into the prompt, or are messages of the chat."""
        return bool(self.sections) or "examples" in self.placeholders

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
    if prompt.sections:
        _check_sections(prompt.sections, path, task)
    _check_placeholders(prompt, path, task)
    return prompt


def placeholders_of(task: Task, prompt: Prompt) -> tuple[set[str], set[str]]:
    """Return the placeholders that a prompt for a task must have, and those that it may have."""
    needed, allowed = PLACEHOLDERS[task]
    return (needed | {"answer"}, allowed - {"examples"}) if prompt.sections else (needed, allowed)


def _check_sections(sections: Sequence[Section], path: Path, task: Task) -> None:
    """Raise ValueError if the sections of a chat are not those that are repeated for each example."""
    if task not in MODES:
        raise ValueError(f"--prompt: {path} begins with [{sections[0].role}]: only prompts of s1 and s3 can be chats")
    roles = [section.role for section in sections]
    pairs = roles[1:] if roles[0] == "system" else roles
    if not pairs or pairs != ["user", "assistant"] * (len(pairs) // 2):
        found = " ".join(f"[{role}]" for role in roles)
        raise ValueError(
            f"--prompt: {path} must have the sections [system] (optional), [user] and [assistant], the last two also "
            f"several times; found {found}"
        )
    for section, name in ((sections[-2], "sentence"), (sections[-1], "answer")):
        outside = [other for other in sections if other is not section]
        if f"{{{name}}}" not in section.text or any(f"{{{name}}}" in other.text for other in outside):
            raise ValueError(
                f"--prompt: {path}: {{{name}}} must be in the last section [{section.role}], and only there"
            )


def _check_placeholders(prompt: Prompt, path: Path, task: Task) -> None:
    needed, allowed = placeholders_of(task, prompt)
    for name in sorted(needed - prompt.placeholders):
        raise ValueError(f"--prompt: {path} does not contain {{{name}}}, which is required for this step")
    for name in sorted(prompt.placeholders - needed - allowed):
        known = ", ".join(f"{{{other}}}" for other in sorted(needed | allowed))
        raise ValueError(
            f"--prompt: {path} has the unknown placeholder {{{name}}}; the placeholders of this step are {known}"
        )
