"""The way out: trust, proxy, limits and redirects of the real network.

- Trust is the system's own store (by truststore where that is not OpenSSL's), and what ``--ca-bundle`` adds to it.
  ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE`` mean nothing here: they belong to other clients, and would outrank what
  was asked for.
- The proxy is the one of ``HTTPS_PROXY`` and ``NO_PROXY`` or, without them, the one that Windows or macOS is set to.
  A transport that is handed to httpx switches httpx's own look at them off, so it is done here.
- Plain http is spoken to one kind of endpoint only, the identity endpoint of the machine itself, and never through a
  proxy: https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service (proxies).
- A redirect is followed within the hosts that the run may talk to; any other is an error that names both.
"""

from __future__ import annotations

import ipaddress
import platform
import ssl
import threading
import time
import urllib.request
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from mimapp.errors import BadReplyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Network", "NetworkTransport", "network_transport", "tls_context"]

_LINK_LOCAL_CONNECT = 1.0
_HOPS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEPING_THE_METHOD = frozenset({307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How to reach the services.

    Attributes:
        ca_bundle: a PEM file of further authorities to trust, such as the one of a company's proxy.
        hosts: the hosts that a redirect may lead to (with the port, where it is not 443), and their subdomains; empty
            follows none.
        total: how long one request may take in all, its reply's body included.
        connections: how many may be open at a time.
    """

    ca_bundle: Path | None = None
    hosts: frozenset[str] = frozenset()
    total: timedelta = timedelta(minutes=2)
    connections: int = 20


def network_transport(settings: Network) -> NetworkTransport:
    """A transport over the real network; nothing is opened, and no certificate read, before its first request.

    Raises:
        UsageError: by its first request: the CA bundle or the proxy's address cannot be used.
    """
    return NetworkTransport(_Routes(settings), settings.hosts)


def tls_context(ca_bundle: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 at least, trusting the system's store and a bundle.

    Raises:
        UsageError: the bundle cannot be read, or holds no certificate.
    """
    context = _system_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_bundle is not None:
        try:
            context.load_verify_locations(cafile=str(ca_bundle))
        except ssl.SSLError as error:
            raise UsageError(
                f"--ca-bundle {ca_bundle} holds no certificate", hint="give a file of certificates in PEM form"
            ) from error
        except OSError as error:
            raise UsageError(f"--ca-bundle {ca_bundle} cannot be read: {error.strerror}") from error
    return context


def _system_context() -> ssl.SSLContext:
    """Trusts what the system trusts.

    Where OpenSSL is the system's own library, its default paths are the system's store. truststore, which asks
    Windows and macOS, would read the store again for each connection and lets one handshake wait for the other:
    connections that are opened side by side then come one after the other.
    """
    if platform.system() not in {"Windows", "Darwin"}:
        context = ssl.create_default_context()
        if context.cert_store_stats()["x509_ca"] or ssl.get_default_verify_paths().capath:
            return context
    import truststore  # noqa: PLC0415 - late: no command without a request needs it

    trusting: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return trusting


class _Routes(httpx.BaseTransport):
    """Sends each request directly or through the proxy, as the host wants it; keeps one pool for each way."""

    def __init__(self, settings: Network) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        self._pools: dict[str, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        begun = time.monotonic()
        if _is_link_local(request.url.host):
            # Nothing answers there outside Azure, and a firewall often drops the attempt: do not wait for it.
            limits = {**request.extensions.get("timeout", {}), "connect": _LINK_LOCAL_CONNECT}
            request.extensions = {**request.extensions, "timeout": limits}
        response = self._pool(_proxy_for(request.url)).handle_request(request)
        ends = begun + self._settings.total.total_seconds()
        if not isinstance(response.stream, httpx.SyncByteStream):
            raise TypeError("a synchronous transport has synchronous streams")
        response.stream = _Limited(response.stream, ends, request)
        return response

    def close(self) -> None:
        """Close every pool."""
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()

    def _pool(self, proxy: str) -> httpx.HTTPTransport:
        with self._lock:
            if proxy not in self._pools:
                if self._context is None:
                    self._context = tls_context(self._settings.ca_bundle)
                limits = httpx.Limits(max_connections=self._settings.connections)
                self._pools[proxy] = httpx.HTTPTransport(
                    verify=self._context, trust_env=False, limits=limits, proxy=_proxy(proxy, self._context)
                )
            return self._pools[proxy]


class _Limited(httpx.SyncByteStream):
    """A body that has to be there by a moment: httpx's read limit is one of silence, not of the whole."""

    def __init__(self, stream: httpx.SyncByteStream, ends: float, request: httpx.Request) -> None:
        self._stream = stream
        self._ends = ends
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            if time.monotonic() > self._ends:
                raise httpx.ReadTimeout("the reply took too long as a whole", request=self._request)
            yield chunk

    def close(self) -> None:
        self._stream.close()


class NetworkTransport(httpx.BaseTransport):
    """Follows a redirect that stays within the run's hosts; says where any other wanted to lead.

    Attributes:
        hosts: as in `Network`; set anew when the tenant's cloud is found.
    """

    def __init__(self, inner: httpx.BaseTransport, hosts: frozenset[str]) -> None:
        self._inner = inner
        self.hosts = hosts

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and again where it is redirected to."""
        for _ in range(_HOPS):
            response = self._inner.handle_request(request)
            if response.status_code not in _REDIRECTS or "location" not in response.headers:
                return response
            response.close()
            request = self._next(request, response)
        raise BadReplyError(
            f"{request.url.host} redirects in a circle", client_request_id=request.headers.get("client-request-id")
        )

    def close(self) -> None:
        """Close what is behind."""
        self._inner.close()

    def _next(self, request: httpx.Request, response: httpx.Response) -> httpx.Request:
        target = request.url.join(response.headers["location"])
        here = request.url.netloc.decode("ascii")
        there = target.netloc.decode("ascii")
        if target.scheme != "https" or not any(_is_within(there, host) for host in self.hosts):
            raise BadReplyError(
                f"{here} redirects to {target.scheme}://{there}, which is none of this cloud's hosts",
                hint="a proxy's login page answers like this: sign in to the proxy first, or ask for the hosts to be "
                "let through; otherwise check --cloud",
                client_request_id=request.headers.get("client-request-id"),
            )
        if request.method != "GET" and response.status_code not in _KEEPING_THE_METHOD:
            raise BadReplyError(
                f"{here} redirects a {request.method} to {there} with HTTP {response.status_code}",
                client_request_id=request.headers.get("client-request-id"),
            )
        # A token is for one host: it goes along to that host's subdomains, and nowhere else.
        left_behind = {"host"} if _is_within(there, here) else {"host", "authorization"}
        headers = [(name, value) for name, value in request.headers.multi_items() if name.lower() not in left_behind]
        return httpx.Request(
            request.method, target, headers=headers, content=request.read(), extensions=request.extensions
        )


def _is_within(netloc: str, host: str) -> bool:
    return netloc == host or netloc.endswith(f".{host}")


def _proxy_for(url: httpx.URL) -> str:
    """The address of the proxy that a request goes through; empty for none."""
    if url.scheme != "https" or urllib.request.proxy_bypass(url.netloc.decode("ascii")):
        return ""
    proxies = urllib.request.getproxies()
    return proxies.get("https") or proxies.get("all") or ""


def _proxy(address: str, context: ssl.SSLContext) -> httpx.Proxy | None:
    if not address:
        return None
    url = address if "://" in address else f"http://{address}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError("HTTPS_PROXY holds no address of a proxy", hint="such as http://proxy.contoso.com:8080")
    return httpx.Proxy(url, ssl_context=context if url.startswith("https:") else None)


def _is_link_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_link_local
    except ValueError:
        return False
