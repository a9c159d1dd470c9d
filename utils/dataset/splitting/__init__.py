"""Sentences split at random into train, dev and test, so that no sentence of one part is also in another."""
