"""Talking to an OpenAI-compatible server: requests, retries, and the thread that waits."""
