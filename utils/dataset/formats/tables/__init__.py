"""Formats whose sentences are tokens: tags in columns, token JSON, Hugging Face, spaCy, and the project."""
