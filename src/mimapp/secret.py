"""A secret value that never shows itself (repr, format, pickle, JSON, traceback), and the seam where one is kept."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Protocol

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Secret", "SecretStore", "StoredSecret"]

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
        # A text that was wrongly decoded holds surrogates, and the error about them would hold the text.
        return hmac.compare_digest(
            self.__value.encode(errors="surrogatepass"), other.__value.encode(errors="surrogatepass")
        )

    def __repr__(self) -> str:
        return _SHOWN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(_SHOWN, spec)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret does not serialise itself")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret does not give its state away")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSecret:
    """A client secret with all that somebody who opens the store needs to use it.

    Attributes:
        application_id: the application's client id (`appId`).
        tenant_id: the tenant's GUID.
        secret: the value.
        key_id: the credential's `keyId` in Entra.
        label: the credential's display name in Entra.
        expires: when it ends, aware UTC.
        sandbox: whether it belongs to a simulated tenant.
    """

    application_id: str
    tenant_id: str
    secret: Secret
    key_id: str
    label: str
    expires: datetime
    sandbox: bool = False


class SecretStore(Protocol):
    """A place that keeps client secrets; each method raises `StoreError` when the place cannot be used."""

    @property
    def uri(self) -> str:
        """Where it is, as ``--secret-to`` writes it."""
        ...

    def preflight(self) -> None:
        """Find out, without leaving a trace, whether a secret could be put here now."""
        ...

    def put(self, stored: StoredSecret) -> None:
        """Keep a secret; on return it survives a crash of this machine."""
        ...

    def has(self, key_id: str) -> bool | None:
        """Whether the value of this credential is here; None where the place cannot be asked."""
        ...

    def get(self, key_id: str) -> Secret | None:
        """The value of this credential; None when it is not here or cannot be read back."""
        ...

    def forget(self, key_id: str) -> None:
        """Remove the value of this credential; nothing happens when it is not here."""
        ...
