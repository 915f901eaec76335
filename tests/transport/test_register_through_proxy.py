"""A whole register, sign-in included, through a proxy: its services have a name that only the proxy leads anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from mimapp.clouds import CLOUDS
from mimapp.identity import SignInOptions
from mimapp.sandbox import open_sandbox
from mimapp.spec import Registration
from mimapp.stores import FileStore
from mimapp.tenant import Tenant
from mimapp.transport.network import Network, network_transport
from support.clock import FakeClock
from support.loopback import proxying, serving

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_whole_register_passes_the_proxy_and_nothing_goes_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    sandbox = open_sandbox(tmp_path, clock=clock)
    # No name server knows a name under .invalid: what reaches the server has come through the proxy.
    host = httpx.URL(sandbox.origin).host
    assert host.endswith(".invalid")
    cloud = CLOUDS["global"].with_hosts(login=sandbox.origin, graph=sandbox.origin, exchange=sandbox.origin)
    answer = httpx.WSGITransport(app=sandbox.app).handle_request
    with serving(answer, tmp_path, host) as server, proxying(server.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)
        for name in ("NO_PROXY", "no_proxy", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        with Tenant.connect(
            "contoso.onmicrosoft.com",
            graph=SignInOptions(),
            exchange=SignInOptions(),
            cloud=cloud,
            home=tmp_path,
            transport=network_transport(Network(ca_bundle=server.ca_file, hosts=cloud.hosts)),
            clock=clock,
            show_code=lambda _: None,
            sandbox=True,
        ) as tenant:
            wanted = Registration(
                mailbox="MIMService@contoso.onmicrosoft.com", store=FileStore(tmp_path / "secret.json")
            )
            outcome = tenant.apply(tenant.plan(wanted))
    sandbox.close()
    assert outcome.failed is None
    assert set(proxy.connected) == {f"{host}:443"}
    paths = [line.partition("/")[2] for line in server.seen]
    assert any(path.endswith("oauth2/v2.0/devicecode") for path in paths), "the operator's sign-in"
    assert any(path.startswith("v1.0/applications") for path in paths), "Graph"
    assert any(path.endswith("/InvokeCommand") for path in paths), "Exchange"
    assert sum(path.endswith("oauth2/v2.0/token") for path in paths) > 2, "both services, and the application itself"
