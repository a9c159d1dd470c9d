"""Where decoders meet: rows of token ids go in, each row's answer comes out as it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from utils.llm.base import Finish, Request

if TYPE_CHECKING:
    from utils.llm.decoding.guide import Guide


LONGEST = 8192  # tokens of a prompt with its answer; fewer where the model itself has fewer


@dataclass(frozen=True, slots=True)
class Row:
    """A request, and its prompt as token ids; `context` is how many tokens prompt and answer may have together."""

    request: Request
    prompt: list[int]
    context: int = LONGEST

    @property
    def budget(self) -> int:
        """How many tokens the answer may have; none where the prompt fills the context."""
        return max(0, min(self.request.max_new_tokens, self.context - len(self.prompt)))


def context_of(config: Any) -> int:
    """Return how many tokens of prompt and answer a model's configuration allows."""
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    named = [getattr(text, name, None) for name in ("max_position_embeddings", "seq_length", "n_positions")]
    return min([LONGEST, *(number for number in named if number)])


class Decoder(Protocol):
    """Continues prompts with a model."""

    def decode(
        self, rows: Sequence[Row], batch_size: int, guide: Guide | None
    ) -> Iterator[tuple[Row, list[int], Finish]]:
        """Yield the answer of each row as it ends, in any order: its ids without the stop id, and why it ended.

        At most `batch_size` rows are decoded at once. With a guide, answers keep to their requests' grammars.
        """
        ...
