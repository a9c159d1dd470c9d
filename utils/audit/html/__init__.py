"""The report of a dataset as a page to look at and to correct (report.py --html), and `show` for notebooks.

Start with page.py, which fills the template with a `Content` (content.py). static/ is the script and the style of the
page, texts/ its texts in each language, and charts/ draws the figures.
"""

from utils.audit.html.notebook import show

__all__ = ["show"]
