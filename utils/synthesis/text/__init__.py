"""Text of LLMs as plain sentences: without layout and remarks, and cut at the ends of sentences."""
