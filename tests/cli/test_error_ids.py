"""Every error that a request ended in names the id that mimapp gave the request, in words and in the document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest

from support.microsoft import Machine, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

LOGIN, GRAPH, EXCHANGE = "login.microsoftonline.com", "graph.microsoft.com", "outlook.office365.com"
SECRET = {
    "MIMAPP_AUTH": "client-secret",
    "AZURE_CLIENT_ID": "00001111-aaaa-2222-bbbb-3333cccc4444",
    "AZURE_CLIENT_SECRET": "replaced-secret",
}
PAGE = httpx.Response(200, html="<html>Please sign in to the proxy</html>")


@dataclass(frozen=True)
class Case:
    """What a host answers, from which path on, and how the run ends."""

    host: str
    answer: Callable[[httpx.Request], httpx.Response]
    code: int
    path: str = "/"
    variables: Mapping[str, str] = field(default_factory=lambda: {"MIMAPP_AUTH": "device-code"})


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("[Errno 111] Connection refused", request=request)


def silent(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("timed out", request=request)


CASES = {
    "sign-in unreachable": Case(LOGIN, unreachable, 75),
    "sign-in silent": Case(LOGIN, silent, 75, path="/token"),
    "sign-in busy": Case(LOGIN, lambda _: httpx.Response(503), 75, path="/token"),
    "sign-in in front of which a proxy stands": Case(LOGIN, lambda _: PAGE, 5, path="/openid-configuration"),
    "a person refused": Case(LOGIN, lambda _: refusal(400, "invalid_grant", "AADSTS53003: Blocked."), 4, path="/token"),
    "an application refused": Case(
        LOGIN, lambda _: refusal(401, "invalid_client", "AADSTS7000215: Wrong."), 4, path="/token", variables=SECRET
    ),
    "Graph unreachable": Case(GRAPH, unreachable, 75),
    "Graph silent": Case(GRAPH, silent, 75),
    "Graph refuses": Case(
        GRAPH,
        lambda _: httpx.Response(403, json={"error": {"code": "Authorization_RequestDenied", "message": "no"}}),
        5,
    ),
    "Graph in front of which a proxy stands": Case(GRAPH, lambda _: PAGE, 5),
    "Graph busy": Case(GRAPH, lambda _: httpx.Response(503), 75),
    "Exchange unreachable": Case(EXCHANGE, unreachable, 75),
    "Exchange refuses": Case(EXCHANGE, lambda _: httpx.Response(403), 5),
    "Exchange refuses by nothing that can be read": Case(EXCHANGE, lambda _: httpx.Response(403, content=b"\0\0"), 5),
    "Exchange in front of which a proxy stands": Case(EXCHANGE, lambda _: PAGE, 5),
    "Exchange redirects elsewhere": Case(
        EXCHANGE, lambda _: httpx.Response(302, headers={"location": "https://elsewhere.example/"}), 5
    ),
}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("name", CASES)
def test_an_error_names_the_id_of_its_request(machine: Machine, name: str) -> None:
    case = CASES[name]
    failed: list[str] = []

    def instead(request: httpx.Request) -> httpx.Response | None:
        if request.url.host != case.host or case.path not in request.url.path:
            return None
        failed.append(request.headers["client-request-id"])
        return case.answer(request)

    machine.variables |= dict(case.variables)
    machine.microsoft.instead = instead
    argv = ("status", "--mailbox", machine.info.mailbox, "--cloud", "global", "--deadline", "5s")
    words = machine(*argv)
    document = machine(*argv, "--output", "json").document

    assert words.code == document["exitCode"] == case.code, words.err
    assert any(f"client-request-id {sent}" in words.err for sent in failed), words.err
    assert document["clientRequestId"] in failed
