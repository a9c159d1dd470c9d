"""Training of the span model: its data, settings, steps, and the record of a training in its folder."""
