"""check.py: is a dataset fit for use? Its numbers, and its faults with their first example."""
