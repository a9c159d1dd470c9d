"""The vocabulary of the span model's tiny encoder, and its longest input in word pieces."""

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
