"""A sign-in at a real terminal and over a real socket: Ctrl-C, a password that is not shown, a browser."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APP = "00001111-aaaa-2222-bbbb-3333cccc4444"
TYPED = "replaced-password-as-typed"
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


@posix_only
def test_ctrl_c_ends_a_wait_for_a_device_code_at_once(served: Reached) -> None:
    ask_people(served.sandbox)
    with subprocess.Popen(
        [sys.executable, "-m", "mimapp", "whoami", "--auth", "device-code"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **served.variables},
    ) as process:
        assert process.stderr is not None
        shown = ""
        while " and enter " not in shown:
            line = process.stderr.readline()
            assert line, shown
            shown = line
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    took = time.monotonic() - begun

    assert process.returncode == 130
    assert out == ""
    assert err.startswith("mimapp: interrupted\n")
    assert "Traceback" not in err
    assert took < 3, "the code would have been waited for 15 minutes, and asked about every 5 seconds"


@posix_only
def test_a_password_that_is_typed_is_not_shown(tmp_path: Path) -> None:
    import pty  # noqa: PLC0415 - not on Windows

    Certificate().write_pem(tmp_path / "locked.pem", b"another")
    master, terminal = pty.openpty()
    sign_in = ("--auth", "certificate", "--certificate", str(tmp_path / "locked.pem"), "--client-id", APP)
    with subprocess.Popen(
        [sys.executable, "-m", "mimapp", "whoami", "--tenant", "contoso.com", *sign_in],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "MIMAPP_HOME": str(tmp_path / "home"), "TERM": "dumb", "COLUMNS": "500"},
        start_new_session=True,
        close_fds=True,
    ) as process:
        os.close(terminal)
        sent = b""
        answered = False
        with contextlib.suppress(OSError):  # Linux ends the reading of a closed terminal with EIO
            while piece := os.read(master, 65_536):
                sent += piece
                if not answered and b"Password of " in sent:
                    os.write(master, f"{TYPED}\n".encode())
                    answered = True
    os.close(master)
    text = sent.decode()

    assert answered
    assert process.returncode == 2
    assert "its password is wrong" in text
    assert TYPED not in text


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
