"""A secret value that never shows itself: not in a repr, a format, a pickle, a copy to JSON or a traceback."""

from __future__ import annotations

import hmac
from typing import NoReturn

__all__ = ["Secret"]

_SHOWN = "Secret(***)"


class Secret:
    """Text that must not leak; `reveal` is the one way to it, so that a search finds every use.

    It compares in constant time, has no length, cannot be pickled, copied to JSON or used as a dictionary key.
    """

    __slots__ = ("__value",)
    __hash__ = None  # type: ignore[assignment]  # a hash of a secret is a hint of it

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The text itself, for the one call that needs it."""
        return self.__value

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __repr__(self) -> str:
        return _SHOWN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(_SHOWN, spec)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret does not serialise itself")
