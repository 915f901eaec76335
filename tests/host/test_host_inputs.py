"""Inputs of `host check` beyond one right file: several exports, binary values, sizes, what no input knows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from mimapp.errors import HostInputError
from mimapp.host import collected, regfile
from mimapp.host.check import check_host
from mimapp.host.check_text import report_html, report_json, report_text
from mimapp.host.facts import RegistrationFacts
from mimapp.host.inputs import read_inputs
from mimapp.host.registry import (
    HKLM,
    HKU,
    MIM_KEY,
    SECRET_NAME,
    SERVICE_KEY,
    UNINSTALL_KEY,
    Kind,
    Missing,
    RegistryValue,
    SecretShape,
    scrubbed,
    token_owner,
)
from mimapp.host.row import Verdict

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SERVICE, FIM = rf"{HKLM}\{MIM_KEY}", rf"{HKLM}\{SERVICE_KEY}"
SID = "S-1-5-21-1-2-3-1112"
PRODUCT = rf"{HKLM}\{UNINSTALL_KEY}\{{0D9F}}"


def _reg(text: str) -> bytes:
    return ("Windows Registry Editor Version 5.00\r\n\r\n" + text).encode("utf-16")


def _minimal(**change: Any) -> bytes:
    document = {
        "schema": "mimapp.host-collected/1",
        "collectedAt": "2026-11-21T08:00:00",
        "server": "MIM01",
        "values": [],
        "secret": {"present": False},
        "token": {"readable": False},
        "events": {"readable": False, "days": 7},
        "account": {},
        **change,
    }
    return json.dumps(document).encode()


def test_several_exports_are_one_server() -> None:
    found = read_inputs(
        [
            ("mim.reg", _reg(f'[{SERVICE}]\r\n"ExchangeOnlineTenantID"="t"\r\n"{SECRET_NAME}"="UkVEQUNURUQ="\r\n')),
            ("fim.reg", _reg(f'[{FIM}]\r\n"ObjectName"="CONTOSO\\\\svcMIM"\r\n')),
            ("user.reg", _reg(f'[{HKU}\\{SID}\\{MIM_KEY}]\r\n"x"="{"REDACTED" * 40}"\r\n')),
            (
                "programs.reg",
                _reg(
                    f'[{PRODUCT}]\r\n"DisplayName"="Microsoft Identity Manager Service and Portal"\r\n'
                    '"DisplayVersion"="4.6.607.0"\r\n"UninstallString"="MsiExec.exe /I{0D9F}"\r\n'
                ),
            ),
        ]
    )
    assert found.source == "mim.reg, fim.reg, user.reg, programs.reg"
    assert found.versions == ("4.6.607.0",)
    assert found.uninstall_string == "MsiExec.exe /I{0D9F}"
    assert found.secret is not None
    assert found.secret.present
    assert found.token is not None
    assert found.token.present
    assert found.token.written is None
    registry = found.registry
    assert registry.value(SERVICE, "ExchangeOnlineTenantID") == RegistryValue(kind=Kind.SZ, data="t")
    assert registry.value(SERVICE, "ExchangeOnlineApplicationID") is Missing.ABSENT
    assert registry.value(rf"{HKLM}\SYSTEM\Elsewhere", "x") is Missing.UNSEEN
    assert registry.names(FIM) == ("ObjectName",)
    assert registry.names(rf"{HKLM}\SYSTEM\Elsewhere") is Missing.UNSEEN
    assert registry.written(SERVICE) is None
    rows = {row.key: row for row in check_host(found, None, NOW).rows}
    assert rows["account"].verdict is Verdict.OK
    assert rows["secret"].value.endswith("when is not known)")
    assert rows["token"].value == "present, when is not known"


def test_a_users_part_without_a_token_is_seen_as_that() -> None:
    found = read_inputs([("user.reg", _reg(f'[{HKU}\\{SID}\\{MIM_KEY}]\r\n"x"="short"\r\n[{HKU}\\{SID}_Classes]\r\n'))])
    assert found.token is not None
    assert not found.token.present


def test_an_export_of_the_programs_without_mim_says_not_installed() -> None:
    found = read_inputs([("p.reg", _reg(f'[{HKLM}\\{UNINSTALL_KEY}\\Other]\r\n"DisplayName"="Other"\r\n'))])
    assert found.versions == ()
    row = check_host(found, None, NOW).rows[0]
    assert (row.key, row.verdict) == ("mim-build", Verdict.WRONG)


def test_a_deleted_programs_key_is_no_programs() -> None:
    found = read_inputs([("p.reg", _reg(f"[-{HKLM}\\{UNINSTALL_KEY}]\r\n"))])
    assert found.versions == ()


@pytest.mark.parametrize(
    ("kind", "data", "wanted"),
    [
        ("Binary", [1, 2, 255], RegistryValue(kind=Kind.BINARY, data=b"\1\2\xff")),
        ("MultiString", ["a", "b"], RegistryValue(kind=Kind.MULTI_SZ, data=("a", "b"))),
        ("ExpandString", "%x%", RegistryValue(kind=Kind.EXPAND_SZ, data="%x%")),
        ("QWord", 2**40, RegistryValue(kind=Kind.QWORD, data=2**40)),
        ("None", "x", RegistryValue(kind=Kind.OTHER, data="x")),
    ],
)
def test_every_kind_of_a_collected_value_is_read(kind: str, data: object, wanted: RegistryValue) -> None:
    values = [{"key": "A", "name": "b", "present": True, "kind": kind, "data": data}]
    registry = read_inputs([("x.json", _minimal(values=values))]).registry
    assert registry.value(rf"{HKLM}\A", "B") == wanted
    assert registry.names(rf"{HKLM}\A") is Missing.UNSEEN
    assert registry.subkeys(rf"{HKLM}\A") is Missing.UNSEEN
    assert registry.written(rf"{HKLM}\A") is None


def test_a_time_without_a_zone_is_utc() -> None:
    found = read_inputs([("x.json", _minimal())]).collected
    assert found is not None
    assert found.collected_at == datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def test_a_time_that_no_date_can_hold_is_refused() -> None:
    with pytest.raises(HostInputError):
        read_inputs([("x.json", _minimal(collectedAt="0001-01-01T00:00:00+14:00"))])


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        (b"\x01\x00\x00\x00\xd0\x8c\x9d\xdf\x01\x15\xd1\x11\x8c\x7a\x00\xc0\x4f\xc2\x97\xeb", (20, True)),
        (b"abc", (3, False)),
        ("not base64!", (11, False)),
        (7, (1, False)),
        (("a", "b"), (10, False)),
    ],
)
def test_a_secret_of_any_kind_is_reduced(data: Any, shape: tuple[int, bool]) -> None:
    found = scrubbed(SERVICE, SECRET_NAME, RegistryValue(kind=Kind.OTHER, data=data))
    assert found.data == SecretShape(length=shape[0], dpapi=shape[1])
    assert scrubbed(SERVICE, SECRET_NAME, found) is found


@pytest.mark.parametrize(
    ("key", "owner"),
    [
        (rf"{HKU}\{SID}\{MIM_KEY}", SID),
        (rf"{HKU}\{SID}\{MIM_KEY}".upper(), SID),
        (rf"{HKU}\{MIM_KEY}", None),
        (rf"{HKU}\{SID}\Extra\{MIM_KEY}", None),
        (SERVICE, None),
    ],
)
def test_whose_token_a_key_holds(key: str, owner: str | None) -> None:
    assert token_owner(key) == owner


def test_files_of_another_size_are_refused() -> None:
    with pytest.raises(HostInputError, match="a few KiB"):
        collected.read_collected(b" " * (collected._MOST_BYTES + 1))
    with pytest.raises(HostInputError, match="more than"):
        regfile.read_reg(b" " * (regfile._MOST_BYTES + 1))


def test_a_sandbox_registration_marks_the_report() -> None:
    facts = RegistrationFacts(
        application_id="213ca08c-94a9-414d-b09f-123456789012",
        tenant_id="5c79cea7-0e47-428c-de9c-987654321098",
        mailbox="a@contoso.com",
        sandbox=True,
    )
    report = check_host(read_inputs([("x.json", _minimal())]), facts, NOW)
    assert report_text(report).startswith("SANDBOX")
    assert "SANDBOX" in report_html(report)
    assert json.loads(report_json(report))["sandbox"] is True


def test_a_damaged_dotnet_value_is_wrong_with_its_kind() -> None:
    key = rf"{HKLM}\SOFTWARE\Microsoft\.NETFramework\v2.0.50727"
    found = read_inputs([("n.reg", _reg(f'[{key}]\r\n"SchUseStrongCrypto"=hex:01\r\n'))])
    rows = {row.key: row for row in check_host(found, None, NOW).rows}
    assert rows["dotnet-v2-64"].value == "SystemDefaultTlsVersions absent, SchUseStrongCrypto a REG_BINARY"
    assert rows["dotnet-v2-32"].verdict is Verdict.UNSEEN
