"""Ablations: the same span model is trained on variants of the training data, with several sizes and seeds."""
