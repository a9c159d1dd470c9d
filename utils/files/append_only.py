"""A file that only grows, and whose lines survive a crash of the process and of the machine."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType

from utils.files.jsonl import name_in_errors
from utils.files.own_files import open_own_file


class AppendOnlyFile:
    """A file for appending: written bytes survive the end of the process at once, and a power failure a moment later.

    `os.fsync` takes a few milliseconds, and more on a network file system. A thread calls it, so writers do not wait.
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
        """Whether the file was deleted while it was open."""
        return os.fstat(self._file.fileno()).st_nlink == 0

    @property
    def size(self) -> int:
        """The number of bytes in the file, where the next ones begin."""
        return os.fstat(self._file.fileno()).st_size

    def recreate(self) -> None:
        """Start a new file with the same path."""
        self._close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._open()

    def write(self, data: bytes) -> None:
        """Append bytes; raise OSError that names the file if these or earlier bytes could not be stored."""
        self._raise_error()
        left = memoryview(data)
        with name_in_errors(self.path):
            while left:
                left = left[self._file.write(left) :]
        self._written.set()

    def _open(self) -> None:
        # Unbuffered, so that no bytes are lost if closing fails or is never reached.
        self._file = open_own_file(self.path, "ab", buffering=0)
        self._error: OSError | None = None
        self._written = threading.Event()
        self._ended = False
        self._sync_thread = threading.Thread(target=self._sync, daemon=True)
        self._sync_thread.start()

    def _close(self) -> None:
        self._ended = True
        self._written.set()
        self._sync_thread.join()
        self._file.close()

    def _sync(self) -> None:
        """Flush the written bytes to disk in a loop, until the file is closed. Each call stores all bytes before it."""
        ended = False
        while not ended:
            self._written.wait()
            self._written.clear()
            ended = self._ended  # read before the last call, which then stores everything
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                self._error = error

    def _raise_error(self) -> None:
        if self._error is not None:
            with name_in_errors(self.path):
                raise self._error
