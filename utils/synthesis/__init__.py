"""Making new sentences with an LLM (s2): asking in rounds, and cleaning the answers.

Start with `synthesise` in step.py. A `Synthesis` (rounds.py) asks with a generator (generator.py or rewriting/). A
`Cleaner` (cleaning.py) keeps the sentences that are written like the dataset (writing_style.py, habits/), and copies/
drops those that copy a known one.
"""
