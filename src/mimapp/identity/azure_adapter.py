"""azure-core's transport over our HTTP client, for ``transport=`` of every azure-identity credential.

Imports azure-core, so it is itself imported late: by the sign-in that needs it, never by the package.

azure-core's own retries are switched off where our policy already applies (`OPTIONS`); what is left of them, the
status retries of the managed identity endpoint, sleeps on the run's clock.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.utils import case_insensitive_dict

from mimapp.errors import TransportError, UnreachableError
from mimapp.transport import Wait

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from types import TracebackType

    from mimapp.identity.adapters import LoginSender
    from mimapp.transport import Reply

__all__ = ["OPTIONS", "AzureResponse", "AzureTransport"]

# For credentials that talk to Entra: `LoginSender` has already sent again what may be sent again.
OPTIONS = {"retry_total": 0}

_ERROR = 400


class AzureResponse(HttpResponse):
    """A whole reply in the shape azure-core reads."""

    def __init__(self, request: HttpRequest, reply: Reply) -> None:
        self._request = request
        self._reply = reply
        self._headers: MutableMapping[str, str] = case_insensitive_dict(reply.headers)
        self._encoding: str | None = None

    @property
    def request(self) -> HttpRequest:
        """What was asked."""
        return self._request

    @property
    def url(self) -> str:
        """Where it was asked."""
        return self._request.url

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self._reply.status

    @property
    def headers(self) -> MutableMapping[str, str]:
        """The headers, by names in any case."""
        return self._headers

    @property
    def reason(self) -> str:
        """The usual words of the status."""
        try:
            return HTTPStatus(self._reply.status).phrase
        except ValueError:
            return ""

    @property
    def content_type(self) -> str | None:
        """The ``Content-Type`` header."""
        return self._headers.get("content-type")

    @property
    def is_closed(self) -> bool:
        """True: nothing is left open behind a whole reply."""
        return True

    @property
    def is_stream_consumed(self) -> bool:
        """True: the body has been read."""
        return True

    @property
    def encoding(self) -> str | None:
        """The encoding of the text; None means UTF-8."""
        return self._encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def content(self) -> bytes:
        """The body."""
        return self._reply.content

    def text(self, encoding: str | None = None) -> str:
        """The body as text."""
        return self._reply.content.decode(encoding or self._encoding or "utf-8-sig", errors="replace")

    def json(self) -> Any:  # noqa: ANN401 - the base class promises any JSON value
        """The body as JSON."""
        return json.loads(self.text())

    def read(self) -> bytes:
        """The body."""
        return self._reply.content

    def iter_raw(self, **_: object) -> Iterator[bytes]:
        """The body in one piece."""
        yield self._reply.content

    def iter_bytes(self, **_: object) -> Iterator[bytes]:
        """The body in one piece."""
        yield self._reply.content

    def raise_for_status(self) -> None:
        """Raise for 400 and above.

        Raises:
            HttpResponseError: the status is an error.
        """
        if self._reply.status >= _ERROR:
            raise HttpResponseError(response=self)

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AzureTransport(HttpTransport[HttpRequest, HttpResponse]):
    """What azure-core sends through; the connections belong to the run, not to a credential."""

    def __init__(self, sender: LoginSender) -> None:
        self._sender = sender

    def send(self, request: HttpRequest, **_: object) -> HttpResponse:
        """Send a request.

        Raises:
            ServiceRequestError: it was never taken.
            ServiceResponseError: no readable reply came.
        """
        try:
            reply = self._sender.send(request.method, request.url, request.headers, _body(request))
        except UnreachableError as error:
            raise ServiceRequestError(error.message, error=error) from error
        except TransportError as error:
            raise ServiceResponseError(error.message, error=error) from error
        return AzureResponse(request, reply)

    def sleep(self, duration: float) -> None:
        """Take a pause that azure-core asks for, on the run's clock, announced like every other."""
        wait = Wait(what="sign-in", reason="not ready yet", seconds=duration, waited=0.0)
        self._sender.http.patience.wait(wait)

    def open(self) -> None:
        """Do nothing: the run has opened the client."""

    def close(self) -> None:
        """Do nothing: the run closes the client."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _body(request: HttpRequest) -> bytes:
    content: object = request.content
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, dict):
        return urlencode(content).encode()
    return b""
