"""What `check` judges: one server's facts from collected JSON, ``.reg`` exports or the local registry, made alike.

Owns the joining; the formats are `collected` and `regfile`, the local registry is `winregistry`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import HostInputError
from mimapp.host.collected import read_collected
from mimapp.host.regfile import is_reg, read_reg
from mimapp.host.registry import (
    HKLM,
    HKU,
    MIM_KEY,
    SECRET_NAME,
    UNINSTALL_KEY,
    Missing,
    RegistryValue,
    SecretShape,
    token_owner,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mimapp.host.collected import Collected
    from mimapp.host.registry import RegistryReader

__all__ = ["HostInput", "Seen", "from_registry", "read_inputs"]

_PRODUCT = "Microsoft Identity Manager Service and Portal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A secret or token as far as it may be known: there or not, its shape, and when its key was written."""

    present: bool
    shape: SecretShape | None
    written: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostInput:
    """One server, as far as the given inputs show it; None means not seen.

    Attributes:
        source: what it was read from, for people.
        registry: the values.
        versions: the `DisplayVersion` of each installed MIM Service and Portal.
        uninstall_string: the first one's UninstallString, for the Change-mode sheet.
        secret: the encrypted client secret.
        token: the access token.
        collected: what only the collecting script sees: account, service, hosts, events.
    """

    source: str
    registry: RegistryReader
    versions: tuple[str, ...] | None
    uninstall_string: str | None
    secret: Seen | None
    token: Seen | None
    collected: Collected | None


def read_inputs(files: Sequence[tuple[str, bytes]]) -> HostInput:
    """Read one collected file, or one or more .reg exports of the same server.

    Args:
        files: name and content of each.

    Raises:
        HostInputError: nothing given, a file is neither, or collected JSON is mixed with others.
    """
    if not files:
        raise HostInputError("nothing to check", hint="give a collected file, .reg exports, or --local")
    source = ", ".join(name for name, _ in files)
    exports = [(name, data) for name, data in files if is_reg(data)]
    if len(exports) == len(files):
        return from_registry(_Joined([read_reg(data, name) for name, data in exports]), source)
    if len(files) > 1:
        raise HostInputError(
            "a collected file stands alone: it has all that a .reg export has",
            details=[name for name, _ in files],
        )
    name, data = files[0]
    found = read_collected(data, name)
    shape = SecretShape(length=found.secret_length, dpapi=found.secret_dpapi)
    token = found.token
    return HostInput(
        source=source,
        registry=found.registry,
        versions=tuple(one.display_version for one in found.products),
        uninstall_string=next((one.uninstall_string for one in found.products), None),
        secret=Seen(
            present=found.secret_present, shape=shape if found.secret_present else None, written=found.secret_written
        ),
        token=Seen(present=token.present, shape=None, written=token.written) if token.readable else None,
        collected=found,
    )


def from_registry(registry: RegistryReader, source: str) -> HostInput:
    """A server by its registry alone: winreg on the server itself, exports, or any other reader."""
    versions, uninstall = _products(registry)
    return HostInput(
        source=source,
        registry=registry,
        versions=versions,
        uninstall_string=uninstall,
        secret=_secret(registry),
        token=_token(registry),
        collected=None,
    )


def _products(registry: RegistryReader) -> tuple[tuple[str, ...] | None, str | None]:
    root = rf"{HKLM}\{UNINSTALL_KEY}"
    names = registry.subkeys(root)
    if names is Missing.UNSEEN:
        return None, None
    versions: list[str] = []
    uninstall: str | None = None
    for name in () if isinstance(names, Missing) else names:
        key = rf"{root}\{name}"
        if _text(registry.value(key, "DisplayName")) == _PRODUCT:
            versions.append(_text(registry.value(key, "DisplayVersion")) or "")
            uninstall = uninstall or _text(registry.value(key, "UninstallString"))
    return tuple(versions), uninstall


def _text(found: RegistryValue | Missing) -> str | None:
    return found.data if isinstance(found, RegistryValue) and isinstance(found.data, str) else None


def _secret(registry: RegistryReader) -> Seen | None:
    key = rf"{HKLM}\{MIM_KEY}"
    found = registry.value(key, SECRET_NAME)
    if found is Missing.UNSEEN:
        return None
    shape = found.data if isinstance(found, RegistryValue) and isinstance(found.data, SecretShape) else None
    present = shape is not None and shape.length > 0
    return Seen(present=present, shape=shape if present else None, written=registry.written(key))


def _token(registry: RegistryReader) -> Seen | None:
    """The token in whichever user's part of the registry holds MIM's key; unseen when no user's part is there."""
    users = registry.subkeys(HKU)
    if isinstance(users, Missing):
        return None
    best: Seen | None = None
    for user in users:
        key = rf"{HKU}\{user}\{MIM_KEY}"
        names = registry.names(key)
        if token_owner(key) is None or isinstance(names, Missing):
            continue
        shapes = [
            found.data
            for found in (registry.value(key, name) for name in names)
            if isinstance(found, RegistryValue) and isinstance(found.data, SecretShape)
        ]
        # A token is far longer than anything else that could stand there; its name is not known.
        longest = max(shapes, key=lambda shape: shape.length, default=None)
        present = longest is not None and longest.length >= 200  # noqa: PLR2004 - shorter than any token
        seen = Seen(present=present, shape=longest, written=registry.written(key))
        if best is None or (seen.present and not best.present):
            best = seen
    return best


class _Joined:
    """Several exports of one server; the first that has seen a value tells it."""

    def __init__(self, readers: Sequence[RegistryReader]) -> None:
        self._readers = readers

    def value(self, key: str, name: str) -> RegistryValue | Missing:
        found = [reader.value(key, name) for reader in self._readers]
        return next((one for one in found if isinstance(one, RegistryValue)), _either(found))

    def names(self, key: str) -> tuple[str, ...] | Missing:
        return _union([reader.names(key) for reader in self._readers])

    def subkeys(self, key: str) -> tuple[str, ...] | Missing:
        return _union([reader.subkeys(key) for reader in self._readers])

    def written(self, key: str) -> datetime | None:
        return next((time for time in (reader.written(key) for reader in self._readers) if time), None)


def _either(found: Sequence[object]) -> Missing:
    return Missing.ABSENT if Missing.ABSENT in found else Missing.UNSEEN


def _union(found: Sequence[tuple[str, ...] | Missing]) -> tuple[str, ...] | Missing:
    known = [one for one in found if not isinstance(one, Missing)]
    if not known:
        return _either(found)
    return tuple({name.casefold(): name for names in known for name in names}.values())
