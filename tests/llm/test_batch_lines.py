"""The lines of batch files: URLs, results, errors, and the models that services name."""

from __future__ import annotations

import json

import pytest

from tests.helpers.batch_service import ERRORS, expired
from utils.asking.batch.folder import read_folder
from utils.llm.batch import lines
from utils.llm.batch.answers import is_same_model
from utils.llm.batch.lines import batch_url, read_result


@pytest.mark.parametrize(
    ("asked", "answered", "same"),
    [
        ("gpt-4o", "gpt-4o-2024-11-20", True),
        ("gpt-4o-2024-11-20", "gpt-4o", True),
        ("gpt-4o-2024-08-06", "gpt-4o-2024-11-20", False),
        ("gpt-4o", "gpt-4o-mini", False),
        ("claude-sonnet-4", "claude-sonnet-4-5", False),
        ("qwen-plus", "qwen-max", False),
        ("mistral-small-latest", "mistral-small-2506", True),
        ("models/gemini-2.5-flash", "gemini-2.5-flash-002", True),
        ("deepseek/deepseek-chat", "DeepSeek-Chat:free", True),
        ("/models/Qwen3-8B/", "Qwen3-8B", True),
    ],
)
def test_a_service_may_add_a_date_or_a_folder_to_the_name_of_a_model(asked, answered, same):
    assert is_same_model(asked, answered) is same


@pytest.mark.parametrize(
    ("api_base", "url"),
    [
        (None, "/v1/chat/completions"),
        ("https://api.openai.com/v1", "/v1/chat/completions"),
        ("https://open.bigmodel.cn/api/paas/v4/", "/v4/chat/completions"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "/v1/chat/completions"),
    ],
)
def test_the_url_of_a_request_has_the_version_of_the_service(api_base, url):
    assert batch_url(api_base) == url


@pytest.mark.parametrize("service", ERRORS)
def test_the_message_of_an_error_is_found(service):
    result = read_result(ERRORS[service]("a"))
    assert result is not None
    assert (result.custom_id, result.error, result.is_transient) == ("a", "bad words", False)


@pytest.mark.parametrize(
    ("row", "error", "is_transient"),
    [
        (expired("a"), "This request could not be executed before the batch expired.", True),
        ({"response": {"status_code": 429, "body": {"error": {"message": "slow down"}}}}, "slow down", True),
        ({"response": {"status_code": 500, "body": None}}, "HTTP 500", True),
        ({"response": {"status_code": 200, "body": {"no": "choices"}}}, "HTTP 200", False),
        ({"response": None, "error": {"code": "insufficient_quota"}}, "insufficient_quota", True),
        ({"response": None, "error": None}, "no answer", False),
        ({}, "no answer", False),
        ({"response": [], "error": [1, {"a": 2}]}, "no answer", False),
        ({"response": {"status_code": "x", "body": "{broken"}}, "no answer", False),
    ],
)
def test_errors_of_any_shape_are_read(row, error, is_transient):
    result = read_result({"custom_id": "a", **row})
    assert result is not None
    assert (result.completion, result.error, result.is_transient) == (None, error, is_transient)


@pytest.mark.parametrize(
    "row", [{}, {"custom_id": 3}, {"custom_id": "a", "url": "/v1/x", "method": "POST", "body": {}}]
)
def test_other_lines_are_no_results(row):
    assert read_result(row) is None


def test_a_completion_is_found_in_the_forms_of_all_services():
    completion = {"choices": [{"message": {"content": "[]"}}]}
    for row in (
        {"response": {"status_code": 200, "body": completion}},
        {"response": {"status_code": 200, "body": json.dumps(completion)}},
        {"response": {"body": completion}, "error": {}},
        {"response": completion},
        {"result": completion},
        completion,
    ):
        result = read_result({"custom_id": "a", **row})
        assert result is not None
        assert result.completion is not None
        assert result.completion["choices"] == completion["choices"]


def test_a_line_too_large_for_an_answer_is_not_read(tmp_path):
    row = {"custom_id": f"r-1-0-{'a' * 20}.1", "x": "." * lines.MAX_LINE_BYTES}
    (tmp_path / "x.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    content = read_folder(tmp_path, "r", lambda key: True)
    assert (content.results, content.requests) == ({}, [])
