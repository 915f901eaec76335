"""Entra's admin consent page: its address, its answer, and the loopback listener that the browser comes back to.

The page without ``v2.0`` in its path is the one used: it needs no ``scope``, whose right value for Exchange no page of
Microsoft's gives, and Microsoft used it for a role of Exchange's, Mailbox.Migration (the page on cross-tenant mailbox
migration, with the scripts of microsoft/cross-tenant). Both grant everything static that the application asks for.
https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent

What the answer says is never taken for the grant: the newer page says ``admin_consent=True`` beside ``error`` as well.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from mimapp.identity.aadsts import LoginError

if TYPE_CHECKING:
    from types import TracebackType

    from mimapp.clouds import Cloud

__all__ = ["CONSENT_PATH", "ConsentAnswer", "ConsentListener", "admin_consent_url"]

#: The path of every redirect URI that mimapp registers, by which a forgotten one is known.
CONSENT_PATH = "/mimapp-consent"
_LONGEST_REFUSAL = 300
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>mimapp</title></head>
<body><p>{text}</p></body></html>
"""
_SAID_YES = "Consent was given. Close this window: mimapp looks whether the grant is there."
_SAID_NO = "Consent was not given. Close this window: mimapp says why."
_NOT_MINE = "This answer does not belong to the mimapp that is waiting here."


def admin_consent_url(cloud: Cloud, tenant_id: str, app_id: str, *, redirect_uri: str = "", state: str = "") -> str:
    """The page on which an administrator consents to an application.

    Args:
        cloud: the tenant's cloud.
        tenant_id: its GUID.
        app_id: the application's client id.
        redirect_uri: where the browser is sent afterwards, registered to the letter; empty leaves it to Entra, and the
            application need not have any.
        state: comes back with the browser.
    """
    given = {"client_id": app_id, "redirect_uri": redirect_uri, "state": state}
    query = urlencode({name: value for name, value in given.items() if value})
    return f"{cloud.authority(tenant_id)}/adminconsent?{query}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAnswer:
    """What the page sent the browser back with.

    Attributes:
        refusal: why there was no consent, in Entra's words; empty where it says that there was.
    """

    refusal: str

    @classmethod
    def of(cls, fields: dict[str, str]) -> Self | None:
        """The answer in a query, or None; ``error`` is read first, since ``admin_consent`` may stand beside it."""
        if "error" in fields:
            said = LoginError.of_text(fields.get("error_description", ""), error=fields["error"])
            return cls(refusal=(said.text or fields["error"] or "no reason was given")[:_LONGEST_REFUSAL])
        if fields.get("admin_consent", "").lower() == "true":
            return cls(refusal="")
        return None


class ConsentListener:
    """Takes the browser's return on a free port of this machine; a context manager, listening from the start.

    Attributes:
        state: what has to come back with the answer: unguessable, and new each time.
        redirect_uri: where Entra is to send the browser.
    """

    def __init__(self) -> None:
        self.state = secrets.token_urlsafe(24)
        self._server = _Server(("localhost", 0), _Handler)
        self._server.state = self.state
        self.redirect_uri = f"http://localhost:{self._server.server_port}{CONSENT_PATH}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="consent-listener", daemon=True
        )
        self._thread.start()

    @property
    def answer(self) -> ConsentAnswer | None:
        """The answer, once it is there."""
        return self._server.answer

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    state: str
    answer: ConsentAnswer | None = None


class _Handler(BaseHTTPRequestHandler):
    """Takes the one answer that has our state; anything else that knocks is told so, and changes nothing."""

    timeout = 5.0  # seconds that one connection may be silent
    server: _Server

    def do_GET(self) -> None:
        """Take the answer."""
        address = urlsplit(self.path)
        fields = dict(parse_qsl(address.query))
        answer = ConsentAnswer.of(fields)
        is_ours = hmac.compare_digest(fields.get("state", "").encode(), self.server.state.encode())
        if address.path != CONSENT_PATH or answer is None or not is_ours:
            self._say(HTTPStatus.BAD_REQUEST, _NOT_MINE)
            return
        self._say(HTTPStatus.OK, _SAID_NO if answer.refusal else _SAID_YES)
        self.server.answer = self.server.answer or answer

    def _say(self, status: HTTPStatus, text: str) -> None:
        page = _PAGE.format(text=text).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Write nothing: stderr is the progress's."""
