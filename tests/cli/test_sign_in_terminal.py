"""A sign-in at a real terminal and over a real socket: Ctrl-C, a password that is not shown, a browser."""

from __future__ import annotations

import io
import shlex
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from mimapp.cli import main
from mimapp.cli.world import World
from mimapp.clock import SystemClock
from mimapp.sandbox import Sandbox, open_sandbox
from mimapp.sandbox.server import Served, serving
from mimapp.sandbox.sign_in_scenarios import ask_people
from mimapp.transport.network import tls_context
from support.browser import Browser
from support.certificates import Certificate
from support.terminal import CTRL_C, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

APP = "00001111-aaaa-2222-bbbb-3333cccc4444"
TYPED = "replaced-password-as-typed"
OPENS_A_PAGE = """
import sys
from pathlib import Path
from mimapp.transport.network import tls_context
from support.browser import Browser
Browser(tls_context(Path(sys.argv[1]))).follow(sys.argv[2])
"""
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals and pseudo terminals as POSIX has them")


@dataclass
class Reached:
    """A served sandbox, and the home of the one who uses it."""

    sandbox: Sandbox
    served: Served
    home: Path

    @property
    def variables(self) -> dict[str, str]:
        return {
            "MIMAPP_HOME": str(self.home),
            "MIMAPP_LOGIN_URL": self.served.url,
            "MIMAPP_GRAPH_URL": self.served.url,
            "MIMAPP_EXCHANGE_URL": self.served.url,
            "MIMAPP_CA_BUNDLE": str(self.served.ca_file),
            "MIMAPP_TENANT": "contoso.onmicrosoft.com",
        }


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reached]:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    sandbox = open_sandbox(tmp_path / "sandbox")
    with serving(sandbox) as running:
        yield Reached(sandbox, running, tmp_path / "home")
    sandbox.close()


def interrupted(served: Reached, *argv: str, seen: str, **more: str) -> str:
    """What the terminal shows of a run that a person ends with Ctrl-C as soon as something is seen."""
    with Terminal("-m", "mimapp", *argv, environ=served.variables | more) as terminal:
        terminal.until(seen)
        terminal.press(CTRL_C)
        assert terminal.end() == 130, terminal.shown
        assert terminal.echoes
        return terminal.shown


@posix_only
@pytest.mark.parametrize(
    "command",
    ["whoami", pytest.param("register --mailbox MIMService@contoso.onmicrosoft.com", marks=pytest.mark.slow)],
)
def test_ctrl_c_ends_a_wait_for_a_device_code(served: Reached, command: str) -> None:
    """The code would be waited for 15 minutes; that nobody waits for its next poll is in test_operator."""
    ask_people(served.sandbox)
    shown = interrupted(served, *command.split(), "--auth", "device-code", seen=" and enter ")

    assert shown.endswith("^C\nmimapp: interrupted\n  run the same command again to go on\n")
    assert shown.count("Sign in to ") == 1
    assert not (served.home / "crash.txt").exists()


@posix_only
def test_ctrl_c_ends_a_wait_for_a_browser_and_nothing_listens_any_more(served: Reached) -> None:
    ask_people(served.sandbox)
    # A browser that opens nothing: the standard library takes it from BROWSER.
    shown = interrupted(served, "whoami", "--auth", "browser", seen="&claims=", BROWSER="true")

    assert shown.endswith("\nmimapp: interrupted\n  run the same command again to go on\n")
    address = next(line for line in shown.splitlines() if line.startswith(served.served.url))
    redirect = urlsplit(parse_qs(urlsplit(address).query)["redirect_uri"][0])
    assert redirect.hostname == "localhost"
    with pytest.raises(OSError):  # noqa: PT011 - refused, by whichever of the two addresses
        socket.create_connection(("localhost", redirect.port or 0))


@pytest.mark.slow
@posix_only
def test_a_terminated_wait_has_its_own_code(served: Reached) -> None:
    ask_people(served.sandbox)
    with Terminal("-m", "mimapp", "whoami", "--auth", "device-code", environ=served.variables) as terminal:
        terminal.until(" and enter ")
        terminal.send(signal.SIGTERM)
        assert terminal.end() == 143, terminal.shown
    assert terminal.shown.endswith("\nmimapp: terminated\n  run the same command again to go on\n")


def locked_certificate(folder: Path) -> tuple[str, ...]:
    Certificate().write_pem(folder / "locked.pem", b"another")
    return ("--auth", "certificate", "--certificate", str(folder / "locked.pem"), "--client-id", APP)


@posix_only
def test_a_password_that_is_typed_is_not_shown(tmp_path: Path) -> None:
    argv = ("-m", "mimapp", "whoami", "--tenant", "contoso.com", *locked_certificate(tmp_path))
    with Terminal(*argv, environ={"MIMAPP_HOME": str(tmp_path / "home")}) as terminal:
        terminal.until("Password of ")
        terminal.press(f"{TYPED}\n".encode())
        assert terminal.end() == 2, terminal.shown
        assert terminal.echoes

    assert "its password is wrong" in " ".join(terminal.shown.split())
    assert TYPED not in terminal.shown


@pytest.mark.slow
@posix_only
def test_ctrl_c_at_the_password_gives_the_terminal_back_as_it_was(served: Reached, tmp_path: Path) -> None:
    shown = interrupted(served, "whoami", *locked_certificate(tmp_path), seen="Password of ")

    assert shown.endswith("\nmimapp: interrupted\n  run the same command again to go on\n")


def test_a_person_signs_in_to_both_services_in_a_browser(served: Reached) -> None:
    browser = Browser(tls_context(served.served.ca_file))
    out, err = io.StringIO(), io.StringIO()
    world = World(
        stdin=io.StringIO(),
        stdout=out,
        stderr=err,
        environ=served.variables,
        clock=SystemClock(),
        open_browser=browser.open,
        home=served.home,
    )
    code = main(["whoami", "--auth", "browser"], world=world)
    browser.wait()

    assert code == 0, err.getvalue()
    assert out.getvalue().count("admin@contoso.onmicrosoft.com") == 2
    assert len(browser.opened) == 2
    lines = err.getvalue().splitlines()
    assert lines[0].startswith("Microsoft Graph Command Line Tools asks for User.Read.")
    assert lines[1].startswith("Sign in to Microsoft Graph in a browser on this machine, within 5 min;")
    assert browser.opened[0] in lines, "whoever sees no window can open the page"
    assert "login_hint=admin%40contoso.onmicrosoft.com" in browser.opened[1], "the second one asks nobody who it is"


@pytest.mark.slow
@posix_only
def test_a_person_at_a_terminal_signs_in_with_the_machines_own_browser(served: Reached, tmp_path: Path) -> None:
    """A process of its own, whose standard library starts a program that opens the page."""
    program = tmp_path / "browser.py"
    program.write_text(OPENS_A_PAGE, encoding="utf-8")
    browser = shlex.join([sys.executable, str(program), str(served.served.ca_file)])
    environ = served.variables | {"BROWSER": f"{browser} %s", "PYTHONPATH": str(Path(__file__).parents[1])}
    with Terminal("-m", "mimapp", "whoami", "--auth", "browser", environ=environ) as terminal:
        assert terminal.end() == 0, terminal.shown

    told = " ".join(terminal.shown.split())
    assert told.index("Sign in to Microsoft Graph in a browser") < told.index("Sign in to Exchange Online in a browser")
    assert "admin@contoso.onmicrosoft.com" in told
