from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mimapp.errors import HostInputError
from mimapp.host.check import BUILDS, check_host
from mimapp.host.check_text import report_html, report_json, report_text
from mimapp.host.collect import FIPS_KEY, NET_35_KEY
from mimapp.host.collected import read_collected
from mimapp.host.facts import RegistrationFacts
from mimapp.host.inputs import from_registry, read_inputs
from mimapp.host.registry import HKLM, HKU, MIM_KEY, SERVICE_KEY, UNINSTALL_KEY, Kind, Missing, RegistryValue, scrubbed
from mimapp.host.row import HostReport, Row, Verdict
from mimapp.host.tls import Group, settings
from mimapp.host.winregistry import local_registry
from support.page import read_page

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
APP, TENANT = "213ca08c-94a9-414d-b09f-123456789012", "5c79cea7-0e47-428c-de9c-987654321098"
FACTS = RegistrationFacts(
    application_id=APP,
    tenant_id=TENANT,
    mailbox="MIMService@contoso.com",
    secret_expires=datetime(2027, 5, 20, tzinfo=UTC),
    secret_issued=datetime(2026, 11, 20, tzinfo=UTC),
)
PRODUCT_KEY = rf"{HKLM}\{UNINSTALL_KEY}\{{0D9F4B35-5C3B-4F0B-9D21-ABCDEF012345}}"
SID = "S-1-5-21-1-2-3-1112"


class FakeRegistry:
    """A `RegistryReader` from a table; a name mapped to `Missing` says so."""

    def __init__(self, values: dict[tuple[str, str], Any], times: dict[str, datetime] | None = None) -> None:
        self.values = {(key.casefold(), name.casefold()): (key, name, data) for (key, name), data in values.items()}
        self.times = {key.casefold(): time for key, time in (times or {}).items()}

    def value(self, key: str, name: str) -> RegistryValue | Missing:
        found = self.values.get((key.casefold(), name.casefold()))
        if found is None:
            return Missing.ABSENT
        data = found[2]
        if isinstance(data, Missing):
            return data
        kind = Kind.DWORD if isinstance(data, int) else Kind.SZ
        return scrubbed(key, name, RegistryValue(kind=kind, data=data))

    def names(self, key: str) -> tuple[str, ...] | Missing:
        found = tuple(name for place, name, _ in self.values.values() if place.casefold() == key.casefold())
        return found or Missing.ABSENT

    def subkeys(self, key: str) -> tuple[str, ...] | Missing:
        prefix = key.casefold() + "\\"
        return tuple(
            {
                place[len(prefix) :].split("\\", 1)[0]: None
                for place, _, _ in self.values.values()
                if place.casefold().startswith(prefix)
            }
        )

    def written(self, key: str) -> datetime | None:
        return self.times.get(key.casefold())


def _right() -> dict[tuple[str, str], Any]:
    return {
        (PRODUCT_KEY, "DisplayName"): "Microsoft Identity Manager Service and Portal",
        (PRODUCT_KEY, "DisplayVersion"): "4.6.673.0",
        (PRODUCT_KEY, "UninstallString"): "MsiExec.exe /I{0D9F4B35-5C3B-4F0B-9D21-ABCDEF012345}",
        (rf"{HKLM}\{SERVICE_KEY}", "ObjectName"): r"CONTOSO\svcMIM$",
        (rf"{HKLM}\{SERVICE_KEY}", "PollExchangeEnabled"): 1,
        (rf"{HKLM}\{MIM_KEY}", "ExchangeOnlineApplicationID"): APP,
        (rf"{HKLM}\{MIM_KEY}", "ExchangeOnlineTenantID"): TENANT.upper(),
        (rf"{HKLM}\{MIM_KEY}", "EncryptedExchangeOnlineClientSecret"): "UkVEQUNURUQ=",
        (rf"{HKU}\{SID}\{MIM_KEY}", "Whatever"): "REDACTED" * 40,
        (rf"{HKLM}\{NET_35_KEY}", "Install"): 1,
        **{(rf"{HKLM}\{row.key}", row.name): row.data for row in settings()},
    }


TIMES = {
    rf"{HKLM}\{MIM_KEY}": NOW - timedelta(hours=2),
    rf"{HKU}\{SID}\{MIM_KEY}": NOW - timedelta(hours=1),
}


def _check(
    change: dict[tuple[str, str], Any] | None = None,
    times: dict[str, datetime] | None = None,
    facts: RegistrationFacts | None = FACTS,
) -> HostReport:
    values = {**_right(), **(change or {})}
    return check_host(from_registry(FakeRegistry(values, times or TIMES), "registry"), facts, NOW)


def _row(report: HostReport, key: str) -> Row:
    return next(row for row in report.rows if row.key == key)


def test_a_right_server_needs_nobody() -> None:
    report = _check()
    assert not report.attention
    assert {row.key for row in report.rows if row.verdict is Verdict.UNSEEN} == {
        "service",
        "event-12",
        "token-message",
        "reach-login.microsoftonline.com",
        "reach-outlook.office365.com",
    }
    assert {row.verdict for row in report.rows} == {Verdict.OK, Verdict.UNSEEN}


_BUILD = (PRODUCT_KEY, "DisplayVersion")
_MIM = rf"{HKLM}\{MIM_KEY}"
_FIM = rf"{HKLM}\{SERVICE_KEY}"
_NET2 = rf"{HKLM}\SOFTWARE\Microsoft\.NETFramework\v2.0.50727"
_TLS12 = rf"{HKLM}\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2"
_TLS10 = _TLS12.replace("1.2", "1.0")
A = Missing.ABSENT
U = Missing.UNSEEN

# One change of a right server: what, to which value; the row, its verdict, words of why or fix.
CASES = [
    (_BUILD, "4.6.34.0", "mim-build", Verdict.WRONG, "came with 4.6.421.0"),
    (_BUILD, "4.6.421.0", "mim-build", Verdict.OK, "4.6.607.0 brings KB5009981"),
    (_BUILD, "4.6.673.0", "mim-build", Verdict.OK, ""),
    (_BUILD, "4.7.12.0", "mim-build", Verdict.OK, "SP3"),
    (_BUILD, "SP2", "mim-build", Verdict.ATTENTION, "not four numbers"),
    (_BUILD, "4.6.421", "mim-build", Verdict.ATTENTION, "not four numbers"),
    ((PRODUCT_KEY, "DisplayName"), "Another product", "mim-build", Verdict.WRONG, "no Microsoft Identity Manager"),
    ((_FIM, "ObjectName"), r"CONTOSO\svcMIM", "account", Verdict.OK, "option C"),
    ((_FIM, "ObjectName"), r"CONTOSO\svcMIM$", "account", Verdict.OK, "option H"),
    ((_FIM, "ObjectName"), A, "account", Verdict.WRONG, "not installed here"),
    ((_FIM, "ObjectName"), U, "account", Verdict.UNSEEN, ""),
    ((_MIM, "ExchangeOnlineApplicationID"), TENANT, "application-id", Verdict.WRONG, "another application"),
    ((_MIM, "ExchangeOnlineApplicationID"), "{" + APP.upper() + "}", "application-id", Verdict.OK, ""),
    ((_MIM, "ExchangeOnlineApplicationID"), A, "application-id", Verdict.WRONG, "never run with Application Context"),
    ((_MIM, "ExchangeOnlineApplicationID"), U, "application-id", Verdict.UNSEEN, ""),
    ((_MIM, "ExchangeOnlineTenantID"), APP, "tenant-id", Verdict.WRONG, "another tenant"),
    ((_MIM, "ExchangeOnlineTenantID"), "contoso.onmicrosoft.com", "tenant-id", Verdict.WRONG, "another tenant"),
    ((_MIM, "EncryptedExchangeOnlineClientSecret"), A, "secret", Verdict.WRONG, "never stored"),
    ((_MIM, "EncryptedExchangeOnlineClientSecret"), "", "secret", Verdict.WRONG, "never stored"),
    ((_MIM, "EncryptedExchangeOnlineClientSecret"), U, "secret", Verdict.UNSEEN, ""),
    ((rf"{HKU}\{SID}\{MIM_KEY}", "Whatever"), "short", "token", Verdict.ATTENTION, "got no token"),
    ((_FIM, "PollExchangeEnabled"), 0, "poll-exchange", Verdict.NOTE, "not read"),
    ((_FIM, "PollExchangeEnabled"), A, "poll-exchange", Verdict.NOTE, "not read"),
    ((_FIM, "PollExchangeEnabled"), U, "poll-exchange", Verdict.UNSEEN, ""),
    ((rf"{_TLS12}\Client", "Enabled"), A, "tls12-client", Verdict.OK, "Windows' default"),
    ((rf"{_TLS12}\Client", "Enabled"), 0, "tls12-client", Verdict.WRONG, "turned off"),
    ((rf"{_TLS12}\Client", "Enabled"), 0xFFFFFFFF, "tls12-client", Verdict.OK, ""),
    ((rf"{_TLS12}\Client", "Enabled"), "1", "tls12-client", Verdict.WRONG, "wrong type"),
    ((rf"{_TLS12}\Server", "DisabledByDefault"), 1, "tls12-server", Verdict.WRONG, "turned off"),
    ((_NET2, "SchUseStrongCrypto"), A, "dotnet-v2-64", Verdict.WRONG, "runs on .NET 3.5"),
    ((_NET2, "SchUseStrongCrypto"), 0, "dotnet-v2-64", Verdict.WRONG, "runs on .NET 3.5"),
    ((_NET2, "SystemDefaultTlsVersions"), "1", "dotnet-v2-64", Verdict.WRONG, "runs on .NET 3.5"),
    ((_NET2.replace("SOFTWARE", r"SOFTWARE\WOW6432Node"), "SchUseStrongCrypto"), A, "dotnet-v2-32", Verdict.WRONG, ""),
    ((_NET2.replace("v2.0.50727", "v4.0.30319"), "SchUseStrongCrypto"), 0, "dotnet-v4-64", Verdict.WRONG, ".NET 4"),
    ((rf"{_TLS10}\Client", "Enabled"), 0, "tls-legacy", Verdict.NOTE, "self-signed"),
    ((rf"{HKLM}\{NET_35_KEY}", "Install"), A, "dotnet-35", Verdict.WRONG, "NET-Framework-Core"),
    ((rf"{HKLM}\{NET_35_KEY}", "Install"), U, "dotnet-35", Verdict.UNSEEN, ""),
    ((rf"{HKLM}\{FIPS_KEY}", "Enabled"), 0, "fips", Verdict.OK, ""),
    ((rf"{HKLM}\{FIPS_KEY}", "Enabled"), 1, "fips", Verdict.ATTENTION, "enforceFIPSPolicy"),
    ((rf"{HKLM}\{FIPS_KEY}", "Enabled"), U, "fips", Verdict.UNSEEN, ""),
]


@pytest.mark.parametrize(("place", "data", "key", "verdict", "words"), CASES)
def test_one_change_of_a_right_server(
    place: tuple[str, str], data: str | int | Missing, key: str, verdict: Verdict, words: str
) -> None:
    report = _check({place: data})
    row = _row(report, key)
    assert row.verdict is verdict
    assert words in row.why + row.fix
    assert report.attention is (verdict in {Verdict.WRONG, Verdict.ATTENTION})
    if verdict in {Verdict.WRONG, Verdict.ATTENTION}:
        assert row.why
        assert row.fix


def test_later_builds_are_the_version_historys() -> None:
    assert [".".join(map(str, build)) for build, _ in BUILDS] == ["4.6.540.0", "4.6.607.0", "4.6.641.0", "4.6.673.0"]


def test_an_older_secret_than_the_one_issued_is_found() -> None:
    times = {**TIMES, _MIM: FACTS.secret_issued - timedelta(minutes=1)} if FACTS.secret_issued else {}
    row = _row(_check(times=times), "secret")
    assert row.verdict is Verdict.ATTENTION
    assert "before the current secret was issued" in row.why


def test_an_expired_secret_is_found() -> None:
    values = FakeRegistry(_right(), TIMES)
    report = check_host(from_registry(values, "registry"), FACTS, NOW + timedelta(days=365))
    assert "ended on 2027-05-20T00:00:00Z" in _row(report, "secret").why


def test_a_token_older_than_the_secret_asks_for_a_restart() -> None:
    row = _row(_check(times={**TIMES, _MIM: NOW}), "token")
    assert row.verdict is Verdict.ATTENTION
    assert row.fix == "Restart-Service FIMService"


def test_without_a_registration_ids_are_shown_and_not_judged() -> None:
    report = _check(facts=None)
    assert _row(report, "application-id").verdict is Verdict.NOTE
    assert _row(report, "application-id").value == APP
    assert not report.attention


# -- collected JSON -----------------------------------------------------------------------------------------------


def _collected(**change: Any) -> dict[str, Any]:
    values = [
        {"key": row.key, "name": row.name, "present": True, "kind": "DWord", "data": row.data} for row in settings()
    ]
    values += [
        {"key": key, "name": name, "present": True, "kind": "String", "data": data}
        for key, name, data in (
            (MIM_KEY, "ExchangeOnlineApplicationID", APP),
            (MIM_KEY, "ExchangeOnlineTenantID", TENANT),
            (SERVICE_KEY, "ObjectName", r"CONTOSO\svcMIM$"),
        )
    ]
    values += [
        {"key": SERVICE_KEY, "name": "PollExchangeEnabled", "present": True, "kind": "DWord", "data": 1},
        {"key": NET_35_KEY, "name": "Install", "present": True, "kind": "DWord", "data": 1},
        {"key": FIPS_KEY, "name": "Enabled", "present": False, "kind": None, "data": None},
    ]
    return {
        "schema": "mimapp.host-collected/1",
        "collectedAt": "2026-11-21T08:59:00.1234567Z",
        "server": "MIM01",
        "elevated": True,
        "products": [{"displayVersion": "4.6.673.0", "uninstallString": "MsiExec.exe /I{X}"}],
        "values": values,
        "secret": {"present": True, "length": 400, "dpapi": True, "keyWritten": "2026-11-21T07:00:00.0000000Z"},
        "account": {"name": r"CONTOSO\svcMIM$", "sid": SID, "managed": True},
        "token": {"readable": True, "present": True, "longest": 1800, "keyWritten": "2026-11-21T08:00:00.0000000Z"},
        "fipsSwitch": "absent",
        "service": "Running",
        "reach": [
            {"host": host, "connected": True, "tls12": True, "error": ""}
            for host in ("login.microsoftonline.com", "outlook.office365.com")
        ],
        "events": {
            "readable": True,
            "days": 7,
            "scanned": 100,
            "connectCount": 0,
            "connectLast": None,
            "tokenCount": 0,
            "tokenLast": None,
        },
        **change,
    }


def _check_json(**change: Any) -> HostReport:
    data = json.dumps(_collected(**change)).encode()
    return check_host(read_inputs([("mim01.json", data)]), FACTS, NOW)


def test_a_right_collected_file_answers_every_row() -> None:
    report = _check_json()
    assert not report.attention
    assert {row.verdict for row in report.rows} - {Verdict.OK} == {Verdict.UNSEEN}
    # Legacy values were not in this file; everything else is answered.
    assert [row.key for row in report.rows if row.verdict is Verdict.UNSEEN] == ["tls-legacy"]
    assert report.server == "MIM01"
    assert "400 characters, DPAPI, key written 2026-11-21T07:00:00Z" in _row(report, "secret").value


@pytest.mark.parametrize(
    ("change", "key", "verdict", "words"),
    [
        ({"service": "Stopped"}, "service", Verdict.WRONG, "Start-Service"),
        ({"service": None}, "service", Verdict.WRONG, "Start-Service"),
        ({"products": []}, "mim-build", Verdict.WRONG, "no Microsoft Identity Manager"),
        ({"token": {"readable": False}}, "token", Verdict.UNSEEN, "not readable"),
        ({"token": {"readable": True}}, "token", Verdict.ATTENTION, "got no token"),
        ({"secret": {"present": False}}, "secret", Verdict.WRONG, "never stored"),
        ({"elevated": False}, "elevated", Verdict.NOTE, "administrator"),
        (
            {"reach": [{"host": "login.microsoftonline.com", "connected": True, "tls12": False, "error": "x"}]},
            "reach-login.microsoftonline.com",
            Verdict.ATTENTION,
            "breaks TLS",
        ),
        (
            {"reach": [{"host": "outlook.office365.com", "connected": False, "error": "refused"}]},
            "reach-outlook.office365.com",
            Verdict.ATTENTION,
            "allow outlook.office365.com:443",
        ),
        ({"reach": []}, "reach-outlook.office365.com", Verdict.UNSEEN, "another cloud"),
        ({"events": {"readable": False, "days": 7}}, "event-12", Verdict.UNSEEN, "elevated"),
        (
            {"events": {"readable": True, "days": 7, "connectCount": 3, "connectLast": "2026-11-21T08:00:00Z"}},
            "event-12",
            Verdict.ATTENTION,
            "mimapp explain event-12",
        ),
        (
            {"events": {"readable": True, "days": 7, "tokenCount": 1, "tokenLast": "2026-11-21T08:00:00Z"}},
            "token-message",
            Verdict.ATTENTION,
            "mimapp explain mim-token",
        ),
    ],
)
def test_one_change_of_a_right_collected_file(change: dict[str, Any], key: str, verdict: Verdict, words: str) -> None:
    row = _row(_check_json(**change), key)
    assert row.verdict is verdict
    assert words in row.why + row.fix


def test_fips_is_fine_when_mim_is_excepted() -> None:
    values = _collected()["values"]
    values[-1] = {"key": FIPS_KEY, "name": "Enabled", "present": True, "kind": "DWord", "data": 1}
    assert _row(_check_json(values=values, fipsSwitch="false"), "fips").verdict is Verdict.OK
    assert _row(_check_json(values=values, fipsSwitch="true"), "fips").verdict is Verdict.ATTENTION
    assert _row(_check_json(values=values, fipsSwitch=None), "fips").verdict is Verdict.ATTENTION


def test_a_secret_in_a_collected_file_is_not_kept() -> None:
    values = [
        {
            "key": MIM_KEY,
            "name": "EncryptedExchangeOnlineClientSecret",
            "present": True,
            "kind": "String",
            "data": "S3CR3T",
        }
    ]
    found = read_inputs([("x.json", json.dumps(_collected(values=values)).encode())])
    value = found.registry.value(_MIM, "EncryptedExchangeOnlineClientSecret")
    assert "S3CR3T" not in repr(value)
    assert isinstance(value, RegistryValue)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_windows_powershell_may_do_to_the_file_is_read(encoding: str) -> None:
    assert read_collected(json.dumps(_collected()).encode(encoding)).server == "MIM01"


def test_a_large_dword_is_read_as_unsigned() -> None:
    values = [{"key": "A", "name": "b", "present": True, "kind": "DWord", "data": -1}]
    found = read_collected(json.dumps(_collected(values=values)).encode())
    assert found.registry.value(rf"{HKLM}\A", "b") == RegistryValue(kind=Kind.DWORD, data=0xFFFFFFFF)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b'{"schema":"other/1"}',
        b"\xff\xfe{",
        b"[" * 100_000,
        json.dumps(_collected(collectedAt="yesterday")).encode(),
        json.dumps(_collected(values="x")).encode(),
        json.dumps(_collected())[:-50].encode(),
        b"\x80abc",
    ],
    ids=range(10),
)
def test_a_broken_collected_file_is_refused(data: bytes) -> None:
    with pytest.raises(HostInputError):
        read_collected(data)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has one")
def test_another_machine_has_no_local_registry() -> None:
    with pytest.raises(HostInputError, match="not one"):
        local_registry()


# -- how it is shown ----------------------------------------------------------------------------------------------


def test_text_json_and_html_show_every_row() -> None:
    report = _check_json(service="Stopped", server="<MIM&01>")
    text, document, html = report_text(report), json.loads(report_json(report)), report_html(report)
    assert document["schema"] == "mimapp.host-check/1"
    assert document["attention"] is True
    assert document["collectedAt"] == "2026-11-21T08:59:00Z"
    assert len(document["rows"]) == len(report.rows)
    shown = read_page(html).words
    for row in report.rows:
        assert row.title in text
        assert row.title in shown
        assert row.fix in shown
    assert "<MIM&01>" not in html
    assert "&lt;MIM&amp;01&gt;" in html
    assert "WRONG     FIMService" in text


def test_the_legacy_row_names_the_versions() -> None:
    change = {
        (rf"{HKLM}\{row.key}", row.name): row.data for row in settings(disable_legacy=True) if row.group is Group.LEGACY
    }
    assert _row(_check(change), "tls-legacy").value == "TLS 1.0 and TLS 1.1 turned off"
