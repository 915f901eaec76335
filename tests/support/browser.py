"""A browser without a window: opens an address, follows redirects, and sends the form that a page sends by itself."""

from __future__ import annotations

import threading
import webbrowser
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping


class _Form(HTMLParser):
    """The first form of a page: where it goes, and its fields with their values."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.sends_itself = False
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "body":
            self.sends_itself = "submit()" in (given.get("onload") or "")
        if tag == "form":
            self.action = given.get("action") or ""
        if tag == "input" and given.get("name"):
            self.fields[str(given["name"])] = given.get("value") or ""


class Browser:
    """Trusts one authority, and goes where it is sent; `visited` lists the addresses without their queries.

    `entered` is what a person would type into the form of a page that does not send itself.
    """

    def __init__(self, trust: ssl.SSLContext, entered: Mapping[str, str] | None = None) -> None:
        self.trust = trust
        self._entered = dict(entered or {})
        self.visited: list[str] = []
        self.opened: list[str] = []
        self.last: httpx.Response | None = None
        self._threads: list[threading.Thread] = []

    def open(self, address: str) -> bool:
        """As `webbrowser.open`: comes back at once, and goes on by itself."""
        self.opened.append(address)
        thread = threading.Thread(target=self.follow, args=(address,), daemon=True)
        self._threads.append(thread)
        thread.start()
        return True

    def follow(self, address: str) -> httpx.Response:
        """Go where an address leads, until a page has nothing more to send."""
        with httpx.Client(verify=self.trust, trust_env=False, follow_redirects=False, timeout=120) as http:
            reply = self._seen(http.get(address))
            for _ in range(6):
                if reply.is_redirect:
                    address = urljoin(address, reply.headers["location"])
                    reply = self._seen(http.get(address))
                    continue
                form = _Form(reply.text)
                if form.action is None or not (form.sends_itself or self._entered):
                    break
                address = urljoin(address, form.action)
                fields = form.fields if form.sends_itself else form.fields | self._entered
                reply = self._seen(http.post(address, data=fields))
        self.last = reply
        return reply

    def wait(self) -> None:
        for thread in self._threads:
            thread.join(120)

    def _seen(self, reply: httpx.Response) -> httpx.Response:
        parts = urlsplit(str(reply.url))
        self.visited.append(f"{reply.request.method} {parts.scheme}://{parts.hostname}{parts.path}")
        return reply


class _Headless(webbrowser.BaseBrowser):
    """What `webbrowser.open` finds first; without a browser at hand it leaves the address to the next one."""

    def __init__(self) -> None:
        super().__init__("headless")
        self.browser: Browser | None = None

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002 - the base class's signature
        return self.browser is not None and self.browser.open(url)


_headless = _Headless()


@contextmanager
def as_the_machines_browser(browser: Browser) -> Iterator[Browser]:
    """Let `webbrowser.open` of this process open the browser, by the standard library's own register."""
    webbrowser.register(_headless.name, None, _headless, preferred=True)
    _headless.browser = browser
    try:
        yield browser
    finally:
        _headless.browser = None
        browser.wait()
