"""No network, no trust, no proxy that lets through: over a scripted transport, and over sockets of this machine."""

from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING

import httpx
import pytest
import trustme

from cli.bad_input import REGISTER, STATUS, Case, check_case, compare, failing
from mimapp.cli import main
from mimapp.cli.world import World
from support.clock import FakeClock
from support.loopback import plain_server, proxying, serving
from support.tenants import MAILBOX, Finished

if TYPE_CHECKING:
    from pathlib import Path

_NETWORK = "look at the network, the name server and the proxy (HTTPS_PROXY), then run the same command again"
_AGAIN = "run the same command again: it looks what was done before it goes on"
_TRUST = "the certificate is not trusted here: give the CA of your proxy or server with --ca-bundle FILE"
_PROXY = "the proxy refused: look at HTTPS_PROXY and NO_PROXY"
_ASKED = "GET /contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration"


def _graph(request: httpx.Request) -> bool:
    return request.url.path.startswith("/v1.0/")


def _graph_write(request: httpx.Request) -> bool:
    return _graph(request) and request.method != "GET"


def _exchange(request: httpx.Request) -> bool:
    return request.url.path.endswith("/InvokeCommand")


def _unreachable(error: Exception, line: str, hint: str = _NETWORK, *, argv: str = REGISTER) -> Case:
    return Case(argv=argv, prepare=failing(error), code=75, line=f"cannot reach sandbox.invalid: {line}", hint=hint)


def _silent(error: Exception, line: str) -> Case:
    return Case(
        argv=REGISTER,
        prepare=failing(error),
        code=75,
        line=f"sandbox.invalid did not answer {_ASKED}: {line}",
        hint=_AGAIN,
    )


CASES = {
    "no name": _unreachable(
        httpx.ConnectError("[Errno -2] Name or service not known"), "[Errno -2] Name or service not known"
    ),
    "no name for status": _unreachable(
        httpx.ConnectError("[Errno -2] Name or service not known"), "[Errno -2] Name or service not known", argv=STATUS
    ),
    "no route": _unreachable(httpx.ConnectError("[Errno 101] Network is unreachable"), "[Errno 101] …"),
    "nobody there": _unreachable(httpx.ConnectError("[Errno 111] Connection refused"), "[Errno 111] …"),
    "no connection in time": _unreachable(httpx.ConnectTimeout("timed out"), "timed out"),
    "no free connection": _unreachable(httpx.PoolTimeout(""), "PoolTimeout"),
    "no trust": _unreachable(
        httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"),
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate",
        _TRUST,
    ),
    "a proxy that asks who": _unreachable(
        httpx.ProxyError("407 Proxy Authentication Required"), "407 Proxy Authentication Required", _PROXY
    ),
    "no answer in time": _silent(httpx.ReadTimeout("timed out"), "timed out"),
    "a connection that breaks": _silent(httpx.ReadError(""), "ReadError"),
    "a connection that closes": _silent(
        httpx.RemoteProtocolError("Server disconnected without sending a response."), "Server disconnected …"
    ),
    "no Graph": Case(
        argv=REGISTER,
        prepare=failing(httpx.ConnectError("[Errno 111] Connection refused"), _graph),
        code=75,
        line="cannot reach sandbox.invalid: [Errno 111] Connection refused",
        hint=_NETWORK,
    ),
    "no Exchange": Case(
        argv=REGISTER,
        prepare=failing(httpx.ConnectError("[Errno 111] Connection refused"), _exchange),
        code=75,
        line="cannot reach sandbox.invalid: [Errno 111] Connection refused",
        hint=_NETWORK,
    ),
    "a Graph that is silent": Case(
        argv=REGISTER,
        prepare=failing(httpx.ReadTimeout("timed out"), _graph),
        code=75,
        line="sandbox.invalid did not answer GET /v1.0/…: timed out",
        hint=_AGAIN,
    ),
    "a first write without an answer": Case(
        argv=REGISTER,
        prepare=failing(httpx.ReadError("reset"), _graph_write),
        code=75,
        line="sandbox.invalid did not answer PATCH /v1.0/applications(uniqueName='mimapp-mimservice'): reset",
        hint=_AGAIN,
        details=("failed: Register the application", "not tried: "),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_network_that_fails(tmp_path: Path, case: Case) -> None:
    check_case(case, tmp_path)


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The proxy is the process's business, so the test says what it is."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def over_sockets(tmp_path: Path, host: str, *argv: str) -> Finished:
    """``status`` over the machine's own network; pauses cost nothing."""
    out, err = io.StringIO(), io.StringIO()
    world = World(
        stdin=io.StringIO(),
        stdout=out,
        stderr=err,
        environ={
            "MIMAPP_LOGIN_URL": host,
            "MIMAPP_GRAPH_URL": host,
            "MIMAPP_EXCHANGE_URL": host,
            "MIMAPP_AUTH": "client-secret",
            "AZURE_CLIENT_ID": "11111111-2222-3333-4444-555555555555",
            "AZURE_CLIENT_SECRET": "replaced-by-hand",
        },
        clock=FakeClock(),
        home=tmp_path / "home",
    )
    code = main(["status", "--mailbox", MAILBOX, *argv, "--output", "json"], world=world)
    return Finished(code=code, out=out.getvalue(), err=err.getvalue())


def held_to(done: Finished, code: int, line: str, hint: str) -> None:
    compare(Case(argv="", code=code, line=line, hint=hint), done, {})


def page(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, html="<html><title>Sign in to the proxy</title></html>")


@pytest.mark.usefixtures("no_proxy")
def test_a_port_where_nobody_is(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        done = over_sockets(tmp_path, f"localhost:{port}")

    held_to(done, 75, "cannot reach localhost: [Errno …] Connection refused", _NETWORK)


@pytest.mark.usefixtures("no_proxy")
def test_a_server_whose_certificate_nobody_trusts(tmp_path: Path) -> None:
    with serving(page, tmp_path, "localhost") as server:
        done = over_sockets(tmp_path, f"localhost:{server.port}")

    held_to(done, 75, "cannot reach localhost: … certificate verify failed…", _TRUST)
    assert server.seen == []


@pytest.mark.usefixtures("no_proxy")
def test_a_server_of_another_name(tmp_path: Path) -> None:
    with serving(page, tmp_path, "elsewhere.example") as server:
        done = over_sockets(tmp_path, f"localhost:{server.port}", "--ca-bundle", str(server.ca_file))

    held_to(done, 75, "cannot reach localhost: … certificate verify failed…", _TRUST)
    assert server.seen == []


@pytest.mark.usefixtures("no_proxy")
def test_a_server_without_tls(tmp_path: Path) -> None:
    with plain_server(page) as port:
        done = over_sockets(tmp_path, f"localhost:{port}")

    held_to(done, 75, "cannot reach localhost: [SSL…", _NETWORK)


@pytest.mark.usefixtures("no_proxy")
def test_a_page_in_place_of_entra(tmp_path: Path) -> None:
    with serving(page, tmp_path, "localhost") as server:
        done = over_sockets(tmp_path, f"localhost:{server.port}", "--ca-bundle", str(server.ca_file))

    held_to(
        done,
        5,
        "looking up …: what came from localhost… is no answer of Entra's (HTTP 200, text/html; charset=utf-8)",
        "a proxy's page looks like this: look at HTTPS_PROXY, and at --cloud",
    )
    assert server.seen


@pytest.mark.usefixtures("no_proxy")
def test_a_way_out_of_the_cloud(tmp_path: Path) -> None:
    def elsewhere(_: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "https://portal.example/login"})

    with serving(elsewhere, tmp_path, "localhost") as server:
        done = over_sockets(tmp_path, f"localhost:{server.port}", "--ca-bundle", str(server.ca_file))

    held_to(done, 5, "localhost:… redirects to https://portal.example, which is none of this cloud's hosts", "…proxy…")


def test_a_proxy_that_refuses(tmp_path: Path, no_proxy: pytest.MonkeyPatch) -> None:
    with serving(page, tmp_path, "login.invalid") as server, proxying(server.port, refuse=True) as proxy:
        no_proxy.setenv("HTTPS_PROXY", proxy.address)
        done = over_sockets(tmp_path, "login.invalid", "--ca-bundle", str(server.ca_file))

    held_to(done, 75, "cannot reach login.invalid: 407 Proxy Authentication Required", _PROXY)
    assert server.seen == []


def test_a_proxy_that_is_none(tmp_path: Path, no_proxy: pytest.MonkeyPatch) -> None:
    no_proxy.setenv("HTTPS_PROXY", "ftp://proxy")
    done = over_sockets(tmp_path, "login.invalid")

    held_to(done, 2, "HTTPS_PROXY holds no address of a proxy", "such as http://proxy.contoso.com:8080")


@pytest.mark.usefixtures("no_proxy")
def test_a_bundle_that_is_not_there_and_one_that_is_none(tmp_path: Path) -> None:
    notes = tmp_path / "notes.pem"
    notes.write_text("precious")
    key = tmp_path / "key.pem"
    trustme.CA().private_key_pem.write_to_path(str(key))
    missing = over_sockets(tmp_path, "localhost", "--ca-bundle", str(tmp_path / "none.pem"))
    empty = over_sockets(tmp_path, "localhost", "--ca-bundle", str(notes))
    secret = over_sockets(tmp_path, "localhost", "--ca-bundle", str(key))

    held_to(missing, 2, f"--ca-bundle {tmp_path / 'none.pem'} cannot be read: No such file or directory", "")
    for done, path in ((empty, notes), (secret, key)):
        held_to(done, 2, f"--ca-bundle {path} holds no certificate", "give a file of certificates in PEM form")
