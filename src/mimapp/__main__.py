"""Where ``mimapp`` and ``python -m mimapp`` begin.

``--version`` is answered here, before anything heavy is imported: pipelines ask for it at every start.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from mimapp import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        argv: the arguments without the program's name; None takes the process's own.

    Returns:
        The exit code, one of `mimapp.cli.exit_codes.ExitCode`.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments[:1] == ["--version"]:
        return _show_version()
    from mimapp.cli.entry import run_process  # noqa: PLC0415 - costs ten times what --version may cost

    return run_process(arguments)


def _show_version() -> int:
    if sys.stdout is None:  # closed by the caller
        return 0
    try:
        sys.stdout.write(f"mimapp {__version__}\n")
        sys.stdout.flush()
    except OSError as error:  # what Python flushes at its end must go nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # a reader who has gone away is none
            sys.stderr.write(f"mimapp: the version cannot be written: {error.strerror}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
