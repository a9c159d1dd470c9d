"""Attention over sequences of different lengths in one row, without padding, and the trial of a model with it."""
