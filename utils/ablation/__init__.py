"""Ablations: the same span model is trained on variants of the training data, with several sizes and seeds.

Start with `Ablation` in experiment.py. Each training is a cell (cells.py), which jobs.py runs in worker processes;
training_sets.py makes the training data of a variant, and results/ has the statistics, tables and plots.
"""
