"""Labels: the canonical label of each spelling, the label files, and suggestions for unknown spellings.

Start with `LabelNormaliser` in normaliser.py; spelling.py has the rules that find a label from another spelling of it.
"""

from utils.labels.normaliser import LabelNormaliser

__all__ = ["LabelNormaliser"]
