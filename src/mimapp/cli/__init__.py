"""The command line: thin commands, progress, rendering; the one place where errors become words and exit codes.

The room decides nothing: what a command does is said by `mimapp.tenant` and the rooms below it.
"""

from mimapp.cli.entry import main

__all__ = ["main"]
