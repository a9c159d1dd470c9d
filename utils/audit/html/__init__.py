"""The report of a dataset as a page to look at and to correct (report.py --html), and `show` for notebooks."""

from utils.audit.html.notebook import show

__all__ = ["show"]
