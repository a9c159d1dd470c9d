"""Sentences in which given mentions must occur, so that some of their labels are known (styles rewrite and names)."""
