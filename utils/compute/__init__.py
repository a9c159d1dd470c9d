"""Where and how models compute: processes, Ray workers, devices, number formats, and linear layers by oneDNN."""
