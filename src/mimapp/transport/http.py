"""The HTTP client: one httpx client for every service, and the loop that decides what is sent again."""

from __future__ import annotations

import logging
import threading
import uuid
from typing import TYPE_CHECKING, Self

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, retry_if_result

from mimapp import __version__
from mimapp.errors import ReplyLostError, UnreachableError
from mimapp.transport.message import Reply, Request
from mimapp.transport.network import Network, network_transport
from mimapp.transport.patience import Patience, Wait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from mimapp.clock import Clock

__all__ = ["TIMEOUT", "USER_AGENT", "Http"]

USER_AGENT = f"mimapp/{__version__}"
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_THROTTLED = 429
_TRANSIENT = frozenset({408, 500, 502, 503, 504})
# A machine without a network should say so in seconds, not at the deadline of the run. A host that answered before in
# this run is worth waiting for.
_CONNECT_TRIES = 4

_log = logging.getLogger(__name__)


class Http:
    """Sends requests; safe for several threads.

    Args:
        patience: how long this run may wait, and who is told about it.
        transport: where requests go; None: the network, by the system's trust and proxy, without redirects.
    """

    def __init__(
        self,
        patience: Patience,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.patience = patience
        self._last = threading.local()
        self._answered: set[str] = set()
        self._client = httpx.Client(
            transport=network_transport(Network()) if transport is None else transport,
            timeout=TIMEOUT,
            follow_redirects=False,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        )

    @property
    def clock(self) -> Clock:
        """The clock of the run."""
        return self.patience.clock

    @property
    def last_request_id(self) -> str:
        """The service's id of this thread's last request; empty when it gave none. For the record of writes."""
        found: str = getattr(self._last, "request_id", "")
        return found

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def once(self, request: Request) -> Reply:
        """Send a request one time.

        Raises:
            UnreachableError: it was never taken.
            ReplyLostError: it may have been carried out.
        """
        headers = {"client-request-id": str(uuid.uuid4()), **request.headers}
        begun = self.clock.monotonic()
        host = httpx.URL(request.url).host
        try:
            with self._client.stream(request.method, request.url, headers=headers, content=request.content) as answer:
                content = answer.content if answer.is_stream_consumed else _decoded(answer, answer.iter_raw())
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise UnreachableError(
                f"cannot reach {host}: {_reason(error)}",
                hint=_advice(error),
                client_request_id=headers["client-request-id"],
            ) from error
        except httpx.TransportError as error:
            raise ReplyLostError(
                f"{host} did not answer {request.method} {_path(request.url)}: {_reason(error)}",
                hint="run the same command again: it looks what was done before it goes on",
                client_request_id=headers["client-request-id"],
            ) from error
        reply = Reply(
            status=answer.status_code,
            headers={name.lower(): value for name, value in answer.headers.items()},
            content=content,
            client_request_id=headers["client-request-id"],
        )
        self._last.request_id = reply.request_id or ""
        self._answered.add(host)
        _log.debug(
            "%s %s%s -> %d in %.0f ms (client-request-id %s, request-id %s)",
            request.method,
            host,
            _path(request.url),
            reply.status,
            (self.clock.monotonic() - begun) * 1000,
            headers["client-request-id"],
            reply.request_id or "none",
        )
        return reply

    def send(self, request: Request) -> Reply:
        """Send a request, again where that is safe and useful, and return the last reply.

        Raises:
            TransportError: as `once`, when no further try is allowed.
        """
        begun = self.clock.monotonic()

        def pause(state: RetryCallState) -> float:
            outcome = state.outcome
            reply = None if outcome is None or outcome.failed else outcome.result()
            asked = reply.retry_after(self.clock.now()) if reply is not None else None
            return self.patience.pause_before(state.attempt_number, asked)

        def is_over(state: RetryCallState) -> bool:
            if not self.patience.allows(state.upcoming_sleep):
                return True
            outcome = state.outcome
            never_taken = outcome is not None and isinstance(outcome.exception(), UnreachableError)
            return never_taken and state.attempt_number >= _CONNECT_TRIES and host not in self._answered

        def announce_and_wait(seconds: float) -> None:
            waited = self.clock.monotonic() - begun
            self.patience.wait(Wait(what=request.what or host, reason=reasons[-1], seconds=seconds, waited=waited))

        def attempt() -> Reply:
            try:
                reply = self.once(request)
            except UnreachableError:
                reasons.append("cannot be reached")
                raise
            except ReplyLostError:
                reasons.append("did not answer")
                raise
            reasons.append(f"HTTP {reply.status}")
            return reply

        host = httpx.URL(request.url).host
        reasons: list[str] = []
        retryable: tuple[type[Exception], ...] = (UnreachableError,)
        if request.repeatable:
            retryable = (UnreachableError, ReplyLostError)
        if not request.patient:
            retryable = ()
        loop = Retrying(
            retry=retry_if_exception_type(retryable) | retry_if_result(lambda reply: _is_again(request, reply)),
            wait=pause,
            stop=is_over,
            sleep=announce_and_wait,
            retry_error_callback=_last,
        )
        answer: Reply = loop(attempt)
        return answer


def _is_again(request: Request, reply: Reply) -> bool:
    if not request.patient:
        return False
    if reply.status == _THROTTLED or request.again_when(reply):
        return True
    return request.repeatable and reply.status in _TRANSIENT - request.answers


def _decoded(answer: httpx.Response, chunks: Iterator[bytes]) -> bytes:
    """The body as it was meant; as it came where its claimed encoding is false.

    Exchange answers an unknown cmdlet with NUL bytes that claim to be gzip, although ``identity`` was asked for
    (azure_auth): the status still says what happened.
    """
    raw = b"".join(chunks)
    if "content-encoding" not in answer.headers:
        return raw
    try:
        return httpx.Response(answer.status_code, headers=answer.headers, content=raw).content
    except httpx.DecodingError:
        return raw


def _last(state: RetryCallState) -> Reply:
    """The last reply when time is over; a last exception is raised as it was."""
    if state.outcome is None:
        raise AssertionError("a loop that stopped has tried at least once")
    reply: Reply = state.outcome.result()
    return reply


def _path(url: str) -> str:
    """The path of a URL, without its query, which may carry what does not belong in a log."""
    return httpx.URL(url).path


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__


def _advice(error: Exception) -> str:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "the certificate is not trusted here: give the CA of your proxy or server with --ca-bundle FILE"
    if isinstance(error, httpx.ProxyError):
        return "the proxy refused: look at HTTPS_PROXY and NO_PROXY"
    return "look at the network, the name server and the proxy (HTTPS_PROXY), then run the same command again"
