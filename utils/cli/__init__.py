"""The command line: the parser, the values and flags that scripts share, messages and exit codes."""
