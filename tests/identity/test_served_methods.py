"""Every way in which mimapp signs an operator in, over a socket to the served sandbox, through the real transport.

azure-powershell has a stand-in only (test_methods.py); azure-cli is a real one in scripts/real_clients.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest

from mimapp.clouds import CLOUDS
from mimapp.errors import SignInError
from mimapp.identity import Certificate, Method, MethodUnavailableError, OperatorSignIn, SignInOptions
from mimapp.identity import discover as discover_tenant
from mimapp.sandbox import Weather, open_sandbox, scenarios, sign_in_scenarios
from mimapp.sandbox.managed_identity import IDENTITY_HEADER
from mimapp.sandbox.server import serving
from mimapp.secret import Secret
from mimapp.transport import Http, Patience, Request
from mimapp.transport.network import Network, network_transport, tls_context
from support import loopback
from support.browser import Browser
from support.certificates import Certificate as Made
from support.certificates import rsa_key
from support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from mimapp.identity import Bearer, DeviceCode
    from mimapp.sandbox import Sandbox

TENANT = "contoso.onmicrosoft.com"
AUDIENCE = "api://AzureADTokenExchange"
PERMISSIONS = ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All")
#: What azure-identity itself reads from the process.
VARIABLES = (
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AZURE_TENANT_ID",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "MSI_ENDPOINT",
    "SYSTEM_OIDCREQUESTURI",
)


class Served:
    """A command's view of a served sandbox."""

    def __init__(self, sandbox: Sandbox, url: str, ca_file: Path) -> None:
        self.sandbox, self.info, self.url, self.ca_file = sandbox, sandbox.info(), url, ca_file
        self.cloud = CLOUDS["global"].with_hosts(login=url, graph=url, exchange=url)
        network = Network(ca_bundle=ca_file, hosts=self.cloud.hosts)
        self.http = Http(Patience(FakeClock()), transport=network_transport(network))
        self.browser = Browser(tls_context(ca_file))
        self.codes: list[DeviceCode] = []

    def operator(
        self,
        method: Method,
        *,
        environ: Mapping[str, str] | None = None,
        open_browser: Callable[[str], bool] | None = None,
        **options: Any,
    ) -> OperatorSignIn:
        both = SignInOptions(method=method, **options)
        return OperatorSignIn(
            self.http,
            self.cloud,
            tenant=TENANT,
            facts=discover_tenant(self.http, self.cloud, TENANT),
            graph=both,
            exchange=both,
            show_code=self.codes.append,
            open_browser=open_browser or self.browser.open,
            environ=environ or {},
        )

    def by_secret(self) -> OperatorSignIn:
        secret = Secret(self.info.operator_client_secret)
        return self.operator(Method.CLIENT_SECRET, client_id=self.info.operator_client_id, secret=secret)

    @functools.cached_property
    def directory(self) -> Bearer:
        return self.by_secret().graph()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """A request to Graph, by the operator application."""
        content = b"" if body is None else json.dumps(body).encode()
        request = Request(
            method=method,
            url=f"{self.url}/v1.0{path}",
            headers={"Content-Type": "application/json"},
            content=content,
        )
        reply = self.directory.send(request)
        assert reply.status < 300, reply.content
        return json.loads(reply.content or b"null")

    def client(self, **properties: Any) -> dict[str, Any]:
        """An application with its service principal and the right to read the organisation."""
        app: dict[str, Any] = self.call("POST", "/applications", {"displayName": "an operator"} | properties)
        principal = self.call("POST", "/servicePrincipals", {"appId": app["appId"]})
        service = self.call("GET", "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')")
        role = next(one["id"] for one in service["appRoles"] if one["value"] == "Organization.Read.All")
        grant = {"principalId": principal["id"], "resourceId": service["id"], "appRoleId": role}
        self.call("POST", f"/servicePrincipals/{service['id']}/appRoleAssignedTo", grant)
        return app

    def workload(self, subject: str) -> str:
        """The client id of an application that trusts the token of a platform."""
        app = self.client()
        trust = {"name": "x", "issuer": "https://platform.example", "subject": subject, "audiences": [AUDIENCE]}
        self.call("POST", f"/applications/{app['id']}/federatedIdentityCredentials", trust)
        return str(app["appId"])


def reads_the_organisation(operator: OperatorSignIn, served: Served, permissions: tuple[str, ...] = ()) -> bool:
    request = Request(method="GET", url=f"{served.url}/v1.0/organization", repeatable=True)
    found = json.loads(operator.graph(permissions).send(request).content)["value"]
    return [one["id"] for one in found] == [served.info.tenant_id]


def runs_a_cmdlet(operator: OperatorSignIn, served: Served) -> bool:
    cmdlet = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"Identity": served.info.mailbox}}}
    request = Request(
        method="POST",
        url=f"{served.url}/adminapi/beta/{served.info.tenant_id}/InvokeCommand",
        headers={"Content-Type": "application/json"},
        content=json.dumps(cmdlet).encode(),
    )
    return operator.exchange().send(request).status == 200


@contextlib.contextmanager
def serve(home: Path, *faults: str) -> Iterator[Served]:
    sandbox = open_sandbox(home, weather=Weather.parse(faults=faults))
    with serving(sandbox) as running:
        yield Served(sandbox, running.url, running.ca_file)
    sandbox.close()


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("served")) as made:
        yield made


@pytest.fixture
def served(server: Served) -> Iterator[Served]:
    """A fresh tenant behind the server of this file, and a new client."""
    scenarios.reset(server.sandbox)
    client = Served(server.sandbox, server.url, server.ca_file)
    with client.http:
        yield client


# A person in a browser


def test_a_browser_signs_in_once_for_both_services(served: Served) -> None:
    operator = served.operator(Method.BROWSER)
    assert reads_the_organisation(operator, served, PERMISSIONS)
    who = operator.graph(PERMISSIONS).operator()
    assert who.name == served.info.administrator
    assert set(PERMISSIONS) <= who.scopes
    assert runs_a_cmdlet(operator, served)
    served.browser.wait()
    first, *later = served.browser.opened
    assert "prompt=select_account" in first
    assert "response_mode=form_post" in first
    assert later
    assert all("login_hint=admin%40contoso.onmicrosoft.com" in one and "prompt=" not in one for one in later)
    assert set(served.browser.visited) == {
        f"GET https://127.0.0.1/{TENANT}/oauth2/v2.0/authorize".replace(TENANT, served.info.tenant_id),
        "POST http://localhost",
    }


def test_a_person_types_a_name_where_nobody_answers_by_himself(served: Served) -> None:
    sign_in_scenarios.ask_people(served.sandbox)
    person = Browser(served.browser.trust, {"username": served.info.administrator, "answer": "accept"})
    operator = served.operator(Method.BROWSER, open_browser=person.open)
    assert reads_the_organisation(operator, served, PERMISSIONS)


def test_a_person_says_no(served: Served) -> None:
    sign_in_scenarios.ask_people(served.sandbox)
    person = Browser(served.browser.trust, {"username": served.info.administrator, "answer": "cancel"})
    with pytest.raises(SignInError, match="the consent was declined") as caught:
        served.operator(Method.BROWSER, open_browser=person.open).graph(PERMISSIONS).operator()
    assert caught.value.explain == "AADSTS65004"
    person.wait()
    assert person.last is not None
    assert "mimapp says why" in person.last.text


def test_a_browser_that_is_asked_once(served: Served) -> None:
    graph = served.operator(Method.BROWSER).graph(PERMISSIONS)
    request = Request(method="GET", url=f"{served.url}/v1.0/organization", repeatable=True)
    assert [graph.send(request).status for _ in range(3)] == [200, 200, 200]
    assert graph.operator().name == served.info.administrator
    assert len(served.browser.opened) == 1


# A person with a code


def test_a_code_that_somebody_enters_on_another_device(served: Served) -> None:
    sign_in_scenarios.ask_people(served.sandbox)

    def enters(code: DeviceCode) -> None:
        form = {"user_code": code.code, "username": served.info.administrator}
        with httpx.Client(verify=served.browser.trust, trust_env=False) as other_device:
            assert other_device.post(code.url, data=form).status_code == 200

    both = SignInOptions(method=Method.DEVICE_CODE)
    operator = OperatorSignIn(
        served.http,
        served.cloud,
        tenant=TENANT,
        facts=discover_tenant(served.http, served.cloud, TENANT),
        graph=both,
        exchange=both,
        show_code=enters,
        environ={},
    )
    assert reads_the_organisation(operator, served, PERMISSIONS)
    assert runs_a_cmdlet(operator, served)


def test_a_code_that_nobody_enters(served: Served) -> None:
    sign_in_scenarios.ask_people(served.sandbox)
    with pytest.raises(SignInError) as caught:
        served.operator(Method.DEVICE_CODE).graph(PERMISSIONS).operator()
    assert caught.value.explain == "AADSTS70019"
    assert caught.value.hint == "run the same command again"


# An application with a certificate


@pytest.mark.parametrize("form", ["pem", "pfx"])
@pytest.mark.parametrize("password", [None, b"replaced-password"], ids=["open", "locked"])
def test_a_certificate(served: Served, tmp_path: Path, form: str, password: bytes | None) -> None:
    made = Made("operator")
    client = served.client(keyCredentials=[made.credential])
    path = tmp_path / f"operator.{form}"
    if form == "pem":
        made.write_pem(path, password)
    else:
        made.write_pfx(path, password)
    given = Certificate(path=path, password=Secret(password.decode()) if password else None)
    operator = served.operator(Method.CERTIFICATE, client_id=client["appId"], certificate=given)
    assert reads_the_organisation(operator, served)


def test_a_certificate_that_is_not_on_the_application(served: Served, tmp_path: Path) -> None:
    client = served.client(keyCredentials=[Made("operator").credential])
    given = Certificate(path=Made("stranger").write_pem(tmp_path / "stranger.pem"))
    with pytest.raises(SignInError, match="the certificate is not on the application") as caught:
        served.operator(Method.CERTIFICATE, client_id=client["appId"], certificate=given).graph().operator()
    assert caught.value.explain == "AADSTS700027"


# A platform's token


def platform_token(subject: str) -> str:
    claims = {"iss": "https://platform.example", "sub": subject, "aud": AUDIENCE, "iat": 1, "exp": 2**32}
    return jwt.encode(claims, rsa_key("platform"), algorithm="RS256")


def test_kubernetes(served: Served, tmp_path: Path) -> None:
    subject = "system:serviceaccount:mim:rotator"
    file = tmp_path / "token"
    file.write_text(platform_token(subject), encoding="ascii")
    environ = {"AZURE_CLIENT_ID": served.workload(subject), "AZURE_FEDERATED_TOKEN_FILE": str(file)}
    assert reads_the_organisation(served.operator(Method.WORKLOAD_IDENTITY, environ=environ), served)


def test_github_actions(served: Served) -> None:
    subject = "repo:contoso/mim:ref:refs/heads/main"
    asked: list[httpx.Request] = []

    def github(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"value": platform_token(subject)})

    with loopback.plain_server(github) as port:
        environ = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:{port}/idtoken?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "replaced-request-token",
        }
        operator = served.operator(Method.WORKLOAD_IDENTITY, environ=environ, client_id=served.workload(subject))
        assert reads_the_organisation(operator, served)
    assert asked[0].url.params["audience"] == AUDIENCE
    assert asked[0].headers["authorization"] == "Bearer replaced-request-token"


def test_azure_devops(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = "sc://contoso/mim/rotation"
    devops = loopback.plain_server(lambda _: httpx.Response(200, json={"oidcToken": platform_token(subject)}))
    with devops as port:
        address = f"http://127.0.0.1:{port}/oidctoken"
        monkeypatch.setenv("SYSTEM_OIDCREQUESTURI", address)
        environ = {
            "SYSTEM_OIDCREQUESTURI": address,
            "SYSTEM_ACCESSTOKEN": "replaced-access-token",
            "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "22222222-3333-4444-5555-666666666666",
            "AZURESUBSCRIPTION_CLIENT_ID": served.workload(subject),
        }
        assert reads_the_organisation(served.operator(Method.WORKLOAD_IDENTITY, environ=environ), served)


def test_a_platform_that_the_application_does_not_trust(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(platform_token("somebody else"), encoding="ascii")
    environ = {"AZURE_CLIENT_ID": served.workload("system"), "AZURE_FEDERATED_TOKEN_FILE": str(file)}
    with pytest.raises(SignInError) as caught:
        served.operator(Method.WORKLOAD_IDENTITY, environ=environ).graph().operator()
    assert caught.value.explain == "AADSTS700213"


# The machine's identity, and the environment


def test_a_virtual_machines_identity(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", served.url)
    operator = served.operator(Method.MANAGED_IDENTITY)
    assert reads_the_organisation(operator, served)
    assert runs_a_cmdlet(operator, served)


def test_an_app_services_identity(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{served.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)
    operator = served.operator(Method.MANAGED_IDENTITY)
    assert reads_the_organisation(operator, served)
    assert runs_a_cmdlet(operator, served)


def test_an_identity_that_the_machine_does_not_have(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", served.url)
    other = "00001111-aaaa-2222-bbbb-3333cccc4444"
    with pytest.raises(MethodUnavailableError, match="Identity not found"):
        served.operator(Method.MANAGED_IDENTITY, client_id=other).graph().operator()


@pytest.mark.parametrize("method", [Method.ENVIRONMENT, Method.AUTO])
def test_the_environments_secret(served: Served, monkeypatch: pytest.MonkeyPatch, method: Method) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", served.info.tenant_id)
    monkeypatch.setenv("AZURE_CLIENT_ID", served.info.operator_client_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", served.info.operator_client_secret)
    operator = served.operator(method, environ=os.environ)
    assert reads_the_organisation(operator, served)
    assert runs_a_cmdlet(operator, served)


def test_the_environments_certificate(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made("operator")
    monkeypatch.setenv("AZURE_TENANT_ID", served.info.tenant_id)
    monkeypatch.setenv("AZURE_CLIENT_ID", served.client(keyCredentials=[made.credential])["appId"])
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(made.write_pem(tmp_path / "operator.pem")))
    assert reads_the_organisation(served.operator(Method.ENVIRONMENT, environ=os.environ), served)


# What Entra refuses


def faults(path: str, codes: tuple[int, ...]) -> list[str]:
    """Each code once, in this order."""
    return [f"{path} AADSTS{code}" for code in codes]


def refused(operator: OperatorSignIn, code: int) -> None:
    with pytest.raises(SignInError) as caught:
        operator.graph(PERMISSIONS).operator()
    assert caught.value.explain == f"AADSTS{code}"
    assert caught.value.hint
    assert any(line.startswith(f"Entra said: AADSTS{code}") for line in caught.value.details)


def test_each_refusal_of_an_application_has_its_line_and_its_hint(tmp_path: Path) -> None:
    codes = (53003, 65001, 700016, 7000215, 7000222, 90002, 900382)
    with serve(tmp_path, *faults("POST */oauth2/v2.0/token", codes)) as served, served.http:
        for code in codes:
            refused(served.by_secret(), code)
        assert served.by_secret().graph().operator().is_app_only


@pytest.mark.parametrize("method", [Method.BROWSER, Method.DEVICE_CODE])
def test_each_refusal_of_a_person_has_its_line_and_its_hint(tmp_path: Path, method: Method) -> None:
    codes = (50076, 53003, 65001, 65002)
    with serve(tmp_path, *faults("POST */oauth2/v2.0/token", codes)) as served, served.http:
        for code in codes:
            refused(served.operator(method), code)
        assert served.operator(method).graph(PERMISSIONS).operator().name == served.info.administrator


def test_each_refusal_that_the_browser_brings_back(tmp_path: Path) -> None:
    codes = (50076, 65002)
    with serve(tmp_path, *faults("GET */authorize", codes)) as served, served.http:
        for code in codes:
            refused(served.operator(Method.BROWSER), code)


@pytest.mark.parametrize("cloud", [key for key in CLOUDS if key != "global"])
def test_a_tenant_of_another_cloud_is_told_before_anybody_signs_in(served: Served, cloud: str) -> None:
    sign_in_scenarios.move_to_cloud(served.sandbox, cloud)
    with pytest.raises(SignInError, match="not in Worldwide") as caught:
        served.operator(Method.BROWSER)
    assert CLOUDS[cloud].title in caught.value.message
    assert caught.value.hint is not None
    assert f"--cloud {cloud}" in caught.value.hint
    assert served.browser.opened == []


@pytest.mark.parametrize("cloud", list(CLOUDS))
def test_the_scopes_of_each_cloud_open_the_sandbox(served: Served, cloud: str) -> None:
    sign_in_scenarios.move_to_cloud(served.sandbox, cloud)
    served.cloud = CLOUDS[cloud].with_hosts(login=served.url, graph=served.url, exchange=served.url)
    operator = served.by_secret()
    assert reads_the_organisation(operator, served)
    assert runs_a_cmdlet(operator, served)
