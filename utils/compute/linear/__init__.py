"""Linear layers that are computed faster than by torch's own choice: by oneDNN, or in bfloat16."""
