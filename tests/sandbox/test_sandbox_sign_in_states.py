"""Other clouds and other states of sign-in, made on demand."""

from __future__ import annotations

import jwt
import pytest
from sandbox_world import AZURE_CLI, GRAPH, World

from mimapp.sandbox import SandboxError, Weather, catalog
from mimapp.sandbox.login.residence import RESIDENCES
from mimapp.sandbox.sign_in_scenarios import ask_people, move_to_cloud


@pytest.mark.parametrize("address", sorted(catalog.GRAPH.national_uris))
def test_graph_by_its_address_in_another_cloud(world: World, address: str) -> None:
    token = world.operator_token(f"{address}/.default")
    assert jwt.decode(token, options={"verify_signature": False})["aud"] == address
    assert world.call("GET", "/organization", token=token).status_code == 200


@pytest.mark.parametrize("address", sorted(catalog.EXCHANGE.national_uris))
def test_exchange_by_its_address_in_another_cloud(world: World, address: str) -> None:
    token = world.operator_token(f"{address.upper()}/.default")
    assert jwt.decode(token, options={"verify_signature": False})["aud"] == address
    body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"Identity": world.info.mailbox}}}
    path = f"/adminapi/beta/{world.info.tenant_id}/InvokeCommand"
    reply = world.http.post(path, json=body, headers={"authorization": f"Bearer {token}"})
    assert reply.status_code == 200


def test_a_person_gets_permissions_named_by_that_address(world: World) -> None:
    found = world.device_sign_in(world.info.administrator, AZURE_CLI, "https://graph.microsoft.us/.default")
    assert "https://graph.microsoft.us/Application.ReadWrite.All" in found["scope"].split()


@pytest.mark.parametrize("cloud", RESIDENCES)
def test_the_metadata_tells_where_a_tenant_lives(world: World, cloud: str) -> None:
    move_to_cloud(world.sandbox, cloud)
    found = world.http.get(f"/{world.info.tenant_id}/v2.0/.well-known/openid-configuration").json()
    residence = RESIDENCES[cloud]
    assert found["tenant_region_scope"] == residence.region
    assert found.get("tenant_region_sub_scope") == residence.sub_region
    assert (found["cloud_instance_name"], found["msgraph_host"]) == (residence.instance, residence.graph_host)


def test_one_state_does_not_undo_another(world: World) -> None:
    move_to_cloud(world.sandbox, "dod")
    ask_people(world.sandbox)
    begun = {"client_id": AZURE_CLI, "scope": f"{GRAPH}/.default"}
    base = f"/{world.info.tenant_id}/oauth2/v2.0"
    code = world.http.post(f"{base}/devicecode", data=begun).json()["device_code"]
    form = {"grant_type": "device_code", "client_id": AZURE_CLI, "device_code": code}
    assert world.http.post(f"{base}/token", data=form).json()["error"] == "authorization_pending"
    metadata = world.http.get(f"/{world.info.tenant_id}/v2.0/.well-known/openid-configuration").json()
    assert metadata["tenant_region_sub_scope"] == "DOD"


def test_what_does_not_exist_is_said(world: World) -> None:
    with pytest.raises(SandboxError, match="no cloud 'moon': global, gcc"):
        move_to_cloud(world.sandbox, "moon")
    with pytest.raises(SandboxError, match="no tenant nowhere"):
        ask_people(world.sandbox, "nowhere.onmicrosoft.com")


@pytest.mark.parametrize("outcome", ["AADSTS1", "AADSTS", "aadsts50076"])
def test_a_mistyped_code_is_answered_with_the_list(outcome: str) -> None:
    with pytest.raises(SandboxError, match=r"is not a fault.* AADSTS with one of 50076, "):
        Weather.parse(faults=[f"POST */token {outcome}"])
