"""Where and how models compute: processes, Ray workers, devices, data types, and linear layers by oneDNN.

Start with engine.py (processes and workers), devices.py (which GPU and data type) or progress.py (bars).
"""
