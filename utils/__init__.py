"""The pipeline's library, which the scripts in `syn_pipelines/` use."""

__version__ = "0.1.0"
