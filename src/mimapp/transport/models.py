"""Models of replies, made ready for reading by several threads.

msgspec learns what a model looks like when it is first read, and keeps that with the class. In 0.22 two threads that
are the first at the same time can meet a half of it, and the process dies (SIGSEGV, about one cold run in a hundred
with reads side by side). Once a model is learned, any number of threads may read it.

So nothing reads a model that is not learned: a model that a function is given goes through `ready`, one that a module
reads always has a decoder made when the module is imported, which one thread does. A test walks through the source.
"""

from __future__ import annotations

import threading
from typing import TypeVar, cast

import msgspec

__all__ = ["ready"]

T = TypeVar("T")

_lock = threading.Lock()
_learned: dict[object, object] = {}


def ready(model: type[T]) -> type[T]:
    """Let msgspec learn a model, and all that is in it, by one thread; nothing happens when it has.

    Returns:
        The model to read with. Of a generic model such as ``Page[Application]`` it is the one that was learned:
        Python makes several that are equal, and msgspec keeps what it learned with each.
    """
    with _lock:
        if model not in _learned:
            msgspec.json.Decoder(model)
            _learned[model] = model
        return cast("type[T]", _learned[model])
