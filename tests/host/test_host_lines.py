"""The one-line commands on the sheet: they parse, and the log scan finds the secret without showing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ps_tree import commands, parsed, types
from ps_values import Host, Value
from ps_windows import Windows
from registry_model import Registry

from mimapp.errors import UsageError
from mimapp.host import msi
from mimapp.host.powershell import filled, quoted

if TYPE_CHECKING:
    from ps_run import Call

SECRET = "replaced-secret"


def _server(log: str) -> Windows:
    windows = Windows(Registry())
    freed: list[str] = []
    memory = Host(
        "Marshal",
        methods={
            "securestringtobstr": lambda secure: ("bstr", secure[1]),
            "ptrtostringbstr": lambda pointer: pointer[1],
            "zerofreebstr": lambda pointer: freed.append(pointer[1]),
        },
    )

    def select(call: Call) -> Value:
        assert call.named["LiteralPath"] == msi.INSTALL_LOG
        return call.named["Pattern"] in log

    windows.extra_types["Runtime.InteropServices.Marshal"] = memory
    windows.extra_commands["Select-String"] = (
        select,
        {"LiteralPath", "Pattern"},
        {"SimpleMatch", "CaseSensitive", "Quiet"},
    )
    windows.extra_commands["Read-Host"] = (lambda _: [("secure", SECRET)], set(), {"AsSecureString"})
    return windows


@pytest.mark.parametrize(
    ("log", "words"),
    [(f"PROPERTY CHANGE: X = '{SECRET}'", "FOUND"), ("nothing here", "not found as typed")],
)
def test_the_log_scan_says_whether_the_secret_is_there(log: str, words: str) -> None:
    _, output = _server(log).run(msi.log_scan(msi.INSTALL_LOG))
    assert len(output) == 1
    assert output[0].startswith(words)
    assert SECRET not in "".join(output)


def test_the_log_scan_holds_no_value_and_frees_what_it_read() -> None:
    line = msi.log_scan(msi.INSTALL_LOG)
    root = parsed(line)
    assert commands(root) == ["Read-Host", "Select-String"]
    assert types(root) == {"Runtime.InteropServices.Marshal"}
    assert "finally { [Runtime.InteropServices.Marshal]::ZeroFreeBSTR($b) }" in line


def test_the_uninstall_string_is_only_read() -> None:
    root = parsed(msi.find_uninstall_string())
    assert commands(root) == ["Get-ChildItem", "Get-ItemProperty", "Select-Object", "Where-Object"]


@pytest.mark.parametrize("value", ["plain", "it's", "a\u2019b\u2018c\u201ad\u201be", "$x `n $(evil)", "", '"'])
def test_a_quoted_value_means_itself(value: str) -> None:
    text = quoted(value)
    assert text[0] == text[-1] == "'"
    inner = text[1:-1]
    for sign in "'\u2018\u2019\u201a\u201b":
        assert inner.count(sign) == 2 * value.count(sign)
        inner = inner.replace(sign * 2, sign)
    assert inner == value


@pytest.mark.parametrize("value", ["a\nb", "a\0b", "\x1b[0m", "\u202e"])
def test_a_control_character_is_refused(value: str) -> None:
    with pytest.raises(UsageError):
        quoted(value)


def test_a_template_and_its_values_must_fit() -> None:
    assert filled("a #<b> c", {"b": "x"}) == "a x c"
    with pytest.raises(KeyError):
        filled("a #<b>", {})
    with pytest.raises(KeyError):
        filled("a", {"b": "x"})
