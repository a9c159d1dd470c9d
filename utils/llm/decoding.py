"""Where decoders meet: rows of token ids go in, each row's answer comes out as it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from utils.llm.base import Finish, Request

if TYPE_CHECKING:
    from utils.llm.guide import Guide


@dataclass(frozen=True, slots=True)
class Row:
    """A request, and its prompt as token ids."""

    request: Request
    prompt: list[int]


class Decoder(Protocol):
    """Continues prompts with a model."""

    def decode(
        self, rows: Sequence[Row], batch_size: int, guide: Guide | None
    ) -> Iterator[tuple[Row, list[int], Finish]]:
        """Yield the answer of each row as it ends, in any order: its ids without the stop id, and why it ended.

        At most `batch_size` rows are decoded at once. With a guide, answers keep to their requests' grammars.
        """
        ...
