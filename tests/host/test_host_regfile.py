from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mimapp.errors import HostInputError
from mimapp.host.inputs import from_registry, read_inputs
from mimapp.host.regfile import RegFile, is_reg, read_reg
from mimapp.host.registry import HKLM, HKU, MIM_KEY, SECRET_NAME, Kind, Missing, RegistryValue, SecretShape
from mimapp.host.tls import settings, tls_reg

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = "Windows Registry Editor Version 5.00\r\n\r\n"
SERVICE = rf"{HKLM}\{MIM_KEY}"
NET = r"SOFTWARE\Microsoft\.NETFramework\v2.0.50727"


def _utf16(text: str) -> bytes:
    return b"\xff\xfe" + (HEAD + text).encode("utf-16-le")


def _sz(data: str) -> RegistryValue:
    return RegistryValue(kind=Kind.SZ, data=data)


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-16-le with mark": _utf16,
    "utf-16-be with mark": lambda text: b"\xfe\xff" + (HEAD + text).encode("utf-16-be"),
    "utf-16-le without mark": lambda text: (HEAD + text).encode("utf-16-le"),
    "utf-8 with mark": lambda text: (HEAD + text).encode("utf-8-sig"),
    "utf-8": lambda text: (HEAD + text).encode(),
    "unix line ends": lambda text: (HEAD + text).replace("\r\n", "\n").encode(),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_is_read(encoding: str) -> None:
    text = f'[{SERVICE}]\r\n"ExchangeOnlineTenantID"="Zürich ü"\r\n@="x"\r\n'
    found = read_reg(ENCODINGS[encoding](text))
    assert found.value(SERVICE, "exchangeonlinetenantid") == _sz("Zürich ü")
    assert found.value(SERVICE, "") == _sz("x")


def test_a_regedit4_file_in_an_ansi_code_page_is_read() -> None:
    data = f'REGEDIT4\r\n\r\n[{SERVICE}]\r\n"ExchangeOnlineTenantID"="Z\u00fcrich"\r\n'.encode("cp1252")
    assert read_reg(data).value(SERVICE, "ExchangeOnlineTenantID") == _sz("Zürich")


def _hex(data: bytes) -> str:
    return ",".join(f"{one:02x}" for one in data)


def _wide(*parts: str) -> str:
    return _hex("".join(f"{part}\0" for part in parts).encode("utf-16-le"))


VALUES = [
    ('"a\\\\b\\"c"', _sz('a\\b"c')),
    ('""', _sz("")),
    ("dword:00000001", RegistryValue(kind=Kind.DWORD, data=1)),
    ("dword:ffffffff", RegistryValue(kind=Kind.DWORD, data=0xFFFFFFFF)),
    ("hex:01,02,\\\r\n  03", RegistryValue(kind=Kind.BINARY, data=b"\1\2\3")),
    ("hex:", RegistryValue(kind=Kind.BINARY, data=b"")),
    (f"hex(2):{_wide('%SystemRoot%')}", RegistryValue(kind=Kind.EXPAND_SZ, data="%SystemRoot%")),
    (f"hex(1):{_wide('abc')}", _sz("abc")),
    (f"hex(7):{_wide('a', 'b', '')}", RegistryValue(kind=Kind.MULTI_SZ, data=("a", "b"))),
    ("hex(b):01,00,00,00,00,00,00,00", RegistryValue(kind=Kind.QWORD, data=1)),
    ("hex(4):02,00,00,00", RegistryValue(kind=Kind.DWORD, data=2)),
    ("hex(0):", RegistryValue(kind=Kind.OTHER, data=b"")),
    ('"two\r\nlines"', _sz("two\nlines")),
    ('"ends in a backslash\\\\"', _sz("ends in a backslash\\")),
    ('"[not a key]"', _sz("[not a key]")),
]


@pytest.mark.parametrize(("written", "wanted"), VALUES, ids=[written for written, _ in VALUES])
def test_every_form_of_a_value_is_read(written: str, wanted: RegistryValue) -> None:
    found = read_reg(_utf16(f'[{SERVICE}]\r\n"x"={written}\r\n"after"=dword:00000007\r\n'))
    assert found.value(SERVICE, "x") == wanted
    assert found.value(SERVICE, "after") == RegistryValue(kind=Kind.DWORD, data=7)


def test_names_are_unescaped() -> None:
    found = read_reg(_utf16(f'[{SERVICE}]\r\n"a\\"b\\\\c"="1"\r\n'))
    assert found.names(SERVICE) == ('a"b\\c',)


def test_deleted_values_and_keys_are_absent() -> None:
    found = read_reg(
        _utf16(
            f'[{SERVICE}]\r\n"x"="1"\r\n"x"=-\r\n\r\n[{HKLM}\\{NET}]\r\n"y"="1"\r\n\r\n'
            f"[-{HKLM}\\{NET}]\r\n\r\n[-{HKLM}\\SOFTWARE\\Microsoft\\NET Framework Setup\\NDP]\r\n"
        )
    )
    assert found.value(SERVICE, "x") is Missing.ABSENT
    assert found.value(rf"{HKLM}\{NET}", "y") is Missing.ABSENT
    assert found.names(rf"{HKLM}\{NET}") is Missing.ABSENT


def test_a_key_that_comes_again_after_it_was_deleted_starts_empty() -> None:
    found = read_reg(
        _utf16(
            f'[{HKLM}\\{NET}]\r\n"old"="1"\r\n[-{HKLM}\\SOFTWARE\\Microsoft\\.NETFramework]\r\n'
            f'[{HKLM}\\{NET}]\r\n"new"="1"\r\n'
        )
    )
    assert found.names(rf"{HKLM}\{NET}") == ("new",)


def test_absent_is_told_from_unseen() -> None:
    found = read_reg(_utf16(f"[{HKLM}\\SOFTWARE\\Microsoft\\.NETFramework]\r\n"))
    assert found.value(rf"{HKLM}\{NET}", "SchUseStrongCrypto") is Missing.ABSENT
    assert found.value(SERVICE, "x") is Missing.UNSEEN
    assert found.subkeys(HKU) is Missing.UNSEEN


# An evident placeholder in the shape of base64 of a DPAPI blob.
BLOB = "AQAAANCMnd8BFdERjHoAwE/Cl+sBAAAA" + "UkVEQUNURUQ" * 8
TOKEN = "eyJ0eXAi.REDACTED." * 20
SID = "S-1-5-21-1-2-3-1112"


def test_a_secret_and_a_token_are_reduced_to_their_shape() -> None:
    found = read_reg(
        _utf16(
            f'[{SERVICE}]\r\n"{SECRET_NAME}"="{BLOB}"\r\n"EncryptedExchangeOnlineAccountPassword"="{BLOB}"\r\n'
            f'"ExchangeOnlineApplicationID"="app"\r\n\r\n[{HKU}\\{SID}\\{MIM_KEY}]\r\n"Anything"="{TOKEN}"\r\n'
        )
    )
    shape = SecretShape(length=len(BLOB), dpapi=False)
    secret = found.value(SERVICE, SECRET_NAME)
    assert isinstance(secret, RegistryValue)
    assert secret.data in (shape, SecretShape(length=len(BLOB), dpapi=True))
    server = from_registry(found, "x.reg")
    assert server.secret is not None
    assert server.secret.present
    assert server.token is not None
    assert server.token.present
    names = found.names(SERVICE)
    assert isinstance(names, tuple)
    held = repr([found.value(SERVICE, name) for name in names]) + repr(vars(found)) + repr(server)
    assert BLOB not in held
    assert TOKEN not in held
    assert "REDACTED" not in held
    assert found.value(SERVICE, "ExchangeOnlineApplicationID") == _sz("app")


def test_a_dpapi_blob_is_known_by_its_header() -> None:
    real = "AQAAANCMnd8BFdERjHoAwE/Cl+sBAAAA"
    found = read_reg(_utf16(f'[{SERVICE}]\r\n"{SECRET_NAME}"="{real}"\r\n'))
    value = found.value(SERVICE, SECRET_NAME)
    assert isinstance(value, RegistryValue)
    assert value.data == SecretShape(length=len(real), dpapi=True)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a .reg export"),
        (b"\xff\xfe", "not a .reg export"),
        (b"MZ\x90\x00", "not a .reg export"),
        (_utf16(f"[{SERVICE}\r\n"), "line 3: a key is not closed"),
        (_utf16('"x"="1"\r\n'), "line 3: a value stands before the first key"),
        (_utf16(f"[{SERVICE}]\r\nnonsense\r\n"), "line 4: neither a key nor a value"),
        (_utf16(f'[{SERVICE}]\r\n"x"="no end\r\n'), "ends in the middle of a value"),
        (_utf16(f'[{SERVICE}]\r\n"x"=hex:01,02,\\\r\n'), "ends in the middle of a value"),
        (_utf16(f'[{SERVICE}]\r\n"x"=hex:0g\r\n'), "hex value has other signs"),
        (_utf16(f'[{SERVICE}]\r\n"x"=hex:1\r\n'), "hex value has other signs"),
        (_utf16(f'[{SERVICE}]\r\n"x"=dword:xyz\r\n'), "dword has no hexadecimal"),
        (_utf16(f'[{SERVICE}]\r\n"x"=secret-text\r\n'), "unknown form"),
        (_utf16(f"[{SERVICE}]\r\n")[:-1], "cut off"),
    ],
)
def test_a_broken_file_is_refused_with_its_line_and_not_its_content(data: bytes, words: str) -> None:
    with pytest.raises(HostInputError) as caught:
        read_reg(data, "x.reg")
    assert words in caught.value.message
    assert "secret-text" not in caught.value.message + (caught.value.hint or "")


def test_a_huge_export_is_read_in_time_and_keeps_little() -> None:
    filler = "".join(
        f'[{HKLM}\\SOFTWARE\\Vendor\\Thing{number}]\r\n"a"="{"x" * 60}"\r\n"b"=hex:00,01,\\\r\n  02,03\r\n\r\n'
        for number in range(20_000)
    )
    data = _utf16(f'{filler}[{SERVICE}]\r\n"ExchangeOnlineTenantID"="t"\r\n')
    start = time.process_time()
    found = read_reg(data)
    assert time.process_time() - start < 20
    assert found.value(SERVICE, "ExchangeOnlineTenantID") == _sz("t")
    assert repr(found) == "RegFile(1 keys)"


def test_many_deleted_keys_take_no_more_than_their_lines() -> None:
    data = _utf16("".join(f"[{HKLM}\\{NET}\\{n}]\r\n[-{HKLM}\\{NET}\\{n}]\r\n" for n in range(20_000)))
    start = time.process_time()
    read_reg(data)
    assert time.process_time() - start < 20


def test_our_own_reg_file_reads_back_as_the_table() -> None:
    found = read_reg(tls_reg(disable_legacy=True).encoded())
    for row in settings(disable_legacy=True):
        assert found.value(rf"{HKLM}\{row.key}", row.name) == RegistryValue(kind=Kind.DWORD, data=row.data)


_KEYS = st.sampled_from([SERVICE, rf"{HKLM}\{NET}", rf"{HKU}\{SID}\{MIM_KEY}", rf"{HKLM}\SOFTWARE\Other"])
_NAME = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=8)
_TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\0\x0b\x0c"), max_size=20)


def _written(data: str | int | bytes) -> str:
    if isinstance(data, str):
        return '"' + data.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"dword:{data:08x}" if isinstance(data, int) else "hex:" + _hex(data)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([SERVICE, rf"{HKLM}\{NET}"]),
            _NAME.filter(
                lambda name: not any(w in name.casefold() for w in ("secret", "token", "password", "encrypted"))
            ),
            st.one_of(_TEXT, st.integers(0, 0xFFFFFFFF), st.binary(max_size=30)),
        ),
        max_size=12,
        unique_by=lambda row: (row[0], row[1].casefold()),
    )
)
def test_what_is_written_is_read(rows: list[tuple[str, str, str | int | bytes]]) -> None:
    lines = "".join(f"[{key}]\r\n{_written(name)}={_written(data)}\r\n\r\n" for key, name, data in rows)
    found = read_reg(_utf16(lines))
    for key, name, data in rows:
        value = found.value(key, name)
        assert isinstance(value, RegistryValue)
        assert value.data == data


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"\xff\xfe", HEAD.encode(), b"\xff\xfe" + HEAD.encode("utf-16-le")])
)
@example(b"[HKEY_LOCAL_MACHINE\r\n", HEAD.encode())
def test_any_bytes_are_read_or_refused(data: bytes, start: bytes) -> None:
    with contextlib.suppress(HostInputError):
        assert isinstance(read_reg(start + data), RegFile)


@given(
    st.lists(
        st.tuples(_KEYS, st.sampled_from(["[", "[-", '"', '"x"="', '"x"=hex:', "@=", ";", "\\", "]", "dword:"]), _TEXT)
    )
)
def test_hostile_lines_are_read_or_refused_and_no_secret_is_kept(parts: list[tuple[str, str, str]]) -> None:
    text = f'[{SERVICE}]\r\n"{SECRET_NAME}"="{BLOB}"\r\n' + "".join(
        f"{sign}{key}]{rest}\r\n" for key, sign, rest in parts
    )
    try:
        found = read_reg(_utf16(text))
    except HostInputError as error:
        shown = error.message + (error.hint or "") + repr(error.details)
    else:
        shown = repr([found.value(SERVICE, SECRET_NAME), found.names(SERVICE), found.subkeys(HKLM)])
    assert BLOB not in shown


@pytest.mark.parametrize("cut", range(1, 200, 7))
def test_a_file_cut_anywhere_is_read_or_refused(cut: int) -> None:
    whole = _utf16(f'[{SERVICE}]\r\n"{SECRET_NAME}"="{BLOB}"\r\n"n"=hex:01,02,\\\r\n  03\r\n')
    try:
        shown = repr(read_reg(whole[:-cut]).value(SERVICE, SECRET_NAME))
    except HostInputError as error:
        shown = str(error)
    assert BLOB[:40] not in shown


def test_only_one_kind_of_input_at_a_time() -> None:
    with pytest.raises(HostInputError, match="nothing to check"):
        read_inputs([])
    with pytest.raises(HostInputError, match="stands alone"):
        read_inputs([("a.reg", _utf16("")), ("b.json", b"{}")])
    assert is_reg(_utf16(""))
    assert not is_reg(b"{}")
