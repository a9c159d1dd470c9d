"""Names the settings in which two pieces of work differ, for messages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from utils.wording import listed

MISSING = object()  # the value of a setting that one of the two does not have
_SHA_256 = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{56}\b")


def find_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the settings that differ, each with its old and its new value.

    >>> find_differences({"temperature": 0.8, "labels": ["A", "B"]}, {"temperature": 0.2, "labels": ["A", "C"]})
    ['temperature (0.8 before, 0.2 now)', 'labels (added: C; removed: B)']

    A setting inside another one is named after both, `decoding.temperature`. Hashes are cut to eight characters.
    """
    found = []
    for key in dict.fromkeys([*old, *new]):
        before, now = old.get(key, MISSING), new.get(key, MISSING)
        if before == now:
            continue
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            found += [f"{key}.{inner}" for inner in find_differences(before, now)]
        elif isinstance(before, list) and isinstance(now, list):
            found.append(f"{key} ({_list_difference(before, now)})")
        else:
            found.append(f"{key} ({_shown(before)} before, {_shown(now)} now)")
    return found


def _list_difference(before: list[Any], now: list[Any]) -> str:
    parts = {
        "added": [one for one in now if one not in before],
        "removed": [one for one in before if one not in now],
    }
    named = [f"{name}: {listed([_shown(one) for one in ones])}" for name, ones in parts.items() if ones]
    return "; ".join(named) or "another order"


def _shown(value: Any) -> str:
    if value is MISSING or value is None:
        return "not set"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(one)}" for key, one in value.items())
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _SHA_256.sub(r"\1", text)
