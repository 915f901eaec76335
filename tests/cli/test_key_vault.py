"""A registration whose secret goes to Azure Key Vault: the operator's own sign-in reaches the vault as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import jwt
import pytest
from azure.keyvault.secrets._shared import http_challenge_cache

from support.key_vault import AUDIENCE, HOST, URL, Vault
from support.tenants import MAILBOX, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGISTER = ("register", "--mailbox", MAILBOX, "--yes", "--output", "json", "--secret-to", f"keyvault:{URL}")


class Beside(httpx.BaseTransport):
    """The vault beside the simulated tenant."""

    def __init__(self, tenant: httpx.BaseTransport, vault: Vault) -> None:
        self._tenant = tenant
        self._vault = httpx.MockTransport(vault)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        there = self._vault if request.url.host == HOST else self._tenant
        return there.handle_request(request)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    http_challenge_cache.clear()  # kept for the whole process, by the vault's address, which other tests have as well
    made = Place(tmp_path / "home")
    yield made
    made.close()
    http_challenge_cache.clear()


def vault_of(place: Place, tenant: str | None = None) -> Vault:
    def knows(authorization: str) -> bool:
        token = authorization.removeprefix("Bearer ")
        if not token:
            return False
        claims = jwt.decode(token, options={"verify_signature": False})
        return bool((claims["aud"], claims["tid"]) == (AUDIENCE, place.info.tenant_id))

    return Vault(place.clock, tenant=tenant or place.info.tenant_id, knows=knows)


def test_the_secret_lies_in_the_vault_alone_and_a_second_run_finds_it(place: Place) -> None:
    vault = vault_of(place)
    transport = Beside(place.wire, vault)
    done = place.remote(*REGISTER, transport=transport)
    assert done.code == 0, done.err
    assert done.document["secret"]["stores"] == [f"keyvault:{URL}"]
    (value,) = vault.values()
    assert value not in done.out + done.err
    assert all(value not in path.read_text(errors="replace") for path in (place.home / "journal").rglob("*.json"))

    again = place.remote(*REGISTER, transport=transport)
    assert again.code == 0, again.err
    assert again.document["changes"] == []
    assert vault.values() == [value]

    shown = place.remote("secret", "show", *REGISTER[1:3], "--secret-from", REGISTER[-1], transport=transport)
    assert value in shown.out, shown.err


def test_a_vault_of_another_tenant_gets_no_token(place: Place) -> None:
    other = "22222222-2222-2222-2222-222222222222"
    vault = vault_of(place, tenant=other)
    refused = place.remote(*REGISTER, transport=Beside(place.wire, vault))
    assert refused.code == 8, refused.err
    assert f"the vault belongs to tenant {other}" in refused.err
    assert vault.seen == []
    assert place.wire.writes == []


def test_an_operator_whom_the_vault_refuses_changes_nothing(place: Place) -> None:
    vault = vault_of(place)
    error = {"error": {"code": "Forbidden", "message": "no", "innererror": {"code": "ForbiddenByRbac"}}}
    vault.refuse["GET secrets versions"] = httpx.Response(403, json=error)
    refused = place.remote(*REGISTER, transport=Beside(place.wire, vault))
    assert refused.code == 8, refused.err
    assert place.wire.writes == []
    assert vault.values() == []
