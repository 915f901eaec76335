"""Models of replies, made ready for reading by several threads.

msgspec learns what a model looks like when it is first read, and keeps that with the class. In 0.22 two threads that
are the first at the same time can meet a half of it, and the process dies (SIGSEGV, about one cold run in a hundred
with reads side by side). Once a model is learned, any number of threads may read it.
"""

from __future__ import annotations

import threading

import msgspec

__all__ = ["ready"]

_lock = threading.Lock()
_learned: set[object] = set()


def ready(model: object) -> None:
    """Let msgspec learn a model, and all that is in it, by one thread; nothing happens when it has."""
    with _lock:
        if model not in _learned:
            msgspec.json.Decoder(model)
            _learned.add(model)
