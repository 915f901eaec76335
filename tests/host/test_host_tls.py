from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from ps_tree import commands, functions, parsed, source, tables, types, walk
from ps_values import PsError
from ps_windows import Windows
from registry_model import Entry, Key, Registry

from mimapp.host.tls import Group, Setting, settings, tls_reg, tls_script

if TYPE_CHECKING:
    from tree_sitter import Node

_PROTOCOLS = r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols"
# The table written a second time, from Microsoft's page and the write-up.
_WANTED = {
    (rf"{_PROTOCOLS}\TLS 1.2\Client", "Enabled"): 1,
    (rf"{_PROTOCOLS}\TLS 1.2\Client", "DisabledByDefault"): 0,
    (rf"{_PROTOCOLS}\TLS 1.2\Server", "Enabled"): 1,
    (rf"{_PROTOCOLS}\TLS 1.2\Server", "DisabledByDefault"): 0,
    (r"SOFTWARE\Microsoft\.NETFramework\v4.0.30319", "SystemDefaultTlsVersions"): 1,
    (r"SOFTWARE\Microsoft\.NETFramework\v4.0.30319", "SchUseStrongCrypto"): 1,
    (r"SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319", "SystemDefaultTlsVersions"): 1,
    (r"SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v4.0.30319", "SchUseStrongCrypto"): 1,
    (r"SOFTWARE\Microsoft\.NETFramework\v2.0.50727", "SystemDefaultTlsVersions"): 1,
    (r"SOFTWARE\Microsoft\.NETFramework\v2.0.50727", "SchUseStrongCrypto"): 1,
    (r"SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v2.0.50727", "SystemDefaultTlsVersions"): 1,
    (r"SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v2.0.50727", "SchUseStrongCrypto"): 1,
}
_LEGACY = {
    (rf"{_PROTOCOLS}\TLS {version}\{side}", name): data
    for version in ("1.0", "1.1")
    for side in ("Client", "Server")
    for name, data in (("Enabled", 0), ("DisabledByDefault", 1))
}
PLAIN, STRICT = tls_script().text, tls_script(disable_legacy=True).text


def _table(found: tuple[Setting, ...]) -> dict[tuple[str, str], int]:
    return {(row.key, row.name): row.data for row in found}


# -- the states a server can be in --------------------------------------------------------------------------------


def _fresh() -> Registry:
    """Windows with .NET 4 installed and nothing set."""
    registry = Registry()
    registry.make("HKLM", _PROTOCOLS)
    registry.put("HKLM", rf"{_PROTOCOLS}\SSL 2.0\Client", "DisabledByDefault", "DWord", 1)
    for place in ("SOFTWARE", r"SOFTWARE\WOW6432Node"):
        registry.put("HKLM", rf"{place}\Microsoft\.NETFramework\v4.0.30319", "SKUs", "String", "kept")
    return registry


def _right() -> Registry:
    registry = _fresh()
    for (key, name), data in _WANTED.items():
        registry.put("HKLM", key, name, "DWord", data)
    return registry


def _after_the_circulating_script() -> Registry:
    """What that script leaves where a .NET value was 0 and the v2.0 keys were missing: both stay as they were.

    Its SCHANNEL part makes the keys anew, which drops what they held, and turns TLS 1.0 and 1.1 off.
    """
    registry = _fresh()
    registry.put("HKLM", r"SOFTWARE\Microsoft\.NETFramework\v4.0.30319", "SchUseStrongCrypto", "DWord", 0)
    registry.put("HKLM", rf"{_PROTOCOLS}\TLS 1.2\Client", "Note", "String", "somebody's own")
    for (key, name), data in {**_LEGACY, **dict(list(_WANTED.items())[:4])}.items():
        registry.put("HKLM", key, name, "DWord", data)
    registry.drop("HKLM", rf"{_PROTOCOLS}\TLS 1.2\Client", "Note")
    return registry


def _half() -> Registry:
    """Half of it set, some of it wrong, some with another type."""
    registry = _fresh()
    for (key, name), data in list(_WANTED.items())[::2]:
        registry.put("HKLM", key, name, "DWord", data)
    registry.put("HKLM", rf"{_PROTOCOLS}\TLS 1.2\Server", "DisabledByDefault", "DWord", 1)
    registry.put("HKLM", r"SOFTWARE\Microsoft\.NETFramework\v2.0.50727", "SchUseStrongCrypto", "String", "1")
    registry.put(
        "HKLM", r"SOFTWARE\WOW6432Node\Microsoft\.NETFramework\v2.0.50727", "SchUseStrongCrypto", "Binary", b"\1"
    )
    return registry


STATES = {
    "empty": Registry,
    "fresh": _fresh,
    "right": _right,
    "circulating script": _after_the_circulating_script,
    "half": _half,
}


def _ends_right(registry: Registry, *, legacy: bool) -> None:
    for (key, name), data in {**_WANTED, **(_LEGACY if legacy else {})}.items():
        assert registry.get("HKLM", key, name) == ("DWord", data), (key, name)


# -- what stands in the texts -------------------------------------------------------------------------------------


def test_the_table_is_microsofts() -> None:
    assert _table(settings()) == _WANTED
    assert _table(settings(disable_legacy=True)) == {**_WANTED, **_LEGACY}


@pytest.mark.parametrize(("text", "legacy"), [(PLAIN, "$false"), (STRICT, "$true")])
def test_the_script_parses_and_holds_the_table(text: str, legacy: str) -> None:
    root = parsed(text)
    rows = [row for row in tables(root) if set(row) == {"Key", "Name", "Data", "Group"}]
    assert {(row["Key"], row["Name"]): row["Data"] for row in rows} == {**_WANTED, **_LEGACY}
    assert {row["Group"] for row in rows} == {str(group) for group in Group}
    assert f"$DisableLegacy = {legacy}" in text


def test_the_script_uses_nothing_unexpected() -> None:
    root = parsed(PLAIN)
    assert set(commands(root)) - functions(root) == {
        "ConvertFrom-Json",
        "ConvertTo-Json",
        "Join-Path",
        "New-Object",
        "Set-StrictMode",
        "Sort-Object",
        "Where-Object",
        "Write-Output",
    }
    assert {one for one in types(root) if "Registry" in one} == {
        "Microsoft.Win32.RegistryHive",
        "Microsoft.Win32.RegistryKey",
        "Microsoft.Win32.RegistryValueKind",
        "Microsoft.Win32.RegistryValueOptions",
        "Microsoft.Win32.RegistryView",
    }


def _around(node: Node) -> list[Node]:
    """The if statements around a node."""
    found = []
    up = node.parent
    while up is not None:
        if up.type == "if_statement":
            found.append(up)
        up = up.parent
    return found


def test_every_write_to_the_registry_asks_first() -> None:
    text = PLAIN
    writes = [node for node in walk(parsed(text)) if node.type == "invocation_expression"]
    found = 0
    for node in writes:
        name = re.search(r"\.(DeleteValue|DeleteSubKey)\($", source(node).split("(")[0] + "(")
        if name is None:
            continue
        found += 1
        assert any("ShouldProcess" in source(up).split("{")[0] for up in _around(node)), (
            f"{source(node)} is not guarded"
        )
    assert found == 2
    guarded = re.findall(r"ShouldProcess\([^\n]*\n\s*Write-Setting", text)
    assert len(guarded) == text.count("Write-Setting -Key") == 2


def test_the_script_is_saved_as_windows_powershell_reads_it() -> None:
    data = tls_script().encoded()
    assert data.startswith(b"\xef\xbb\xbf#Requires")
    assert b"\r\n" in data
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert PLAIN.isascii()


@pytest.mark.parametrize("legacy", [False, True])
def test_the_reg_file_holds_the_table(legacy: bool) -> None:  # noqa: FBT001 - a parameter of the table
    file = tls_reg(disable_legacy=legacy)
    data = file.encoded()
    assert data.startswith(b"\xff\xfeW\x00i\x00")
    lines = data.decode("utf-16").split("\r\n")
    assert lines[0] == "Windows Registry Editor Version 5.00"
    found, key = {}, ""
    for line in lines[1:]:
        if line.startswith("["):
            key = line[1:-1].removeprefix("HKEY_LOCAL_MACHINE\\")
        elif line and not line.startswith(";"):
            match = re.fullmatch(r'"(\w+)"=dword:([0-9a-f]{8})', line)
            assert match, line
            found[key, match[1]] = int(match[2], 16)
    assert found == {**_WANTED, **(_LEGACY if legacy else {})}
    assert not [line for line in lines if line.startswith("[-") or line.endswith("=-")]


# -- what they do to a server -------------------------------------------------------------------------------------


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("state", STATES)
def test_the_script_ends_right_from_every_state(state: str, legacy: bool) -> None:  # noqa: FBT001 - a parameter of the table
    registry = STATES[state]()
    windows = Windows(registry)
    code, _ = windows.run(STRICT if legacy else PLAIN)
    assert code == 0
    _ends_right(registry, legacy=legacy)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("state", STATES)
def test_the_reg_file_ends_right_and_keeps_the_rest(
    state: str,
    legacy: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    registry = STATES[state]()
    others = _values(registry, legacy=legacy)
    for _ in range(2):
        _merge(registry, tls_reg(disable_legacy=legacy).encoded())
        _ends_right(registry, legacy=legacy)
    assert _values(registry, legacy=legacy) == others


def _values(registry: Registry, *, legacy: bool) -> dict[tuple[str, str], Entry]:
    """Every value of the server but those that are set."""
    found: dict[tuple[str, str], Entry] = {}

    def gather(key: Key, path: str) -> None:
        for name, entry in key.values.values():
            found[path, name] = entry
        for below in key.subkeys.values():
            gather(below, f"{path}\\{below.name}".removeprefix("\\"))

    gather(registry.hives["HKLM"], "")
    ours = {(row.key, row.name) for row in settings(disable_legacy=legacy)}
    return {place: entry for place, entry in found.items() if place not in ours}


def _merge(registry: Registry, data: bytes) -> None:
    """What regedit does with a .reg file: makes keys that are missing, adds and overwrites values."""
    key = ""
    for line in data.decode("utf-16").split("\r\n")[1:]:
        if line.startswith("["):
            key = line[1:-1].removeprefix("HKEY_LOCAL_MACHINE\\")
            registry.make("HKLM", key)
        elif line.startswith('"'):
            name, _, number = line.partition("=dword:")
            registry.put("HKLM", key, name.strip('"'), "DWord", int(number, 16))


@pytest.mark.parametrize("state", STATES)
def test_a_second_run_writes_nothing(state: str) -> None:
    windows = Windows(STATES[state]())
    windows.run(PLAIN)
    writes, files = windows.registry.writes, dict(windows.files)
    code, output = windows.run(PLAIN)
    assert (code, output) == (0, ["All values are right. Nothing to do."])
    assert (windows.registry.writes, windows.files) == (writes, files)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("state", STATES)
def test_undo_restores_the_state_before(state: str, legacy: bool) -> None:  # noqa: FBT001 - a parameter of the table
    registry = STATES[state]()
    before = registry.snapshot()
    windows = Windows(registry)
    windows.run(STRICT if legacy else PLAIN)
    if registry.snapshot() == before:
        assert not windows.files
        return
    (backup,) = windows.files
    # The plain script can put back what the strict one changed.
    code, _ = windows.run(PLAIN, Undo=backup)
    assert code == 0
    assert registry.snapshot() == before
    windows.run(PLAIN, Undo=backup)
    assert registry.snapshot() == before


@pytest.mark.parametrize("state", STATES)
def test_what_if_changes_nothing_and_names_every_change(state: str) -> None:
    registry = STATES[state]()
    before = registry.snapshot()
    windows = Windows(registry, elevated=False)
    code, output = windows.run(PLAIN, WhatIf=True)
    assert code == 0
    assert registry.snapshot() == before
    assert not windows.files
    due = [row for row, data in _WANTED.items() if registry.get("HKLM", *row) != ("DWord", data)]
    for key, name in due:
        assert any(rf"HKLM\{key}\{name}" in line for line in output)
    assert len([line for line in output if line.startswith("set DWORD")]) == len(due)


def test_other_values_and_keys_are_left_alone() -> None:
    registry = _half()
    Windows(registry).run(PLAIN)
    assert registry.get("HKLM", r"SOFTWARE\Microsoft\.NETFramework\v4.0.30319", "SKUs") == ("String", "kept")
    assert registry.get("HKLM", rf"{_PROTOCOLS}\SSL 2.0\Client", "DisabledByDefault") == ("DWord", 1)
    assert registry.find("HKLM", rf"{_PROTOCOLS}\TLS 1.0") is None


def test_without_elevation_nothing_is_tried() -> None:
    windows = Windows(_fresh(), elevated=False)
    before = windows.registry.snapshot()
    with pytest.raises(PsError, match="elevated"):
        windows.run(PLAIN)
    assert windows.registry.snapshot() == before


def test_what_needs_a_restart_is_said() -> None:
    _, output = Windows(_fresh()).run(PLAIN)
    assert "Restart this server: SCHANNEL reads its values at start." in output
    registry = _right()
    registry.drop("HKLM", r"SOFTWARE\Microsoft\.NETFramework\v2.0.50727", "SchUseStrongCrypto")
    _, output = Windows(registry).run(PLAIN)
    assert any("Restart-Service FIMService" in line for line in output)
    assert not any("Restart this server" in line for line in output)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("mimapp.host-tls-backup/1", "other/1"), "not a backup"),
        (("MIM01", "MIM02"), "was taken on MIM02"),
        (("SchUseStrongCrypto", "Debugger"), "never sets"),
    ],
)
def test_a_backup_that_does_not_fit_is_refused(change: tuple[str, str], words: str) -> None:
    windows = Windows(_fresh())
    windows.run(PLAIN)
    (backup,) = windows.files
    windows.files[backup] = windows.files[backup].replace(*change)
    with pytest.raises(PsError, match=words):
        windows.run(PLAIN, Undo=backup)


def test_relative_paths_are_the_ones_that_the_person_means() -> None:
    registry = _fresh()
    before = registry.snapshot()
    windows = Windows(registry)
    windows.run(PLAIN, BackupFolder=r".\kept")
    (backup,) = windows.files
    assert backup.startswith("c:\\here\\kept\\tls-backup-")
    windows.run(PLAIN, Undo=backup.removeprefix("c:\\here\\"))
    assert registry.snapshot() == before


def test_undo_keeps_a_key_that_somebody_else_uses_by_now() -> None:
    registry = _fresh()
    windows = Windows(registry)
    windows.run(PLAIN)
    registry.put("HKLM", rf"{_PROTOCOLS}\TLS 1.2\Client", "Note", "String", "mine")
    (backup,) = windows.files
    windows.run(PLAIN, Undo=backup)
    assert registry.get("HKLM", rf"{_PROTOCOLS}\TLS 1.2\Client", "Note") == ("String", "mine")
    assert registry.get("HKLM", rf"{_PROTOCOLS}\TLS 1.2\Client", "Enabled") is None
