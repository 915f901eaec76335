"""TLS and .NET rows of a host check.

Owns what counts as right: an absent SCHANNEL value is fine where Windows' default is (Server 2012 R2 and later), an
absent .NET value is not. Source: "Enable support for TLS 1.2 in your environment", section "Check".
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from mimapp.host.registry import HKLM, Kind, Missing, RegistryValue
from mimapp.host.row import Row, Verdict, number, text, unseen
from mimapp.host.tls import LEGACY_CONSEQUENCES, Group, settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mimapp.host.registry import RegistryReader
    from mimapp.host.tls import Setting

__all__ = ["tls_rows"]

_FIX = "run the script of `mimapp host tls`, then restart what it names"
_MISSING_DOTNET = {
    True: "MIM Service runs on .NET 3.5 and offers TLS 1.0 only without this pair: event 12 and nothing else is seen",
    False: "programs on .NET 4 of this server may offer TLS 1.0 only without this pair",
}


def tls_rows(registry: RegistryReader) -> list[Row]:
    """One row a key: TLS 1.2, .NET, then what is known of TLS 1.0 and 1.1."""
    rows: list[Row] = []
    for key, group in groupby(settings(), key=lambda row: row.key):
        wanted = list(group)
        rows.append(
            _schannel(registry, key, wanted) if wanted[0].group is Group.SCHANNEL else _dotnet(registry, key, wanted)
        )
    rows.append(_legacy(registry))
    return rows


def _found(registry: RegistryReader, wanted: Sequence[Setting]) -> list[tuple[Setting, RegistryValue | Missing]]:
    return [(row, registry.value(rf"{HKLM}\{row.key}", row.name)) for row in wanted]


def _shown(found: Sequence[tuple[Setting, RegistryValue | Missing]]) -> str:
    return ", ".join(f"{row.name} {text(value)}" for row, value in found)


def _wanted(wanted: Sequence[Setting]) -> str:
    return ", ".join(f"{row.name} {row.data}" for row in wanted)


def _right(row: Setting, value: RegistryValue | Missing) -> bool:
    return isinstance(value, RegistryValue) and value.kind is Kind.DWORD and value.data == row.data


def _schannel(registry: RegistryReader, key: str, wanted: Sequence[Setting]) -> Row:
    side = key.rpartition("\\")[2]
    title, name = f"TLS 1.2, {side}", f"tls12-{side.lower()}"
    found = _found(registry, wanted)
    expected = f"{_wanted(wanted)}, or absent"
    if all(value is Missing.UNSEEN for _, value in found):
        return unseen(name, title, expected)
    enabled, disabled_by_default = (value for _, value in found)
    # Any number but zero switches on; Microsoft's own tools write 1 and 0xffffffff.
    off = number(enabled) == 0 or (number(disabled_by_default) or 0) != 0
    odd = [row.name for row, value in found if isinstance(value, RegistryValue) and value.kind is not Kind.DWORD]
    if off or odd:
        why = (
            f"{' and '.join(odd)} has the wrong type"
            if odd
            else "TLS 1.2 is turned off: Entra and Exchange take no less"
        )
        return Row(
            key=name, title=title, value=_shown(found), wanted=expected, verdict=Verdict.WRONG, why=why, fix=_FIX
        )
    absent = any(isinstance(value, Missing) for _, value in found)
    why = "absent means Windows' default, which is on from Server 2012 R2" if absent else ""
    return Row(key=name, title=title, value=_shown(found), wanted=expected, verdict=Verdict.OK, why=why)


def _dotnet(registry: RegistryReader, key: str, wanted: Sequence[Setting]) -> Row:
    version = key.rpartition("\\")[2]
    bits = "32-bit" if "WOW6432Node" in key else "64-bit"
    old = version.startswith("v2")
    title, name = f".NET {version} {bits}", f"dotnet-{version.split('.')[0]}-{bits[:2]}"
    found = _found(registry, wanted)
    if all(value is Missing.UNSEEN for _, value in found):
        return unseen(name, title, _wanted(wanted))
    if all(_right(row, value) for row, value in found):
        return Row(key=name, title=title, value=_shown(found), wanted=_wanted(wanted), verdict=Verdict.OK)
    return Row(
        key=name,
        title=title,
        value=_shown(found),
        wanted=_wanted(wanted),
        verdict=Verdict.WRONG,
        why=_MISSING_DOTNET[old],
        fix=_FIX,
    )


def _legacy(registry: RegistryReader) -> Row:
    rows = [row for row in settings(disable_legacy=True) if row.group is Group.LEGACY]
    found = _found(registry, rows)
    title, name, wanted = "TLS 1.0 and 1.1", "tls-legacy", "either"
    if all(value is Missing.UNSEEN for _, value in found):
        return unseen(name, title, wanted)
    off = sorted({row.key.split("\\")[-2] for row, value in found if row.name == "Enabled" and number(value) == 0})
    if not off:
        return Row(key=name, title=title, value="not turned off", wanted=wanted, verdict=Verdict.OK)
    return Row(
        key=name,
        title=title,
        value=f"{' and '.join(off)} turned off",
        wanted=wanted,
        verdict=Verdict.NOTE,
        why="; ".join(LEGACY_CONSEQUENCES[:3]),
    )
