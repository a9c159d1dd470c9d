"""The parts of a chat in a model's prompt: the texts of its template, and the messages between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from utils.dataset.modes import Role
from utils.llm.base import Message

FillTemplate = Callable[[Sequence[Message]], str]  # messages -> the prompt, as text; ValueError if they are refused

_PLACEHOLDER = re.compile("\ue000([0-9]+)\ue000")  # of a message: private characters that no template has


class ChatTemplate:
    """A chat template that is filled once for each sequence of roles: prompts are put together from its parts.

    The messages never pass through the template, so that the tokens of a message can be told from those of the
    template. Raises ValueError if the template cannot be used for one message of a user.
    """

    def __init__(self, fill: FillTemplate) -> None:
        before, _, after = _parts(fill, ("user",))
        self.before, self.after = str(before), str(after)  # the text around the only message of a chat
        self._fill = fill
        self._parts: dict[tuple[Role, ...], list[str | int] | None] = {}  # None: the template refuses these roles

    def parts(self, messages: Sequence[Message]) -> list[str | Message]:
        """Return the texts of the template, and the messages where they are in the prompt, in order.

        If the template has no role for a system message, the first message of the user begins with its text. Raises
        ValueError if the template refuses the messages.
        """
        roles = tuple(message.role for message in messages)
        if roles not in self._parts:
            self._parts[roles] = self._parts_or_none(roles)
        parts = self._parts[roles]
        if parts is None:
            return self.parts(without_system(messages))
        return [messages[part] if isinstance(part, int) else part for part in parts]

    def _parts_or_none(self, roles: tuple[Role, ...]) -> list[str | int] | None:
        """Return the parts; None if the template has no role for the system message that they begin with."""
        try:
            return _parts(self._fill, roles)
        except ValueError:
            if roles[0] == "system":
                return None
            raise


def without_system(messages: Sequence[Message]) -> list[Message]:
    """Return a chat whose first message is the user's, and begins with the text of the system message.

    >>> without_system([Message("system", "List names."), Message("user", "Ito left.")])
    [Message(role='user', text='List names.\\n\\nIto left.')]
    """
    system, first, *rest = messages
    return [Message(first.role, f"{system.text}\n\n{first.text}"), *rest]


def _parts(fill: FillTemplate, roles: Sequence[Role]) -> list[str | int]:
    """Return the texts of a template and, between them, the indices of the messages.

    >>> _parts(lambda messages: "".join(f"<{one.role}>{one.text}" for one in messages) + "<assistant>", ["user"])
    ['<user>', 0, '<assistant>']
    """
    text = fill([Message(role, f"\ue000{index}\ue000") for index, role in enumerate(roles)])
    parts: list[str | int] = list(_PLACEHOLDER.split(text))
    parts[1::2] = indices = [int(index) for index in parts[1::2]]
    for index, role in enumerate(roles):
        if indices.count(index) != 1:
            raise ValueError(
                f"the chat template contains a message of the {role} {indices.count(index)} times, not once"
            )
    return parts
