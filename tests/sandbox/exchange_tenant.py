"""One simulated organisation for tests: its state in a temporary file, tokens for any caller, cmdlets in one line."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import falcon
import httpx

from mimapp.sandbox import exchange
from mimapp.sandbox.app import App, AppContext, _send, create_app
from mimapp.sandbox.directory_roles import EXCHANGE_ADMINISTRATOR
from mimapp.sandbox.errors import WireError
from mimapp.sandbox.exchange import store
from mimapp.sandbox.exchange.weather import Calm, Weather
from mimapp.sandbox.seed import CONTOSO_TENANT_ID, seed_tenant
from mimapp.sandbox.state import State
from mimapp.sandbox.tokens import TokenService
from support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.sandbox.exchange.models import Directory, Entity
    from mimapp.sandbox.state import Lag

TENANT = CONTOSO_TENANT_ID
ORIGIN = "https://outlook.office365.com"
AUDIENCE = "https://outlook.office365.com"
ADMIN = "admin@contoso.onmicrosoft.com"
MIM = "MIMService@contoso.onmicrosoft.com"
OTHER = "other@contoso.onmicrosoft.com"
APP_ID = "11111111-2222-4333-8444-555555555555"
APP_OBJECT_ID = "66666666-2222-4333-8444-555555555555"


@cache
def _seeded() -> bytes:
    """The state's file after seeding, with a signing key; making both anew would be most of each test's time."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tenants.sqlite3"
        state = State(file, clock=FakeClock())
        with state.transaction() as tx:
            seed_tenant(tx)
        TokenService(state, clock=FakeClock())
        state.close()
        return file.read_bytes()


@dataclass
class Reply:
    """A reply with its JSON, where it has any."""

    status: int
    headers: httpx.Headers
    raw: bytes
    body: Any = None

    @property
    def rows(self) -> list[dict[str, Any]]:
        assert self.status == httpx.codes.OK, self.raw
        value: list[dict[str, Any]] = self.body["value"]
        return value

    @property
    def row(self) -> dict[str, Any]:
        (row,) = self.rows
        return row

    @property
    def detail(self) -> str:
        text: str = self.body["error"]["details"][0]["message"]
        return text


@dataclass
class Tenant:
    """The contoso organisation with its services in process."""

    path: Path
    weather: Weather = field(default_factory=Calm)
    lag: Lag | None = None
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        file = self.path / "sandbox" / "tenants.sqlite3"
        file.parent.mkdir()
        file.write_bytes(_seeded())
        self.state = State(file, clock=self.clock, lag=self.lag)
        self.tokens = TokenService(self.state, clock=self.clock)
        self.context = AppContext(state=self.state, clock=self.clock, tokens=self.tokens, origin=ORIGIN)
        self.app = create_app(self.state, clock=self.clock, origin=ORIGIN)
        self.http = httpx.Client(transport=httpx.WSGITransport(app=self.app), base_url=ORIGIN)
        if not isinstance(self.weather, Calm):
            self.serve(lambda app: exchange.add_routes(app, self.context, self.weather))

    def serve(self, add_routes: Callable[[App], None]) -> None:
        """Go on with one service alone, such as one that has weather."""
        app: App = falcon.App()
        app.add_error_handler(WireError, _send)
        add_routes(app)
        self.http.close()
        self.http = httpx.Client(transport=httpx.WSGITransport(app=app), base_url=ORIGIN)

    def close(self) -> None:
        self.http.close()
        self.state.close()

    # Callers

    def token(self, **claims: Any) -> str:
        issued, expires = self.tokens.lifetime()
        base = {
            "aud": AUDIENCE,
            "tid": TENANT,
            "appid": "fb78d390-0c51-40cd-8e17-fdbfab77341b",
            "oid": self.user_id("admin"),
            "iat": issued,
            "nbf": issued,
            "exp": expires,
        }
        return self.tokens.sign({**base, **claims})

    def admin_token(self, **claims: Any) -> str:
        mine = {"upn": ADMIN, "name": "Administrator", "scp": "AdminApi.AccessAsUser.All"}
        return self.token(**{**mine, "wids": [EXCHANGE_ADMINISTRATOR], **claims})

    def app_token(self, **claims: Any) -> str:
        return self.token(**{"appid": APP_ID, "oid": APP_OBJECT_ID, "roles": ["Exchange.ManageAsApp"], **claims})

    def user_id(self, alias: str) -> str:
        with self.state.transaction(write=False) as tx:
            (found,) = tx.find(TENANT, "user", userPrincipalName=f"{alias}@contoso.onmicrosoft.com")
        return found.id

    # Calls

    def post(self, body: object, *, token: str | None = None, path: str | None = None, **headers: str) -> Reply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {token or self.admin_token()}", "Content-Type": "application/json"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        url = path or f"/adminapi/beta/{TENANT}/InvokeCommand"
        with self.http.stream("POST", url, content=raw, headers=sent) as reply:
            content = b"".join(reply.iter_raw())
        is_json = "json" in reply.headers.get("content-type", "") and content.strip(b"\0")
        decoded = json.loads(content) if is_json else None
        return Reply(status=reply.status_code, headers=reply.headers, raw=content, body=decoded)

    def run(self, cmdlet: str, /, **parameters: Any) -> Reply:
        return self.post({"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}})

    def run_as(self, token: str, cmdlet: str, /, **parameters: Any) -> Reply:
        return self.post({"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}}, token=token)

    # What stands behind

    def directory(self) -> Directory:
        with self.state.transaction(write=False) as tx:
            found = store.load(tx, TENANT)
        assert found is not None
        return found

    def put(self, *entities: Entity) -> None:
        with self.state.transaction() as tx:
            for entity in entities:
                store.put(tx, TENANT, entity, settled=True)

    def add_service_principal(self, object_id: str = APP_OBJECT_ID, app_id: str = APP_ID) -> None:
        with self.state.transaction() as tx:
            tx.put(TENANT, "servicePrincipal", object_id, {"id": object_id, "appId": app_id}, settled=True)
