"""Decoding with models of transformers: batches, grammars, and sampling."""
