"""Real sockets on this machine: a TLS server for any host name, and a proxy that leads every name to it.

A request to ``login.microsoftonline.com`` that reaches the server has gone through the proxy: nothing else on the
machine answers to that name.
"""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx
import trustme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    answer: Callable[[httpx.Request], httpx.Response]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that refuses the certificate hangs up, and is meant to."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = httpx.Request(
            self.command, f"https://{self.headers['Host']}{self.path}", headers=dict(self.headers.items()), content=body
        )
        response = self.server.answer(request)
        content = response.read()
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            if name.lower() not in {"content-length", "transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _handle  # noqa: N815 - the names http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@dataclass
class LoopbackServer:
    """A TLS server; `seen` lists what it was asked, as ``METHOD host/path``."""

    port: int
    ca_file: Path
    seen: list[str] = field(default_factory=list)


@contextmanager
def serving(
    answer: Callable[[httpx.Request], httpx.Response], folder: Path, *names: str, ca: trustme.CA | None = None
) -> Iterator[LoopbackServer]:
    """A TLS server on a free port, with a certificate for the names."""
    authority = ca or trustme.CA()
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("localhost",))).configure_cert(context)
    server = _Server(("127.0.0.1", 0), _Handler)
    # The handshake belongs to the connection's own thread: one client that dawdles must not keep the others out.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    made = LoopbackServer(port=server.server_port, ca_file=ca_file)

    def recorded(request: httpx.Request) -> httpx.Response:
        made.seen.append(f"{request.method} {request.url.netloc.decode()}{request.url.path}")
        return answer(request)

    server.answer = recorded
    with _running(server):
        yield made


@contextmanager
def plain_server(answer: Callable[[httpx.Request], httpx.Response]) -> Iterator[int]:
    """A server without TLS on a free port, as the identity endpoint of a machine is one; its port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.answer = answer
    with _running(server):
        yield server.server_port


@dataclass
class LoopbackProxy:
    """A proxy that leads every name to one port; `connected` lists what was asked for."""

    address: str
    connected: list[str] = field(default_factory=list)


class _Tunnel(socketserver.BaseRequestHandler):
    server: _ProxyServer

    def handle(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = self.request.recv(4096)
            if not piece:
                return
            head += piece
        method, target, _ = head.split(b"\r\n", 1)[0].split(b" ", 2)
        if method != b"CONNECT":
            self.request.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            return
        self.server.proxy.connected.append(target.decode())
        if self.server.refuse:
            self.request.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", self.server.target)) as onward:
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(onward, self.request), daemon=True)
            back.start()
            _pump(self.request, onward)
            back.join(120)


class _ProxyServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    proxy: LoopbackProxy
    target: int
    refuse: bool

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks off is the end of a tunnel."""


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def proxying(target: int, *, refuse: bool = False) -> Iterator[LoopbackProxy]:
    """A proxy on a free port, which tunnels every CONNECT to a port of this machine, or refuses it."""
    server = _ProxyServer(("127.0.0.1", 0), _Tunnel)
    server.target, server.refuse = target, refuse
    server.proxy = LoopbackProxy(address=f"http://127.0.0.1:{server.server_address[1]}")
    with _running(server):
        yield server.proxy


@contextmanager
def _running(server: socketserver.TCPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(120)
