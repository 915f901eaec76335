from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from ps_tree import commands, functions, parsed, tables
from ps_values import Bag, Host, PsError, Value
from ps_windows import Windows, enum
from registry_model import Registry

from mimapp.errors import UsageError
from mimapp.host.check import check_host
from mimapp.host.collect import DEFAULT_HOSTS, WATCHED, collect_script
from mimapp.host.facts import RegistrationFacts
from mimapp.host.inputs import read_inputs
from mimapp.host.registry import MIM_KEY, SECRET_NAME, SERVICE_KEY, UNINSTALL_KEY, is_secret
from mimapp.host.row import Verdict
from mimapp.host.tls import settings

if TYPE_CHECKING:
    from ps_run import Call

TEXT = collect_script().text
APP, TENANT = "213ca08c-94a9-414d-b09f-123456789012", "5c79cea7-0e47-428c-de9c-987654321098"
SID = "S-1-5-21-1-2-3-1112"
TOKEN = "eyJREDACTED." * 60
SECRET = "AQAAANCMnd8BFdERjHoAwE/Cl+sBAAAA" + "UkVEQUNURUQ=" * 10
FACTS = RegistrationFacts(application_id=APP, tenant_id=TENANT, mailbox="MIMService@contoso.com")


class Server(Windows):
    """A MIM server for the collecting script: service, account, hosts, events, configuration file."""

    def __init__(self, *, elevated: bool = True) -> None:
        super().__init__(Registry(), elevated=elevated)
        self.account_known = True
        self.unreachable: set[str] = set()
        self.events: list[Bag] | None = []
        self.config: str | None = "false"
        self.service: str | None = "Running"
        self.can_add_type = True
        put = self.registry.put
        for row in settings():
            put("HKLM", row.key, row.name, "DWord", row.data)
        put("HKLM", MIM_KEY, "ExchangeOnlineApplicationID", "String", APP)
        put("HKLM", MIM_KEY, "ExchangeOnlineTenantID", "String", TENANT)
        put("HKLM", MIM_KEY, SECRET_NAME, "String", SECRET)
        put("HKLM", SERVICE_KEY, "ObjectName", "String", r"CONTOSO\svcMIM$")
        put("HKLM", SERVICE_KEY, "ImagePath", "ExpandString", r'"C:\MIM\Microsoft.ResourceManagement.Service.exe"')
        put("HKLM", SERVICE_KEY, "PollExchangeEnabled", "DWord", 1)
        put("HKLM", r"SOFTWARE\Microsoft\NET Framework Setup\NDP\v3.5", "Install", "DWord", 1)
        product = rf"{UNINSTALL_KEY}\{{0D9F}}"
        put("HKLM", product, "DisplayName", "String", "Microsoft Identity Manager Service and Portal")
        put("HKLM", product, "DisplayVersion", "String", "4.6.673.0")
        put("HKLM", rf"{UNINSTALL_KEY}\Other", "DisplayName", "String", "Other")
        self.now += timedelta(hours=1)
        put("HKU", rf"{SID}\{MIM_KEY}", "Unknown", "String", TOKEN)
        self.now += timedelta(hours=1)
        self.environment["COMPUTERNAME"] = "MIM01"
        self._install()

    def _install(self) -> None:
        times = Host("MimappRegistry", methods={"written": lambda key: key.written})
        self.extra_types |= {
            "MimappRegistry": times,
            "Security.Principal.SecurityIdentifier": Host("SecurityIdentifier", methods={"cast": lambda value: value}),
            "Security.Authentication.SslProtocols": enum("SslProtocols", "Tls12"),
        }
        self.extra_commands |= {
            "Add-Type": (self._add_type, {"TypeDefinition"}, set()),
            "Get-Location": (lambda _: Bag([("Path", r"C:\temp")], table=False), set(), set()),
            "Get-Date": (lambda _: self.now, set(), set()),
            "Get-WinEvent": (self._get_events, {"FilterHashtable", "MaxEvents"}, set()),
            "Get-Service": (self._get_service, {"Name"}, set()),
        }

    def _add_type(self, call: Call) -> Value:
        assert "RegQueryInfoKeyW" in call.named["TypeDefinition"]
        if not self.can_add_type:
            raise PsError("Cannot add type. Definition of new types is not supported in this language mode.")

    def _get_events(self, call: Call) -> Value:
        query = call.named["FilterHashtable"]
        assert query["LogName"] == "Application"
        if self.events is None:
            raise PsError("Attempted to perform an unauthorized operation.")
        found = [one for one in self.events if one["TimeCreated"] >= query["StartTime"]]
        if not found:
            error = PsError("No events were found that match the specified selection criteria.")
            error.identifier = "NoMatchingEventsFound,Microsoft.PowerShell.Commands.GetWinEventCommand"
            raise error
        return found

    def _get_service(self, call: Call) -> Value:
        assert call.named["Name"] == "FIMService"
        if self.service is None:
            raise PsError("Cannot find any service with service name 'FIMService'.")
        return Bag([("Status", self.service)], table=False)

    def new_object(self, kind: str, arguments: list[Value]) -> Value:
        match kind:
            case "security.principal.ntaccount":
                return Host("NTAccount", methods={"translate": lambda _: self._translate(arguments[0])})
            case "net.sockets.tcpclient":
                return self._client()
            case "net.security.sslstream":
                return Host("SslStream", methods={"authenticateasclient": lambda *_: None, "close": lambda: None})
            case "xml.xmldocument":
                return self._document()
            case _:
                raise AssertionError(kind)

    def _translate(self, name: str) -> Value:
        assert name == r"CONTOSO\svcMIM$"
        if not self.account_known:
            raise PsError("Some or all identity references could not be translated.")
        return Bag([("Value", SID)], table=False)

    def _client(self) -> Host:
        asked: list[str] = []

        def begin(name: str, port: int, *_: Value) -> Value:
            assert port == 443
            asked.append(name)
            wait = Host("WaitHandle", methods={"waitone": lambda _: name not in self.unreachable})
            return Bag([("AsyncWaitHandle", wait)], table=False)

        return Host(
            "TcpClient",
            methods={
                "beginconnect": begin,
                "endconnect": lambda _: None,
                "getstream": lambda: "stream",
                "close": lambda: None,
            },
        )

    def _document(self) -> Host:
        def load(path: str) -> None:
            assert path == r"C:\MIM\Microsoft.ResourceManagement.Service.exe.config"
            if self.config is None:
                raise PsError("Could not find file.")

        def select(path: str) -> Value:
            assert path == "/configuration/runtime/enforceFIPSPolicy/@enabled"
            return Bag([("Value", self.config)], table=False) if self.config else None

        return Host(
            "XmlDocument",
            methods={"load": load, "selectsinglenode": select},
            setters={"xmlresolver": lambda value: None if value is None else pytest.fail("external XML")},
        )

    def collect(self) -> tuple[bytes, dict[str, Any]]:
        before = self.registry.snapshot()
        code, output = self.run(TEXT)
        assert code == 0
        assert output[0].startswith(r"Written: C:\temp\mimapp-collected-MIM01.json")
        assert self.registry.snapshot() == before
        (text,) = self.files.values()
        return text.encode(), json.loads(text)


def _event(number: int, text: str, hours: int) -> Bag:
    time = datetime(2026, 11, 21, 11, 0, tzinfo=UTC) - timedelta(hours=hours)
    return Bag([("Id", number), ("Message", text), ("TimeCreated", time)], table=False)


def test_the_script_parses_and_holds_the_watched_values() -> None:
    rows = [row for row in tables(parsed(TEXT)) if set(row) == {"Key", "Name"}]
    assert [(row["Key"], row["Name"]) for row in rows] == [(row.key, row.name) for row in WATCHED]
    assert not [row for row in WATCHED if is_secret(rf"HKEY_LOCAL_MACHINE\{row.key}", row.name)]
    for row in settings(disable_legacy=True):
        assert (row.key, row.name) in {(one.key, one.name) for one in WATCHED}


def test_the_script_only_reads() -> None:
    root = parsed(TEXT)
    assert set(commands(root)) - functions(root) == {
        "Add-Type",
        "ConvertTo-Json",
        "Get-Date",
        "Get-Location",
        "Get-Service",
        "Get-WinEvent",
        "Join-Path",
        "New-Object",
        "Set-StrictMode",
        "Write-Output",
    }
    assert not re.search(r"\.(SetValue|DeleteValue|DeleteSubKey\w*|CreateSubKey|SetAccessControl)\(", TEXT)
    assert TEXT.count("WriteAllText") == 1
    assert TEXT.isascii()


def test_a_right_server_collects_to_a_right_check() -> None:
    data, document = Server().collect()
    report = check_host(read_inputs([("x.json", data)]), FACTS, datetime(2026, 11, 21, 12, tzinfo=UTC))
    assert not report.attention
    assert {row.verdict for row in report.rows} == {Verdict.OK}
    assert document["products"] == [{"displayVersion": "4.6.673.0", "uninstallString": ""}]


def test_no_secret_and_no_token_leaves_the_server() -> None:
    data, document = Server().collect()
    text = data.decode()
    for held in (SECRET, TOKEN, SECRET[:40], TOKEN[:20]):
        assert held not in text
    assert document["secret"] == {
        "present": True,
        "length": len(SECRET),
        "dpapi": True,
        "keyWritten": "2026-11-21T09:00:00.0000000Z",
    }
    assert document["token"] == {
        "readable": True,
        "present": True,
        "longest": len(TOKEN),
        "keyWritten": "2026-11-21T10:00:00.0000000Z",
    }


def test_events_are_counted_newest_first() -> None:
    server = Server()
    text = "The Forefront Identity Manager Service cannot connect to the Exchange Web Service. Look at the network."
    server.events = [
        _event(12, text, 1),
        _event(12, "another program's event 12", 2),
        _event(3, "Could not get access token for office365 mailbox. Probably registry value is empty", 3),
        _event(12, text, 4),
        _event(12, text, 24 * 30),
    ]
    _, document = server.collect()
    events = document["events"]
    assert (events["connectCount"], events["connectLast"]) == (2, "2026-11-21T10:00:00.0000000Z")
    assert (events["tokenCount"], events["tokenLast"]) == (1, "2026-11-21T08:00:00.0000000Z")
    assert events["scanned"] == 4
    assert events["readable"] is True


@pytest.mark.parametrize(
    ("change", "place", "value"),
    [
        ({"events": None}, ("events", "readable"), False),
        ({"can_add_type": False}, ("secret", "keyWritten"), None),
        ({"account_known": False}, ("token", "readable"), False),
        ({"config": None}, ("fipsSwitch",), None),
        ({"config": ""}, ("fipsSwitch",), "absent"),
        ({"service": None}, ("service",), None),
        ({"elevated": False}, ("elevated",), False),
    ],
)
def test_what_cannot_be_read_is_said(change: dict[str, Any], place: tuple[str, ...], value: object) -> None:
    server = Server()
    for name, setting in change.items():
        setattr(server, name, setting)
    data, document = server.collect()
    for part in place:
        document = document[part]
    assert document == value
    assert read_inputs([("x.json", data)]).collected is not None


def test_something_short_is_no_token() -> None:
    server = Server()
    server.registry.put("HKU", rf"{SID}\{MIM_KEY}", "Unknown", "String", "x" * 199)
    _, document = server.collect()
    assert (document["token"]["present"], document["token"]["longest"]) == (False, 199)


def test_an_empty_server_collects_too() -> None:
    server = Server()
    server.registry = Registry()
    server.service = None
    data, _ = server.collect()
    report = check_host(read_inputs([("x.json", data)]), FACTS, datetime(2026, 11, 21, 12, tzinfo=UTC))
    wrong = {row.key for row in report.rows if row.verdict is Verdict.WRONG}
    assert {"mim-build", "account", "service", "application-id", "tenant-id", "secret", "dotnet-35"} <= wrong


def test_an_unreachable_host_is_said() -> None:
    server = Server()
    server.unreachable = {"outlook.office365.com"}
    _, document = server.collect()
    assert [(one["host"], one["connected"], one["error"]) for one in document["reach"]] == [
        ("login.microsoftonline.com", True, ""),
        ("outlook.office365.com", False, "no answer within 5 seconds"),
    ]


def test_the_hosts_are_the_clouds() -> None:
    text = collect_script(("login.microsoftonline.us", "outlook.office365.us")).text
    assert "@('login.microsoftonline.us', 'outlook.office365.us')" in text
    for host in DEFAULT_HOSTS:
        assert host not in text


@pytest.mark.parametrize("host", ["", "a b", "x'); evil", "häh", "a/b"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(UsageError):
        collect_script((host,))
