"""JSON forms: answers that are JSON, valid or broken, as candidates."""
