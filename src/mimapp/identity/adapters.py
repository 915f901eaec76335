"""How sign-in libraries reach the network: through our HTTP client, and no other way.

Both msal and azure-core would otherwise bring their own client (requests), which escapes the proxy, the CA bundle, the
recording and the sandbox, and honours ``REQUESTS_CA_BUNDLE`` over what was asked for. `LoginSender` is what the two
have in common; `MsalHttp` is the client msal takes; azure-core's transport is in `azure_adapter`, because its base
class has to be imported.
"""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from mimapp.transport import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from mimapp.transport import Http

__all__ = ["LoginSender", "MsalHttp", "MsalReply", "oauth_error"]

_SERVER_ERROR = 500
_CLIENT_ERROR = 400
# A code is redeemed once: a second try after a lost reply is refused, and tells nothing about the first.
_SINGLE_USE_GRANTS = frozenset({"authorization_code"})
# Answers of the machine itself (managed identity): not there means not there, at once.
_LINK_LOCAL = "169.254."


def oauth_error(reply: Reply) -> str:
    """The ``error`` of an OAuth error body, such as ``invalid_client``; empty where there is none."""
    if reply.status < _CLIENT_ERROR:
        return ""
    try:
        body: object = json.loads(reply.content)
    except ValueError:
        return ""
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, str) else ""


class LoginSender:
    """Sends what a sign-in library asks for, by the run's one policy for waiting and sending again.

    Args:
        http: the client of the run.
        known: replies to GETs, by URL, that the run has already: they are not asked for again.

    Attributes:
        last: the last reply, for what a library leaves out of its own error; None before.
        host: which host gave it.
        refused: the last reply where it was one of 400 or above; None when it was good.
        skew: how far this machine's clock is ahead of the host's that answered last; None before, or where it did
            not say. Good to a few seconds: it holds the time of the answer's way.
    """

    def __init__(self, http: Http, known: Mapping[str, Reply] = MappingProxyType({})) -> None:
        self.http = http
        self._known = known
        self.last: Reply | None = None
        self.host = ""
        self.refused: Reply | None = None
        self.skew: timedelta | None = None

    @property
    def refused_id(self) -> str | None:
        """The id that mimapp gave the request that was refused; None where the last one was not."""
        return self.refused.client_request_id if self.refused is not None else None

    def send(self, method: str, url: str, headers: Mapping[str, str], content: bytes) -> Reply:
        """Send a sign-in request.

        Raises:
            TransportError: as `Http.send`.
        """
        known = self._known.get(url) if method == "GET" else None
        if known is not None:
            return known
        host = urlsplit(url).hostname or ""
        request = Request(
            method=method,
            url=url,
            # Our client names mimapp; the libraries' own User-Agent would hide it.
            headers={name: value for name, value in headers.items() if name.lower() not in {"user-agent", "host"}},
            content=content,
            what=f"sign-in at {host}",
            repeatable=_grant(content) not in _SINGLE_USE_GRANTS,
            again_when=_is_temporary,
        )
        reply = self.http.once(request) if host.startswith(_LINK_LOCAL) else self.http.send(request)
        self.last, self.host = reply, host
        self.refused = reply if reply.status >= _CLIENT_ERROR else None
        self.skew = _skew(reply, self.http.clock.now())
        return reply


class MsalReply:
    """A reply in the shape msal reads: ``status_code``, ``text`` and ``headers``."""

    __slots__ = ("headers", "status_code", "text")

    def __init__(self, reply: Reply) -> None:
        self.status_code = reply.status
        self.text = reply.content.decode("utf-8", errors="replace")
        self.headers = dict(reply.headers)


class MsalHttp:
    """The ``http_client`` that msal takes."""

    def __init__(self, sender: LoginSender) -> None:
        self._sender = sender

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> MsalReply:
        """Send a GET."""
        return MsalReply(self._sender.send("GET", _with_query(url, params), headers or {}, b""))

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> MsalReply:
        """Send a POST; a mapping goes as a form, text goes as it is."""
        sent = dict(headers or {})
        if isinstance(data, str):
            content = data.encode()
        else:
            content = urlencode(data or {}).encode()
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return MsalReply(self._sender.send("POST", _with_query(url, params), sent, content))

    def close(self) -> None:
        """Do nothing: the client belongs to the run."""


def _with_query(url: str, params: Mapping[str, str] | None) -> str:
    if not params:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"


def _grant(content: bytes) -> str:
    return parse_qs(content.decode("ascii", errors="replace")).get("grant_type", [""])[0]


def _is_temporary(reply: Reply) -> bool:
    """Whether Entra says "busy" in a body whose status is no 5xx, before msal remembers the 400 for a minute."""
    return _CLIENT_ERROR <= reply.status < _SERVER_ERROR and oauth_error(reply) == "temporarily_unavailable"


def _skew(reply: Reply, now: datetime) -> timedelta | None:
    try:
        answered = parsedate_to_datetime(reply.headers.get("date", ""))
    except ValueError:
        return None
    return now - answered if answered.tzinfo is not None else None
