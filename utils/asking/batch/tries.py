"""The ids of requests in batch files: each names a question, and how often it has been asked."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

from utils.asking.entries import AnswerKey
from utils.llm.batch.lines import MAX_ID

DIGEST = 20  # characters of a digest in an id; with 80 bits, two questions never share one
MAX_TRIES = 3  # of a question that a service refuses


@dataclass(frozen=True, slots=True)
class Try:
    """One time that a question is asked in a batch."""

    question: str  # the key of the question, without the number
    number: int  # from 1

    def __str__(self) -> str:
        return f"{self.question}.{self.number}"


def question_key(answer: AnswerKey, result: str, fingerprint: str) -> str:
    """Return the key of a question, by the key of its answer; it has a digest of model, prompt and all other settings.

    Services allow 64 characters, and ids should be readable: `entity_train_1000-17-0-5d41402abc4b2a76b971`.
    """
    digest = hashlib.sha256(json.dumps([result, fingerprint, *answer]).encode()).hexdigest()[:DIGEST]
    id_, _, _, sample = answer
    end = f"-{sample}-{digest}"
    readable = re.sub(r"[^\w.-]", "_", f"{result}-{id_}", flags=re.ASCII)
    return readable[: MAX_ID - len(end) - len(".99")] + end


def parse_try(custom_id: str) -> Try | None:
    """Return the try that an id names; None for an id of another program.

    >>> parse_try("entity_train_1000-17-0-5d41402abc4b2a76b971.2")
    Try(question='entity_train_1000-17-0-5d41402abc4b2a76b971', number=2)
    """
    found = re.fullmatch(rf"(\S*-\d+-[0-9a-f]{{{DIGEST}}})\.(\d{{1,2}})", custom_id)
    return Try(found[1], int(found[2])) if found else None
