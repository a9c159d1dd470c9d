"""Annotated data in the formats of other tools: read into the project's sentences, and written from them."""
