"""The loopback listener that a browser comes back to after a sign-in.

Entra posts its answer to ``http://localhost:{port}``, whose port it does not compare for a public client:
https://learn.microsoft.com/entra/identity-platform/reply-url#localhost-exceptions. Whether the answer belongs to the
question is msal's to decide (``state`` and PKCE); here it only has to have the form of one.
"""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from datetime import timedelta
    from types import TracebackType

__all__ = ["Listener"]

_LONGEST_BODY = 1 << 16
_BEAT = 0.05  # seconds
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>mimapp</title></head>
<body><p>{text}</p></body></html>
"""
_DONE = "The sign-in is done. Close this window and go back to mimapp."
_REFUSED = "The sign-in was not completed. Close this window: mimapp says why."


class Listener:
    """Waits on a free port of this machine for one answer; a context manager.

    Every connection has its own thread: browsers open some that they never speak on.
    """

    def __init__(self) -> None:
        self._server = _Server(("localhost", 0), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_BEAT,), daemon=True)

    @property
    def redirect_uri(self) -> str:
        """Where Entra is to send the browser."""
        return f"http://localhost:{self._server.server_port}"

    def wait(self, limit: timedelta, given_up: threading.Event) -> dict[str, str] | None:
        """The fields of the answer, or None when nobody came within the limit or the wait was given up.

        The wait is for a person and a socket, so it is real time and not the run's clock. It is made of short ones,
        because Windows interrupts none.
        """
        ends = time.monotonic() + limit.total_seconds()
        while time.monotonic() < ends and not given_up.is_set():
            if self._server.answered.wait(_BEAT):
                return self._server.answer
        return None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.answer: dict[str, str] = {}
        self.answered = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    """Takes a form post that looks like an answer; tells everything else that there is nothing here."""

    timeout = 30.0  # seconds; a connection that nothing comes on is dropped
    server: _Server

    def do_POST(self) -> None:
        """Take the answer."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LONGEST_BODY:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        fields = {name: values[0] for name, values in parse_qs(self.rfile.read(int(length)).decode("utf-8")).items()}
        if "state" not in fields or not fields.keys() & {"code", "error"}:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        page = _PAGE.format(text=_DONE if "code" in fields else _REFUSED).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)
        self.server.answer = fields
        self.server.answered.set()

    def do_GET(self) -> None:
        """Say that there is nothing here: the answer comes as a form post."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Write nothing: the answer holds a code, and stderr is the progress's."""
