"""How an LLM draws its answers: each sentence from a seed of its own."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from utils.llm.base import Sampling


@dataclass(frozen=True)
class Drawing:
    """How answers are drawn; a temperature of 0 takes the likeliest word each time."""

    temperature: float = 0.0
    top_p: float = 0.9
    seed: int = 42

    def sampling(self, id_: str, sample: int = 0) -> Sampling | None:
        """Return how the answer to a sentence is drawn, whatever its place and batch; None where nothing is drawn."""
        if not self.temperature:
            return None
        return Sampling(self.temperature, self.top_p, _own_seed(self.seed, id_, sample))

    @property
    def parameters(self) -> dict[str, Any] | str:
        """Return what a result's fingerprint holds: without drawing, the other values change nothing."""
        return asdict(self) if self.temperature else "greedy"


def _own_seed(seed: int, id_: str, sample: int) -> int:
    """Return a seed of 31 bits for one answer to a sentence."""
    text = f"{seed}:{id_}:{sample}" if sample else f"{seed}:{id_}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
