"""Backend `openai`: a model behind a server that speaks OpenAI's HTTP API (vLLM, SGLang, llama-server, Ollama).

The work is done in `llm/server/`, which needs OpenAI's client.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from utils.llm.base import LLM, Guidance, LLMOptions, Message, TokenCounter

TEMPLATE_TOKENS, TURN_TOKENS = 20, 5  # of a chat template around one message, and around each further one, roughly


def check(model: str, options: LLMOptions) -> None:
    """Raise ValueError if the server's address cannot be right; the server itself is not asked yet."""
    from utils.llm.server.key import read_key

    address = options.api_base or ""
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 0) >= 0
        is_address = is_address and address.isprintable() and " " not in address
    except ValueError:  # a port that is no number, an open bracket
        is_address = False
    if not is_address:
        raise ValueError(
            f"--api_base: {options.api_base} is not the address of a server, such as http://localhost:8000/v1"
        )
    if parts.password:
        raise ValueError(
            "--api_base: remove the password from the address, because addresses are logged; set "
            "OPENAI_API_KEY to the key instead"
        )
    read_key()  # raises if it cannot be sent


def can_be_guided(model: str, options: LLMOptions) -> bool:
    """Return whether the server holds answers to a grammar; a few short requests find out."""
    return guidance(model, options) == "grammar"


def guidance(model: str, options: LLMOptions) -> Guidance:
    """Return the strictest guidance that the server follows; a few short requests find out.

    Without a server, for batch files that are answered elsewhere, that is not known.
    """
    if options.api_base is None:
        return "free"
    from utils.llm.server.probing import find_server_dialect

    return find_server_dialect(model, options).current.guidance


def load_counter(model: str, options: LLMOptions) -> TokenCounter:
    """Return a function that estimates the tokens of a chat: the server's tokenizer is not known."""
    return count_by_characters


def load(model: str, options: LLMOptions) -> LLM:
    """Return a server's model, after a check that the server is running, has the model, and accepts the key.

    Raises ConnectionError, PermissionError, or ValueError with the names of the server's models.
    """
    from utils.llm.server.client import OpenAILLM
    from utils.llm.server.probing import find_server_dialect

    return OpenAILLM(model, options, find_server_dialect(model, options))


def count_by_characters(prompt: str, earlier: Sequence[Message] = ()) -> int:
    """Return roughly how many tokens a chat has, for a model without a local tokenizer.

    In Qwen's and GLM-4's tokenizers, a Chinese character takes 2/3 of a token, and a Latin letter 1/4.
    """
    text = "".join([*(message.text for message in earlier), prompt])
    dense = sum("\u3040" <= character <= "\u9fff" or character >= "\uff00" for character in text)
    return round(TEMPLATE_TOKENS + TURN_TOKENS * len(earlier) + dense * 2 / 3 + (len(text) - dense) / 4)
