"""A model of the Windows registry: keys without regard to case, typed values, .NET's RegistryKey as documented."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ps_values import Enum, Host, PsError, Value

if TYPE_CHECKING:
    from collections.abc import Callable

_START = datetime(2026, 1, 1, tzinfo=UTC)
Entry = tuple[str, Value]  # kind as .NET names it, data


@dataclass
class Key:
    name: str
    values: dict[str, tuple[str, Entry]] = field(default_factory=dict)
    subkeys: dict[str, Key] = field(default_factory=dict)
    written: datetime = _START


class Registry:
    """HKEY_LOCAL_MACHINE and HKEY_USERS of one server; `writes` counts what changed anything."""

    def __init__(self) -> None:
        self.hives = {"HKLM": Key("HKLM"), "HKU": Key("HKU")}
        self.writes = 0
        self.clock: Callable[[], datetime] = lambda: _START

    def find(self, hive: str, path: str) -> Key | None:
        key = self.hives[hive]
        for part in [one for one in path.split("\\") if one]:
            found = key.subkeys.get(part.lower())
            if found is None:
                return None
            key = found
        return key

    def make(self, hive: str, path: str) -> Key:
        key = self.hives[hive]
        for part in [one for one in path.split("\\") if one]:
            if part.lower() not in key.subkeys:
                self.writes += 1
                key.subkeys[part.lower()] = Key(part)
            key = key.subkeys[part.lower()]
        return key

    def put(self, hive: str, path: str, name: str, kind: str, data: Value) -> None:
        key = self.make(hive, path)
        self.writes += 1
        key.written = self.clock()
        key.values[name.lower()] = (name, (kind, data))

    def get(self, hive: str, path: str, name: str) -> Entry | None:
        key = self.find(hive, path)
        found = None if key is None else key.values.get(name.lower())
        return None if found is None else found[1]

    def drop(self, hive: str, path: str, name: str) -> None:
        key = self.find(hive, path)
        assert key is not None
        if name.lower() not in key.values:
            raise PsError("No value exists with that name.", "System.ArgumentException")
        self.writes += 1
        key.written = self.clock()
        del key.values[name.lower()]

    def drop_key(self, hive: str, path: str) -> None:
        parent, _, last = path.rpartition("\\")
        holder = self.find(hive, parent)
        if holder is None or last.lower() not in holder.subkeys:
            raise PsError("Cannot delete a subkey tree because the subkey does not exist.")
        if holder.subkeys[last.lower()].subkeys:
            raise PsError("Registry key has subkeys and recursive removes are not supported by this method.")
        self.writes += 1
        del holder.subkeys[last.lower()]

    def snapshot(self) -> Any:
        """All keys and values, for comparing."""

        def of(key: Key) -> Any:
            return (
                {low: entry for low, (_, entry) in key.values.items()},
                {low: of(below) for low, below in key.subkeys.items()},
            )

        return {name: of(key) for name, key in self.hives.items()}

    def copy(self) -> Registry:
        return copy.deepcopy(self)


def base_key(registry: Registry, hive: str) -> Host:
    """Microsoft.Win32.RegistryKey of a hive in the 64-bit view."""
    return _handle(registry, hive, "", writable=True)


def _handle(registry: Registry, hive: str, path: str, *, writable: bool) -> Host:  # noqa: C901 - one function a method
    def full(name: str) -> str:
        return f"{path}\\{name}" if path else name

    def key() -> Key:
        found = registry.find(hive, path)
        assert found is not None
        return found

    def open_sub(name: str, write: bool = False) -> Host | None:  # noqa: FBT001, FBT002 - as in .NET
        return None if registry.find(hive, full(name)) is None else _handle(registry, hive, full(name), writable=write)

    def create_sub(name: str) -> Host:
        registry.make(hive, full(name))
        return _handle(registry, hive, full(name), writable=True)

    def get(name: str, default: Value = None, _options: Value = None) -> Value:
        found = registry.get(hive, path, name)
        return default if found is None else found[1]

    def kind(name: str) -> Enum:
        found = registry.get(hive, path, name)
        if found is None:
            raise PsError("The specified registry key does not exist.", "System.IO.IOException")
        return Enum("Microsoft.Win32.RegistryValueKind", found[0])

    def put(name: str, data: Value, kind: Value = None) -> None:
        if not writable:
            raise PsError("Cannot write to the registry key.", "System.UnauthorizedAccessException")
        what = kind.name if isinstance(kind, Enum) else "String"
        fits = {"DWord": int, "QWord": int, "String": str, "ExpandString": str, "Binary": bytes, "MultiString": list}
        if not isinstance(data, fits[what]):
            raise PsError("The type of the value object did not match the specified RegistryValueKind.")
        registry.put(hive, path, name, what, data)

    def drop(name: str) -> None:
        if not writable:
            raise PsError("Cannot write to the registry key.", "System.UnauthorizedAccessException")
        registry.drop(hive, path, name)

    return Host(
        "Microsoft.Win32.RegistryKey",
        methods={
            "opensubkey": open_sub,
            "createsubkey": create_sub,
            "getvalue": get,
            "getvaluekind": kind,
            "getvaluenames": lambda: [name for name, _ in key().values.values()],
            "getsubkeynames": lambda: [below.name for below in key().subkeys.values()],
            "setvalue": put,
            "deletevalue": drop,
            "deletesubkey": lambda name: registry.drop_key(hive, full(name)),
            "close": lambda: None,
        },
        properties={"handle": key, "valuecount": lambda: len(key().values), "subkeycount": lambda: len(key().subkeys)},
    )
