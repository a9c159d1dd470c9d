"""Predicting with a trained span model, and exporting it."""
