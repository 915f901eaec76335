"""Entra as far as one application's secrets go, at the transport: replicas that lag, replies that get lost.

A secret is kept when the request arrives, is shown by reads `shown_after` later and taken by sign-in `usable_after`
later. `script` says what happens to the next requests of a kind instead of the plain answer.
"""

from __future__ import annotations

import json
import random
import uuid
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import parse_qs

import httpx

from mimapp.clock import iso
from mimapp.clouds import cloud
from mimapp.credentials import Desk
from mimapp.graph import Graph
from mimapp.identity import AppSignIn
from mimapp.journal import Journal, SecretEntry
from mimapp.stores import FileStore
from mimapp.transport import Http, Patience
from support.clock import FakeClock
from support.player import unsigned_token

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mimapp.secret import SecretStore
    from mimapp.transport import Wait

TENANT = "11111111-1111-1111-1111-111111111111"
APP = "2222aaaa-22bb-2222-22cc-22dddd222222"
OBJECT = "33333333-3333-3333-3333-333333333333"
KEY = "mimservice"
SCOPE = "https://outlook.office365.com/.default"
HALF_YEAR = timedelta(days=180)
WINDOW = timedelta(minutes=5)

Kind: TypeAlias = Literal["add", "remove", "read", "token"]
#: An answer instead of the plain one; an exception before or after the request was carried out.
Fault: TypeAlias = "httpx.Response | Before | After"


@dataclass(frozen=True, slots=True)
class Before:
    """The request never arrives."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class After:
    """The request is carried out, and this happens to its reply."""

    error: BaseException | httpx.Response


@dataclass(slots=True, kw_only=True)
class Kept:
    """A secret as Entra keeps it."""

    key_id: str
    label: str | None
    value: str
    made: datetime
    end: str


@dataclass(kw_only=True)
class FakeEntra:
    """Both services."""

    clock: FakeClock
    shown_after: timedelta = timedelta(0)
    usable_after: timedelta = timedelta(0)
    kept: list[Kept] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    seen: list[Kind] = field(default_factory=list)
    script: dict[Kind, deque[Fault | None]] = field(default_factory=lambda: defaultdict(deque))
    on_request: Callable[[Kind], None] = lambda _: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/openid-configuration"):
            return _configuration()
        kind, answer = self._route(request)
        self.seen.append(kind)
        self.on_request(kind)
        fault = self.script[kind].popleft() if self.script[kind] else None
        if isinstance(fault, httpx.Response):
            return fault
        if isinstance(fault, Before):
            raise fault.error
        reply = answer(request)
        if isinstance(fault, After):
            if isinstance(fault.error, httpx.Response):
                return fault.error
            raise fault.error
        return reply

    @property
    def labels(self) -> list[str | None]:
        return [kept.label for kept in self.kept]

    def _route(self, request: httpx.Request) -> tuple[Kind, Callable[[httpx.Request], httpx.Response]]:
        path = request.url.path
        if path == f"/v1.0/applications/{OBJECT}/addPassword":
            return "add", self._add
        if path == f"/v1.0/applications/{OBJECT}/removePassword":
            return "remove", self._remove
        if path == f"/v1.0/applications/{OBJECT}":
            return "read", self._read
        if path == f"/{TENANT}/oauth2/v2.0/token":
            return "token", self._token
        raise AssertionError(f"nobody expected {request.method} {request.url}")

    def _add(self, request: httpx.Request) -> httpx.Response:
        wanted = json.loads(request.content)["passwordCredential"]
        number = len(self.kept) + len(self.removed)
        kept = Kept(
            key_id=str(uuid.UUID(int=number + 1)),
            label=wanted["displayName"],
            value=f"replaced-secret~{number}",
            made=self.clock.now(),
            end=wanted["endDateTime"],
        )
        self.kept.append(kept)
        return httpx.Response(200, json={**_shown(kept), "secretText": kept.value})

    def _remove(self, request: httpx.Request) -> httpx.Response:
        key_id = json.loads(request.content)["keyId"]
        for kept in self._visible():
            if kept.key_id == key_id:
                self.kept.remove(kept)
                self.removed.append(key_id)
                return httpx.Response(204)
        return graph_error(400, "Request_BadRequest", f"No password credential found with keyId '{key_id}'.")

    def _read(self, _: httpx.Request) -> httpx.Response:
        shown = [_shown(kept) for kept in self._visible()]
        return httpx.Response(200, json={"id": OBJECT, "appId": APP, "passwordCredentials": shown})

    def _token(self, request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode())
        assert form["client_id"] == [APP]
        for kept in self.kept:
            if form["client_secret"] == [kept.value] and self.clock.now() >= kept.made + self.usable_after:
                token = unsigned_token({"tid": TENANT, "appid": APP, "roles": ["full_access_as_app"]})
                return httpx.Response(200, json={"token_type": "Bearer", "expires_in": 3599, "access_token": token})
        return refusal("7000215", "Invalid client secret provided.")

    def _visible(self) -> list[Kept]:
        return [kept for kept in self.kept if self.clock.now() >= kept.made + self.shown_after]


@dataclass(kw_only=True)
class Office:
    """A desk, what stands around it, and what it waited for; a second one on the same home is a later run."""

    home: Path
    clock: FakeClock = field(default_factory=FakeClock)
    stores: tuple[SecretStore, ...] | None = None
    window: timedelta = WINDOW
    limit: timedelta = timedelta(minutes=10)
    entra: FakeEntra = field(init=False)
    waits: list[Wait] = field(default_factory=list)
    patience: Patience = field(init=False)

    def __post_init__(self) -> None:
        self.entra = FakeEntra(clock=self.clock)
        self.stores = (FileStore(self.home / "mim.json"),) if self.stores is None else self.stores
        self.patience = self.new_patience()

    def new_patience(self) -> Patience:
        jitter = random.Random(0)
        return Patience(self.clock, limit=self.limit, on_wait=self.waits.append, jitter=jitter)

    @property
    def journal(self) -> Journal:
        return Journal(self.home)

    def desk(self) -> Desk:
        """The desk of a new run."""
        self.patience = self.new_patience()
        http = Http(self.patience, transport=httpx.MockTransport(self.entra))
        where = cloud("global")
        return Desk(
            graph=Graph(http, where.graph, self.clock),
            app_sign_in=AppSignIn(http, where),
            journal=self.journal,
            clock=self.clock,
            patience=self.patience,
            tenant_id=TENANT,
            key=KEY,
            application_id=APP,
            object_id=OBJECT,
            scope=SCOPE,
            stores=self.stores or (),
            window=self.window,
            sandbox=True,
        )

    def entries(self) -> tuple[SecretEntry, ...]:
        return self.journal.state(TENANT, KEY).secrets

    def states(self) -> list[str]:
        return [entry.state for entry in self.entries()]


def graph_error(status: int, code: str, message: str, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": message}}, headers=headers)


def refusal(code: str, text: str, *, status: int = 401, error: str = "invalid_client") -> httpx.Response:
    return httpx.Response(
        status, json={"error": error, "error_description": f"AADSTS{code}: {text}", "error_codes": [int(code)]}
    )


def lost() -> httpx.ReadTimeout:
    return httpx.ReadTimeout("the reply did not come")


def never_arrived() -> httpx.ConnectError:
    return httpx.ConnectError("nobody listens")


def _shown(kept: Kept) -> dict[str, Any]:
    return {
        "keyId": kept.key_id,
        "displayName": kept.label,
        "startDateTime": iso(kept.made),
        "endDateTime": kept.end,
        "hint": kept.value[:3],
    }


def _configuration() -> httpx.Response:
    base = f"https://login.microsoftonline.com/{TENANT}"
    return httpx.Response(
        200,
        json={
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
        },
    )
