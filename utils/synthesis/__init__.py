"""Making new sentences with an LLM (s2): rounds of questions, and the cleaning of answers."""
