"""The command line: the parser, the values and flags that scripts share, messages and exit codes.

Start with `start` in script.py, which every script calls. A module of flags adds them to a parser, and converts their
values to the settings of a stage. No other room reads `argparse.Namespace`.
"""
