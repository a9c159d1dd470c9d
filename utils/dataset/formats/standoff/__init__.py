"""Formats whose spans have offsets of characters in a text: exports of annotation tools, and of Chinese benchmarks."""
