"""Where and how models compute: processes, Ray workers, devices, data types, and linear layers by oneDNN."""
