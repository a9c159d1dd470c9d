"""Limits of the requests to a server: how many at once and per minute, and how much they may cost."""
