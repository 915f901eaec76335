"""A whole register, sign-in included, through a proxy: nothing is connected to, and no name looked up, beside it."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from mimapp.cli import main
from mimapp.cli.world import World
from mimapp.sandbox import open_sandbox
from support.clock import FakeClock
from support.loopback import proxying, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest


class Watch:
    """What this process connects to and looks up, and which programs it starts, as Python itself reports it.

    An audit hook stays for good: `events` is None while nobody watches.
    """

    def __init__(self) -> None:
        self.events: list[tuple[str, object]] | None = None
        sys.addaudithook(self._note)

    def _note(self, event: str, details: tuple[object, ...]) -> None:
        if self.events is None:
            return
        if event == "socket.connect":
            self.events.append((event, details[1]))
        if event in {"socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "os.posix_spawn", "os.exec"}:
            self.events.append((event, details[0]))


@contextmanager
def watching() -> Iterator[list[tuple[str, object]]]:
    watch = Watch()
    found: list[tuple[str, object]] = []
    watch.events = found
    try:
        yield found
    finally:
        watch.events = None


def test_a_whole_register_passes_the_proxy_and_nothing_goes_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    sandbox = open_sandbox(tmp_path, clock=clock)
    # No name server knows a name under .invalid: what reaches the server has come through the proxy.
    host = httpx.URL(sandbox.origin).host
    assert host.endswith(".invalid")
    answer = httpx.WSGITransport(app=sandbox.app).handle_request
    with serving(answer, tmp_path, host) as server, proxying(server.port) as proxy, watching() as events:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)
        for name in ("NO_PROXY", "no_proxy", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        environ = {f"MIMAPP_{name}_URL": sandbox.origin for name in ("LOGIN", "GRAPH", "EXCHANGE")}
        world = World(
            stdin=io.StringIO(),
            stdout=io.StringIO(),
            stderr=io.StringIO(),
            environ={**environ, "MIMAPP_CA_BUNDLE": str(server.ca_file)},
            clock=clock,
            home=tmp_path / "home",
        )
        store = f"file:{tmp_path / 'secret.json'}"
        code = main(
            ["register", "--mailbox", sandbox.info().mailbox, "--auth", "device-code", "--secret-to", store, "--yes"],
            world=world,
        )
    sandbox.close()

    assert isinstance(world.stderr, io.StringIO)
    assert code == 0, world.stderr.getvalue()
    assert set(proxy.connected) == {f"{host}:443"}
    paths = [line.partition("/")[2] for line in server.seen]
    assert any(path.endswith("oauth2/v2.0/devicecode") for path in paths), "the operator's sign-in"
    assert any(path.startswith("v1.0/applications") for path in paths), "Graph"
    assert any(path.endswith("/InvokeCommand") for path in paths), "Exchange"
    assert sum(path.endswith("oauth2/v2.0/token") for path in paths) > 2, "both services, and the application itself"

    to_proxy, to_server = ("127.0.0.1", httpx.URL(proxy.address).port), ("127.0.0.1", server.port)
    connected = [address for event, address in events if event == "socket.connect"]
    assert set(connected) == {to_proxy, to_server}
    assert connected.count(to_proxy) == connected.count(to_server) == len(proxy.connected), "only the proxy goes on"
    assert {what for event, what in events if event != "socket.connect"} == {"127.0.0.1"}
