"""Checking results: what each size may contain (audit.py), and which step has run (status.py).

Start with `audit` in checks.py, which compares the files of a size (data.py) with their sources, or with `Survey` in
status.py. results.py is the table of report.py, and html/ its page.
"""
