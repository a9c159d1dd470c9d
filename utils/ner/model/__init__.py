"""The span model: encoder, heads, and the checkpoint's folder."""
