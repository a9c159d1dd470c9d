"""JSON values with one part that is damaged: of another type, too large, too deep, or no text."""

from __future__ import annotations

import random
from typing import Any

KEYS = ("choices", "message", "content", "usage", "prompt_tokens", "text", "data", "models", "id", "name")
LEAVES = (None, True, 7, -1.5, float("inf"), 10**400, "x", "", "\ud800", "\x1b[2J\0")


def random_json(rng: random.Random, depth: int = 4) -> Any:
    """Return a random JSON value."""
    kind = rng.randrange(14 if depth else 10)
    if kind < 10:
        return LEAVES[kind]
    if kind < 12:
        return [random_json(rng, depth - 1) for _ in range(rng.randrange(3))]
    return {key: random_json(rng, depth - 1) for key in rng.sample(KEYS, rng.randrange(4))}


def damaged(value: Any, rng: random.Random) -> Any:
    """Return a value with one part replaced by random JSON."""
    if not isinstance(value, (dict, list)) or not value or rng.random() < 0.2:
        return random_json(rng)
    chosen = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    changed = {key: damaged(part, rng) if key == chosen else part for key, part in parts}
    return changed if isinstance(value, dict) else list(changed.values())
