"""Connections that break, and time that passes on the way: on the client's side in process, on the socket when served.

In process the transport raises what httpx raises for a real network, before or after the app took the request, and lets
the sandbox's clock move by the latency: a test's clock moves its hands, nobody waits. Served, the socket is cut.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from mimapp.sandbox.clock import Clock
    from mimapp.sandbox.conditions import Conditions

__all__ = ["CuttingApp", "WeatherTransport"]

_LONG_SECONDS = 30.0


class WeatherTransport(httpx.BaseTransport):
    """The way from a client to the app in the same process, through the weather."""

    def __init__(self, inner: httpx.BaseTransport, *, conditions: Conditions, clock: Clock) -> None:
        self._inner = inner
        self._conditions = conditions
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send on, or break.

        Raises:
            httpx.ConnectError: the connection could not be made; the app saw nothing.
            httpx.ReadError: it broke; the app saw the request or did not.
            httpx.ReadTimeout: nothing came back in time; as above.
        """
        self._clock.sleep(self._conditions.weather.latency.total_seconds())
        breakdown = self._conditions.breakdown(request.method, request.url.path)
        if breakdown is None:
            return self._inner.handle_request(request)
        if breakdown.taken:
            self._inner.handle_request(request).read()
        if breakdown.times_out:
            self._clock.sleep(_LONG_SECONDS)
            raise httpx.ReadTimeout("The read operation timed out", request=request)
        if breakdown.taken:
            raise httpx.ReadError("[Errno 104] Connection reset by peer", request=request)
        raise httpx.ConnectError("[Errno 111] Connection refused", request=request)

    def close(self) -> None:
        """Close the way behind it."""
        self._inner.close()


class CuttingApp:
    """The app behind a socket: latency is real there, and a broken connection is cut without a reply."""

    def __init__(self, app: WSGIApplication, *, conditions: Conditions, clock: Clock) -> None:
        self._app = app
        self._conditions = conditions
        self._clock = clock

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or cut.

        Raises:
            ConnectionResetError: the server closes the socket on it, and says nothing.
        """
        self._clock.sleep(self._conditions.weather.latency.total_seconds())
        breakdown = self._conditions.breakdown(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if breakdown is None:
            return self._app(environ, start_response)
        if breakdown.taken:
            list(self._app(environ, _nowhere))
        raise ConnectionResetError(errno.ECONNRESET, "cut by the sandbox's weather")


def _nowhere(_status: str, _headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], object]:
    return lambda _data: None
