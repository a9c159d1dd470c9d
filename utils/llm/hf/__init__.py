"""Checkpoints in Hugging Face's format: checks, loading, quantisation, devices, and chat formats."""
