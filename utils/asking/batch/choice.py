"""The folder of batch files, as chosen by the user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from utils.llm.batch.lines import MAX_LINES


@dataclass(frozen=True)
class BatchChoice:
    """Where questions are written instead of being asked at once."""

    folder: Path
    submit: bool = False  # also send the files to the batch service of the server
    max_lines: int = MAX_LINES  # in one file


class AnswersPendingError(Exception):
    """Questions were written to batch files: the step continues when their results are in the folder.

    This is not a failure. The message says what to do.
    """
