"""Opening a page for the person at this machine; in the embedded sandbox a browser is played, and nobody clicks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from mimapp.cli.result import Line
from mimapp.errors import UsageError
from mimapp.identity import Method, person_method

if TYPE_CHECKING:
    from mimapp.cli.command import Run

__all__ = ["open_page", "require_browser"]


def require_browser(run: Run) -> None:
    """Refuse what needs a browser where there is no desktop: a browser in text mode would take the terminal.

    Raises:
        UsageError: there is none.
    """
    if not run.options.sandbox and person_method(run.world.environ) is not Method.BROWSER:
        raise UsageError(
            "--browser: there is no desktop on this machine, or it is used from elsewhere",
            hint="--no-browser gives a link that can be opened anywhere",
        )


def open_page(run: Run, transport: httpx.BaseTransport | None, url: str) -> bool:
    """Open a page, and say which; whether a browser could be started.

    Args:
        run: whose terminal and browser.
        transport: the embedded tenant's, with ``--sandbox``.
        url: the page.
    """
    if run.options.sandbox:
        return _play_browser(transport, url)
    run.progress.pause()
    run.output.tell((Line("Opening this page; if no window appears, open it yourself on this machine:"), Line(url)))
    return run.world.open_browser(url)


def _play_browser(transport: httpx.BaseTransport | None, url: str) -> bool:
    """Ask the embedded tenant for the page, whose administrator answers at once, and follow the way back."""
    with httpx.Client(transport=transport) as browser:
        back = browser.get(url).headers.get("location", "")
    if not back.startswith("http://localhost:"):
        return False
    with httpx.Client(trust_env=False) as browser:
        browser.get(back)
    return True
