"""Where computation runs: processes, Ray workers, devices, and oneDNN's linear layers."""
