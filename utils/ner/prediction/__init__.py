"""Predictions of a trained span model in memory, in files and in Ray workers, and its export to ONNX."""
