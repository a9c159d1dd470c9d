"""Target labels for synthetic sentences, predicted by a trained span model, and their review (s7)."""
