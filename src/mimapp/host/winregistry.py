"""The registry of this very machine, read by winreg: only on Windows, only reading, the 64-bit view.

Owns the one platform-bound reader; everything else of this room runs anywhere. Not run on Windows by its makers.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

from mimapp.errors import HostInputError
from mimapp.host.registry import HKLM, HKU, Kind, Missing, RegistryReader, RegistryValue, scrubbed

__all__ = ["local_registry"]

_WINDOWS_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


if sys.platform == "win32":  # pragma: no cover - the reader behind the seam; every reader's user is tested with others
    import winreg

    _KINDS = {
        winreg.REG_SZ: Kind.SZ,
        winreg.REG_EXPAND_SZ: Kind.EXPAND_SZ,
        winreg.REG_MULTI_SZ: Kind.MULTI_SZ,
        winreg.REG_DWORD: Kind.DWORD,
        winreg.REG_QWORD: Kind.QWORD,
        winreg.REG_BINARY: Kind.BINARY,
    }
    _HIVES = {HKLM: winreg.HKEY_LOCAL_MACHINE, HKU: winreg.HKEY_USERS}

    class _WinRegistry:
        """Values by winreg; a key that may not be read is unseen."""

        def _open(self, key: str) -> winreg.HKEYType:
            hive, _, path = key.partition("\\")
            return winreg.OpenKey(_HIVES[hive], path, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY)

        def value(self, key: str, name: str) -> RegistryValue | Missing:
            try:
                with self._open(key) as handle:
                    data, kind = winreg.QueryValueEx(handle, name)
            except FileNotFoundError:
                return Missing.ABSENT
            except OSError:
                return Missing.UNSEEN
            known = _KINDS.get(kind, Kind.OTHER)
            if isinstance(data, list):
                data = tuple(data)
            return scrubbed(key, name, RegistryValue(kind=known, data=b"" if data is None else data))

        def names(self, key: str) -> tuple[str, ...] | Missing:
            try:
                with self._open(key) as handle:
                    return tuple(winreg.EnumValue(handle, at)[0] for at in range(winreg.QueryInfoKey(handle)[1]))
            except FileNotFoundError:
                return Missing.ABSENT
            except OSError:
                return Missing.UNSEEN

        def subkeys(self, key: str) -> tuple[str, ...] | Missing:
            try:
                with self._open(key) as handle:
                    return tuple(winreg.EnumKey(handle, at) for at in range(winreg.QueryInfoKey(handle)[0]))
            except FileNotFoundError:
                return Missing.ABSENT
            except OSError:
                return Missing.UNSEEN

        def written(self, key: str) -> datetime | None:
            try:
                with self._open(key) as handle:
                    ticks = winreg.QueryInfoKey(handle)[2]
            except OSError:
                return None
            return _WINDOWS_EPOCH + timedelta(microseconds=ticks // 10)

    def local_registry() -> RegistryReader:
        """The reader of this machine's registry."""
        return _WinRegistry()

else:

    def local_registry() -> RegistryReader:
        """The reader of this machine's registry.

        Raises:
            HostInputError: this is not Windows.
        """
        raise HostInputError(
            "--local reads the registry of a Windows server, and this is not one",
            hint="collect on the server (mimapp host collect), or export with reg export, and give the file",
        )
