"""Merging extension labels into sentences (s5, s6 and s8)."""
