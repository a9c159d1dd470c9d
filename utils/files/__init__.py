"""Files: JSON and JSON Lines, append-only files, locks, manifests and the run log."""
