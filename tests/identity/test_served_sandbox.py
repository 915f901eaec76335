"""Sign-in of operator and application over a socket to the served sandbox, through the real network transport."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mimapp.clouds import CLOUDS, Cloud
from mimapp.errors import SignInError
from mimapp.identity import AppSignIn, AppToken, DeviceCode, Method, OperatorSignIn, Refusal, RefusalKind, SignInOptions
from mimapp.identity import discover as discover_tenant
from mimapp.sandbox import Sandbox, open_sandbox
from mimapp.sandbox.server import serving
from mimapp.secret import Secret
from mimapp.transport import Http, Patience, Request
from mimapp.transport.network import Network, network_transport
from support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TENANT = "contoso.onmicrosoft.com"


class Served:
    """A client of a served sandbox, as a command is one."""

    def __init__(self, sandbox: Sandbox, url: str, ca_file: Path) -> None:
        self.info = sandbox.info()
        self.cloud: Cloud = CLOUDS["global"].with_hosts(login=url, graph=url, exchange=url)
        network = Network(ca_bundle=ca_file, hosts=self.cloud.hosts)
        self.http = Http(Patience(FakeClock()), transport=network_transport(network))
        self.shown: list[DeviceCode] = []

    def operator(self, options: SignInOptions) -> OperatorSignIn:
        return OperatorSignIn(
            self.http,
            self.cloud,
            tenant=TENANT,
            facts=discover_tenant(self.http, self.cloud, TENANT),
            graph=options,
            exchange=options,
            show_code=self.shown.append,
            environ={},
        )

    def as_application(self, secret: str | None = None, client_id: str | None = None) -> SignInOptions:
        return SignInOptions(
            method=Method.CLIENT_SECRET,
            client_id=client_id or self.info.operator_client_id,
            secret=Secret(secret or self.info.operator_client_secret),
        )


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    sandbox = open_sandbox(tmp_path)
    with serving(sandbox) as running:
        client = Served(sandbox, running.url, running.ca_file)
        with client.http:
            yield client
    sandbox.close()


def test_the_tenant_is_found_in_its_cloud(served: Served) -> None:
    facts = discover_tenant(served.http, served.cloud, TENANT)
    assert facts.tenant_id == served.info.tenant_id
    assert facts.cloud_keys == {"global"}


def test_a_tenant_that_the_sandbox_does_not_have(served: Served) -> None:
    with pytest.raises(SignInError, match="no tenant") as caught:
        discover_tenant(served.http, served.cloud, "nowhere.onmicrosoft.com")
    assert caught.value.explain == "AADSTS90002"


def test_an_application_reads_the_organisation_and_runs_a_cmdlet(served: Served) -> None:
    operator = served.operator(served.as_application())
    organization = Request(method="GET", url=f"{served.cloud.graph}/v1.0/organization", repeatable=True)
    found = json.loads(operator.graph().send(organization).content)["value"]
    assert [one["id"] for one in found] == [served.info.tenant_id]
    cmdlet = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"Identity": served.info.mailbox}}}
    invoke = Request(
        method="POST",
        url=f"{served.cloud.exchange}/adminapi/beta/{served.info.tenant_id}/InvokeCommand",
        headers={"Content-Type": "application/json"},
        content=json.dumps(cmdlet).encode(),
    )
    assert operator.exchange().send(invoke).status == 200
    assert operator.graph().operator().is_app_only


def test_a_person_signs_in_by_a_code_and_has_what_was_asked_for(served: Served) -> None:
    graph = served.operator(SignInOptions()).graph(["Application.ReadWrite.All", "User.Read"])
    who = graph.operator()
    assert who.name == served.info.administrator
    assert who.tenant_id == served.info.tenant_id
    assert {"Application.ReadWrite.All", "User.Read"} <= who.scopes
    assert "Global Administrator" in who.directory_roles
    assert len(served.shown) == 1


def test_the_exchange_client_is_let_in_and_graph_tools_are_not(served: Served) -> None:
    assert "AdminApi.AccessAsUser.All" in served.operator(SignInOptions()).exchange().operator().scopes
    wrong = SignInOptions(client_id="14d82eec-204b-4c2f-b7e8-296a70dab67e")
    with pytest.raises(SignInError) as caught:
        served.operator(wrong).exchange().operator()
    assert caught.value.explain == "AADSTS65002"


@pytest.mark.parametrize(
    ("secret", "client_id", "code"),
    [
        ("sandbox-wrong", None, "7000215"),
        (None, "00001111-aaaa-2222-bbbb-3333cccc4444", "700016"),
    ],
)
def test_what_the_sandbox_refuses_has_its_line_and_its_hint(
    served: Served, secret: str | None, client_id: str | None, code: str
) -> None:
    with pytest.raises(SignInError) as caught:
        served.operator(served.as_application(secret, client_id)).graph().operator()
    assert caught.value.explain == f"AADSTS{code}"
    assert caught.value.hint


def test_the_applications_own_sign_in(served: Served) -> None:
    sign_in = AppSignIn(served.http, served.cloud)
    info = served.info
    token = sign_in.token(
        info.tenant_id, info.operator_client_id, Secret(info.operator_client_secret), served.cloud.exchange_scope
    )
    assert isinstance(token, AppToken)
    assert token.claims.app_id == info.operator_client_id
    refused = sign_in.token(
        info.tenant_id, info.operator_client_id, Secret("sandbox-wrong"), served.cloud.exchange_scope
    )
    assert isinstance(refused, Refusal)
    assert refused.kind is RefusalKind.WRONG_SECRET
