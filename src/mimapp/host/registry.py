"""Registry values as data, and the seam through which they are read: winreg, a ``.reg`` export, collected JSON.

Owns names of keys that several modules share. Key names are compared without regard to case, as Windows does.
Sources: facts of MIM's keys from the write-up and Microsoft's password script; TLS and .NET keys from "Enable support
for TLS 1.2 in your environment" (Entra documentation).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "HKLM",
    "HKU",
    "MIM_KEY",
    "SECRET_NAME",
    "SERVICE_KEY",
    "UNINSTALL_KEY",
    "Data",
    "Kind",
    "Missing",
    "RegistryReader",
    "RegistryValue",
    "SecretShape",
    "is_secret",
    "scrubbed",
    "token_owner",
]

HKLM = "HKEY_LOCAL_MACHINE"
HKU = "HKEY_USERS"
MIM_KEY = r"SOFTWARE\Microsoft\Forefront Identity Manager\2010\Service"
"""Below HKLM the ids and the encrypted secret, below ``HKU\\<SID of the service account>`` the token [write-up]."""
SERVICE_KEY = r"SYSTEM\CurrentControlSet\Services\FIMService"
UNINSTALL_KEY = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
SECRET_NAME = "EncryptedExchangeOnlineClientSecret"  # noqa: S105 - the name of a registry value

_DPAPI_HEADER = bytes.fromhex("01000000d08c9ddf0115d1118c7a00c04fc297eb")
"""Version and provider GUID at the start of every DPAPI blob [public code: many readers of such blobs]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretShape:
    """What is kept of a secret: how many characters it has, and whether it is base64 of a DPAPI blob."""

    length: int
    dpapi: bool


Data = int | str | bytes | tuple[str, ...] | SecretShape


class Kind(StrEnum):
    """A value's type, by the names that Windows uses."""

    SZ = "REG_SZ"
    EXPAND_SZ = "REG_EXPAND_SZ"
    MULTI_SZ = "REG_MULTI_SZ"
    DWORD = "REG_DWORD"
    QWORD = "REG_QWORD"
    BINARY = "REG_BINARY"
    OTHER = "other"


class Missing(Enum):
    """Why there is no value: Windows has none there, or this input does not reach that far."""

    ABSENT = "absent"
    UNSEEN = "not seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryValue:
    """One value as it was read."""

    kind: Kind
    data: Data


class RegistryReader(Protocol):
    """What `check` asks of a registry; keys are full paths that begin with ``HKEY_…``."""

    def value(self, key: str, name: str) -> RegistryValue | Missing:
        """The value of that name."""
        ...

    def names(self, key: str) -> tuple[str, ...] | Missing:
        """The names of the key's values."""
        ...

    def subkeys(self, key: str) -> tuple[str, ...] | Missing:
        """The names of the keys directly below."""
        ...

    def written(self, key: str) -> datetime | None:
        """When the key was last written, aware; None where the input does not tell."""
        ...


def is_secret(key: str, name: str) -> bool:
    """Whether a value is a secret, an encrypted secret or a token, so that nobody may keep its data.

    Everything encrypted in or below MIM's key, everything there that is named a password, secret or token, and every
    value in a user's own MIM key, where the access token lies under a name that no public source gives.
    """
    place, word = key.casefold(), name.casefold()
    if f"{MIM_KEY}\\".casefold() not in place + "\\":
        return False
    if place.startswith((HKU.casefold(), "hkey_current_user")):
        return True
    return any(part in word for part in ("encrypted", "password", "secret", "token"))


def scrubbed(key: str, name: str, found: RegistryValue) -> RegistryValue:
    """The value, or only its shape where `is_secret` says so: every reader passes what it reads through here."""
    if not is_secret(key, name) or isinstance(found.data, SecretShape):
        return found
    data = found.data
    if isinstance(data, str):
        try:
            raw = base64.b64decode(data, validate=True)
        except ValueError:
            raw = b""
        shape = SecretShape(length=len(data), dpapi=raw.startswith(_DPAPI_HEADER))
    elif isinstance(data, bytes):
        shape = SecretShape(length=len(data), dpapi=data.startswith(_DPAPI_HEADER))
    else:
        shape = SecretShape(length=len(str(data)), dpapi=False)
    return RegistryValue(kind=found.kind, data=shape)


def token_owner(key: str) -> str | None:
    """The SID below HKEY_USERS whose MIM key this is, or None for any other key."""
    prefix, suffix = HKU.casefold() + "\\", "\\" + MIM_KEY.casefold()
    low = key.casefold()
    if not (low.startswith(prefix) and low.endswith(suffix)):
        return None
    owner = key[len(prefix) : -len(suffix)]
    return owner if owner and "\\" not in owner else None
