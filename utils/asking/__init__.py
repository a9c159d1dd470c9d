"""Asking an LLM, and recording each answer in a journal at once (s1, s2 and s3).

Start with `LLMStep` in step.py. It asks the questions (questions.py) that the journal (journal.py) does not answer yet,
and publishes the result. estimate.py is --plan; batch/ asks in files for batch services.
"""
