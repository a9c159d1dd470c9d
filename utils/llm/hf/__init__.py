"""Checkpoints in Hugging Face's format: loading, placement, and chat formats."""
