"""The sandbox as a server on a loopback TLS socket, so that other programs can talk to it as to any cloud.

It owns the socket, the certificate authority under ``home/sandbox`` and the line that says how to use the server. The
application is the same as in process. Loopback addresses only: the operator's secret is public.

Cheroot serves: HTTP/1.1 with keep-alive, a pool of threads, and nothing else to install. An exception of the kind that
broken sockets raise makes it close the connection without a reply, which is how a cut socket is simulated.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trustme
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server
from filelock import FileLock

from mimapp.sandbox.app import create_app
from mimapp.sandbox.errors import SandboxError
from mimapp.sandbox.losses import CuttingApp
from mimapp.sandbox.managed_identity import APP_SERVICE_PATH, IDENTITY_HEADER, MACHINE_PATH

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mimapp.sandbox import Sandbox

__all__ = ["Served", "ready_line", "serve", "serving"]

_LOG = logging.getLogger(__name__)
_THREADS = 16
# Clients ask side by side; a shorter queue drops connections, which then take a second or three to come again.
_BACKLOG = 128
_IDLE_SECONDS = 60
_STOP_SECONDS = 1
# How soon the server sees that it is to stop; cheroot's half a second is felt at the end of every test.
_BEAT_SECONDS = 0.05
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server that answers now.

    Attributes:
        url: its origin, such as ``https://127.0.0.1:8443``.
        ca_file: the certificate that a client must trust, PEM.
    """

    url: str
    ca_file: Path


def serve(
    sandbox: Sandbox,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    on_ready: Callable[[Served], None] | None = None,
) -> None:
    """Serve until the process is interrupted.

    Args:
        sandbox: what is served; its own origin does not matter, the socket's does.
        host: a loopback address, or ``localhost``.
        port: the port, 0 for any free one.
        on_ready: called once, when the socket answers.

    Raises:
        SandboxError: the address is no loopback address, or cannot be bound.
        KeyboardInterrupt: the process was interrupted; the socket is closed by then.
    """
    server, served = _bound(sandbox, host, port)
    # Not in this thread: an interruption may then arrive at any place of the server's code, and be swallowed there.
    thread = threading.Thread(target=server.serve, name="mimapp-sandbox", daemon=True)
    thread.start()
    try:
        if on_ready is not None:
            on_ready(served)
        while thread.is_alive():
            thread.join(_LOOK_SECONDS)
    finally:
        _stop(server)


@contextmanager
def serving(sandbox: Sandbox, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[Served]:
    """Serve in a thread of this process as long as the block lasts.

    Raises:
        SandboxError: as `serve`.
    """
    server, served = _bound(sandbox, host, port)
    thread = threading.Thread(target=server.serve, name="mimapp-sandbox", daemon=True)
    thread.start()
    try:
        yield served
    finally:
        _stop(server)


def ready_line(sandbox: Sandbox, served: Served) -> str:
    """One line of JSON: where the server is, and the variables that make mimapp in another shell use it."""
    info = sandbox.info()
    ca_file = str(served.ca_file)
    environment = {
        "MIMAPP_LOGIN_URL": served.url,
        "MIMAPP_GRAPH_URL": served.url,
        "MIMAPP_EXCHANGE_URL": served.url,
        "MIMAPP_CA_BUNDLE": ca_file,
        "MIMAPP_TENANT": info.tenant_name,
        "MIMAPP_AUTH": "client-secret",
        "MIMAPP_GROUP_OWNER": info.administrator,
        "MIMAPP_REPLICATION_WINDOW": sandbox.conditions.weather.replication_window,
        "AZURE_CLIENT_ID": info.operator_client_id,
        "AZURE_CLIENT_SECRET": info.operator_client_secret,
    }
    return json.dumps(
        {
            "url": served.url,
            "caFile": ca_file,
            "tenantId": info.tenant_id,
            "tenantName": info.tenant_name,
            "mailbox": info.mailbox,
            "outsideMailbox": info.outside_mailbox,
            "operator": {"clientId": info.operator_client_id, "clientSecret": info.operator_client_secret},
            "identity": {
                "machineUrl": f"{served.url}{MACHINE_PATH}",
                "appServiceUrl": f"{served.url}{APP_SERVICE_PATH}",
                "appServiceHeader": IDENTITY_HEADER,
            },
            "env": environment,
        }
    )


def _bound(sandbox: Sandbox, host: str, port: int) -> tuple[Server, Served]:
    _check_loopback(host)
    folder = sandbox.home / "sandbox"
    ca_file, leaf_file = _certificates(folder)
    server = _Server(
        (host, port),
        None,
        numthreads=_THREADS,
        max=_THREADS,
        request_queue_size=_BACKLOG,
        shutdown_timeout=_STOP_SECONDS,
    )
    server.timeout = _IDLE_SECONDS
    server.expiration_interval = _BEAT_SECONDS
    server.ssl_adapter = _LateHandshake(str(leaf_file), str(leaf_file))
    try:
        server.prepare()
    except OSError as error:
        raise SandboxError(f"{host} port {port} cannot be bound: {error}") from error
    bound_port = server.bind_addr[1]
    shown = f"[{host}]" if ":" in host else host
    url = f"https://{shown}:{bound_port}"
    app = create_app(sandbox.state, clock=sandbox.clock, origin=url, conditions=sandbox.conditions)
    server.wsgi_app = CuttingApp(app, conditions=sandbox.conditions, clock=sandbox.clock)
    return server, Served(url=url, ca_file=ca_file)


def _stop(server: Server) -> None:
    """Close the socket, and wait for the workers as long as is reasonable: one of them may be held by its client."""
    stopping = threading.Thread(target=server.stop, name="mimapp-sandbox-stop", daemon=True)
    stopping.start()
    stopping.join(_STOP_SECONDS * 3)


def _check_loopback(host: str) -> None:
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise SandboxError(f"the sandbox is served on loopback addresses only, not on {host}")


def _certificates(folder: Path) -> tuple[Path, Path]:
    """The authority's certificate (made once, kept) and a fresh server certificate with its key."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca_file, key_file, leaf_file = folder / "ca.pem", folder / "ca-key.pem", folder / "server.pem"
    with FileLock(folder / "certificates.lock"):
        _make_certificates(ca_file, key_file, leaf_file)
    return ca_file, leaf_file


def _make_certificates(ca_file: Path, key_file: Path, leaf_file: Path) -> None:
    if ca_file.exists() and key_file.exists():
        authority = trustme.CA.from_pem(ca_file.read_bytes(), key_file.read_bytes())
    else:
        authority = trustme.CA(organization_name="mimapp sandbox")
        _write_private(key_file, authority.private_key_pem.bytes())
        _write_private(ca_file, authority.cert_pem.bytes())
    leaf = authority.issue_cert("localhost", "127.0.0.1", "::1")
    _write_private(leaf_file, leaf.private_key_and_cert_chain_pem.bytes())


def _write_private(path: Path, content: bytes) -> None:
    """Whole or not at all, and for the owner only: another server may be reading it."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    partial.replace(path)


class _LateHandshake(BuiltinSSLAdapter):
    """TLS whose handshake is the worker's business: one slow client must not keep all others from being accepted."""

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, {"wsgi.url_scheme": "https", "HTTPS": "on"}


class _Server(Server):
    """Cheroot, writing its errors to the log, and leaving no socket open where it could not be bound."""

    @staticmethod
    def bind_socket(socket_: socket.socket, bind_addr: tuple[str, int]) -> socket.socket:
        try:
            bound: socket.socket = Server.bind_socket(socket_, bind_addr)  # type: ignore[no-untyped-call]  # cheroot half types it
        except OSError:
            socket_.close()
            raise
        return bound

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:  # noqa: FBT001, FBT002 - cheroot's own signature
        _LOG.log(level, msg, exc_info=traceback)
