"""Training the span model."""
