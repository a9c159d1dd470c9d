"""Annotating sentences with an LLM (s1 and s3), and splitting the result into sizes (s4).

Start with `annotate` in step.py: an `Annotator` (annotator.py) builds a question about each sentence, and answers.py
reads the answers as rows (rows.py). targets/ has what only questions about target labels need; splitting.py is s4.
"""
