"""The recorder: a transport that writes what passes through it to a cassette, without the secrets.

A cassette is a JSON document in vcrpy's format (https://vcrpy.readthedocs.io/en/latest/usage.html, ``version: 1``),
which is valid YAML as well, with a top-level ``provenance``. A reply in which tokens came has their ``claims`` and
``id_claims`` beside it: a token itself is never written, and code under test needs one with the same claims.

The file is there before the first request is sent and whole after every reply: each time it is replaced, so a crash
leaves what was recorded until then. A request that got no reply is not in it, since the format has no place for that;
the note counts them. What cannot be written stops the recording, never the run: a run may be in the middle of a write.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import unquote

import httpx

from mimapp import __version__
from mimapp.clock import iso
from mimapp.errors import UsageError
from mimapp.journal import write_private
from mimapp.transport.redaction import Header, Secrets

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from mimapp.transport.rewriting import JsonValue
    from mimapp.transport.stand_ins import StandIns

__all__ = ["CassetteFile", "Kind", "Recorder"]

#: ``recorded``: Microsoft's services answered. ``sandbox``: a simulated tenant did, which is evidence of nothing.
Kind: TypeAlias = Literal["recorded", "sandbox"]

_JWT_PARTS = 3
#: The claims that say whom a token is of and what it allows. The rest (addresses, session and correlation ids) says
#: something about a person's day and nothing that a test needs.
_CLAIMS = re.compile(
    r"acr|amr|app_displayname|appid|appidacr|aud|azp|azpacr|exp|iat|idp|idtyp|iss|name|nbf|oid|preferred_username|roles"
    r"|scp|sub|tid|unique_name|upn|ver|wids|xms_cc"
)
#: What JSON may hold as it is and YAML may not, or reads as the end of a line.
_YAML_MINDS = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """One request and its reply, without secrets."""

    method: str
    url: str
    request_headers: tuple[Header, ...]
    request_body: str
    request_type: str
    status: int
    reason: str
    response_headers: tuple[Header, ...]
    response_body: str
    response_type: str
    claims: dict[str, dict[str, JsonValue]]

    def holds(self, values: frozenset[str]) -> bool:
        """Whether one of these values stands somewhere in it."""
        headers = (*self.request_headers, *self.response_headers)
        texts = (unquote(self.url), self.request_body, self.response_body, *(value for _, value in headers))
        whole = "\n".join((*texts, json.dumps(self.claims, ensure_ascii=False)))
        folded = whole.casefold()
        return any(value in whole or value in folded for value in values)


class CassetteFile:
    """The file that a recording is written to; safe for several threads.

    Args:
        path: the file; a former recording there is replaced.
        kind: where the replies come from.
        cloud: the key of the cloud.
        begun: when the recording began.
        stand_ins: what ids, names and addresses are replaced by; None leaves them.

    Attributes:
        count: how many requests are in the file.
        problem: why nothing more is written; empty while all goes well.

    Raises:
        UsageError: the file cannot be written, or holds something else than a recording.
    """

    def __init__(
        self, path: Path, *, kind: Kind, cloud: str, begun: datetime, stand_ins: StandIns | None = None
    ) -> None:
        self._path = path.absolute()
        self._secrets = Secrets()
        self._stand_ins = stand_ins
        self._lock = threading.Lock()
        self._taken: list[_Taken] = []
        self._written: list[str] = []
        self._without_reply = 0
        who = f"recorded by mimapp {__version__}" if kind == "recorded" else f"simulated tenant of mimapp {__version__}"
        self._provenance: dict[str, JsonValue] = {
            "kind": kind,
            "source": f"{who} on {begun:%Y-%m-%d}, cloud {cloud}",
            "version": __version__,
            "date": iso(begun),
            "cloud": cloud,
        }
        self.problem = ""
        self.count = 0
        _refuse_what_is_no_cassette(self._path)
        try:
            write_private(self._path, self._document())
        except OSError as error:
            raise UsageError(f"the recording {path} cannot be written: {error.strerror or error}") from error

    def found_in(self, cloud: str) -> None:
        """Say which cloud it is, once that is known."""
        with self._lock:
            who = str(self._provenance["source"]).rpartition(", cloud ")[0]
            self._provenance |= {"source": f"{who}, cloud {cloud}", "cloud": cloud}

    def add(self, request: httpx.Request, response: httpx.Response, content: bytes) -> None:
        """Write one request and its reply.

        Args:
            request: what was sent, its body read.
            response: status and headers of what came.
            content: the reply's body, decoded.
        """
        with self._lock:
            if self.problem:
                return
            try:
                self._take(request, response, content)
                write_private(self._path, self._document())
                self.count = len(self._written)
            except OSError as error:
                self.problem = error.strerror or type(error).__name__
            except Exception as error:  # noqa: BLE001 - a recording is not worth a run, and nothing unredacted is written
                self.problem = f"a request could not be recorded ({type(error).__name__}); please report it"

    def miss(self) -> None:
        """Count a request that got no reply."""
        with self._lock:
            self._without_reply += 1

    def _take(self, request: httpx.Request, response: httpx.Response, content: bytes) -> None:
        request_type = request.headers.get("content-type", "")
        response_type = response.headers.get("content-type", "")
        known = self._secrets.known
        body = content.decode("utf-8-sig", errors="backslashreplace")
        taken = _Taken(
            method=request.method,
            # What is sent goes first: a secret in it is then known in the reply.
            request_headers=self._secrets.headers(request.headers.multi_items()),
            url=self._secrets.url(str(request.url)),
            request_body=self._secrets.body(request.content.decode(errors="backslashreplace"), request_type),
            request_type=request_type,
            status=response.status_code,
            reason=response.reason_phrase,
            claims=_claims_of(body),
            response_body=self._secrets.body(body, response_type),
            response_headers=self._secrets.headers(response.headers.multi_items()),
            response_type=response_type,
        )
        news = self._secrets.known - known
        if self._stand_ins is not None:
            news |= self._learn(self._stand_ins, taken)
        if news:
            # What has been written may hold what is only now known to be a secret, or somebody's name.
            for number, former in enumerate(self._taken):
                if former.holds(news):
                    self._written[number] = self._text(former)
        self._taken.append(taken)
        self._written.append(self._text(taken))

    @staticmethod
    def _learn(stand_ins: StandIns, taken: _Taken) -> frozenset[str]:
        """Take in who is spoken of, and give what was not known before."""
        known = stand_ins.known
        stand_ins.learn(taken.url, taken.request_body, taken.request_type)
        stand_ins.learn(taken.url, taken.response_body, taken.response_type)
        for claims in taken.claims.values():
            stand_ins.claims(claims)
        return stand_ins.known - known

    def _text(self, taken: _Taken) -> str:
        """One interaction as it stands in the file."""
        url, sent, came = taken.url, taken.request_body, taken.response_body
        headers = taken.request_headers, taken.response_headers
        claims = taken.claims
        known = self._stand_ins
        if known is not None:
            url = known.url(url)
            sent, came = known.body(sent, taken.request_type), known.body(came, taken.response_type)
            headers = known.headers(headers[0]), known.headers(headers[1])
            claims = {name: known.claims(held) for name, held in claims.items()}
        scrub = self._secrets.scrub
        interaction = {
            "request": {
                "method": taken.method,
                "uri": scrub(url),
                "body": scrub(sent) or None,
                "headers": _by_name(headers[0]),
            },
            "response": {
                "status": {"code": taken.status, "message": taken.reason},
                "headers": _by_name(headers[1]),
                "body": {"string": scrub(came)},
            },
            **claims,
        }
        return _json(interaction)

    def _document(self) -> bytes:
        provenance = dict(self._provenance)
        notes = []
        if self._stand_ins is not None:
            notes.append("ids, names, domains and addresses are stand-ins")
        if self._without_reply:
            lost = self._without_reply
            notes.append(f"{lost} {'request' if lost == 1 else 'requests'} without a reply left out")
        if notes:
            provenance["note"] = "; ".join(notes)
        first = next((taken.claims["claims"] for taken in self._taken if "claims" in taken.claims), None)
        if first is not None:
            provenance["claims"] = dict(first) if self._stand_ins is None else self._stand_ins.claims(first)
        whole = ",\n".join(self._written)
        return f'{{"version": 1,\n"provenance": {_json(provenance)},\n"interactions": [\n{whole}\n]}}\n'.encode()


class Recorder(httpx.BaseTransport):
    """Passes every request on, and its reply back unchanged, and writes both to a file."""

    def __init__(self, inner: httpx.BaseTransport, file: CassetteFile) -> None:
        self._inner = inner
        self._file = file

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and record it with its reply."""
        request.read()
        try:
            response = self._inner.handle_request(request)
            if response.is_stream_consumed:  # an embedded service's: it is whole already
                self._file.add(request, response, response.content)
                return response
            if not isinstance(response.stream, httpx.SyncByteStream):
                raise TypeError("a synchronous transport has synchronous streams")
            raw = b"".join(response.stream)
            response.close()
        except httpx.TransportError:
            self._file.miss()
            raise
        self._file.add(request, response, _decoded(response, raw))
        # Its own stream is read; the same bytes come in another.
        return httpx.Response(
            response.status_code, headers=response.headers, stream=httpx.ByteStream(raw), extensions=response.extensions
        )

    def close(self) -> None:
        """Close what is behind."""
        self._inner.close()


def _refuse_what_is_no_cassette(path: Path) -> None:
    hint = "name a file that does not exist yet, or an earlier recording, which is then replaced"
    if not path.exists() and not path.is_symlink():
        return
    try:
        found: object = json.loads(path.read_bytes()) if path.is_file() else None
    except (ValueError, RecursionError):
        found = None
    except OSError as error:
        raise UsageError(f"the recording {path} cannot be written: {error.strerror or error}") from error
    is_cassette = (
        isinstance(found, dict)
        and found.get("version") == 1
        and isinstance(found.get("interactions"), list)
        and isinstance(found.get("provenance"), dict)
    )
    if not is_cassette:
        raise UsageError(f"{path} exists and is no recording: it is left as it is", hint=hint)


def _decoded(response: httpx.Response, raw: bytes) -> bytes:
    """The body as it was meant; as it came where its claimed encoding is false."""
    try:
        return httpx.Response(response.status_code, headers=response.headers, content=raw).content
    except httpx.DecodingError:
        return raw


def _claims_of(body: str) -> dict[str, dict[str, JsonValue]]:
    """What the tokens in a reply say, by the names under which a player looks for it."""
    if "_token" not in body:
        return {}
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(value, dict):
        return {}
    tokens = {"claims": value.get("access_token"), "id_claims": value.get("id_token")}
    found = {name: _payload(token) for name, token in tokens.items() if isinstance(token, str)}
    return {name: claims for name, claims in found.items() if claims}


def _payload(token: str) -> dict[str, JsonValue]:
    parts = token.split(".")
    if len(parts) != _JWT_PARTS:
        return {}
    try:
        held: object = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return {name: value for name, value in held.items() if _CLAIMS.fullmatch(name)} if isinstance(held, dict) else {}


def _by_name(headers: tuple[Header, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(value)
    return found


def _json(value: object) -> str:
    """JSON that a YAML parser reads as the same value."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return _YAML_MINDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
