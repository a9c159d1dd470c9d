"""Asking an LLM: questions, the journal of answers, the estimate of a run, and the step that publishes a result."""
