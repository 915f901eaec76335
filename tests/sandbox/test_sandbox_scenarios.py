from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sandbox_world import EXCHANGE

from mimapp.sandbox import SandboxError
from mimapp.sandbox.scenarios import (
    PORTAL_APP_NAME,
    SCRIPT_APP_NAME,
    SCRIPT_GROUP,
    EwsState,
    foreign_secret,
    portal_app,
    reset,
    script_app,
    set_ews_state,
    soft_deleted_app,
)
from mimapp.sandbox.seed import seed_tenant
from mimapp.sandbox.tenants import all_tenants

if TYPE_CHECKING:
    from sandbox_world import World


def application(world: World, name: str) -> dict[str, Any]:
    (found,) = world.call("GET", f"/applications?$filter=displayName eq '{name}'").json()["value"]
    assert isinstance(found, dict)
    return found


def cmdlet(world: World, name: str, **parameters: Any) -> list[dict[str, Any]]:
    token = world.operator_token(f"{EXCHANGE}/.default")
    reply = world.http.post(
        f"/adminapi/beta/{world.info.tenant_id}/InvokeCommand",
        json={"CmdletInput": {"CmdletName": name, "Parameters": parameters}},
        headers={"authorization": f"Bearer {token}"},
    )
    assert reply.status_code == 200, reply.text
    rows: list[dict[str, Any]] = reply.json()["value"]
    return rows


def test_portal_app_has_user_read_and_everything_consented(world: World) -> None:
    made = portal_app(world.sandbox)
    app = application(world, PORTAL_APP_NAME)
    assert (app["appId"], app["uniqueName"], app["tags"]) == (made.app_id, None, [])
    assert [item["displayName"] for item in app["passwordCredentials"]] == ["MIM Service"]
    principal = world.principal_id(app["appId"])
    grants = world.call("GET", f"/oauth2PermissionGrants?$filter=clientId eq '{principal}'").json()["value"]
    assert [grant["scope"] for grant in grants] == ["User.Read"]
    roles = world.call("GET", f"/servicePrincipals/{principal}/appRoleAssignments").json()["value"]
    assert [role["appRoleId"] for role in roles] == ["dc890d15-9560-4a4c-9b7f-a736ec74ec40"]
    owners = world.call("GET", f"/applications/{app['id']}/owners").json()["value"]
    assert [owner["userPrincipalName"] for owner in owners] == [world.info.administrator]


def test_script_app_comes_with_its_group_and_policy(world: World) -> None:
    made = script_app(world.sandbox)
    assert application(world, SCRIPT_APP_NAME)["appId"] == made.app_id
    (group,) = cmdlet(world, "Get-DistributionGroup", Identity=SCRIPT_GROUP)
    members = cmdlet(world, "Get-DistributionGroupMember", Identity=SCRIPT_GROUP)
    assert [member["PrimarySmtpAddress"] for member in members] == [world.info.mailbox]
    (policy,) = cmdlet(world, "Get-ApplicationAccessPolicy")
    assert (policy["AppId"], policy["AccessRight"]) == (made.app_id, "RestrictAccess")
    assert policy["Description"] == "Restrict access to application."
    assert policy["ScopeIdentityRaw"].endswith(f";{group['ExternalDirectoryObjectId']}")
    for mailbox, expected in ((world.info.mailbox, "Granted"), (world.info.outside_mailbox, "Denied")):
        (tested,) = cmdlet(world, "Test-ApplicationAccessPolicy", Identity=mailbox, AppId=made.app_id)
        assert tested["AccessCheckResult"] == expected


def test_deleted_app_still_holds_its_name(world: World) -> None:
    soft_deleted_app(world.sandbox, "mim")
    reply = world.call(
        "PATCH", "/applications(uniqueName='mim')", json={"displayName": "x"}, prefer="create-if-missing"
    )
    assert reply.status_code == 400
    (found,) = world.call("GET", "/directory/deletedItems/microsoft.graph.application").json()["value"]
    assert (found["uniqueName"], found["deletedDateTime"]) == ("mim", "2026-11-20T09:00:00Z")
    assert world.call("POST", f"/directory/deletedItems/{found['id']}/restore").status_code == 200
    with pytest.raises(SandboxError, match="a live application has the uniqueName mim"):
        soft_deleted_app(world.sandbox, "mim")


def test_foreign_secret_is_one_more_that_nobody_here_has(world: World) -> None:
    with pytest.raises(SandboxError, match="no application has the uniqueName mim"):
        foreign_secret(world.sandbox, "mim")
    app = world.application(uniqueName="mim")
    foreign_secret(world.sandbox, "mim")
    foreign_secret(world.sandbox, "mim", label="by hand")
    held = world.call("GET", f"/applications/{app['id']}").json()["passwordCredentials"]
    assert held[0]["displayName"] == "by hand"
    assert held[1]["displayName"].startswith("mimapp 2026-11-20 ")


@pytest.mark.parametrize(
    ("state", "enabled", "listed", "mailbox"),
    [
        (EwsState.NULL, None, 0, True),
        (EwsState.NULL_LIST, None, 2, True),
        (EwsState.TRUE_EMPTY, True, 0, True),
        (EwsState.TRUE_LIST, True, 2, True),
        (EwsState.FALSE, False, 0, True),
        (EwsState.FALSE_LIST, False, 2, True),
        (EwsState.MAILBOX_OFF, True, 2, False),
    ],
)
def test_every_state_of_the_ews_switch(
    world: World, *, state: EwsState, enabled: bool | None, listed: int, mailbox: bool
) -> None:
    set_ews_state(world.sandbox, state)
    (found,) = cmdlet(world, "Get-OrganizationConfig", RetrieveEwsOperationAccessPolicy=True)
    assert found["EwsEnabled"] is enabled
    assert len([piece for piece in (found["EwsAllowedAppIDs"] or "").split(",") if piece]) == listed
    (client_access,) = cmdlet(world, "Get-CASMailbox", Identity=world.info.mailbox)
    assert (client_access["EwsEnabled"] is not False) is mailbox


def test_reset_leaves_only_a_fresh_tenant(world: World) -> None:
    with world.sandbox.state.transaction() as tx:
        seed_tenant(tx, "fabrikam.onmicrosoft.com", name="Fabrikam")
    portal_app(world.sandbox, "fabrikam.onmicrosoft.com")
    world.application(displayName="mine")
    token = world.operator_token()
    reset(world.sandbox)
    with world.sandbox.state.transaction() as tx:
        assert [tenant.domain for tenant in all_tenants(tx)] == ["contoso.onmicrosoft.com"]
    assert world.call("GET", "/applications?$filter=displayName eq 'mine'", token=token).json()["value"] == []


def test_unknown_tenant_is_said(world: World) -> None:
    with pytest.raises(SandboxError, match=r"no tenant nowhere\.example"):
        portal_app(world.sandbox, "nowhere.example")
    with pytest.raises(SandboxError, match=r"no tenant nowhere\.example"):
        world.sandbox.info("nowhere.example")


def test_several_tenants_know_nothing_of_each_other(world: World) -> None:
    with world.sandbox.state.transaction() as tx:
        other = seed_tenant(tx, "fabrikam.onmicrosoft.com", name="Fabrikam")
    world.application(displayName="contoso's")
    info = world.sandbox.info("fabrikam.onmicrosoft.com")
    assert (info.tenant_id, info.mailbox) == (other, "MIMService@fabrikam.onmicrosoft.com")
    token = world.sign_in(tenant="fabrikam.onmicrosoft.com").json()["access_token"]
    names = [app["displayName"] for app in world.call("GET", "/applications", token=token).json()["value"]]
    assert names == ["Sandbox operator"]
