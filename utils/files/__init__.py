"""Files that survive a crash: JSON Lines, locks, manifests and the log of runs."""
