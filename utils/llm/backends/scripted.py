"""Backend `scripted`: replays the answers of a JSONL file; for tests, dry runs, and answers made elsewhere.

Each line is `{"id": "17", "task": "entity", "answer": "…"}`. If several lines have the same id and task, they are the
first, second, … sample.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import get_args

from utils.dataset.modes import Task
from utils.llm.base import Answer, LLMOptions, Message, Request, TokenCounter
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)

MAX_LINE = 1 << 25  # bytes; a longer one is cut, and so refused


class ScriptedLLM:
    """An LLM that replays recorded answers; the answer to a request that was not recorded is empty."""

    def __init__(self, answers: dict[tuple[str, str], list[str]]) -> None:
        self.answers = answers

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        missing = [request for request in requests if self._recorded(request) is None]
        if missing:
            log.warning(
                "%d of %s not in the recording (first: task %s of sentence %s); such answers count as unreadable",
                len(missing),
                f"{counted(len(requests), 'answer')} {agreeing(len(missing), 'is', 'are')}",
                missing[0].task,
                missing[0].id,
            )
        for request in requests:
            text = self._recorded(request) or ""
            yield Answer(request, text, "stop", prompt_tokens=0, answer_tokens=len(text.split()))

    def _recorded(self, request: Request) -> str | None:
        samples = self.answers.get((request.id, request.task), [])
        return samples[request.sample] if request.sample < len(samples) else None


def check(model: str, options: LLMOptions) -> None:
    """Raise FileNotFoundError if there is no file `model`."""
    if not Path(model).is_file():
        raise FileNotFoundError(
            f"--model_from_pretrained: {model} is not a file: --backend=scripted needs a JSON "
            "Lines file of recorded answers"
        )


def can_be_guided(model: str, options: LLMOptions) -> bool:
    """Return False: recorded answers cannot be changed."""
    return False


def load(model: str, options: LLMOptions) -> ScriptedLLM:
    """Return an LLM that replays the file `model`; raise ValueError for a line that is not an answer."""
    answers: dict[tuple[str, str], list[str]] = defaultdict(list)
    with Path(model).open("rb") as file:  # bytes, so that only "\n" ends a line
        for number, line in enumerate(iter(partial(file.readline, MAX_LINE), b""), start=1):
            if line.strip():
                id_, task, answer = _recorded_answer(line, f"{model}:{number}")
                answers[id_, task].append(answer)
    return ScriptedLLM(dict(answers))


def load_counter(model: str, options: LLMOptions) -> TokenCounter:
    """Return a function that counts the words of a chat, because a recording has no tokenizer."""
    return _count_words


def _count_words(prompt: str, earlier: Sequence[Message] = ()) -> int:
    return sum(len(text.split()) for text in (prompt, *(message.text for message in earlier)))


def _recorded_answer(line: bytes, location: str) -> tuple[str, str, str]:
    """Return the id, task and answer of a line."""
    try:
        row = json.loads(line.decode("utf-8-sig"))
        recorded = str(row["id"]), row["task"], row["answer"]
    except (ValueError, KeyError, TypeError, RecursionError):
        recorded = "", "", None
    if recorded[1] not in get_args(Task) or not isinstance(recorded[2], str):
        tasks = ", ".join(get_args(Task))
        form = '{"id": "17", "task": "entity", "answer": "…"}'
        raise ValueError(f"{location}: expected {form} in UTF-8 (task: {tasks})")
    return recorded
