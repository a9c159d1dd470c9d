"""Asking an LLM for the target labels of the dataset: label guides, similar sentences as examples, and scores."""
