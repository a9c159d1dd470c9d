"""Batch files of services that speak OpenAI's API: their lines, the bodies in them, and the service that runs them."""
