"""The flags of ablate.py, and the flags of other scripts in its files of variants."""
