"""Scores of predictions: metrics, kinds of errors, and confidence intervals."""
