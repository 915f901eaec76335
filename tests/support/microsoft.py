"""Microsoft's own hosts, answered by a simulated tenant in process: for runs that name no other host.

`Microsoft` is a transport. Every login host that is told of the tenant knows it; the others say AADSTS90002 as Entra
does; what is not a host of a cloud is not there. `asked` lists the hosts in the order of their first request.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from mimapp.cli import main
from mimapp.cli.world import World
from mimapp.clouds import CLOUDS
from mimapp.sandbox import open_sandbox
from support.clock import FakeClock
from support.tenants import Finished, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta
    from pathlib import Path

    from mimapp.sandbox import Sandbox

CONTOSO = "contoso.onmicrosoft.com"
_UNKNOWN = "AADSTS90002: Tenant '{}' not found. Check to make sure you have the correct tenant ID."
_IDS = (
    "\r\nTrace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333"
    "\r\nCorrelation ID: aaaa0000-bb11-2222-33cc-444444dddddd"
    "\r\nTimestamp: 2026-11-21 09:00:00Z"
)


def refusal(status: int, error: str, text: str) -> httpx.Response:
    """An error of Entra's token endpoint, in its documented form."""
    return httpx.Response(status, json={"error": error, "error_description": f"{text}{_IDS}"})


class Microsoft(httpx.BaseTransport):
    """Carries requests to the clouds' hosts into the sandbox.

    Attributes:
        knowing: the login hosts that know the tenant.
        instead: answers some requests in the sandbox's place; None leaves one to it.
        ahead: how far Entra's clock is ahead of this machine's.
    """

    def __init__(self, sandbox: Sandbox, clock: FakeClock, knowing: tuple[str, ...]) -> None:
        self._inner = sandbox.transport()
        self._clock = clock
        self.knowing = knowing
        self.instead: Callable[[httpx.Request], httpx.Response | None] = lambda _: None
        self.ahead: timedelta | None = None
        self.requests: list[httpx.Request] = []

    @property
    def asked(self) -> list[str]:
        return list(dict.fromkeys(request.url.netloc.decode() for request in self.requests))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.instead(request) or self._answer(request)
        if self.ahead is not None:
            answer.headers["Date"] = format_datetime(self._clock.now() + self.ahead, usegmt=True)
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        logins = {urlsplit(cloud.login).hostname for cloud in CLOUDS.values()}
        services = {urlsplit(url).hostname for cloud in CLOUDS.values() for url in (cloud.graph, cloud.exchange)}
        if host in logins and host not in self.knowing:
            return refusal(400, "invalid_tenant", _UNKNOWN.format(request.url.path.split("/")[1]))
        if host not in logins | services:
            raise httpx.ConnectError("no such host", request=request)
        return self._inner.handle_request(request)


@dataclass
class Machine:
    """One machine with a network on which Microsoft's hosts are simulated."""

    home: Path
    knowing: tuple[str, ...] = ("login.microsoftonline.com",)
    clock: FakeClock = field(default_factory=FakeClock)
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        origin = f"https://{self.knowing[0]}"
        self.sandbox = open_sandbox(self.home, clock=self.clock, origin=origin)
        self.info = self.sandbox.info()
        self.microsoft = Microsoft(self.sandbox, self.clock, self.knowing)

    def world(self, *, stdin: str | None = None, terminal: bool = False, **more: Any) -> World:
        kind = Terminal if terminal else io.StringIO
        made = World(
            stdin=io.StringIO() if stdin is None else Terminal(stdin),
            stdout=kind(),
            stderr=kind(),
            environ=self.variables,
            clock=self.clock,
            transport=self.microsoft,
            home=self.home,
        )
        return replace(made, **more)

    def __call__(self, *argv: str, world: World | None = None, environ: Mapping[str, str] | None = None) -> Finished:
        """Run a command for contoso; `environ` is added to the variables."""
        used = world or self.world()
        if environ:
            used = replace(used, environ={**used.environ, **environ})
        code = main([*argv, "--tenant", CONTOSO] if "--tenant" not in argv else argv, world=used)
        assert isinstance(used.stdout, io.StringIO)
        assert isinstance(used.stderr, io.StringIO)
        return Finished(code=int(code), out=used.stdout.getvalue(), err=used.stderr.getvalue())

    @property
    def as_application(self) -> dict[str, str]:
        """The variables of the sandbox's operator application."""
        return {
            "MIMAPP_AUTH": "client-secret",
            "AZURE_CLIENT_ID": self.info.operator_client_id,
            "AZURE_CLIENT_SECRET": self.info.operator_client_secret,
        }

    def close(self) -> None:
        self.sandbox.close()
