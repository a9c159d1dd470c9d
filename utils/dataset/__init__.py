"""Datasets: their sentences, spans, tokens and labels, their sizes, and the paths of their files.

Start with `Sentence` and `Span` in records.py, `read_dataset` in reading.py, and `Layout` in layout.py, which makes
every path. formats/ is convert.py, checkup/ is check.py.
"""
