from __future__ import annotations

import platform
import ssl
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
import trustme

from mimapp.clouds import cloud
from mimapp.errors import BadReplyError, ReplyLostError, UnreachableError, UsageError
from mimapp.identity import AppSignIn, AppToken, Method, OperatorSignIn, SignInOptions
from mimapp.secret import Secret
from mimapp.transport import Http, Patience, Request
from mimapp.transport.network import Network, _Routes, network_transport, tls_context
from support.clock import FakeClock
from support.loopback import plain_server, proxying, serving
from support.player import unsigned_token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
APP = "00001111-aaaa-2222-bbbb-3333cccc4444"
HOSTS = ("login.microsoftonline.com", "graph.microsoft.com", "outlook.office365.com")


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def http(settings: Network) -> Http:
    return Http(Patience(FakeClock(), limit=timedelta(seconds=5)), transport=network_transport(settings))


def get(url: str, **headers: str) -> Request:
    return Request(method="GET", url=url, headers=headers)


def microsoft(request: httpx.Request) -> httpx.Response:
    """A sign-in and two services, under their real names."""
    base = f"https://login.microsoftonline.com/{TENANT}"
    if request.url.path.endswith("openid-configuration"):
        return httpx.Response(
            200,
            json={
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            },
        )
    if request.url.path.endswith("/token"):
        return httpx.Response(
            200,
            json={
                "token_type": "Bearer",
                "expires_in": 3600,
                "access_token": unsigned_token({"tid": TENANT, "appid": APP}),
            },
        )
    return httpx.Response(200, json={})


@pytest.fixture
def proxied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Http, list[str], list[str]]]:
    """A client behind a proxy; what the proxy was asked for; what the server behind it was."""
    with (
        serving(microsoft, tmp_path, *HOSTS) as server,
        proxying(server.port) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)
        with http(Network(ca_bundle=server.ca_file)) as client:
            yield client, proxy.connected, server.seen


def test_every_request_of_a_sign_in_and_of_the_services_passes_the_proxy(
    proxied: tuple[Http, list[str], list[str]],
) -> None:
    client, connected, seen = proxied
    options = SignInOptions(method=Method.CLIENT_SECRET, client_id=APP, secret=Secret("replaced-secret"))
    operator = OperatorSignIn(
        client,
        cloud("global"),
        tenant=TENANT,
        graph=options,
        exchange=options,
        show_code=lambda _: None,
        environ={},
    )
    assert operator.graph().send(get("https://graph.microsoft.com/v1.0/organization")).status == 200
    invoke = Request(method="POST", url=f"https://outlook.office365.com/adminapi/beta/{TENANT}/InvokeCommand")
    assert operator.exchange().send(invoke).status == 200
    token = AppSignIn(client, cloud("global")).token(
        TENANT, APP, Secret("replaced-secret"), cloud("global").exchange_scope
    )
    assert isinstance(token, AppToken)
    assert set(connected) == {f"{host}:443" for host in HOSTS}
    assert [line.rsplit("/", 1)[-1] for line in seen] == [
        "openid-configuration",
        "token",
        "organization",
        "token",
        "InvokeCommand",
        "openid-configuration",
        "token",
    ]


def test_no_proxy_goes_beside_it(proxied: tuple[Http, list[str], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    client, connected, _ = proxied
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,.contoso.com")
    with pytest.raises(UnreachableError):
        client.send(get("https://127.0.0.1:1/nobody"))
    assert connected == []


def test_a_proxy_that_refuses_says_where_to_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(microsoft, tmp_path, *HOSTS) as server, proxying(server.port, refuse=True) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)
        with http(Network(ca_bundle=server.ca_file)) as client, pytest.raises(UnreachableError) as caught:
            client.send(get("https://graph.microsoft.com/v1.0/organization"))
    assert caught.value.hint is not None
    assert "HTTPS_PROXY" in caught.value.hint


@pytest.mark.parametrize("address", ["http://", "ftp://proxy:1", "http://proxy:x"])
def test_a_proxy_address_that_is_none_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with http(Network()) as client, pytest.raises(UsageError, match="HTTPS_PROXY"):
        client.send(get("https://graph.microsoft.com/"))


def test_a_proxy_may_be_named_without_its_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(microsoft, tmp_path, *HOSTS) as server, proxying(server.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address.removeprefix("http://"))
        with http(Network(ca_bundle=server.ca_file)) as client:
            assert client.send(get("https://graph.microsoft.com/")).status == 200
    assert proxy.connected == ["graph.microsoft.com:443"]


def test_an_authority_that_nobody_gave_is_not_trusted(tmp_path: Path) -> None:
    with serving(microsoft, tmp_path) as server, http(Network()) as client:
        with pytest.raises(UnreachableError) as caught:
            client.send(get(f"https://localhost:{server.port}/"))
        assert caught.value.hint is not None
        assert "--ca-bundle" in caught.value.hint
        assert server.seen == []


def test_requests_ca_bundle_neither_adds_trust_nor_takes_it_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(microsoft, tmp_path) as server:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.ca_file))
        monkeypatch.setenv("CURL_CA_BUNDLE", str(server.ca_file))
        with http(Network()) as client, pytest.raises(UnreachableError):
            client.send(get(f"https://localhost:{server.port}/"))
        other = tmp_path / "other.pem"
        trustme.CA().cert_pem.write_to_path(str(other))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
        with http(Network(ca_bundle=server.ca_file)) as client:
            assert client.send(get(f"https://localhost:{server.port}/")).status == 200


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    with serving(microsoft, tmp_path, "elsewhere.example") as server, http(Network(ca_bundle=server.ca_file)) as client:
        with pytest.raises(UnreachableError):
            client.send(get(f"https://localhost:{server.port}/"))
        assert server.seen == []


def test_tls_is_1_2_at_least() -> None:
    assert tls_context().minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(("text", "said"), [(None, "cannot be read"), ("no certificate", "holds no certificate")])
def test_a_bundle_that_cannot_be_used_is_named(tmp_path: Path, text: str | None, said: str) -> None:
    bundle = tmp_path / "bundle.pem"
    if text is not None:
        bundle.write_text(text, encoding="utf-8")
    with http(Network(ca_bundle=bundle)) as client, pytest.raises(UsageError, match=said) as caught:
        client.send(get("https://graph.microsoft.com/"))
    assert str(bundle) in caught.value.message


class Redirecting:
    """Sends one request on to an address, and answers the next."""

    def __init__(self, location: str, status: int = 302) -> None:
        self.location = location
        self.status = status
        self.seen: list[tuple[str, str | None, bytes]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append((request.url.path, request.headers.get("authorization"), request.read()))
        if len(self.seen) == 1:
            return httpx.Response(self.status, headers={"Location": self.location})
        return httpx.Response(200, json={})


@pytest.fixture
def tunnelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Redirecting, Http]]:
    answer = Redirecting("")
    names = ("graph.microsoft.com", "eu.graph.microsoft.com", "login.microsoftonline.com", "elsewhere.example")
    with serving(answer, tmp_path, *names) as server, proxying(server.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)
        with http(Network(ca_bundle=server.ca_file, hosts=cloud("global").hosts)) as client:
            yield answer, client


@pytest.mark.parametrize("location", ["/moved", "https://eu.graph.microsoft.com/moved"])
def test_a_redirect_within_the_host_is_followed_with_the_token(
    tunnelled: tuple[Redirecting, Http], location: str
) -> None:
    answer, client = tunnelled
    answer.location = location
    assert client.send(get("https://graph.microsoft.com/here", Authorization="Bearer t")).status == 200
    assert answer.seen[1] == ("/moved", "Bearer t", b"")


def test_a_redirect_to_another_of_the_clouds_hosts_leaves_the_token_behind(
    tunnelled: tuple[Redirecting, Http],
) -> None:
    answer, client = tunnelled
    answer.location = "https://login.microsoftonline.com/moved"
    assert client.send(get("https://graph.microsoft.com/here", Authorization="Bearer t")).status == 200
    assert answer.seen[1] == ("/moved", None, b"")


@pytest.mark.parametrize(
    "location",
    ["https://elsewhere.example/", "http://graph.microsoft.com/", "https://notgraph.microsoft.com.evil.example/"],
)
def test_a_redirect_that_leaves_the_cloud_is_refused(tunnelled: tuple[Redirecting, Http], location: str) -> None:
    answer, client = tunnelled
    answer.location = location
    with pytest.raises(BadReplyError, match="none of this cloud's hosts"):
        client.send(get("https://graph.microsoft.com/here"))
    assert len(answer.seen) == 1


def test_a_post_is_sent_on_only_where_it_stays_a_post(tunnelled: tuple[Redirecting, Http]) -> None:
    answer, client = tunnelled
    answer.location = "/moved"
    post = Request(method="POST", url="https://graph.microsoft.com/here", content=b"body")
    with pytest.raises(BadReplyError, match="redirects a POST"):
        client.send(post)
    answer.seen.clear()
    answer.status = 307
    assert client.send(post).status == 200
    assert answer.seen[1] == ("/moved", None, b"body")


def test_a_circle_of_redirects_ends(tmp_path: Path) -> None:
    def circle(_: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "/again"})

    with serving(circle, tmp_path) as server:
        settings = Network(ca_bundle=server.ca_file, hosts=frozenset({f"localhost:{server.port}"}))
        with http(settings) as client, pytest.raises(BadReplyError, match="circle"):
            client.send(get(f"https://localhost:{server.port}/"))
        assert len(server.seen) == 3


def test_a_reply_that_takes_too_long_as_a_whole_is_lost(tmp_path: Path) -> None:
    with (
        serving(microsoft, tmp_path) as server,
        http(Network(ca_bundle=server.ca_file, total=timedelta())) as client,
        pytest.raises(ReplyLostError, match="as a whole"),
    ):
        client.once(get(f"https://localhost:{server.port}/"))


def test_the_machines_own_identity_endpoint_is_plain_http_and_never_proxied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plain_server(microsoft) as port, serving(microsoft, tmp_path) as server, proxying(server.port) as proxy:
        for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.address)
        with http(Network()) as client:
            assert client.send(get(f"http://127.0.0.1:{port}/msi/token")).status == 200
    assert proxy.connected == []
    assert server.seen == []


def test_an_identity_endpoint_that_is_not_there_is_given_a_second() -> None:
    """The limits of one request, as the pool is given them."""
    given: list[float] = []

    class Pool(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            given.append(request.extensions["timeout"]["connect"])
            raise httpx.ConnectTimeout("nobody", request=request)

    routes = _Routes(Network())
    routes._pools[""] = Pool()
    client = Http(Patience(FakeClock()), transport=routes)
    for url in ("http://169.254.169.254/metadata/identity/oauth2/token", "http://127.0.0.1:1/"):
        with pytest.raises(UnreachableError):
            client.once(get(url))
    assert given == [1.0, 10.0]


@pytest.mark.skipif(platform.system() in {"Windows", "Darwin"}, reason="their store cannot be named by a variable")
def test_a_client_that_nobody_gave_a_way_takes_the_systems_trust_and_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(lambda _: httpx.Response(200), tmp_path, "service.invalid") as server, proxying(server.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))  # where OpenSSL then finds the system's store
        with Http(Patience(FakeClock())) as client:
            assert client.send(get("https://service.invalid/")).status == 200
    assert proxy.connected == ["service.invalid:443"]


def test_where_redirects_may_lead_can_be_said_when_the_cloud_is_known(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/there":
            return httpx.Response(200)
        return httpx.Response(307, headers={"Location": "/there"})

    with serving(answer, tmp_path) as server:
        network = network_transport(Network(ca_bundle=server.ca_file))
        with Http(Patience(FakeClock()), transport=network) as client:
            with pytest.raises(BadReplyError, match="none of this cloud's hosts"):
                client.send(get(f"https://localhost:{server.port}/here"))
            network.hosts = frozenset({f"localhost:{server.port}"})
            assert client.send(get(f"https://localhost:{server.port}/here")).status == 200
