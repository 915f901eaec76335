"""A simulated tenant in process, with a clock that the test moves, and the ways in which tests use it.

Requests go through `Wire`, a transport that counts, and that a test may tell to fail or to die at a certain request.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from mimapp.cli import main
from mimapp.cli.world import World
from mimapp.clouds import CLOUDS, Cloud
from mimapp.identity import SignInOptions
from mimapp.sandbox import Sandbox, open_sandbox
from mimapp.sandbox.weather import CALM, Weather
from mimapp.spec import Registration
from mimapp.stores import FileStore
from mimapp.tenant import Tenant
from support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

CONTOSO = "contoso.onmicrosoft.com"
MAILBOX = "MIMService@contoso.onmicrosoft.com"
_READING_CMDLETS = ("Get-", "Test-")


def is_write(request: httpx.Request) -> bool:
    """Whether a request changes the tenant: sign-ins and reads do not."""
    path = request.url.path
    if path.startswith(("/v1.0/", "/beta/")):
        return request.method != "GET"
    if path.endswith("/InvokeCommand"):
        name = str(json.loads(request.content)["CmdletInput"]["CmdletName"])
        return not name.startswith(_READING_CMDLETS)
    return False


def name_of(request: httpx.Request) -> str:
    """A request in words: method and path, or the cmdlet."""
    if request.url.path.endswith("/InvokeCommand"):
        return str(json.loads(request.content)["CmdletInput"]["CmdletName"])
    return f"{request.method} {request.url.path}"


class Wire(httpx.BaseTransport):
    """Carries requests through the sandbox's weather; `before` and `after` are called around each and may raise."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._inner = sandbox.transport()
        self.requests: list[httpx.Request] = []
        self.before: Callable[[httpx.Request], None] = lambda _: None
        self.after: Callable[[httpx.Request, httpx.Response], None] = lambda _request, _response: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.before(request)
        response = self._inner.handle_request(request)
        response.read()
        self.requests.append(request)
        self.after(request, response)
        return response

    @property
    def writes(self) -> list[str]:
        return [name_of(request) for request in self.requests if is_write(request)]


@dataclass
class Finished:
    """What a command left: its exit code and streams."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@dataclass
class Place:
    """One machine's home, one sandbox, one clock."""

    home: Path
    clock: FakeClock = field(default_factory=FakeClock)
    sandbox_home: Path | None = None
    weather: Weather = CALM

    def __post_init__(self) -> None:
        self.sandbox = open_sandbox(self.sandbox_home or self.home, clock=self.clock, weather=self.weather)
        self.wire = Wire(self.sandbox)
        self.info = self.sandbox.info()

    @property
    def cloud(self) -> Cloud:
        origin = self.sandbox.origin
        return CLOUDS["global"].with_hosts(login=origin, graph=origin, exchange=origin)

    def close(self) -> None:
        self.sandbox.close()

    def connect(self, **more: Any) -> Tenant:
        return Tenant.connect(
            CONTOSO,
            **{
                "graph": SignInOptions(),
                "exchange": SignInOptions(),
                "cloud": self.cloud,
                "home": self.home,
                "transport": self.wire,
                "clock": self.clock,
                "show_code": lambda _: None,
                **more,
            },
        )

    def registration(self, **more: Any) -> Registration:
        return Registration(**{"mailbox": MAILBOX, "store": FileStore(self.home / "secret.json"), **more})

    def cli(
        self,
        *argv: str,
        environ: Mapping[str, str] | None = None,
        stdin: str | None = None,
        terminal: bool = False,
        open_browser: Callable[[str], bool] = lambda _: False,
        transport: httpx.BaseTransport | None = None,
    ) -> Finished:
        """Run a command on the embedded tenant; what is typed at a prompt comes from `stdin`."""
        kind = Terminal if terminal else io.StringIO
        out, err = kind(), kind()
        world = World(
            stdin=io.StringIO() if stdin is None else Terminal(stdin),
            stdout=out,
            stderr=err,
            environ={"MIMAPP_HOME": str(self.home), **(environ or {})},
            clock=self.clock,
            transport=transport or self.wire,
            open_browser=open_browser,
            home=self.home,
        )
        code = main([*argv], world=world)
        return Finished(code=int(code), out=out.getvalue(), err=err.getvalue())

    def remote(self, *argv: str, environ: Mapping[str, str] | None = None, **more: Any) -> Finished:
        """Run a command as it is run against a served sandbox, over this place's wire, app-only."""
        origin = self.sandbox.origin
        variables = {
            "MIMAPP_LOGIN_URL": origin,
            "MIMAPP_GRAPH_URL": origin,
            "MIMAPP_EXCHANGE_URL": origin,
            "MIMAPP_TENANT": CONTOSO,
            "MIMAPP_AUTH": "client-secret",
            "AZURE_CLIENT_ID": self.info.operator_client_id,
            "AZURE_CLIENT_SECRET": self.info.operator_client_secret,
            "MIMAPP_GROUP_OWNER": self.info.administrator,
            **(environ or {}),
        }
        return self.cli(*argv, environ=variables, **more)
