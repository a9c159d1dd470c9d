"""The state of a file of requests at a batch service, in a file beside it, from which a killed run continues."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from utils.files.jsonl import read_json, write_json

SUFFIX = ".batch.json"  # in place of .jsonl


@dataclass(frozen=True)
class BatchState:
    """What is known of a file of requests at a service."""

    api_base: str
    file_id: str | None = None  # uploaded
    batch_id: str | None = None  # started
    has_ended: bool = False  # the results are in the folder


def state_path(requests: Path) -> Path:
    """Return the path of the state of a file of requests."""
    return requests.with_suffix(SUFFIX)


def read_state(requests: Path) -> BatchState | None:
    """Return the state of a file of requests, or None if it was not sent to a service.

    Raises ValueError if the file of the state was changed.
    """
    path = state_path(requests)
    if not path.is_file():
        return None
    value = read_json(path)
    id_type = (str, type(None))
    types: dict[str, type | tuple[type, ...]] = {
        "api_base": str,
        "file_id": id_type,
        "batch_id": id_type,
        "has_ended": bool,
    }
    is_state = isinstance(value, dict) and value.keys() == types.keys()
    if not is_state or not all(isinstance(value[name], kind) for name, kind in types.items()):
        raise ValueError(f"{path} is not the state of a batch that was sent here: delete it to send the batch again")
    return BatchState(**value)


def write_state(requests: Path, state: BatchState) -> None:
    """Write the state of a file of requests, completely or not at all."""
    write_json(state_path(requests), asdict(state))


def has_ended(requests: Path) -> bool:
    """Return whether a service has ended the batch of a file of requests, and its results are in the folder."""
    state = read_state(requests)
    return state is not None and state.has_ended


def is_started(requests: Path) -> bool:
    """Return whether a file of requests was sent to a service as a batch."""
    state = read_state(requests)
    return state is not None and state.batch_id is not None
