"""The flags of trainings: how a span model learns, and the files of train_ner.py."""
