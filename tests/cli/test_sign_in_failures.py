"""Every failure of a sign-in that the command line has words for: its one line, its hint, its exit code."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from mimapp.sandbox.sign_in_scenarios import ask_people, move_to_cloud
from support.certificates import Certificate
from support.microsoft import Machine, refusal
from support.player import unsigned_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

GRAPH_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
APP = "00001111-aaaa-2222-bbbb-3333cccc4444"
OTHER_TENANT = "99999999-0000-cccc-1111-dddd2222eeee"
SECRET = {"MIMAPP_AUTH": "client-secret", "AZURE_CLIENT_ID": APP, "AZURE_CLIENT_SECRET": "replaced-secret"}
CODE = {"MIMAPP_AUTH": "device-code"}
_AZURE = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "MSI_SECRET")


@dataclass(frozen=True)
class Case:
    """One failure: what is typed and set, what is made of the machine, and how the run has to end.

    `line` is what the first line holds, `hint` what the last one does; `explain` the key for `mimapp explain`.
    """

    line: str
    hint: str
    argv: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=lambda: CODE)
    given: Callable[[Machine, Path], None] = lambda _machine, _folder: None
    explain: str | None = None
    code: int = 4


def refused(status: int, error: str, text: str) -> Callable[[Machine, Path], None]:
    """The token endpoint says no; everything else is as always."""

    def given(machine: Machine, _: Path) -> None:
        machine.microsoft.instead = lambda request: (
            refusal(status, error, text) if request.url.path.endswith("/oauth2/v2.0/token") else None
        )

    return given


def lives_in_gcc_high(machine: Machine, _: Path) -> None:
    move_to_cloud(machine.sandbox, "gcc-high")


def nobody_answers(machine: Machine, _: Path) -> None:
    ask_people(machine.sandbox)


def nothing_on_this_machine(machine: Machine, _: Path) -> None:
    def instead(request: httpx.Request) -> httpx.Response | None:
        if request.url.host == "169.254.169.254":
            raise httpx.ConnectError("no route to host", request=request)
        return None

    machine.microsoft.instead = instead


def stand_in(name: str, script: str) -> Callable[[Machine, Path], None]:
    """An executable on PATH, which is else empty."""

    def given(_: Machine, folder: Path) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    return given


def of_another_tenant(_: Machine, folder: Path) -> None:
    token = unsigned_token({"tid": OTHER_TENANT, "upn": "admin@fabrikam.com"})
    answer = json.dumps({"accessToken": token, "expires_on": 1_795_255_200})
    stand_in("az", f"while read -r line; do echo \"$line\"; done <<'END'\n{answer}\nEND")(_, folder)


def clock_is_behind(machine: Machine, folder: Path) -> None:
    Certificate().write_pem(folder / "operator.pem")
    refused(401, "invalid_client", "AADSTS700024: Client assertion is not within its valid time range.")(
        machine, folder
    )
    machine.microsoft.ahead = timedelta(minutes=10)


CASES = {
    "wrong cloud": Case(
        argv=("--cloud", "global"),
        given=lives_in_gcc_high,
        line="tenant contoso.onmicrosoft.com lives in US Government GCC High, not in Worldwide",
        hint="choose --cloud gcc-high",
    ),
    "wrong tenant": Case(
        argv=("--auth", "azure-cli"),
        given=of_another_tenant,
        line=f"the sign-in to Microsoft Graph is of tenant {OTHER_TENANT}, and this command is for tenant 5a6db0c0-",
        hint="sign in with an account of the tenant that is meant, or check --tenant",
    ),
    "unknown tenant": Case(
        argv=("--tenant", "nowhere.example"),
        line="there is no tenant nowhere.example in Worldwide, nor in another cloud that could be asked",
        hint="check --tenant",
        explain="AADSTS90002",
    ),
    "closed browser": Case(
        argv=("--auth", "browser", "--deadline", "200ms"),
        line="failed: the browser did not come back in under a second",
        hint="finish in the browser, or sign in with --auth device-code",
    ),
    "no browser": Case(
        argv=("--auth", "browser"),
        line="with browser is not available: no browser could be opened",
        hint="sign in with --auth device-code",
    ),
    "expired device code": Case(
        given=nobody_answers,
        line="failed: the device code was not used in time, was mistyped or had been used",
        hint="run the same command again",
        explain="AADSTS70019",
    ),
    "more authentication": Case(
        given=refused(400, "invalid_grant", "AADSTS50076: Due to a configuration change you must use multi-factor."),
        line="failed: more authentication is needed (multi-factor, a terms-of-use page, or the like)",
        hint="sign in interactively: --auth browser",
        explain="AADSTS50076",
    ),
    "Conditional Access": Case(
        given=refused(400, "invalid_grant", "AADSTS53003: Access has been blocked by Conditional Access policies."),
        line="failed: a Conditional Access or device rule blocked this sign-in",
        hint="device code is often what is blocked, --auth browser is often allowed",
        explain="AADSTS53003",
    ),
    "nobody consented": Case(
        given=refused(400, "invalid_grant", "AADSTS65001: The user or administrator has not consented."),
        line="failed: nobody has consented to this permission for this client",
        hint="have an administrator consent",
        explain="AADSTS65001",
    ),
    "not preauthorised": Case(
        argv=("--exchange-client-id", GRAPH_TOOLS),
        line="sign-in to Exchange Online failed: this Microsoft client is not preauthorised for this service",
        hint="use the default client, or an own application (--graph-client-id, --exchange-client-id)",
        explain="AADSTS65002",
    ),
    "wrong secret": Case(
        variables=SECRET,
        given=refused(401, "invalid_client", "AADSTS7000215: Invalid client secret provided."),
        line="failed: the client secret is wrong: its id instead of its value",
        hint="check that the value was copied, not the id",
        explain="AADSTS7000215",
    ),
    "expired secret": Case(
        variables=SECRET,
        given=refused(401, "invalid_client", "AADSTS7000222: The provided client secret keys are expired."),
        line="failed: the client secret has expired",
        hint="issue a new one",
        explain="AADSTS7000222",
    ),
    "unknown application": Case(
        variables=SECRET,
        line="failed: the application is not known in this tenant",
        hint="check the client id and --tenant",
        explain="AADSTS700016",
    ),
    "tenant not found by the token endpoint": Case(
        variables=SECRET,
        given=refused(400, "invalid_request", "AADSTS90002: Tenant 'contoso.onmicrosoft.com' not found."),
        line="failed: the tenant was not found",
        hint="check --tenant and --cloud",
        explain="AADSTS90002",
    ),
    "another cloud's application": Case(
        variables=SECRET,
        given=refused(400, "invalid_request", "AADSTS900382: Confidential Client is not supported in Cross Cloud."),
        line="failed: the application lives in another cloud than this sign-in host",
        hint="choose the tenant's cloud with --cloud",
        explain="AADSTS900382",
    ),
    "Azure CLI absent": Case(
        argv=("--auth", "azure-cli"),
        line="sign-in to Microsoft Graph with azure-cli is not available: Azure CLI not found on path",
        hint="install Azure CLI and run: az login --tenant TENANT; or sign in with --auth browser",
    ),
    "Azure CLI logged out": Case(
        argv=("--auth", "azure-cli"),
        given=stand_in("az", "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1"),
        line="sign-in to Microsoft Graph with azure-cli is not available: Please run 'az login'",
        hint="run: az login --tenant TENANT",
    ),
    "PowerShell absent": Case(
        argv=("--auth", "azure-powershell"),
        given=stand_in("pwsh", "exit 127"),
        line="sign-in to Microsoft Graph with azure-powershell is not available: PowerShell is not installed",
        hint="install Az.Accounts and run: Connect-AzAccount -Tenant TENANT; or use --auth browser",
    ),
    "no machine identity": Case(
        argv=("--auth", "managed-identity"),
        given=nothing_on_this_machine,
        line="with managed-identity is not available: ManagedIdentityCredential authentication unavailable, no resp",
        hint="assign a managed identity to this machine (Azure only), or use another --auth",
    ),
    "clock ten minutes off": Case(
        argv=("--auth", "certificate", "--certificate", "operator.pem", "--client-id", APP),
        given=clock_is_behind,
        line="failed: this machine's clock is 10 min behind Entra's",
        hint="this machine's clock is 10 min behind Entra's: set it (time server), then run the same command again",
        explain="AADSTS700024",
    ),
    "nothing available": Case(
        argv=("--auth", "auto"),
        given=nothing_on_this_machine,
        line="no way to sign in to Microsoft Graph is available here",
        hint="choose one with --auth, and look at why it is not available",
    ),
}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Without Azure, without programs on its path: azure-identity reads the process's own environment."""
    for name in _AZURE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made = Machine(tmp_path / "home")
    yield made
    made.close()


def opens(case: str) -> Callable[[str], bool]:
    """A browser that somebody closes, or none."""
    return lambda _: case == "closed browser"


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")
@pytest.mark.parametrize("name", CASES)
def test_a_failure_has_its_line_its_hint_and_its_code(machine: Machine, tmp_path: Path, name: str) -> None:
    case = CASES[name]
    machine.variables |= case.variables
    case.given(machine, tmp_path)
    done = machine("whoami", *case.argv, world=machine.world(open_browser=opens(name)))

    told = [line for line in done.err.splitlines() if line]
    first = next(place for place, line in enumerate(told) if line.startswith("mimapp: "))
    assert done.code == case.code, done.err
    assert case.line in told[first], done.err
    assert case.hint in done.err.partition(told[first])[2], done.err
    assert done.out == ""
    if "sign-in to Microsoft Graph failed" in told[first]:
        assert "Sign in to Exchange Online" not in done.err, "when one sign-in fails nobody is asked for the other"
    assert "Traceback" not in done.err
    assert "replaced-secret" not in done.err
    assert "eyJ" not in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.explain])
def test_a_failure_under_json_names_what_explains_it(machine: Machine, tmp_path: Path, name: str) -> None:
    case = CASES[name]
    machine.variables |= case.variables
    case.given(machine, tmp_path)
    done = machine("whoami", *case.argv, "--output", "json")

    document = done.document
    assert document["schema"] == "mimapp.error/1"
    assert (document["exitCode"], document["explain"]) == (case.code, case.explain)
    assert case.hint in document["hint"]


def test_no_request_with_a_token_is_sent_before_the_tenant_of_the_token_is_known_to_be_right(
    machine: Machine, tmp_path: Path
) -> None:
    of_another_tenant(machine, tmp_path)
    done = machine("status", "--mailbox", machine.info.mailbox, "--graph-auth", "azure-cli", environ=CODE)

    assert done.code == 4
    assert not [request for request in machine.microsoft.requests if "authorization" in request.headers]
