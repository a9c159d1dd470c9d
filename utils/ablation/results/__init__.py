"""The results of an ablation: statistics, tables, plots and the learning curve of base."""
