"""Each unattended method, by azure-identity over our client, on cassettes; the child processes by stand-ins."""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from mimapp.clouds import cloud
from mimapp.errors import SignInError, UsageError
from mimapp.identity import Certificate, Method, MethodUnavailableError, OperatorSignIn, SignInOptions, TenantFacts
from mimapp.secret import Secret
from mimapp.transport import Http, Patience
from support.clock import FakeClock
from support.player import playing, unsigned_token

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
TENANT_FACTS = TenantFacts(
    tenant_id=TENANT, cloud_keys=frozenset({"global"}), region_scope="", region_sub_scope="", instance=""
)
APP = "00001111-aaaa-2222-bbbb-3333cccc4444"
VARIABLES = (
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_USERNAME",
    "AZURE_PASSWORD",
    "AZURE_AUTHORITY_HOST",
    "AZURE_FEDERATED_TOKEN_FILE",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "MSI_ENDPOINT",
    "SYSTEM_OIDCREQUESTURI",
)
NO_WINDOWS = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """azure-identity reads the process's own environment."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def operator(
    transport: httpx.BaseTransport,
    method: Method,
    clock: FakeClock | None = None,
    environ: Mapping[str, str] | None = None,
    **options: Any,
) -> OperatorSignIn:
    both = SignInOptions(method=method, **options)
    return OperatorSignIn(
        Http(Patience(clock or FakeClock()), transport=transport),
        cloud("global"),
        tenant=TENANT,
        facts=TENANT_FACTS,
        graph=both,
        exchange=both,
        show_code=lambda _: pytest.fail("nobody is to be asked"),
        ask_people=False,
        environ=environ or {},
    )


def nobody(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there", request=request)


OFFLINE = httpx.MockTransport(nobody)


def make_certificate(
    path: Path, password: bytes | None = None, *, pfx: bool = False, key_size: int = 2048
) -> Certificate:
    key = rsa.generate_private_key(public_exponent=65537, key_size=key_size)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mimapp test")])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    if pfx:
        path.write_bytes(pkcs12.serialize_key_and_certificates(b"mimapp", key, made, None, locked))
    else:
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
        path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return Certificate(path=path, password=Secret(password.decode()) if password else None)


@pytest.mark.parametrize("pfx", [False, True], ids=["pem", "pfx"])
@pytest.mark.parametrize("password", [None, b"replaced-password"], ids=["open", "locked"])
def test_a_certificate(tmp_path: Path, password: bytes | None, pfx: bool) -> None:  # noqa: FBT001 - a column of the table
    given = make_certificate(tmp_path / "operator", password, pfx=pfx)
    with playing("login/cloud.global.certificate.ok") as player:
        who = operator(player.transport, Method.CERTIFICATE, client_id=APP, certificate=given).graph().operator()
    assert who.is_app_only
    assert who.name == f"application {APP}"


def test_a_certificate_by_the_variables_that_azure_identity_defines(tmp_path: Path) -> None:
    given = make_certificate(tmp_path / "operator.pem", b"replaced-password")
    environ = {
        "AZURE_CLIENT_ID": APP,
        "AZURE_CLIENT_CERTIFICATE_PATH": str(given.path),
        "AZURE_CLIENT_CERTIFICATE_PASSWORD": "replaced-password",
    }
    with playing("login/cloud.global.certificate.ok") as player:
        operator(player.transport, Method.CERTIFICATE, environ=environ).graph().operator()


def test_a_certificate_that_cannot_be_used_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    locked = make_certificate(tmp_path / "locked.pfx", b"replaced-password", pfx=True)
    locked_pem = make_certificate(tmp_path / "locked.pem", b"replaced-password")
    plain = make_certificate(tmp_path / "plain.pem")
    key_only, no_pem, elliptic = tmp_path / "key.pem", tmp_path / "not.pem", tmp_path / "elliptic.pem"
    key_only.write_bytes(plain.path.read_bytes().partition(b"-----BEGIN CERTIFICATE")[0])
    no_pem.write_text("hello", encoding="utf-8")
    elliptic.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    for one, said in (
        (Certificate(path=locked.path, password=Secret("other")), "its password is wrong"),
        (Certificate(path=locked_pem.path, password=Secret("other")), "its password is wrong"),
        (Certificate(path=locked.path), "needs its password"),
        (Certificate(path=locked_pem.path), "needs its password"),
        (Certificate(path=plain.path, password=Secret("other")), "has no password, and one is given"),
        (Certificate(path=tmp_path / "missing.pem"), "cannot be read"),
        (Certificate(path=key_only), "holds no certificate"),
        (Certificate(path=elliptic), "holds no RSA private key"),
        (Certificate(path=no_pem), "it is not a PEM file"),
    ):
        with pytest.raises(UsageError, match=said) as caught:
            operator(OFFLINE, Method.CERTIFICATE, client_id=APP, certificate=one).graph()
        assert str(one.path) in caught.value.message
        assert "other" not in f"{caught.value.message}{caught.value.hint}"


def test_a_clock_ten_minutes_off_is_said_to_be_why(tmp_path: Path) -> None:
    given = make_certificate(tmp_path / "operator.pem")
    with playing("login/cloud.global.certificate.clock") as player:
        bearer = operator(player.transport, Method.CERTIFICATE, client_id=APP, certificate=given).graph()
        with pytest.raises(SignInError) as caught:
            bearer.operator()
    assert caught.value.explain == "AADSTS700024"
    assert caught.value.message == "sign-in to Microsoft Graph failed: this machine's clock is 10 min behind Entra's"
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("this machine's clock is 10 min behind Entra's: set it")


def test_a_certificate_that_entra_does_not_know(tmp_path: Path) -> None:
    given = make_certificate(tmp_path / "operator.pem")
    with playing("login/cloud.global.certificate.unknown-key") as player:
        bearer = operator(player.transport, Method.CERTIFICATE, client_id=APP, certificate=given).graph()
        with pytest.raises(SignInError, match="the certificate is not on the application"):
            bearer.operator()


@pytest.mark.parametrize(
    ("method", "said"),
    [(Method.CLIENT_SECRET, "its client id"), (Method.CERTIFICATE, "its client id")],
)
def test_an_application_needs_its_id(method: Method, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        operator(OFFLINE, method).graph()


def test_a_certificate_needs_a_file() -> None:
    with pytest.raises(UsageError, match="its private key"):
        operator(OFFLINE, Method.CERTIFICATE, client_id=APP).graph()


def test_a_managed_identity_of_a_virtual_machine() -> None:
    clock = FakeClock()
    with playing("login/cloud.global.managed-identity.imds") as player:
        who = operator(player.transport, Method.MANAGED_IDENTITY, clock).graph().operator()
    assert who.is_app_only
    assert sum(clock.slept) < 5, "its pauses are on the run's clock"


def test_a_managed_identity_of_an_app_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:41500/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "replaced-header")
    with playing("login/cloud.global.managed-identity.app-service") as player:
        operator(player.transport, Method.MANAGED_IDENTITY).graph().operator()


def test_a_machine_without_an_identity_says_so() -> None:
    with playing("login/cloud.global.managed-identity.none-assigned") as player:
        bearer = operator(player.transport, Method.MANAGED_IDENTITY).graph()
        with pytest.raises(MethodUnavailableError, match="managed-identity is not available"):
            bearer.operator()


def test_a_machine_outside_azure_says_so_at_once() -> None:
    clock = FakeClock()
    with pytest.raises(MethodUnavailableError, match="no response from the IMDS endpoint") as caught:
        operator(OFFLINE, Method.MANAGED_IDENTITY, clock).graph().operator()
    assert caught.value.hint is not None
    assert clock.slept == []


def test_workload_identity_on_kubernetes(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("replaced-assertion", encoding="utf-8")
    environ = {"AZURE_CLIENT_ID": APP, "AZURE_FEDERATED_TOKEN_FILE": str(token)}
    with playing("login/cloud.global.workload-identity.kubernetes") as player:
        operator(player.transport, Method.WORKLOAD_IDENTITY, environ=environ).graph().operator()


GITHUB = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://pipelines.actions.githubusercontent.com/replaced/00000000/_apis/"
    "distributedtask/hubs/Actions/plans/replaced/jobs/replaced/idtoken?api-version=2.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "replaced-request-token",
}


def test_workload_identity_in_github_actions() -> None:
    with playing("login/cloud.global.workload-identity.github") as player:
        operator(player.transport, Method.WORKLOAD_IDENTITY, environ=GITHUB, client_id=APP).graph().operator()


def test_a_github_job_without_the_permission_is_told_which() -> None:
    refusing = httpx.MockTransport(lambda _: httpx.Response(403, text="no"))
    bearer = operator(refusing, Method.WORKLOAD_IDENTITY, environ=GITHUB, client_id=APP).graph()
    with pytest.raises(SignInError, match="GitHub gave no token") as caught:
        bearer.operator()
    assert caught.value.hint == "the job needs the permission id-token: write"


def test_workload_identity_in_azure_devops(monkeypatch: pytest.MonkeyPatch) -> None:
    address = (
        "https://dev.azure.com/contoso/replaced/_apis/distributedtask/hubs/build/plans/replaced/jobs/replaced/oidctoken"
    )
    monkeypatch.setenv("SYSTEM_OIDCREQUESTURI", address)
    environ = {
        "SYSTEM_OIDCREQUESTURI": address,
        "SYSTEM_ACCESSTOKEN": "replaced-access-token",
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "22222222-3333-4444-5555-666666666666",
        "AZURESUBSCRIPTION_CLIENT_ID": APP,
    }
    with playing("login/cloud.global.workload-identity.azure-devops") as player:
        operator(player.transport, Method.WORKLOAD_IDENTITY, environ=environ).graph().operator()


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "needs the client id"),
        ({"AZURE_CLIENT_ID": APP}, "found no platform"),
        ({"AZURE_CLIENT_ID": APP, "SYSTEM_OIDCREQUESTURI": "https://x"}, "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"),
    ],
)
def test_what_workload_identity_misses_is_named(environ: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        operator(OFFLINE, Method.WORKLOAD_IDENTITY, environ=environ).graph()
    assert caught.value.hint == "see docs/sign-in.md for what Kubernetes, GitHub Actions and Azure DevOps have to set"


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"AZURE_CLIENT_ID": APP, "AZURE_CLIENT_SECRET": "replaced-secret", "AZURE_TENANT_ID": TENANT}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with playing("login/cloud.global.environment.ok") as player:
        operator(player.transport, Method.ENVIRONMENT, environ=environ).graph().operator()


def test_an_environment_that_says_nothing() -> None:
    with pytest.raises(UsageError, match="variables that are not all set") as caught:
        operator(OFFLINE, Method.ENVIRONMENT, environ={"AZURE_CLIENT_ID": APP}).graph()
    assert caught.value.hint is not None
    assert "AZURE_TENANT_ID" in caught.value.hint


def stand_in(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An executable on PATH that answers as the real one does."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")


@NO_WINDOWS
def test_azure_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"accessToken": unsigned_token({"tid": TENANT, "upn": "admin@contoso.com"}), "expires_on": 1795255200}
    log = tmp_path / "asked"
    stand_in(tmp_path, "az", f"echo \"$@\" > '{log}'\ncat <<'END'\n{json.dumps(answer)}\nEND", monkeypatch)
    assert operator(OFFLINE, Method.AZURE_CLI).graph().operator().name == "admin@contoso.com"
    assert log.read_text(encoding="utf-8").split() == [
        "account", "get-access-token", "--output", "json",
        "--resource", "https://graph.microsoft.com", "--tenant", TENANT,
    ]  # fmt: skip


@NO_WINDOWS
def test_azure_cli_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MethodUnavailableError, match="Azure CLI not found") as caught:
        operator(OFFLINE, Method.AZURE_CLI).graph().operator()
    assert caught.value.hint is not None


@NO_WINDOWS
def test_azure_cli_that_nobody_is_logged_in_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "az", "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1", monkeypatch)
    with pytest.raises(MethodUnavailableError, match="az login"):
        operator(OFFLINE, Method.AZURE_CLI).graph().operator()


@NO_WINDOWS
def test_azure_powershell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = unsigned_token({"tid": TENANT, "upn": "admin@contoso.com"})
    stand_in(tmp_path, "pwsh", f"echo 'azsdk%{token}%1795255200'", monkeypatch)
    assert operator(OFFLINE, Method.AZURE_POWERSHELL).graph().operator().name == "admin@contoso.com"


@NO_WINDOWS
def test_a_token_in_a_childs_unexpected_words_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "pwsh", f"echo 'oddly {unsigned_token({'tid': TENANT})}'", monkeypatch)
    with pytest.raises(SignInError, match=r"oddly \*\*\*") as caught:
        operator(OFFLINE, Method.AZURE_POWERSHELL).graph().operator()
    assert "eyJ" not in caught.value.message


@NO_WINDOWS
def test_azure_powershell_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "pwsh", "exit 127", monkeypatch)
    with pytest.raises(MethodUnavailableError, match="PowerShell is not installed"):
        operator(OFFLINE, Method.AZURE_POWERSHELL).graph().operator()


@pytest.mark.parametrize("method", [Method.AZURE_CLI, Method.AZURE_POWERSHELL])
def test_what_counts_as_graph_only_is_refused_for_exchange(method: Method) -> None:
    with pytest.raises(UsageError, match="Microsoft Graph only") as caught:
        operator(OFFLINE, method).exchange()
    assert caught.value.hint == f"--graph-auth {method} --exchange-auth device-code"
