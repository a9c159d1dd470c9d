"""LLMs behind one protocol: `load_llm(path, backend=…).generate(requests)` yields answers."""

from utils.llm.base import LLM, Answer, Backend, LLMOptions, Request, Sampling, can_be_guided, load_counter, load_llm

__all__ = ["LLM", "Answer", "Backend", "LLMOptions", "Request", "Sampling", "can_be_guided", "load_counter", "load_llm"]
