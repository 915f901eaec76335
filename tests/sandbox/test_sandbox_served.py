from __future__ import annotations

import json
import os
import ssl
import stat
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from mimapp.sandbox import Sandbox, SandboxError, Weather, open_sandbox
from mimapp.sandbox.server import Served, ready_line, serve, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    opened = open_sandbox(tmp_path)
    yield opened
    opened.close()


def client(served: Served) -> httpx.Client:
    return httpx.Client(base_url=served.url, verify=ssl.create_default_context(cafile=served.ca_file), timeout=120)


def token(http: httpx.Client, sandbox: Sandbox, scope: str) -> str:
    info = sandbox.info()
    form = {
        "grant_type": "client_credentials",
        "client_id": info.operator_client_id,
        "client_secret": info.operator_client_secret,
        "scope": scope,
    }
    reply = http.post(f"/{info.tenant_name}/oauth2/v2.0/token", data=form)
    return str(reply.raise_for_status().json()["access_token"])


def test_all_services_answer_on_the_origin_that_was_bound(sandbox: Sandbox) -> None:
    with serving(sandbox) as served, client(served) as http:
        metadata = http.get("/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration").json()
        assert metadata["token_endpoint"].startswith(served.url)
        header = {"authorization": f"Bearer {token(http, sandbox, f'{served.url}/.default')}"}
        page = http.get("/v1.0/servicePrincipals?$top=1", headers=header).json()
        assert page["@odata.nextLink"].startswith(f"{served.url}/v1.0/servicePrincipals?")
        following = http.get(page["@odata.nextLink"], headers=header).json()
        assert following["value"][0]["id"] != page["value"][0]["id"]
        exchange = {"authorization": f"Bearer {token(http, sandbox, 'https://outlook.office365.com/.default')}"}
        body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"Identity": sandbox.info().mailbox}}}
        path = f"/adminapi/beta/{sandbox.info().tenant_id}/InvokeCommand"
        assert http.post(path, json=body, headers=exchange).status_code == 200


def test_same_state_in_process_and_served(sandbox: Sandbox) -> None:
    with httpx.Client(transport=sandbox.transport(), base_url=sandbox.origin) as inside:
        header = {"authorization": f"Bearer {token(inside, sandbox, 'https://graph.microsoft.com/.default')}"}
        made = inside.post("/v1.0/applications", json={"displayName": "x"}, headers=header).json()
    with serving(sandbox) as served, client(served) as http:
        assert http.get(f"/v1.0/applications/{made['id']}", headers=header).json()["displayName"] == "x"


def test_many_clients_at_once(sandbox: Sandbox) -> None:
    statuses: list[int] = []
    with serving(sandbox) as served, client(served) as http:
        header = {"authorization": f"Bearer {token(http, sandbox, f'{served.url}/.default')}"}

        def work(number: int) -> None:
            with client(served) as own:
                made = own.post("/v1.0/applications", json={"displayName": f"{number}"}, headers=header)
                statuses.append(made.status_code)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        listed = http.get("/v1.0/applications?$count=true", headers=header).json()
    assert statuses == [201] * 12
    assert listed["@odata.count"] == 13


def test_authority_is_kept_and_private(sandbox: Sandbox) -> None:
    with serving(sandbox) as served:
        first = served.ca_file.read_bytes()
    with serving(sandbox) as served, client(served) as http:
        assert served.ca_file.read_bytes() == first
        assert http.get("/common/discovery/instance").status_code == 400
    folder = sandbox.home / "sandbox"
    if os.name != "nt":
        modes = {stat.S_IMODE((folder / name).stat().st_mode) for name in ("ca.pem", "ca-key.pem", "server.pem")}
        assert modes == {0o600}
    assert sorted(path.name for path in folder.glob("*.pem*")) == ["ca-key.pem", "ca.pem", "server.pem"]


def test_client_that_does_not_know_the_authority_is_warned(sandbox: Sandbox) -> None:
    with serving(sandbox) as served, httpx.Client(base_url=served.url) as http, pytest.raises(httpx.ConnectError):
        http.get("/")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "::"])  # noqa: S104 - refused, that is the test
def test_other_than_loopback_addresses_are_refused(sandbox: Sandbox, host: str) -> None:
    with pytest.raises(SandboxError, match="loopback"):
        serve(sandbox, host=host)


def test_port_in_use_is_said(sandbox: Sandbox) -> None:
    with serving(sandbox) as served:
        port = int(served.url.rsplit(":", 1)[1])
        with pytest.raises(SandboxError, match=f"port {port} cannot be bound"):
            serve(sandbox, port=port)


def test_ready_line_is_all_that_another_shell_needs(tmp_path: Path) -> None:
    sandbox = open_sandbox(tmp_path, weather=Weather.parse(lag="5s"))
    with serving(sandbox) as served:
        line = ready_line(sandbox, served)
    sandbox.close()
    found, info = json.loads(line), sandbox.info()
    sandbox.close()
    assert "\n" not in line
    assert found == {
        "url": served.url,
        "caFile": str(served.ca_file),
        "tenantId": info.tenant_id,
        "tenantName": "contoso.onmicrosoft.com",
        "mailbox": "MIMService@contoso.onmicrosoft.com",
        "outsideMailbox": "other@contoso.onmicrosoft.com",
        "operator": {"clientId": info.operator_client_id, "clientSecret": info.operator_client_secret},
        "identity": {
            "machineUrl": f"{served.url}/metadata/identity/oauth2/token",
            "appServiceUrl": f"{served.url}/msi/token",
            "appServiceHeader": "sandbox-identity-header",
        },
        "env": {
            "MIMAPP_LOGIN_URL": served.url,
            "MIMAPP_GRAPH_URL": served.url,
            "MIMAPP_EXCHANGE_URL": served.url,
            "MIMAPP_CA_BUNDLE": str(served.ca_file),
            "MIMAPP_TENANT": "contoso.onmicrosoft.com",
            "MIMAPP_AUTH": "client-secret",
            "MIMAPP_GROUP_OWNER": "admin@contoso.onmicrosoft.com",
            "MIMAPP_REPLICATION_WINDOW": "6s",
            "AZURE_CLIENT_ID": info.operator_client_id,
            "AZURE_CLIENT_SECRET": info.operator_client_secret,
        },
    }
    assert info.operator_client_secret.startswith("sandbox-")


def test_interrupted_server_closes_its_socket(sandbox: Sandbox) -> None:
    answered: list[Served] = []

    def interrupt(served: Served) -> None:
        answered.append(served)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        serve(sandbox, on_ready=interrupt)
    with client(answered[0]) as http, pytest.raises(httpx.ConnectError):
        http.get("/")


@pytest.mark.parametrize(("outcome", "taken"), [("cut", 0), ("lose", 1)])
def test_socket_is_cut_before_or_after_the_service_took_it(tmp_path: Path, outcome: str, taken: int) -> None:
    sandbox = open_sandbox(tmp_path, weather=Weather.parse(faults=[f"POST /v1.0/applications {outcome}"]))
    with serving(sandbox) as served, client(served) as http:
        header = {"authorization": f"Bearer {token(http, sandbox, f'{served.url}/.default')}"}
        with pytest.raises(httpx.RemoteProtocolError):
            http.post("/v1.0/applications", json={"displayName": "x"}, headers=header)
        listed = http.get("/v1.0/applications?$filter=displayName eq 'x'", headers=header).json()["value"]
    sandbox.close()
    assert len(listed) == taken
