"""The pipeline's library, which the scripts in `syn_pipelines/` use: one package for each stage or topic.

CONTRIBUTING.md lists the packages and the direction of their imports. To follow a step, start at its script: its `run`
names the module that does the work.
"""

__version__ = "0.1.0"
