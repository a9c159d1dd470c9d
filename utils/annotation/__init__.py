"""Annotating sentences with an LLM (s1 and s3): prompts, grammars, answers and votes."""
