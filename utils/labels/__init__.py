"""Labels: the canonical label of each spelling, the label files, and suggestions for unknown spellings."""

from utils.labels.normaliser import LabelNormaliser

__all__ = ["LabelNormaliser"]
