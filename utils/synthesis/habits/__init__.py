"""The habits of a dataset, learnt as shares of its sentences: scripts, tokens, ends and lengths of texts."""
