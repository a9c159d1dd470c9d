"""The span model: its encoder, the layers above it, and its checkpoints."""
