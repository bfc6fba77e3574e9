"""The command `catalog`: composes every room. May import everything.

The decision that shaped it: each command lives in a module that is imported when it is called, so that `catalog --help` answers
at once; what the top level must know of a command is one row of `program.COMMANDS`. Results go to stdout, talk to stderr; the exit
code is 0 done, 1 failed, 2 wrong use.
"""

from catalog.cli.program import main

__all__ = ["main"]
