"""Logging of one run: silent without ``-v``, and never a body, a header or a token.

``-v`` shows our own loggers at INFO, ``-vv`` at DEBUG. ``-vvv`` adds httpx, msal and azure at INFO, which name requests
and decisions; their DEBUG records (and httpcore's) carry headers and stay off. A last filter takes out what looks like
a token all the same.
"""

from __future__ import annotations

import contextlib
import logging
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["logging_to"]

_OURS = "mimapp"
_OTHERS = ("httpx", "msal", "azure")
_ALL = 3
#: A JSON Web Token, or the head of one: base64url of ``{"`` comes first.
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_=-]{8,}(?:\.[A-Za-z0-9_=-]+)*")


class _Lines(logging.Handler):
    """Hands each record to `write` as one text without tokens."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._write(_TOKEN.sub("(token)", self.format(record)))


@contextlib.contextmanager
def logging_to(write: Callable[[str], None], verbose: int) -> Iterator[None]:
    """Send log lines to `write` for as long as the context lasts; loggers are left as they were found."""
    handler = _Lines(write)
    chosen = [(_OURS, logging.DEBUG if verbose > 1 else logging.INFO if verbose else logging.CRITICAL)]
    chosen += [(name, logging.INFO if verbose >= _ALL else logging.CRITICAL) for name in _OTHERS]
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name, _ in chosen]
    for name, level in chosen:
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).addHandler(handler)
    try:
        yield
    finally:
        for logger, level in before:
            logger.setLevel(level)
            logger.removeHandler(handler)
