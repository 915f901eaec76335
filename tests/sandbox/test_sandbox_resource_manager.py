"""What Azure CLI asks of Azure Resource Manager before it comes to Graph, as bare HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sandbox_world import GRAPH

if TYPE_CHECKING:
    import httpx
    from sandbox_world import World


def asked(
    world: World, path: str, scope: str | None = "https://management.core.windows.net//.default"
) -> httpx.Response:
    headers = {} if scope is None else {"authorization": f"Bearer {world.operator_token(scope)}"}
    return world.http.get(path, params={"api-version": "2022-12-01"}, headers=headers)


def test_where_everything_is_is_said_to_anybody(world: World) -> None:
    found = asked(world, "/metadata/endpoints", scope=None).json()
    origin = world.sandbox.origin
    assert found["authentication"]["loginEndpoint"] == found["resourceManager"] == origin
    assert found["microsoftGraphResourceId"] == f"{origin}/"
    assert found["authentication"]["audiences"][0] == "https://management.core.windows.net/"


def test_one_tenant_and_no_subscription(world: World) -> None:
    (tenant,) = asked(world, "/tenants").json()["value"]
    assert (tenant["tenantId"], tenant["displayName"]) == (world.info.tenant_id, "Contoso")
    assert asked(world, "/subscriptions").json()["value"] == []


@pytest.mark.parametrize("path", ["/tenants", "/subscriptions"])
@pytest.mark.parametrize(
    ("scope", "code"), [(None, "AuthenticationFailed"), (f"{GRAPH}/.default", "InvalidAuthenticationToken")]
)
def test_a_token_for_it_is_needed(world: World, path: str, scope: str | None, code: str) -> None:
    reply = asked(world, path, scope)
    assert (reply.status_code, reply.json()["error"]["code"]) == (401, code)
    assert reply.headers["www-authenticate"].startswith("Bearer authorization_uri=")
