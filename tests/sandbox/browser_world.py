"""A browser at the sandbox's authorization endpoint, and a client that turns what it brings back into tokens."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from sandbox_world import AZURE_CLI, GRAPH

if TYPE_CHECKING:
    import httpx
    from sandbox_world import World

BACK = "http://localhost:53124"
VERIFIER = "a-verifier-of-the-forty-three-letters-at-least"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASKED = {
    "client_id": AZURE_CLI,
    "response_type": "code",
    "redirect_uri": BACK,
    "scope": f"{GRAPH}/.default openid profile offline_access",
    "state": "s 1/ü",
    "nonce": "n-1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def opened(world: World, tenant: str | None = None, **query: str | None) -> httpx.Response:
    asked = {name: value for name, value in (ASKED | query).items() if value is not None}
    return world.http.get(f"/{tenant or world.info.tenant_id}/oauth2/v2.0/authorize", params=asked)


def sent_back(reply: httpx.Response, address: str = BACK) -> dict[str, str]:
    assert reply.status_code == 302, reply.text
    location = urlsplit(reply.headers["location"])
    assert f"{location.scheme}://{location.netloc}{location.path}" == address
    return dict(parse_qsl(location.query or location.fragment))


def redeemed(world: World, mine: str, /, **form: str | None) -> httpx.Response:
    whole = {
        "grant_type": "authorization_code",
        "client_id": AZURE_CLI,
        "redirect_uri": BACK,
        "code": mine,
        "code_verifier": VERIFIER,
    } | form
    given = {name: value for name, value in whole.items() if value is not None}
    return world.http.post(f"/{world.info.tenant_id}/oauth2/v2.0/token", data=given)


def registered(world: World, platform: str) -> str:
    app = world.application(**{platform: {"redirectUris": [BACK]}})
    world.service_principal(app["appId"])
    return str(app["appId"])
