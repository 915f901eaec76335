"""What the collecting script wrote on the MIM server, decoded: schema ``mimapp.host-collected/1``.

Owns the wire form. A value that is secret by its name is reduced to its shape here as well, should a file hold one.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import msgspec

from mimapp.errors import HostInputError
from mimapp.host.registry import HKLM, Kind, Missing, RegistryValue, scrubbed

__all__ = ["Account", "Collected", "CollectedReader", "Events", "Product", "Reach", "Token", "read_collected"]

_MOST_BYTES = 16 * 1024 * 1024
_KINDS = {
    "String": Kind.SZ,
    "ExpandString": Kind.EXPAND_SZ,
    "MultiString": Kind.MULTI_SZ,
    "DWord": Kind.DWORD,
    "QWord": Kind.QWORD,
    "Binary": Kind.BINARY,
}


class _ValueWire(msgspec.Struct, frozen=True):
    key: str
    name: str
    present: bool
    kind: str | None = None
    data: int | str | list[int | str] | None = None


class Product(msgspec.Struct, frozen=True, rename="camel"):
    """An installed MIM Service and Portal."""

    display_version: str
    uninstall_string: str = ""


class _SecretWire(msgspec.Struct, frozen=True, rename="camel"):
    present: bool
    length: int = 0
    dpapi: bool = False
    key_written: str | None = None


class Account(msgspec.Struct, frozen=True):
    """What MIM Service runs as."""

    name: str = ""
    sid: str | None = None
    managed: bool = False


class _TokenWire(msgspec.Struct, frozen=True, rename="camel"):
    readable: bool
    present: bool = False
    longest: int = 0
    key_written: str | None = None


class Reach(msgspec.Struct, frozen=True):
    """Whether a host answered on port 443, directly, and spoke TLS 1.2."""

    host: str
    connected: bool
    tls12: bool = False
    error: str = ""


class _EventsWire(msgspec.Struct, frozen=True, rename="camel"):
    readable: bool
    days: int
    scanned: int = 0
    connect_count: int = 0
    connect_last: str | None = None
    token_count: int = 0
    token_last: str | None = None


class _CollectedWire(msgspec.Struct, frozen=True, rename="camel"):
    schema: Literal["mimapp.host-collected/1"]
    collected_at: str
    server: str
    values: list[_ValueWire]
    secret: _SecretWire
    token: _TokenWire
    events: _EventsWire
    account: Account
    elevated: bool = False
    products: list[Product] = []
    fips_switch: str | None = None
    service: str | None = None
    reach: list[Reach] = []


# Made here, by one thread: see mimapp.transport.models.
_WIRE = msgspec.json.Decoder(_CollectedWire)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The access token's key: whether it could be read, holds something as long as a token, and when it was written."""

    readable: bool
    present: bool
    written: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Event 12 and the token message in the last `days` days; counts and the latest time."""

    readable: bool
    days: int
    connect_count: int
    connect_last: datetime | None
    token_count: int
    token_last: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """One server as the script saw it; times are aware, UTC."""

    server: str
    collected_at: datetime
    elevated: bool
    products: tuple[Product, ...]
    registry: CollectedReader
    secret_present: bool
    secret_length: int
    secret_dpapi: bool
    secret_written: datetime | None
    account: Account
    token: Token
    fips_switch: str | None
    service: str | None
    reach: tuple[Reach, ...]
    events: Events


class CollectedReader:
    """The watched values of a collected file; a `RegistryReader` that knows those keys and no other."""

    def __init__(self, values: dict[tuple[str, str], RegistryValue | Missing], written: dict[str, datetime]) -> None:
        self._values = values
        self._written = written

    def value(self, key: str, name: str) -> RegistryValue | Missing:
        """A watched value; others are unseen."""
        return self._values.get((key.casefold(), name.casefold()), Missing.UNSEEN)

    def names(self, key: str) -> tuple[str, ...] | Missing:  # noqa: ARG002 - the reader's signature
        """The script takes single values, never lists of names."""
        return Missing.UNSEEN

    def subkeys(self, key: str) -> tuple[str, ...] | Missing:  # noqa: ARG002 - the reader's signature
        """The script takes single values, never lists of keys."""
        return Missing.UNSEEN

    def written(self, key: str) -> datetime | None:
        """When a key was last written, for the keys whose time the script takes."""
        return self._written.get(key.casefold())


def read_collected(data: bytes, name: str = "collected file") -> Collected:
    """Decode a collected file.

    Raises:
        HostInputError: it is no such file, or cut off.
    """
    if len(data) > _MOST_BYTES:
        raise HostInputError(f"{name} has {len(data) // 2**20} MiB: a collected file has a few KiB")
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            data = data.decode("utf-16").encode()
        wire = _WIRE.decode(data.removeprefix(codecs.BOM_UTF8))
        return _collected(wire)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        # A validation error names the place and the type, never the content.
        words = str(error) if isinstance(error, msgspec.ValidationError) else "not JSON, or cut off"
        raise HostInputError(
            f"{name} is not what the collecting script writes: {words}",
            hint="make the script with mimapp host collect, run it on the server, copy its file as it is",
        ) from None


def _collected(wire: _CollectedWire) -> Collected:
    values: dict[tuple[str, str], RegistryValue | Missing] = {}
    for one in wire.values:
        key = rf"{HKLM}\{one.key}"
        values[key.casefold(), one.name.casefold()] = _value(key, one)
    return Collected(
        server=wire.server,
        collected_at=_required(wire.collected_at),
        elevated=wire.elevated,
        products=tuple(wire.products),
        registry=CollectedReader(values, {}),
        secret_present=wire.secret.present,
        secret_length=wire.secret.length,
        secret_dpapi=wire.secret.dpapi,
        secret_written=_moment(wire.secret.key_written),
        account=wire.account,
        token=Token(readable=wire.token.readable, present=wire.token.present, written=_moment(wire.token.key_written)),
        fips_switch=wire.fips_switch,
        service=wire.service,
        reach=tuple(wire.reach),
        events=Events(
            readable=wire.events.readable,
            days=wire.events.days,
            connect_count=wire.events.connect_count,
            connect_last=_moment(wire.events.connect_last),
            token_count=wire.events.token_count,
            token_last=_moment(wire.events.token_last),
        ),
    )


def _value(key: str, one: _ValueWire) -> RegistryValue | Missing:
    if not one.present or one.data is None:
        return Missing.ABSENT
    kind = _KINDS.get(one.kind or "", Kind.OTHER)
    data = one.data
    if isinstance(data, list):
        numbers = [part for part in data if isinstance(part, int)]
        if len(numbers) == len(data):
            return scrubbed(key, one.name, RegistryValue(kind=kind, data=bytes(part & 0xFF for part in numbers)))
        return scrubbed(key, one.name, RegistryValue(kind=kind, data=tuple(str(part) for part in data)))
    if isinstance(data, int) and kind is Kind.DWORD:
        data &= 0xFFFF_FFFF  # PowerShell writes a DWORD above 2**31 as a negative number
    return scrubbed(key, one.name, RegistryValue(kind=kind, data=data))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else _required(text)


def _required(text: str) -> datetime:
    """A time as .NET's round-trip format writes it: seven decimals, Z."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise msgspec.ValidationError("a time is not in ISO 8601 form") from None
