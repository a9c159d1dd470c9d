"""A file that grows, and whose lines outlive the process, and the machine's power, that wrote them."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType

from utils.files.jsonl import naming


class AppendOnlyFile:
    """A file that grows; what is written survives the process at once, and a power cut a moment later.

    A thread waits for the disk, which takes milliseconds and on a network's disk tens of them: whoever writes does not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> AppendOnlyFile:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        if error is None:
            self._raise_error()

    @property
    def is_deleted(self) -> bool:
        return os.fstat(self._file.fileno()).st_nlink == 0

    def make_again(self) -> None:
        """Start a new file under the path."""
        self._close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._open()

    def write(self, data: bytes) -> None:
        """Append bytes; raise OSError that names the file where they, or earlier ones, could not be stored."""
        self._raise_error()
        left = memoryview(data)
        with naming(self.path):
            while left:
                left = left[self._file.write(left) :]
        self._written.set()

    def _open(self) -> None:
        # Unbuffered, so that nothing is left to write when closing fails, or is not reached.
        self._file = self.path.open("ab", buffering=0)
        self._error: OSError | None = None
        self._written = threading.Event()
        self._ended = False
        self._syncer = threading.Thread(target=self._sync, daemon=True)
        self._syncer.start()

    def _close(self) -> None:
        self._ended = True
        self._written.set()
        self._syncer.join()
        self._file.close()

    def _sync(self) -> None:
        """Put on disk what was written, until the end; while one call waits, the next writes gather."""
        ended = False
        while not ended:
            self._written.wait()
            self._written.clear()
            ended = self._ended  # read before the last call, which then covers all that was written
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                self._error = error

    def _raise_error(self) -> None:
        if self._error is not None:
            with naming(self.path):
                raise self._error
