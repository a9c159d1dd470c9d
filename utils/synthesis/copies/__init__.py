"""Copies and near copies of known sentences, which are no new sentences."""
