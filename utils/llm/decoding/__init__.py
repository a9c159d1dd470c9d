"""Decoding with transformers' models: batches, grammars, sampling."""
