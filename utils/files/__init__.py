"""Files: JSON and JSON Lines, append-only files, locks, manifests and the run log.

Start with jsonl.py and manifest.py: every result is written completely or not at all, with a manifest beside it.
"""
