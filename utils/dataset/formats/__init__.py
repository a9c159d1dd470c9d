"""Annotated data in the formats of other tools: read into the project's sentences, and written from them (convert.py).

Start with `convert` in conversion.py. registry.py lists the formats. Each reads a file into `Document`s (documents.py);
spans/ makes sentences of them, in the same way for all formats, and losses.py counts what is lost.
"""
