"""TLS 1.2 and .NET strong cryptography for the MIM server: one table, a PowerShell script and a .reg file from it.

Owns the wanted values; judging what a server has is `check`. Sources: "Enable support for TLS 1.2 in your environment"
(Entra documentation) for keys and values; the write-up for the .NET 2.0 pair, without which MIM's mail did not work
(MIM Service needs .NET 3.5); the MIM documentation for what turning TLS 1.0 and 1.1 off brings.
Neither file has been run on Windows: the script is parsed and run against a model of the registry.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from mimapp.host.powershell import ScriptFile, filled, quoted, template
from mimapp.host.registry import HKLM

__all__ = ["LEGACY_CONSEQUENCES", "Group", "Setting", "settings", "tls_reg", "tls_script"]

_PROTOCOLS = r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols"
_DOTNET = (
    r"SOFTWARE\Microsoft\.NETFramework\v4.0.30319",
    r"SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319",
    r"SOFTWARE\Microsoft\.NETFramework\v2.0.50727",
    r"SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v2.0.50727",
)

LEGACY_CONSEQUENCES = (
    "an unattended install of MIM 2016 SP2 fails on a system with TLS 1.2 only",
    "MIM Service cannot use a self-signed certificate any more",
    "MIM's database connection needs OLE DB Driver 18.2 or SQL Native Client 11.0.7001, or later",
    "Exchange Online and Entra do not need it: they take TLS 1.2 only, whatever this server offers to others",
)
"""What turning TLS 1.0 and 1.1 off means for MIM (MIM documentation); the last line is why it is an option."""


class Group(StrEnum):
    """What a setting belongs to, and so what has to restart after a change."""

    SCHANNEL = "schannel"
    DOTNET = "dotnet"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One wanted DWORD; `key` is below HKEY_LOCAL_MACHINE, in the 64-bit view."""

    key: str
    name: str
    data: int
    group: Group


def _protocol(version: str, enabled: int, group: Group) -> tuple[Setting, ...]:
    return tuple(
        Setting(key=rf"{_PROTOCOLS}\{version}\{side}", name=name, data=data, group=group)
        for side in ("Client", "Server")
        for name, data in (("Enabled", enabled), ("DisabledByDefault", 1 - enabled))
    )


_TLS_12 = _protocol("TLS 1.2", 1, Group.SCHANNEL)
_STRONG = tuple(
    Setting(key=key, name=name, data=1, group=Group.DOTNET)
    for key in _DOTNET
    for name in ("SystemDefaultTlsVersions", "SchUseStrongCrypto")
)
_LEGACY = _protocol("TLS 1.0", 0, Group.LEGACY) + _protocol("TLS 1.1", 0, Group.LEGACY)


def settings(*, disable_legacy: bool = False) -> tuple[Setting, ...]:
    """The wanted values, in the order in which they are set."""
    return _TLS_12 + _STRONG + (_LEGACY if disable_legacy else ())


def tls_script(*, disable_legacy: bool = False) -> ScriptFile:
    """The PowerShell script: sets what differs, keeps a backup, undoes, has -WhatIf; safe to repeat."""
    text = filled(
        template("tls.ps1"),
        {
            "disable-legacy": "$true" if disable_legacy else "$false",
            "wanted": _rows(_TLS_12 + _STRONG),
            "legacy": _rows(_LEGACY),
            "consequences": "\n".join(f"  - {line}" for line in LEGACY_CONSEQUENCES),
        },
    )
    return ScriptFile(name="mimapp-tls.ps1", text=text, encoding="utf-8-sig")


def _rows(wanted: tuple[Setting, ...]) -> str:
    return ",\n".join(
        f"    @{{ Key = {quoted(row.key)}; Name = {quoted(row.name)}; Data = {row.data}; Group = {quoted(row.group)} }}"
        for row in wanted
    )


def tls_reg(*, disable_legacy: bool = False) -> ScriptFile:
    """The same values as a .reg file: merging adds and overwrites, and never removes a key or another value.

    A .reg file cannot look first, keep a backup or undo: the script can.
    """
    lines = [
        "Windows Registry Editor Version 5.00",
        "",
        "; TLS 1.2 and .NET strong cryptography for MIM Service, made by mimapp.",
        "; Not run on Windows by its makers: values as in Microsoft's Enable support for TLS 1.2.",
        "; No backup and no undo here: the PowerShell form of `mimapp host tls` has both. Before merging:",
        *(rf"; reg export HKLM\{key} before-{number}.reg" for number, key in enumerate((_PROTOCOLS, *_DOTNET), 1)),
        "; Merge from a 64-bit program (regedit, or reg import in a 64-bit prompt).",
        "; Afterwards restart the server (SCHANNEL) or at least FIMService (.NET).",
    ]
    if disable_legacy:
        lines += ["; Turns TLS 1.0 and 1.1 off:", *(f"; - {line}" for line in LEGACY_CONSEQUENCES)]
    for key, rows in groupby(settings(disable_legacy=disable_legacy), key=lambda row: row.key):
        lines += ["", rf"[{HKLM}\{key}]", *(f'"{row.name}"=dword:{row.data:08x}' for row in rows)]
    return ScriptFile(name="mimapp-tls.reg", text="\n".join(lines) + "\n", encoding="utf-16")
