"""Annotating synthetic sentences with a trained span model (s7)."""
