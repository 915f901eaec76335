"""Stores that go wrong in the ways in which stores do, and one that nobody can ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mimapp.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.secret import Secret, StoredSecret


class Crash(BaseException):
    """The process dies here: nothing of ours may catch it."""


@dataclass(kw_only=True)
class FakeStore:
    """Keeps secrets in memory; `before_put` and `after_put` may raise."""

    uri: str = "memory:1"
    kept: dict[str, StoredSecret] = field(default_factory=dict)
    can_be_asked: bool = True
    refuses: bool = False
    is_down: bool = False
    before_put: Callable[[], None] = lambda: None
    after_put: Callable[[], None] = lambda: None

    def preflight(self) -> None:
        if self.refuses:
            raise StoreError(f"{self.uri} takes nothing", hint="mend it")

    def put(self, stored: StoredSecret) -> None:
        self.before_put()
        self.kept[stored.key_id] = stored
        self.after_put()

    def has(self, key_id: str) -> bool | None:
        if self.is_down:
            raise StoreError(f"{self.uri} does not answer")
        return key_id in self.kept if self.can_be_asked else None

    def get(self, key_id: str) -> Secret | None:
        stored = self.kept.get(key_id)
        return stored.secret if stored is not None and self.can_be_asked else None

    def forget(self, key_id: str) -> None:
        self.kept.pop(key_id, None)


def full(uri: str) -> FakeStore:
    """A store that passes its preflight and then takes nothing."""

    def refuse() -> None:
        raise StoreError(f"{uri} is full", hint="make room")

    return FakeStore(uri=uri, before_put=refuse)


def crash() -> None:
    raise Crash
