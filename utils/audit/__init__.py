"""Checking results: what each size may contain, and which step has run."""
