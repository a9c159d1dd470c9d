"""Labels: which canonical label a spelling means, and suggestions for unknown spellings."""

from utils.labels.normaliser import LabelNormaliser

__all__ = ["LabelNormaliser"]
