"""The words that the span model's tiny encoder knows, and its longest input."""

WORDS = [
    "anna",
    "bert",
    "paris",
    "rome",
    "sees",
    "likes",
    "in",
    "and",
    "the",
    "##ly",
    "##s",
    "邓",
    "超",
    "在",
    "北",
    "京",
]
MAX_POSITIONS = 24
