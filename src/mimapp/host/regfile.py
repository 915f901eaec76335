"""`.reg` exports of a MIM server, read without trust: any encoding that regedit writes, any size, never a secret kept.

Owns the format: version 5 and REGEDIT4, multi-line hex, escapes, text over several lines, deleted keys and values.
Keeps only what `check` asks for; a secret or token is reduced to its shape while it is read. An error names the line,
never its content.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, NoReturn

from mimapp.errors import HostInputError
from mimapp.host.registry import HKLM, HKU, MIM_KEY, UNINSTALL_KEY, Kind, Missing, RegistryValue, scrubbed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

__all__ = ["RegFile", "is_reg", "read_reg"]

_MOST_BYTES = 256 * 1024 * 1024
_HEADERS = ("Windows Registry Editor Version 5.00", "REGEDIT4")
_ROOTS = {
    "HKLM": HKLM,
    "HKU": HKU,
    "HKCU": "HKEY_CURRENT_USER",
    "HKCR": "HKEY_CLASSES_ROOT",
    "HKCC": "HKEY_CURRENT_CONFIG",
}
_KEPT = tuple(
    rf"{HKLM}\{path}".casefold()
    for path in (
        MIM_KEY,
        UNINSTALL_KEY,
        r"SYSTEM\CurrentControlSet\Services\FIMService",
        r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols",
        r"SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy",
        r"SOFTWARE\Microsoft\.NETFramework",
        r"SOFTWARE\WOW6432Node\Microsoft\.NETFramework",
        r"SOFTWARE\Microsoft\NET Framework Setup\NDP",
    )
)
_USER_SUFFIX = "\\" + MIM_KEY.casefold()
_NAMED = re.compile(r'(?:"(?P<name>(?:[^"\\]|\\.)*)"|(?P<default>@))=', re.DOTALL)
_HEX = re.compile(r"hex(?:\((?P<kind>[0-9a-fA-F]{1,8})\))?:(?P<bytes>.*)", re.DOTALL | re.IGNORECASE)
_HEX_KINDS = {
    None: Kind.BINARY,
    0x1: Kind.SZ,
    0x2: Kind.EXPAND_SZ,
    0x3: Kind.BINARY,
    0x4: Kind.DWORD,
    0x7: Kind.MULTI_SZ,
    0xB: Kind.QWORD,
}
# str.splitlines would also split at signs that stand inside values.
_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\n|\r|\Z)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def is_reg(data: bytes) -> bool:
    """Whether the data begins as a .reg file does."""
    start = _text(data[:200], strict=False).lstrip("\ufeff \t\r\n")
    return start.startswith(_HEADERS)


def read_reg(data: bytes, name: str = ".reg file") -> RegFile:
    """Read an export.

    Args:
        data: the file's content.
        name: what errors call it.

    Raises:
        HostInputError: it is no .reg file, cannot be decoded, is cut off, or a line has no form that regedit writes.
    """
    if len(data) > _MOST_BYTES:
        raise HostInputError(f"{name} has {len(data) // 2**20} MiB: more than {_MOST_BYTES // 2**20}")
    if not is_reg(data):
        raise HostInputError(
            f"{name} is not a .reg export",
            hint="export with regedit or reg export; its first line is 'Windows Registry Editor Version 5.00'",
        )
    return RegFile(_Reader(name, _text(data, strict=True, name=name)).keys())


class RegFile:
    """A registry as far as one or more exports show it; a `RegistryReader`.

    A key that the export holds, or whose ancestor it holds, is known: what is not in it is absent. Any other key is
    unseen. An export has no times.
    """

    def __init__(self, keys: dict[str, _Key]) -> None:
        self._keys = keys

    def __repr__(self) -> str:
        return f"RegFile({len(self._keys)} keys)"

    def value(self, key: str, name: str) -> RegistryValue | Missing:
        """The value of that name; see the class for what absent and unseen mean."""
        found = self._keys.get(key.casefold())
        if found is None or found.deleted:
            return self._missing(key)
        return found.values.get(name.casefold(), Missing.ABSENT)

    def names(self, key: str) -> tuple[str, ...] | Missing:
        """The names of the key's values."""
        found = self._keys.get(key.casefold())
        if found is None or found.deleted:
            return self._missing(key)
        return tuple(found.names.values())

    def subkeys(self, key: str) -> tuple[str, ...] | Missing:
        """The names of the keys below, as far as they are kept."""
        prefix = key.casefold() + "\\"
        found = {
            low[len(prefix) :].split("\\", 1)[0]: one.path[len(prefix) :].split("\\", 1)[0]
            for low, one in self._keys.items()
            if low.startswith(prefix) and not one.deleted
        }
        return tuple(found.values()) if found else self._missing(key)

    def written(self, key: str) -> datetime | None:  # noqa: ARG002 - the reader's signature
        """Exports hold no times."""
        return None

    def _missing(self, key: str) -> Missing:
        path = key.casefold()
        while path:
            if path in self._keys:
                return Missing.ABSENT
            path = path.rpartition("\\")[0]
        return Missing.UNSEEN


class _Key:
    __slots__ = ("deleted", "names", "path", "turn", "values")

    def __init__(self, path: str, *, turn: int = 0, deleted: bool = False) -> None:
        self.path = path
        self.turn = turn
        self.deleted = deleted
        self.names: dict[str, str] = {}
        self.values: dict[str, RegistryValue] = {}


class _Reader:
    """One pass over the text: logical lines in, kept keys out."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._text = text
        self._number = 0
        self._found: dict[str, _Key] = {}
        self._deleted: dict[str, tuple[int, str]] = {}
        self._turn = 0

    def keys(self) -> dict[str, _Key]:
        current: _Key | None = None
        seen_key = False
        for line in self._lines():
            if line.startswith("["):
                current = self._key(line)
                seen_key = True
            elif not seen_key:
                self._fail("a value stands before the first key")
            else:
                self._value(current, line)
        found = {low: key for low, key in self._found.items() if self._lives(low, key)}
        for low, (_, path) in self._deleted.items():
            found.setdefault(low, _Key(path, deleted=True))
        return found

    def _lives(self, low: str, key: _Key) -> bool:
        """Whether neither the key nor one above it was deleted after the key came."""
        path = low
        while path:
            if self._deleted.get(path, (0, ""))[0] > key.turn:
                return False
            path = path.rpartition("\\")[0]
        return True

    def _fail(self, words: str) -> NoReturn:
        raise HostInputError(
            f"{self._name}, line {self._number}: {words}",
            hint="export it again and copy the file as it is",
        )

    def _lines(self) -> Iterator[str]:
        """Logical lines: comments and blanks left out, continued hex and text over several lines joined."""
        lines = (match[1] for match in _LINE.finditer(self._text) if match.end() > match.start())
        self._number = 1
        for first in lines:
            if first.strip():
                break
            self._number += 1
        for line in lines:
            self._number += 1
            bare = line.strip()
            if not bare or bare.startswith(";"):
                continue
            if bare.startswith("["):
                yield bare
                continue
            yield self._whole(line.lstrip(), lines)

    def _whole(self, line: str, lines: Iterator[str]) -> str:
        parts = [line]
        text = _opens_text(line)
        while True:
            last = parts[-1].rstrip()
            if text:
                if _closes_text(last if len(parts) > 1 else last[_text_start(line) + 1 :]):
                    break
            elif last.endswith("\\"):
                parts[-1] = last[:-1]
            else:
                break
            following = next(lines, None)
            if following is None:
                self._fail("the file ends in the middle of a value")
            self._number += 1
            parts.append(following if text else following.strip())
        return ("\n" if text else "").join(parts)

    def _key(self, line: str) -> _Key | None:
        if not line.endswith("]"):
            self._fail("a key is not closed")
        path = line[1:-1]
        deleted = path.startswith("-")
        root, cut, rest = path.removeprefix("-").partition("\\")
        path = _ROOTS.get(root.upper(), root) + cut + rest
        low = path.casefold()
        if not _is_kept(low):
            return None
        self._turn += 1
        if deleted:
            self._deleted[low] = (self._turn, path)
            return None
        known = self._found.get(low)
        if known is None or not self._lives(low, known):
            known = self._found[low] = _Key(path, turn=self._turn)
        return known

    def _value(self, key: _Key | None, line: str) -> None:
        match = _NAMED.match(line)
        if match is None:
            self._fail("neither a key nor a value")
        if key is None:
            return
        name = "" if match["default"] else _ESCAPE.sub(r"\1", match["name"])
        content = line[match.end() :].strip()
        if content == "-":
            key.names.pop(name.casefold(), None)
            key.values.pop(name.casefold(), None)
            return
        key.names[name.casefold()] = name
        key.values[name.casefold()] = scrubbed(key.path, name, self._data(content))

    def _data(self, content: str) -> RegistryValue:
        if content.startswith('"'):
            if len(content) < 2 or not content.endswith('"'):  # noqa: PLR2004 - the two quotes
                self._fail("a text is not closed")
            return RegistryValue(kind=Kind.SZ, data=_ESCAPE.sub(r"\1", content[1:-1]))
        if content[:6].lower() == "dword:":
            digits = content[6:].strip()
            if not re.fullmatch(r"[0-9a-fA-F]{1,8}", digits):
                self._fail("a dword has no hexadecimal number")
            return RegistryValue(kind=Kind.DWORD, data=int(digits, 16))
        match = _HEX.fullmatch(content)
        if match is None:
            self._fail("a value has an unknown form")
        kind = _HEX_KINDS.get(int(match["kind"], 16) if match["kind"] else None, Kind.OTHER)
        digits = "".join(match["bytes"].split()).replace(",", "")
        try:
            raw = bytes.fromhex(digits)
        except ValueError:
            self._fail("a hex value has other signs in it")
        return _decoded(kind, raw)


def _decoded(kind: Kind, raw: bytes) -> RegistryValue:
    if kind in {Kind.DWORD, Kind.QWORD}:
        return RegistryValue(kind=kind, data=int.from_bytes(raw, "little"))
    if kind in {Kind.SZ, Kind.EXPAND_SZ}:
        return RegistryValue(kind=kind, data=raw.decode("utf-16-le", errors="replace").split("\0", 1)[0])
    if kind is Kind.MULTI_SZ:
        text = raw.decode("utf-16-le", errors="replace")
        return RegistryValue(kind=kind, data=tuple(part for part in text.split("\0") if part))
    return RegistryValue(kind=kind, data=raw)


def _is_kept(low: str) -> bool:
    """Whether a key is asked for, lies below such a key, or above one (then it tells what was exported)."""
    if low.startswith(_KEPT) or any(kept.startswith(low + "\\") for kept in _KEPT):
        return True
    return low.endswith(_USER_SUFFIX) or (low.startswith(HKU.casefold()) and low.count("\\") <= 1)


def _opens_text(line: str) -> bool:
    match = _NAMED.match(line)
    return match is not None and line[match.end() :].lstrip().startswith('"')


def _text_start(line: str) -> int:
    match = _NAMED.match(line)
    assert match is not None  # noqa: S101 - `_opens_text` was true for this line
    return line.index('"', match.end())


def _closes_text(rest: str) -> bool:
    """Whether text that follows an opening quote ends in a closing one: a quote after an even number of backslashes."""
    if not rest.endswith('"'):
        return False
    body = rest[:-1]
    return (len(body) - len(body.rstrip("\\"))) % 2 == 0


def _text(data: bytes, *, strict: bool, name: str = "") -> str:
    errors = "strict" if strict else "replace"
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return data.decode("utf-16", errors)
        if data.startswith(codecs.BOM_UTF8):
            return data.decode("utf-8-sig", errors)
        if data[1:2] == b"\0":
            return data.decode("utf-16-le", errors)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            # REGEDIT4 is written in the server's ANSI code page; every byte has a meaning in this one.
            return data.decode("latin-1")
    except UnicodeDecodeError as error:
        raise HostInputError(
            f"{name} is cut off or not text: byte {error.start} of {len(data)} cannot be read as {error.encoding}",
            hint="copy the file again, in binary mode",
        ) from None
