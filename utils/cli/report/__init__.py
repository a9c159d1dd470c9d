"""The flags of report.py."""
