"""Send files of requests to a batch service, wait for its results, and download them (--submit)."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from utils.asking.batch.folder import is_complete
from utils.asking.batch.state import BatchState, read_state, state_path, write_state
from utils.compute.progress import Progress
from utils.files.jsonl import count_lines, replace_file
from utils.llm.base import LLMOptions
from utils.llm.batch.lines import batch_url
from utils.wording import counted

if TYPE_CHECKING:  # needs OpenAI's client
    from utils.llm.batch.service import BatchService, BatchStatus

log = logging.getLogger(__name__)

FIRST_WAIT, MAX_WAIT = 2.0, 60.0  # seconds between two looks at a batch, which takes minutes to hours
INTERRUPT = "interrupting this command is safe: run it again to go on waiting"


def submit_files(files: Sequence[Path], model: str, options: LLMOptions, *, title: str) -> None:
    """Send files of requests to the service at `options.api_base`, and put the results beside them.

    Each step is recorded before the next one. So a run that was killed at any moment sends nothing twice. Raises
    RuntimeError if the service cannot run a file.
    """
    from utils.llm.batch.service import BatchService

    service = BatchService(model, options)
    running = {path: _start(path, service) for path in files}
    total = sum(map(count_lines, files))
    log.info("waiting for %s of %s; %s", counted(len(files), "batch"), counted(total, "request"), INTERRUPT)
    done: dict[Path, int] = {}
    wait = FIRST_WAIT
    with Progress(title, total=total, unit="answer") as progress:
        while running:
            for path, state in list(running.items()):
                status = service.status(str(state.batch_id))
                done[path] = status.done
                if status.is_ended:
                    _finish(path, running.pop(path), status, service)
            while progress.done < min(total, sum(done.values())):
                progress.advance()
            if running:
                time.sleep(wait)
                wait = min(MAX_WAIT, 1.5 * wait)


def _start(path: Path, service: BatchService) -> BatchState:
    """Return the state of a file whose batch was started, now or by an earlier run."""
    state = read_state(path) or BatchState(service.api_base)
    if state.api_base != service.api_base:
        raise ValueError(
            f"{path} was sent to {state.api_base}: use the same --api_base, or delete {state_path(path)} to send it to "
            f"{service.api_base}, too"
        )
    if state.file_id is None:
        state = replace(state, file_id=service.upload(path))
        write_state(path, state)
    if state.batch_id is None:
        state = replace(state, batch_id=service.start(str(state.file_id), batch_url(service.api_base)))
        write_state(path, state)
    return state


def _finish(path: Path, state: BatchState, status: BatchStatus, service: BatchService) -> None:
    """Download the results of a batch that has ended; raise RuntimeError if it failed or was cancelled."""
    if status.is_failed:
        state_path(path).unlink()
        raise RuntimeError(
            f"{path}: the batch service does not run it ({status.reason}). Nothing was asked: run the same command "
            "again to send it once more"
        )
    for file_id, suffix in ((status.output_file, ".output.jsonl"), (status.error_file, ".errors.jsonl")):
        if file_id is not None:
            data = service.download(file_id)
            if not is_complete(data):
                raise ConnectionError(f"{path}: its results did not come completely: run the same command again")
            with replace_file(path.with_suffix(suffix)) as file:
                file.write(data)
    write_state(path, replace(state, has_ended=True))
    if status.is_cancelled:
        raise RuntimeError(
            f"{path}: the batch was cancelled; the results so far are in {path.parent}: run the same command again to "
            "send the rest"
        )
