"""The sampling of answers: each answer to a sentence is sampled with its own seed."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from utils.llm.base import Sampling


@dataclass(frozen=True)
class SamplingSettings:
    """How answers are sampled; a temperature of 0 means greedy decoding."""

    temperature: float = 0.0
    top_p: float = 0.9
    seed: int = 42

    def sampling(self, id_: str, sample: int = 0) -> Sampling | None:
        """Return how one answer to a sentence is sampled, independent of its batch; None for greedy decoding."""
        if not self.temperature:
            return None
        return Sampling(self.temperature, self.top_p, _answer_seed(self.seed, id_, sample))

    @property
    def parameters(self) -> dict[str, Any] | str:
        """Return the settings that belong to a result's fingerprint; greedy decoding does not use top_p and seed."""
        return asdict(self) if self.temperature else "greedy"


def _answer_seed(seed: int, id_: str, sample: int) -> int:
    """Return a seed of 31 bits for one answer to a sentence."""
    text = f"{seed}:{id_}:{sample}" if sample else f"{seed}:{id_}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
