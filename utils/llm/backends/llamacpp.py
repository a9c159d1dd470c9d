"""Backend `llamacpp`: a `.gguf` file in llama.cpp (PyPI's xllamacpp), several sequences at once."""

from __future__ import annotations

import json
import logging
import threading
import urllib.error
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from utils.llm.backends.llamacpp_server import Loopback, import_engine, server_parameters, start_server
from utils.llm.base import Answer, Finish, LLMOptions, Message, Request, TokenCounter
from utils.llm.chat_parts import ChatTemplate
from utils.llm.gguf_file import read_chat_template
from utils.llm.grammar_dialects import as_llguidance
from utils.llm.prompt_parts import common_prefix
from utils.llm.templates.trial import try_template
from utils.parsing.thinking import ANSWER_ENDS, MARK_TOKENS, begun_thought, continue_thought
from utils.wording import counted

log = logging.getLogger(__name__)

MAX_SLOTS = 8  # a slot is llama.cpp's room for one sequence
SLOT_TOKENS = 4096  # at the start; if a request needs more and the model can hold more, the slots are made larger
MAX_CACHED = 10_000  # texts whose tokens are kept
MIN_SHARED_TOKENS = 32  # a shorter common prefix is not worth sharing


class LlamaCpp:
    """A model in an in-process llama.cpp server."""

    def __init__(self, model: str, options: LLMOptions, *, counts_only: bool = False) -> None:
        import_engine()  # raises ImportError
        _check_file(Path(model))
        self._model = model
        self._counts_only = counts_only
        self._options = options
        self._folder = TemporaryDirectory(prefix="llamacpp-")  # for a slot's state, which the other slots read
        self._loopback = Loopback()
        self._start(SLOT_TOKENS)
        self._template = ChatTemplate(self._fill_template)
        self._begun_thought = begun_thought(self._template.after)
        template = read_chat_template(Path(model)) or ""
        # Without those that end an answer: llama.cpp would leave them at the end of its text.
        self._thought_marks = [token for token in MARK_TOKENS if token in template and token not in ANSWER_ENDS]
        self._tokens_of = lru_cache(MAX_CACHED)(self._tokens)  # prompts share examples and the texts of the template

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        # Long answers first, so that at the end no slot works on a long one while the others are idle.
        ordered = sorted(requests, key=lambda request: -request.max_new_tokens)
        prompts = [self.encode(request.prompt, request.earlier) for request in ordered]
        pairs = list(zip(ordered, prompts, strict=True))
        self._make_room(max((len(prompt) + request.max_new_tokens for request, prompt in pairs), default=0))
        if len(prompts) > 1:
            self._share(common_prefix(prompts))
        with ThreadPoolExecutor(self.slots) as pool:
            closed = threading.Event()
            try:
                for done in as_completed([pool.submit(self._answer, *pair, closed) for pair in pairs]):
                    yield done.result()
            finally:
                closed.set()
                pool.shutdown(wait=True, cancel_futures=True)

    def encode(self, prompt: str, earlier: Sequence[Message] = ()) -> list[int]:
        """Return the token ids of a chat: the user's message, and the messages before it.

        A role token inside a message stays plain text.
        """
        parts = self._template.parts((*earlier, Message("user", prompt)))
        tokens = (
            self._tokens_of(part.text, special=False)
            if isinstance(part, Message)
            else self._tokens_of(part, special=True)
            for part in parts
        )
        return [id_ for ids in tokens for id_ in ids]

    def _answer(self, request: Request, prompt: list[int], closed: threading.Event) -> Answer:
        budget = min(request.max_new_tokens, self.context - len(prompt) - 1)
        if budget < 1:
            return Answer(request, "", "length", len(prompt), 0)
        chunks: list[dict[str, Any]] = []

        def collect(chunk: dict[str, Any]) -> bool:
            """Keep a piece of the answer, and return whether to stop here."""
            chunks.append(chunk)
            return closed.is_set()

        body = {"prompt": prompt, "max_tokens": budget, "cache_prompt": True, **_sampling(request)}
        if not request.grammar:  # else llama.cpp leaves control tokens out of the text
            body["preserved_tokens"] = self._thought_marks
        self.server.handle_completions({**body, "stream": True, "stream_options": {"include_usage": True}}, collect)
        answer = _read(chunks, request, len(prompt))
        return answer if request.grammar else replace(answer, text=continue_thought(self._begun_thought, answer.text))

    def _start(self, context: int) -> None:
        """Start the server with slots of `context` tokens, or of the model's own limit; larger slots are fewer."""
        self.slots = max(1, min(MAX_SLOTS, self._options.batch_size, MAX_SLOTS * SLOT_TOKENS // context))
        self.server: Any = None  # frees the memory of the server before, if there is one
        params = server_parameters(
            self._model, self._options, slots=self.slots, context=context, folder=self._folder.name
        )
        if self._counts_only:  # the weights stay on disk
            params.no_extra_bufts = True  # repacking would read them all
            params.warmup = False
        self.server = start_server(params, self._model)
        self.context = int(self._loopback.get(self.server, "/props")["default_generation_settings"]["n_ctx"])
        self._is_largest = self.context < context

    def _make_room(self, tokens: int) -> None:
        """Restart the server with larger slots if a prompt and answer of this length do not fit, and the model can."""
        if tokens >= self.context and not self._is_largest:
            self._start(1 << tokens.bit_length())  # the next power of two
            log.info(
                "the longest prompt with its answer takes %s: running %s at once",
                counted(tokens, "token"),
                counted(self.slots, "sequence"),
            )

    def _share(self, prefix: Sequence[int]) -> None:
        """Evaluate the common prefix of all prompts once, and copy its state to every slot."""
        if MIN_SHARED_TOKENS <= len(prefix) < self.context and self.slots > 1:
            self.server.handle_completions({"prompt": list(prefix), "max_tokens": 1, "id_slot": 0})
            self._loopback.post(self.server, "/slots/0?action=save", {"filename": "prefix"})
            for slot in range(1, self.slots):
                self._loopback.post(self.server, f"/slots/{slot}?action=restore", {"filename": "prefix"})
            (Path(self._folder.name) / "prefix").unlink()

    def _fill_template(self, messages: Sequence[Message]) -> str:
        """Return the prompt of a chat as text; raise ValueError if the template cannot be filled with it."""
        chat = [{"role": message.role, "content": message.text} for message in messages]
        try:
            return str(self._loopback.post(self.server, "/apply-template", {"messages": chat})["prompt"])
        except urllib.error.HTTPError as error:
            roles = ", ".join(message.role for message in messages)
            raise ValueError(f"{self._model}: its chat template refuses messages of {roles}: {error}") from None

    def _tokens(self, text: str, *, special: bool) -> list[int]:
        body = {"content": text, "add_special": False, "parse_special": special}
        return list(self._loopback.post(self.server, "/tokenize", body)["tokens"])


def check(model: str, options: LLMOptions) -> None:
    """Raise FileNotFoundError or ValueError if `model` is not a GGUF file."""
    path = Path(model)
    if not path.is_file():
        raise FileNotFoundError(
            f"--model_from_pretrained: {model} is not a file: --backend=llamacpp needs a .gguf file"
        )
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ValueError(f"--model_from_pretrained: {model} is not a GGUF file")
    _check_file(path)


def _check_file(path: Path) -> None:
    """Raise ValueError if a GGUF file is incomplete, or has a chat template that cannot be run safely.

    llama.cpp runs the template while it loads the model. It has no limits there, and does not react to signals.
    """
    template = read_chat_template(path)
    if template is not None:
        try_template(template, str(path))


def can_be_guided(model: str, options: LLMOptions) -> bool:
    """Return True: xllamacpp is built with llguidance."""
    return True


def load(model: str, options: LLMOptions) -> LlamaCpp:
    """Start a server on a `.gguf` file; raise ImportError with the install command if xllamacpp is missing."""
    llm = LlamaCpp(model, options)
    if llm.slots < options.batch_size and not options.fills_gpu:  # the user gave a batch size
        log.info(
            "llama.cpp answers %s at once, fewer than the batch size (%d)",
            counted(llm.slots, "sequence"),
            options.batch_size,
        )
    return llm


def load_counter(model: str, options: LLMOptions) -> TokenCounter:
    """Return a function that counts the tokens of a chat."""
    llm = LlamaCpp(model, replace(options, gpus=(), batch_size=1), counts_only=True)
    return lambda prompt, earlier=(): len(llm.encode(prompt, earlier))


def _sampling(request: Request) -> dict[str, Any]:
    """Return the parameters of an answer's decoding; llama.cpp's other samplers are turned off.

    Grammars are run by llguidance. llama.cpp's own grammars accept a control token in place of the text of its name,
    and characters in overlong UTF-8.
    """
    grammar = {"grammar": as_llguidance(request.grammar)} if request.grammar else {}
    sampling = request.sampling
    if sampling is None:
        return {"temperature": 0.0, "repeat_penalty": 1.0, **grammar}
    parameters = {"temperature": sampling.temperature, "top_p": sampling.top_p, "seed": sampling.seed}
    return {**parameters, "samplers": ["temperature", "top_p"], **grammar}


def _read(chunks: Sequence[dict[str, Any]], request: Request, prompt_tokens: int) -> Answer:
    """Return the answer that came in chunks; raise RuntimeError if llama.cpp refused the request."""
    choices = [choice for chunk in chunks for choice in chunk.get("choices", ())]
    if not choices:
        refusal = json.dumps(chunks[:1])[:300]
        raise RuntimeError(f"llama.cpp refused the request for sentence {request.id}: {refusal}")
    text = "".join(choice["text"] for choice in choices)
    finish: Finish = "length" if choices[-1]["finish_reason"] == "length" else "stop"
    tokens = next((chunk["usage"]["completion_tokens"] for chunk in chunks if chunk.get("usage")), 0)
    return Answer(request, text.strip(), finish, prompt_tokens, tokens)
