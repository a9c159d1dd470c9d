"""What doctor.py looks at: the machine, the packages, the models and a dataset; each gives lines with a remedy."""
