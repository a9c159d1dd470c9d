"""The parts of `benchmarks/gpu.py`: decoding with an LLM, the span model, and trainings."""
