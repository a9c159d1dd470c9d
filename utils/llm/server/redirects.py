"""Redirects: a prompt goes to no other server than the one that the user named."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

MAX_REDIRECTS = 2  # of one request, on the same server
KEEPS_BODY = (307, 308)  # after other statuses, the request is sent again without its prompt


class RedirectedError(ValueError):
    """The server redirects requests to another server, or in a circle."""


async def check_redirect(response: Any) -> None:
    """Raise RedirectedError if a response of httpx leads to another server, or loses the request's prompt."""
    location = response.headers.get("location")
    if not 300 <= response.status_code < 400 or location is None:
        return
    source = urlsplit(str(response.request.url))
    try:
        target = urlsplit(urljoin(source.geturl(), location))
        is_same = _origin(source) == _origin(target)
    except ValueError:  # not an address, or a port that is no number
        raise RedirectedError(f"{_shown(source)} redirects to an address that cannot be read") from None
    if not is_same:
        raise RedirectedError(
            f"{_shown(source)} redirects to another server, {_shown(target)}; nothing was sent there. If you trust it, "
            "give its address with --api_base"
        )
    if response.request.method == "POST" and response.status_code not in KEEPS_BODY:
        raise RedirectedError(
            f"{_shown(source)}{source.path} redirects to {target.path[:100]!r}, which would not get the prompt: check "
            "--api_base (it usually ends in /v1)"
        )


def _origin(address: SplitResult) -> tuple[str, str | None, int | None]:
    default = {"http": 80, "https": 443}.get(address.scheme)
    return address.scheme, address.hostname, address.port or default


def _shown(address: SplitResult) -> str:
    """Return scheme, host and port of an address, without a password."""
    host = address.netloc.rpartition("@")[2]
    return "".join(filter(str.isprintable, f"{address.scheme}://{host}"))[:100]
