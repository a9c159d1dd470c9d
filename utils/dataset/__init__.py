"""A dataset: its sentences, spans and tokens, its sizes, and where each of its files is."""
