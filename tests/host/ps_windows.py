"""The Windows around a script of the PowerShell model: registry, files, clock, and the cmdlets that reach them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from ps_run import Call, Command, Machine
from ps_values import Bag, Block, Enum, Host, PsError, Value, listed, shown, truth
from registry_model import Registry, base_key


def _full(path: str) -> str:
    return path if path[1:3] == ":\\" else "C:\\here\\" + path.removeprefix(".\\")


_PATHS = Host("PathIntrinsics", methods={"getunresolvedproviderpathfrompspath": _full})


def enum(kind: str, *names: str) -> Host:
    """A .NET enum type."""

    def cast(value: Value) -> Enum:
        text = value.name if isinstance(value, Enum) else shown(value)
        for name in names:
            if name.lower() == text.lower():
                return Enum(kind, name)
        raise PsError(f"{text} is not one of {names}", "System.InvalidCastException")

    found = Host(kind, methods={"cast": cast})
    for name in names:
        found.properties[name.lower()] = partial(Enum, kind, name)
    return found


class Windows:
    """One server; `now` moves only when a script sleeps."""

    def __init__(self, registry: Registry, *, elevated: bool = True) -> None:
        self.registry = registry
        registry.clock = lambda: self.now
        self.elevated = elevated
        self.files: dict[str, str] = {}
        self.now = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
        self.environment = {"COMPUTERNAME": "MIM01", "ProgramData": r"C:\ProgramData", "SystemRoot": r"C:\Windows"}
        self.extra_commands: dict[str, tuple[Command, set[str], set[str]]] = {}
        self.extra_types: dict[str, Host] = {}

    def machine(self, **variables: Value) -> Machine:
        """A fresh PowerShell on this server."""
        return Machine(
            {**self._commands(), **self.extra_commands},
            {**self._types(), **self.extra_types},
            {
                "executioncontext": Bag([("SessionState", Bag([("Path", _PATHS)], table=False))], table=False),
                **{name.lower(): value for name, value in variables.items()},
            },
            self.environment,
        )

    def run(self, text: str, **arguments: Value) -> tuple[int, list[str]]:
        """Run a script with its parameters in a fresh PowerShell: exit code and output."""
        machine = self.machine()
        code = machine.run(text, **arguments)
        return code, machine.output + machine.what_if

    def sleep(self, seconds: float) -> None:
        """Let time pass; a world with more life in it overrides this."""
        self.now += timedelta(seconds=seconds)

    # -- types -----------------------------------------------------------------------------------------------------

    def _types(self) -> dict[str, Host]:
        win32 = "Microsoft.Win32."
        return {
            win32 + "RegistryKey": Host(
                "RegistryKey",
                methods={
                    "openbasekey": lambda hive, view: base_key(self.registry, _hive(hive, view)),
                },
            ),
            win32 + "RegistryHive": enum("RegistryHive", "LocalMachine", "Users"),
            win32 + "RegistryView": enum("RegistryView", "Registry64", "Registry32"),
            win32 + "RegistryValueKind": enum(
                "RegistryValueKind", "DWord", "QWord", "String", "ExpandString", "Binary", "MultiString"
            ),
            win32 + "RegistryValueOptions": enum("RegistryValueOptions", "DoNotExpandEnvironmentNames"),
            "IO.File": Host(
                "File",
                methods={
                    "readalltext": self._read,
                    "writealltext": lambda path, text: self.files.__setitem__(path.lower(), text),
                    "exists": lambda path: path.lower() in self.files,
                    "delete": lambda path: self.files.pop(path.lower(), None) and None,
                },
            ),
            "IO.Directory": Host("Directory", methods={"createdirectory": lambda path: path}),
            "DateTime": Host("DateTime", properties={"utcnow": lambda: self.now}),
            "Security.Principal.WindowsIdentity": Host("WindowsIdentity", methods={"getcurrent": lambda: "me"}),
            "Security.Principal.WindowsBuiltInRole": enum("WindowsBuiltInRole", "Administrator"),
        }

    def _read(self, path: str) -> str:
        if path.lower() not in self.files:
            raise PsError(f"Could not find file '{path}'.", "System.IO.FileNotFoundException")
        return self.files[path.lower()]

    # -- cmdlets ---------------------------------------------------------------------------------------------------

    def _commands(self) -> dict[str, tuple[Command, set[str], set[str]]]:
        return {
            "Set-StrictMode": (lambda _: None, {"Version"}, set()),
            "Write-Output": (lambda call: call.positional[0], set(), set()),
            "Join-Path": (
                lambda call: f"{call.named['Path']}\\{call.named['ChildPath']}",
                {"Path", "ChildPath"},
                set(),
            ),
            "Where-Object": (_where, {"FilterScript"}, set()),
            "ForEach-Object": (_for_each, set(), set()),
            "Sort-Object": (_sort, {"Property"}, {"Descending", "Unique"}),
            "ConvertTo-Json": (_to_json, {"InputObject", "Depth"}, {"Compress"}),
            "ConvertFrom-Json": (lambda call: from_json(json.loads(call.named["InputObject"])), {"InputObject"}, set()),
            "New-Object": (self._new_object, {"TypeName", "ArgumentList"}, set()),
            "Start-Sleep": (lambda call: self.sleep(call.named["Seconds"]), {"Seconds"}, set()),
        }

    def _new_object(self, call: Call) -> Value:
        kind = (call.named.get("TypeName") or call.positional[0]).lower()
        if kind == "security.principal.windowsprincipal":
            return Host("WindowsPrincipal", methods={"isinrole": lambda role: self.elevated and bool(role)})
        return self.new_object(kind, listed(call.named.get("ArgumentList")))

    def new_object(self, kind: str, arguments: list[Value]) -> Value:
        """A .NET object; a world with more in it overrides this."""
        raise AssertionError(f"New-Object {kind} {arguments} is not modelled")


def _hive(hive: Enum, view: Enum) -> str:
    assert view.name == "Registry64", "the script must not depend on the bitness of PowerShell"
    return {"LocalMachine": "HKLM", "Users": "HKU"}[hive.name]


def _where(call: Call) -> Value:
    block = call.named.get("FilterScript", call.positional[0] if call.positional else None)
    assert isinstance(block, Block)
    return [one for one in call.flow if truth(call.machine.with_item(block, one))]


def _for_each(call: Call) -> Value:
    assert isinstance(call.positional[0], Block)
    return [out for one in call.flow for out in listed(call.machine.with_item(call.positional[0], one))]


def _sort(call: Call) -> Value:
    name = call.named.get("Property")
    ordered = sorted(call.flow, key=lambda one: call.machine.member(one, name) if name else shown(one).lower())
    return list(reversed(ordered)) if call.named.get("Descending") else ordered


def to_json(value: Value) -> Any:
    """A value as ConvertTo-Json writes it."""
    if isinstance(value, Bag):
        return {name: to_json(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, bytes)):
        return [to_json(one) for one in value]
    return value.name if isinstance(value, Enum) else value


def from_json(value: Any) -> Value:
    """A value as ConvertFrom-Json makes it."""
    if isinstance(value, dict):
        return Bag([(name, from_json(one)) for name, one in value.items()], table=False)
    return [from_json(one) for one in value] if isinstance(value, list) else value


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(one) for one in value.values()), default=0)
    return 1 + max((_depth(one) for one in value), default=0) if isinstance(value, list) else 0


def _to_json(call: Call) -> Value:
    value = call.named.get("InputObject", call.positional[0] if call.positional else call.flow)
    plain = to_json(value)
    assert _depth(plain) <= call.named.get("Depth", 2) + 1, "ConvertTo-Json would cut this off: -Depth is too small"
    return json.dumps(plain)
