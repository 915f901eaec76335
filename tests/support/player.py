"""Plays a cassette to code under test as an httpx transport: strict order a host, nothing left over, no patching.

A cassette is a file in vcrpy's format (``version: 1``, ``interactions``) with a top-level ``provenance``: where its
replies come from. Requests are compared by method, path, query and body, and by those headers that carry meaning and
that the cassette gives; a recorded value ``REDACTED`` stands for any value. Tokens in cassettes are placeholders: an
unsigned one with ``provenance.claims`` is put in the place of each ``access_token`` of a reply, and one with
``provenance.id_claims`` in the place of each ``id_token``; an interaction's own ``claims`` and ``id_claims``, which
``--record`` writes, go before them.

::

    with playing("graph/applications.get") as player:
        http = Http(Patience(FakeClock()), transport=player.transport)
"""

from __future__ import annotations

import base64
import json
import threading
from collections import defaultdict, deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import respx
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CASSETTES = Path(__file__).parents[2] / "cassettes"
REDACTED = "REDACTED"
KINDS = frozenset({"documented", "recorded", "sandbox"})

# Headers whose absence or change would make it another request; the rest is the HTTP client's own affair.
_COMPARED = (
    "prefer",
    "consistencylevel",
    "if-match",
    "x-anchormailbox",
    "x-cmdletname",
    "x-responseformat",
    "metadata",
)
# A reply is played whole, whatever the wire's framing was.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where the replies of a cassette come from.

    Attributes:
        kind: ``documented`` (by hand, after a page), ``recorded`` (from the service) or ``sandbox``.
        source: the page, or the repository, commit and path.
        note: what a reader should know, such as what was replaced.
        version: of the mimapp that recorded it; as date and cloud, empty where a person wrote it.
        date: when it was recorded.
        cloud: the key of the cloud that answered.
        claims: of the tokens that the player makes.
        id_claims: of the id tokens that the player makes; None leaves them as they stand.
    """

    kind: str
    source: str
    note: str = ""
    version: str = ""
    date: str = ""
    cloud: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)
    id_claims: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One request and its reply; header names in lower case."""

    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: bytes
    status: int
    response_headers: Mapping[str, str]
    response_body: bytes
    response_is_text: bool
    claims: Mapping[str, Any] | None = None
    id_claims: Mapping[str, Any] | None = None

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cassette:
    """A cassette as it stands in its file; `provenance` is None where the file has none."""

    name: str
    provenance: Provenance | None
    interactions: tuple[Interaction, ...]

    @classmethod
    def load(cls, path: Path) -> Cassette:
        """Read a cassette.

        Raises:
            ValueError: the file is not one.
        """
        text = path.read_text(encoding="utf-8")
        # What ``--record`` writes is JSON; YAML would split its surrogate pairs.
        raw = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, the C one where there is one
        if not isinstance(raw, dict) or raw.get("version") != 1 or not raw.get("interactions"):
            raise ValueError(f"{path.name} is not a cassette: it wants 'version: 1' and interactions")
        provenance = raw.get("provenance")
        if provenance is not None and provenance.get("kind") not in KINDS:
            raise ValueError(f"{path.name}: provenance.kind is none of {', '.join(sorted(KINDS))}")
        return cls(
            name=path.name,
            provenance=None if provenance is None else Provenance(**provenance),
            interactions=tuple(_interaction(one) for one in raw["interactions"]),
        )


class Player:
    """The replies of one cassette, in its order for each host; safe for several threads.

    `side_by_side` is for the recording of a command, whose threads ask side by side: each request then gets the first
    reply of its host that is left and fits it. Threads that look for the same thing may find that another has it
    already, so a GET may be asked more or less often than it was recorded; it gets the last reply again.
    """

    def __init__(self, cassette: Cassette, *, side_by_side: bool = False) -> None:
        self.cassette = cassette
        self._side_by_side = side_by_side
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Interaction]] = defaultdict(deque)
        self._played: list[Interaction] = []
        self._mismatches: list[str] = []
        for one in cassette.interactions:
            self._waiting[one.host].append(one)
        router = respx.MockRouter(assert_all_called=False, using=None)
        router.route().mock(side_effect=self._answer)
        self.transport = httpx.MockTransport(lambda request: _unread(router.handler(request)))

    def assert_used(self) -> None:
        """Every interaction was played and no request differed, in whichever thread."""
        left = [
            f"{one.method} {one.url}"
            for queue in self._waiting.values()
            for one in queue
            if not (self._side_by_side and one.method == "GET" and any(one.url == known.url for known in self._played))
        ]
        problems = [*self._mismatches, *(f"never sent: {line}" for line in left)]
        if problems:
            raise AssertionError(f"{self.cassette.name}: " + "; ".join(problems))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            queue = self._waiting[request.url.netloc.decode().lower()]
            expected = self._expected(queue, request)
            sent = f"{request.method} {request.url}"
            if expected is None:
                raise self._mismatch(f"{sent}: the cassette has nothing more for this host")
            different = list(_differences(expected, request))
            if different:
                raise self._mismatch(f"{sent}: {'; '.join(different)}")
            if expected in queue:
                queue.remove(expected)
            self._played.append(expected)
        return _response(expected, self.cassette.provenance)

    def _expected(self, queue: deque[Interaction], request: httpx.Request) -> Interaction | None:
        if self._side_by_side:
            again = (one for one in reversed(self._played) if one.method == "GET")
            for one in (*queue, *again):
                if not any(_differences(one, request)):
                    return one
        return queue[0] if queue else None

    def _mismatch(self, text: str) -> AssertionError:
        self._mismatches.append(text)
        return AssertionError(f"{self.cassette.name}: {text}")


@contextmanager
def playing(name: str | Path, *, side_by_side: bool = False) -> Iterator[Player]:
    """A player for ``cassettes/<name>.yaml`` or for a file; a block that ends well must have used all of it."""
    path = name if isinstance(name, Path) else CASSETTES / f"{name}.yaml"
    player = Player(Cassette.load(path), side_by_side=side_by_side)
    yield player
    player.assert_used()


def unsigned_token(claims: Mapping[str, Any]) -> str:
    """A JWT with these claims and no signature, as the player puts it where a token stood."""
    header = {"alg": "none", "typ": "JWT"}
    return ".".join([*(_base64(json.dumps(part).encode()) for part in (header, dict(claims))), ""])


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _interaction(raw: Mapping[str, Any]) -> Interaction:
    request, response = raw["request"], raw["response"]
    body = (response.get("body") or {}).get("string")
    return Interaction(
        method=str(request["method"]).upper(),
        url=str(request["uri"]),
        request_headers=_headers(request.get("headers")),
        request_body=_bytes(request.get("body")),
        status=int(response["status"]["code"]),
        response_headers=_headers(response.get("headers")),
        response_body=_bytes(body),
        response_is_text=not isinstance(body, bytes),
        claims=raw.get("claims"),
        id_claims=raw.get("id_claims"),
    )


def _headers(raw: Mapping[str, Any] | None) -> dict[str, str]:
    return {
        str(name).lower(): ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in (raw or {}).items()
    }


def _bytes(body: str | bytes | None) -> bytes:
    if body is None:
        return b""
    return body.encode() if isinstance(body, str) else body


def _differences(expected: Interaction, request: httpx.Request) -> Iterator[str]:
    """What a request has otherwise than the cassette, one line each; never a value of its body."""
    if request.method != expected.method:
        yield f"expected {expected.method} {expected.url}"
        return
    want, sent = urlsplit(expected.url), urlsplit(str(request.url))
    if unquote(want.path) != unquote(sent.path):
        yield f"expected the path {unquote(want.path)}"
    if not _matches(_pairs(want.query), _pairs(sent.query)):
        yield f"expected the query {unquote(want.query)!r}"
    for name in _COMPARED:
        value = expected.request_headers.get(name)
        if value is not None and not _matches(value, request.headers.get(name)):
            yield f"expected the header {name}: {value}"
    content_type = request.headers.get("content-type", "")
    if not _matches(_body(expected.request_body, content_type), _body(request.content, content_type)):
        yield f"expected the body {expected.request_body.decode(errors='replace')}"


def _pairs(text: str) -> list[list[str]]:
    return sorted([name, value] for name, value in parse_qsl(text, keep_blank_values=True))


def _body(raw: bytes, content_type: str) -> Any:
    """A body in a form that can be compared: a JSON value, the fields of a form, or its text."""
    text = raw.decode(errors="replace")
    if "x-www-form-urlencoded" in content_type:
        return _pairs(text)
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()


def _matches(want: Any, sent: Any) -> bool:
    """Whether two values are the same, where a recorded ``REDACTED`` is the same as anything but nothing."""
    if want == REDACTED:
        return sent is not None
    if isinstance(want, dict) and isinstance(sent, dict):
        return want.keys() == sent.keys() and all(_matches(value, sent[name]) for name, value in want.items())
    if isinstance(want, list) and isinstance(sent, list):
        return len(want) == len(sent) and all(map(_matches, want, sent))
    return type(want) is type(sent) and bool(want == sent)


def _unread(read: httpx.Response) -> httpx.Response:
    """The same reply as a network gives it, its body still to be read and decoded; the router has read its own."""
    headers = [*read.headers.multi_items(), *read.extensions.get("claims", ())]
    return httpx.Response(read.status_code, headers=headers, stream=httpx.ByteStream(read.content))


def _response(played: Interaction, provenance: Provenance | None) -> httpx.Response:
    headers = {name: value for name, value in played.response_headers.items() if name not in _FRAMING}
    if played.response_is_text:
        # The recorder has decoded it already; a reply that claims an encoding falsely is written as bytes.
        headers.pop("content-encoding", None)
    claimed = [(name, headers.pop(name)) for name in ("content-encoding",) if name in headers]
    content = _with_tokens(played, provenance or Provenance(kind="recorded", source=""))
    return httpx.Response(played.status, headers=headers, content=content, extensions={"claims": claimed})


def _with_tokens(played: Interaction, provenance: Provenance) -> bytes:
    body = played.response_body
    if b"_token" not in body:
        return body
    try:
        value = json.loads(body)
    except ValueError:
        return body
    if not isinstance(value, dict):
        return body
    made = {
        "access_token": provenance.claims if played.claims is None else played.claims,
        "id_token": provenance.id_claims if played.id_claims is None else played.id_claims,
    }
    for name, claims in made.items():
        if name in value and claims is not None:
            value[name] = unsigned_token(claims)
    return json.dumps(value).encode()
