"""The pipeline's library: what the scripts in `syn_pipelines/` are made of."""

__version__ = "0.1.0"
