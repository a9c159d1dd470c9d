"""The key for a server, from the environment."""

from __future__ import annotations

import os

KEY = "OPENAI_API_KEY"
# Sent as HTTP headers, which hold no line breaks and only ASCII.
HEADERS = (KEY, "OPENAI_ORG_ID", "OPENAI_PROJECT_ID")


def read_key() -> str:
    """Return the key for a server, "" for none. Raises ValueError if it, or another header, cannot be sent."""
    for name in HEADERS:
        value = os.environ.get(name, "").strip()
        for position, character in enumerate(value, 1):
            if not " " <= character <= "~":
                what = "a line break" if character in "\r\n" else "a character that is not printable ASCII"
                raise ValueError(f"{name} has {what} at position {position} of {len(value)}: copy the value again")
    return os.environ.get(KEY, "").strip()
