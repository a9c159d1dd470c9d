"""The spans of documents: their offsets and tokens, their labels, and what of them a format can hold."""
