"""Make new sentences with an LLM (s2): ask in rounds, and clean the answers."""
