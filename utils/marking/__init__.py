"""Target labels for synthetic sentences, predicted by a trained span model, and their review (s7).

Start with `label_size` in sizes.py. trained_model.py checks that a model fits a dataset and a size, labeller.py adds
its spans to the sentences, and review.py lists the mentions with another label than s2 asked for.
"""
