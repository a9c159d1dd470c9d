"""Datasets: their sentences, spans, tokens and labels, their sizes, and the paths of their files."""
