"""Servers that refuse what hosted services and strict local servers refuse, in their own words.

The words and status codes are those in the documentation of the services and in reports of their users, of 2024 to
2026. None of the services was asked.
"""

from __future__ import annotations

from tests.helpers.hosted_answers import Body, free_text, from_grammar, objects_of, prompt_of
from tests.helpers.hosted_server import THOUGHT_TOKENS, HostedServer, RefusedError, refuse


class OpenAIReasoning(HostedServer):
    """As GPT-5: it thinks, does not take max_tokens or a temperature, and names unknown fields one at a time."""

    guidance = "json_schema"
    thinks_by_default = True
    KNOWN = "model messages max_tokens max_completion_tokens temperature top_p seed n response_format reasoning_effort"

    def check(self, body: Body) -> None:
        for name in body:
            if name not in self.KNOWN.split():
                raise refuse(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
        if "max_tokens" in body:
            message = (
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
                "instead."
            )
            raise refuse(message, param="max_tokens", code="unsupported_parameter")
        if body.get("temperature", 1) != 1:
            message = (
                f"Unsupported value: 'temperature' does not support {body['temperature']:g} with this model. Only the "
                "default (1) value is supported."
            )
            raise refuse(message, param="temperature", code="unsupported_value")
        if "top_p" in body:
            message = "Unsupported parameter: 'top_p' is not supported with this model."
            raise refuse(message, param="top_p", code="unsupported_parameter")
        if body.get("reasoning_effort", "low") not in ("minimal", "low", "medium", "high"):
            message = (
                f"Unsupported value: 'reasoning_effort' does not support '{body['reasoning_effort']}' with this model. "
                "Supported values are: 'minimal', 'low', 'medium', and 'high'."
            )
            raise refuse(message, param="reasoning_effort", code="unsupported_value")
        self._check_schema(body.get("response_format", {}))

    def _check_schema(self, form: Body) -> None:
        if form.get("type") != "json_schema":
            return
        schema = form["json_schema"]["schema"]
        start = "Invalid schema for response_format 'items': "
        if schema.get("type") != "object":
            wrong = f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{schema.get('type')}\"'."
            raise refuse(start + wrong, param="response_format")
        for part in objects_of(schema):
            if part.get("additionalProperties") is not False or set(part["required"]) != set(part["properties"]):
                wrong = "In context=(), 'additionalProperties' is required to be supplied and to be false."
                raise refuse(start + wrong, param="response_format")

    def thinks(self, body: Body) -> bool:
        return body.get("reasoning_effort") != "minimal"

    def limit(self, body: Body) -> int:
        return int(body.get("max_completion_tokens") or 4096)

    def shows_thoughts(self) -> str | None:
        return None  # they are only counted


class OpenAIAlwaysThinking(OpenAIReasoning):
    """As o3: thinking cannot be turned off, and a limit that thoughts exhaust is an error."""

    def thinks(self, body: Body) -> bool:
        return True

    def check(self, body: Body) -> None:
        super().check(body)
        if self.limit(body) <= THOUGHT_TOKENS:
            raise refuse(
                "Could not finish the message because max_tokens or model output limit was reached. Please try again "
                "with higher max_tokens."
            )


class DeepSeek(HostedServer):
    """Takes json_object only, and only if the prompt has the word; a limit on max_tokens; thinks unless told not to."""

    guidance = "json_object"
    thinks_by_default = True

    def check(self, body: Body) -> None:
        form = body.get("response_format", {}).get("type", "text")
        if form not in ("text", "json_object"):
            raise refuse("This response_format type is unavailable now", code="invalid_request_error")
        if form == "json_object" and "json" not in prompt_of(body).lower():
            raise refuse(
                "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.",
                code="invalid_request_error",
            )
        if not 1 <= body.get("max_tokens", 1) <= 8192:
            raise refuse(
                "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", code="invalid_request_error"
            )

    def thinks(self, body: Body) -> bool:
        return body.get("thinking", {}).get("type") != "disabled"


class GLM(HostedServer):
    """As Zhipu's: errors in Chinese without a field, no temperature of 0, json_object, `thinking`."""

    guidance = "json_object"
    thinks_by_default = True

    def check(self, body: Body) -> None:
        if not 0 < body.get("temperature", 1) <= 1:
            raise RefusedError(400, {"error": {"code": "1214", "message": "temperature参数非法。请检查文档。"}})
        if not 0 < body.get("top_p", 0.7) < 1:
            raise RefusedError(400, {"error": {"code": "1214", "message": "top_p参数非法。请检查文档。"}})
        if body.get("max_tokens", 1) > 98304:
            raise RefusedError(400, {"error": {"code": "1214", "message": "max_tokens参数非法。请检查文档。"}})
        form = body.get("response_format", {}).get("type", "text")
        if form not in ("text", "json_object"):
            raise RefusedError(400, {"error": {"code": "1214", "message": "response_format参数非法。请检查文档。"}})

    def thinks(self, body: Body) -> bool:
        return body.get("thinking", {}).get("type") != "disabled"


class DashScope(HostedServer):
    """As Qwen's service: thinking must be off without streaming, and for JSON."""

    guidance = "json_object"

    def check(self, body: Body) -> None:
        if body.get("enable_thinking", True):
            message = "parameter.enable_thinking must be set to false for non-streaming calls"
            raise refuse(message, code="invalid_parameter_error")
        if body.get("max_tokens", 1) > 8192:
            message = "<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]"
            raise refuse(message, code="invalid_parameter_error")
        form = body.get("response_format", {}).get("type", "text")
        if form not in ("text", "json_object"):
            message = (
                "<400> InternalError.Algo.InvalidParameter: The response_format.type is not supported by the model"
            )
            raise refuse(message, code="invalid_parameter_error")
        if form == "json_object" and "json" not in prompt_of(body).lower():
            message = (
                "<400> InternalError.Algo.InvalidParameter: 'messages' must contain the word 'json' in some form, to "
                "use 'response_format' of type 'json_object'."
            )
            raise refuse(message, code="invalid_parameter_error")


class Gemini(HostedServer):
    """Refuses all unknown fields at once, in a list of errors; its thoughts are neither shown nor counted apart."""

    listed = "models/tiny"
    guidance = "json_schema"
    thinks_by_default = True
    KNOWN = "model messages max_tokens max_completion_tokens temperature top_p n response_format reasoning_effort"

    def check(self, body: Body) -> None:
        unknown = [name for name in body if name not in self.KNOWN.split()]
        if unknown:
            lines = [f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.' for name in unknown]
            details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": lines}]
            error = {"code": 400, "message": "\n".join(lines), "status": "INVALID_ARGUMENT", "details": details}
            raise RefusedError(400, [{"error": error}])

    def thinks(self, body: Body) -> bool:
        return body.get("reasoning_effort") != "none"

    def shows_thoughts(self) -> str | None:
        return None


class Kimi(HostedServer):
    """As Moonshot's: the temperature is fixed, and its value depends on whether the model thinks."""

    guidance = "json_object"
    thinks_by_default = True

    def check(self, body: Body) -> None:
        fixed = 1 if self.thinks(body) else 0.6
        if body.get("temperature", fixed) != fixed:
            raise refuse(f"invalid temperature: only {fixed:g} is allowed for this model")
        if body.get("top_p", 0.95) != 0.95:
            raise refuse("invalid top_p: only 0.95 is allowed for this model")
        if body.get("response_format", {}).get("type", "text") not in ("text", "json_object"):
            raise refuse("Invalid request: response_format.type must be text or json_object")

    def thinks(self, body: Body) -> bool:
        return body.get("thinking", {}).get("type") != "disabled"


class SiliconFlow(HostedServer):
    """Errors without an `error` object; a model that does not think refuses the switch for it."""

    guidance = "free"

    def check(self, body: Body) -> None:
        if "enable_thinking" in body:
            message = "Value error, current model does not support parameter `enable_thinking`."
            raise RefusedError(400, {"code": 20015, "message": message, "data": None})
        if "response_format" in body:
            raise RefusedError(
                400, {"code": 20024, "message": "Json mode is not supported for this model.", "data": None}
            )


class AnthropicCompatible(HostedServer):
    """Ignores response_format and seed, and takes a temperature or a top_p, not both; lists no models."""

    listed = None
    guidance = "free"

    def check(self, body: Body) -> None:
        if "temperature" in body and "top_p" in body:
            raise refuse("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")

    def text(self, body: Body) -> str:
        return free_text(prompt_of(body))


class StrictFields(HostedServer):
    """As services on FastAPI: HTTP 422 with all fields that are not permitted, in pydantic's form."""

    guidance = "json_object"
    KNOWN = "model messages max_tokens temperature top_p random_seed response_format"

    def check(self, body: Body) -> None:
        extra = [name for name in body if name not in self.KNOWN.split()]
        if extra:
            details = [
                {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}
                for name in extra
            ]
            raise RefusedError(
                422, {"object": "error", "message": {"detail": details}, "type": "invalid_request_error"}
            )
        if body.get("response_format", {}).get("type", "text") not in ("text", "json_object"):
            raise RefusedError(
                422, {"detail": [{"loc": ["body", "response_format", "type"], "msg": "Input should be 'text'"}]}
            )


class VLLMWithReasoningParser(HostedServer):
    """As `vllm serve --reasoning-parser`: a grammar has no effect if the template turns thinking off."""

    guidance = "grammar"
    thinks_by_default = True

    def check(self, body: Body) -> None:
        if body.get("reasoning_effort", "low") not in ("low", "medium", "high"):
            where = "{'type': 'literal_error', 'loc': ('body', 'reasoning_effort'), 'msg': \"Input should be 'low'"
            raise RefusedError(
                400, {"object": "error", "message": f'[{where}"}}]', "type": "BadRequestError", "code": 400}
            )

    def thinks(self, body: Body) -> bool:
        return body.get("chat_template_kwargs", {}).get("enable_thinking") is not False

    def text(self, body: Body) -> str:
        grammar = body.get("structured_outputs", {}).get("grammar")
        if grammar and self.thinks(body):
            return from_grammar(grammar)
        return free_text(prompt_of(body))


class VLLM(VLLMWithReasoningParser):
    """Without a parser for thoughts, the grammar always holds."""

    thinks_by_default = False

    def thinks(self, body: Body) -> bool:
        return False

    def text(self, body: Body) -> str:
        grammar = body.get("structured_outputs", {}).get("grammar")
        return from_grammar(grammar) if grammar else super().text(body)


class Ollama(HostedServer):
    """Ignores what it does not know, holds answers to a JSON schema, and thinks unless reasoning_effort is none."""

    guidance = "json_schema"
    thinks_by_default = True

    def thinks(self, body: Body) -> bool:
        return body.get("reasoning_effort") != "none"

    def shows_thoughts(self) -> str | None:
        return "reasoning"


DIALECTS = (
    OpenAIReasoning,
    OpenAIAlwaysThinking,
    DeepSeek,
    GLM,
    DashScope,
    Gemini,
    Kimi,
    SiliconFlow,
    AnthropicCompatible,
    StrictFields,
    VLLM,
    VLLMWithReasoningParser,
    Ollama,
)
