"""The process in which a chat template is tried. It reads the template from its input, and writes the verdict as JSON.

The verdict is null, or the reason why the template is refused. A template that needs more time than the limit ends this
process. Run by its path, so that it imports nothing else of this project.
"""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

CPU_SECONDS = 3
MEMORY = 1 << 30  # bytes; Python with jinja2 takes a tenth

_TOOL = {
    "name": "look",
    "description": "Look.",
    "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
}
_CALL = {"type": "function", "id": "call00001", "function": {"name": "look", "arguments": {"at": "x"}}}
_USER = {"role": "user", "content": "Hello."}
# What llama.cpp renders when it finds out what a template can do, and what this project renders.
_CHATS: list[dict[str, Any]] = [
    {"messages": [_USER], "add_generation_prompt": True},
    {"messages": [_USER]},
    {"messages": [{"role": "system", "content": "Be brief."}, _USER], "add_generation_prompt": True},
    {"messages": [_USER, {"role": "assistant", "content": "Hi."}, _USER], "add_generation_prompt": True},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello."}]}], "add_generation_prompt": True},
    {
        "messages": [
            _USER,
            {"role": "assistant", "content": "", "tool_calls": [_CALL]},
            {"role": "tool", "name": "look", "tool_call_id": "call00001", "content": "x"},
        ],
        "tools": [{"type": "function", "function": _TOOL}],
        "add_generation_prompt": True,
    },
]


def limit_resources() -> None:
    """Limit this process's time and memory, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def verdict(text: str) -> str | None:
    """Return why a template is refused, or None. Errors of the template's own are left to the model's engine."""
    from jinja2 import TemplateError
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def fail(message: object = "") -> NoReturn:
        raise TemplateError(str(message))

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = lambda value, **settings: json.dumps(value, ensure_ascii=False)
    environment.globals.update(raise_exception=fail, strftime_now=lambda form: "2024-07-26")
    try:
        template = environment.from_string(text)
    except (RecursionError, MemoryError) as error:
        return type(error).__name__
    except TemplateError:
        return None
    for chat in _CHATS:
        try:
            for _ in template.generate(bos_token="<s>", eos_token="</s>", enable_thinking=False, **chat):
                pass
        except (SecurityError, OverflowError, RecursionError, MemoryError) as error:
            return f"{type(error).__name__}: {error}"
        except (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError):
            pass  # many templates refuse some of these chats
    return None


if __name__ == "__main__":
    limit_resources()
    try:
        reason = verdict(sys.stdin.buffer.read().decode("utf-8", "replace"))
    except MemoryError:
        reason = "MemoryError"
    sys.stdout.write(json.dumps(reason))
