"""LLMs behind OpenAI-compatible servers: requests, retries, and the parameters that a server accepts."""
