"""A script that plays a batch service: it answers the requests in a file, in the formats of several services."""

from __future__ import annotations

import email.parser
import email.policy
import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.helpers.builders import read_lines, write_rows
from tests.helpers.llm_server import ChatServer, Reply

AnswerText = Callable[[str], str]  # prompt -> answer


def completion(body: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return the body of a reply to a request; the same one as that of a single request to ChatServer."""
    prompt = body["messages"][0]["content"]
    usage = {"prompt_tokens": len(prompt), "completion_tokens": len(text.split())}
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": body["model"],
        "choices": [choice],
        "usage": usage,
    }


def results(requests: Path, answer: AnswerText) -> list[dict[str, Any]]:
    """Return the lines of OpenAI's output file for a file of requests."""
    rows = []
    for row in read_lines(requests):
        assert (row["method"], row["url"]) == ("POST", "/v1/chat/completions")
        body = completion(row["body"], answer(row["body"]["messages"][0]["content"]))
        response = {"status_code": 200, "request_id": "req_1", "body": body}
        rows.append({"id": "batch_req_1", "custom_id": row["custom_id"], "response": response, "error": None})
    return rows


def as_vllm(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "id": "vllm-1"}


def as_together(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("custom_id", "response")}


def as_fireworks(row: dict[str, Any]) -> dict[str, Any]:
    return {"custom_id": row["custom_id"], "response": row["response"]["body"]}


def as_text(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "response": {**row["response"], "body": json.dumps(row["response"]["body"])}}


FORMATS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "OpenAI": lambda row: row,
    "vLLM": as_vllm,
    "Together": as_together,
    "Fireworks": as_fireworks,
    "a body as text": as_text,
}

# An error of each service: status and message are those of a refusal.
ERRORS: dict[str, Callable[[str], dict[str, Any]]] = {
    "OpenAI": lambda id_: {
        "id": "batch_req_1",
        "custom_id": id_,
        "response": {"status_code": 400, "body": {"error": {"message": "bad words", "type": "invalid_request_error"}}},
        "error": None,
    },
    "vLLM": lambda id_: {
        "id": "vllm-1",
        "custom_id": id_,
        "response": {"status_code": 400, "request_id": "vllm-batch-1", "body": None},
        "error": {"object": "error", "message": "bad words", "type": "BadRequestError", "code": 400},
    },
    "Together": lambda id_: {"custom_id": id_, "error": {"message": "bad words", "code": "invalid_request"}},
    "a text": lambda id_: {"custom_id": id_, "response": None, "error": "bad words"},
}


def expired(id_: str) -> dict[str, Any]:
    """Return OpenAI's line for a request that was not run in time."""
    error = {"code": "batch_expired", "message": "This request could not be executed before the batch expired."}
    return {"id": "batch_req_1", "custom_id": id_, "response": None, "error": error}


def play(folder: Path, answer: AnswerText) -> int:
    """Answer all files of requests in a folder that have no output file; return the number of answered requests."""
    number = 0
    for path in sorted(folder.glob("*.jsonl")):
        output = path.with_suffix(".output.jsonl")
        if re.search(r"-\d+\.jsonl$", path.name) and not output.exists():
            rows = results(path, answer)
            number += len(rows)
            write_rows(output, rows)
    return number


def tokens_of(path: Path) -> Counter[str]:
    """Return the tokens in a file of results, by the names of OpenAI."""
    used = [row["response"]["body"]["usage"] for row in read_lines(path) if row.get("response")]
    return sum(map(Counter, used), Counter())


def asked_questions(paths: Iterable[Path]) -> list[str]:
    """Return the questions in files of requests, once for each time that they are asked."""
    return [row["custom_id"].rpartition(".")[0] for path in paths for row in read_lines(path)]


class BatchServer(ChatServer):
    """A server with OpenAI's files and batches, and single requests for probes. A batch ends when it is looked at."""

    def __init__(self, answer: AnswerText, *, looks: int = 2) -> None:
        super().__init__(message=lambda prompt: {"content": "Hello."})
        self.answer_text = answer
        self.looks = looks  # at a batch, before it has ended
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.end_status = "completed"
        self.lost: set[int] = set()  # numbers of lines without a result, in the first batch
        self._state = threading.Lock()

    def _answer(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        with self._state:
            route = path.partition("?")[0].removeprefix("/v1")
            if route == "/files":
                return self._json(self._upload(body, headers))
            if found := re.fullmatch(r"/files/(\S+)/content", route):
                return 200, {"Content-Type": "application/octet-stream"}, self.files[found[1]]
            if route == "/batches" and not body:
                return self._json({"object": "list", "data": list(self.batches.values()), "has_more": False})
            if route == "/batches":
                return self._json(self._create(json.loads(body)))
            if found := re.fullmatch(r"/batches/(\S+)", route):
                return self._json(self._look(self.batches[found[1]]))
        return super()._answer(path, body, headers)

    def _upload(self, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        head = f"Content-Type: {headers['content-type']}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        parts = {part.get_param("name", header="content-disposition"): part for part in message.iter_parts()}
        purpose, content = (bytes(parts[name].get_payload(decode=True)) for name in ("purpose", "file"))
        assert purpose.strip() == b"batch"
        id_ = f"file-{len(self.files) + 1}"
        self.files[id_] = content
        return {"id": id_, "object": "file", "purpose": "batch"}

    def _create(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["endpoint"] == "/v1/chat/completions"
        id_ = f"batch-{len(self.batches) + 1}"
        lines = self.files[asked["input_file_id"]].decode().splitlines()
        counts = {"total": len(lines), "completed": 0, "failed": 0}
        self.batches[id_] = {"id": id_, "status": "validating", "looks": 0, "request_counts": counts, **asked}
        return self.batches[id_]

    def _look(self, batch: dict[str, Any]) -> dict[str, Any]:
        batch["looks"] += 1
        if batch["looks"] == self.looks:
            self._end(batch)
        elif batch["looks"] < self.looks:
            batch["status"] = "in_progress"
        return batch

    def _end(self, batch: dict[str, Any]) -> None:
        batch["status"] = self.end_status
        if self.end_status == "failed":
            batch["errors"] = {"object": "list", "data": [{"code": "token_limit", "message": "too many tokens"}]}
            return
        rows = [json.loads(line) for line in self.files[batch["input_file_id"]].decode().splitlines()]
        answered = [row for number, row in enumerate(rows) if batch["id"] != "batch-1" or number not in self.lost]
        lines = []
        for row in answered:
            body = completion(row["body"], self.answer_text(row["body"]["messages"][0]["content"]))
            lines.append({"custom_id": row["custom_id"], "response": {"status_code": 200, "body": body}, "error": None})
        batch["output_file_id"] = f"{batch['id']}-output"
        self.files[batch["output_file_id"]] = "".join(json.dumps(line) + "\n" for line in lines).encode()
        batch["request_counts"]["completed"] = len(lines)

    def _json(self, value: Any) -> Reply:
        return 200, {}, json.dumps(value).encode()
