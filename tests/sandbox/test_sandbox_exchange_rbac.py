"""RBAC for Applications: pointers, scopes, assignments and the test cmdlet."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from exchange_tenant import APP_ID, APP_OBJECT_ID, MIM, OTHER, TENANT, Tenant

from mimapp.sandbox.exchange.access import AccessRequest, may_access
from mimapp.sandbox.exchange.models import AdministrativeUnit
from mimapp.sandbox.exchange.weather import Effect, Refusal
from mimapp.sandbox.state import Delay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROLE = "Application EWS.AccessAsApp"
UNIT_ID = "5a6db0c0-8888-4c0a-8f00-c0de00000001"
POINTER = {"AppId": APP_ID, "ObjectId": APP_OBJECT_ID, "DisplayName": "MIM"}


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    made = Tenant(tmp_path)
    prepare(made)
    yield made
    made.close()


def prepare(tenant: Tenant) -> None:
    tenant.add_service_principal()
    tenant.run("Set-OrganizationConfig", EwsAllowedAppIDs=APP_ID)
    tenant.run("New-DistributionGroup", Name="fence", Type="Security", Members=[MIM])
    tenant.run("New-ServicePrincipal", **POINTER)


def assign(tenant: Tenant, **parameters: Any) -> dict[str, Any]:
    return tenant.run("New-ManagementRoleAssignment", App=APP_OBJECT_ID, Role=ROLE, **parameters).row


def in_scope(tenant: Tenant, mailbox: str | None = None) -> list[str]:
    given = {} if mailbox is None else {"Resource": mailbox}
    return [row["InScope"] for row in tenant.run("Test-ServicePrincipalAuthorization", Identity=APP_ID, **given).rows]


def reaches(tenant: Tenant, mailbox: str) -> bool:
    request = AccessRequest(app_id=APP_ID, mailbox=mailbox, moment=tenant.clock.now())
    return may_access(tenant.directory(), request).granted


def test_a_pointer_is_made_once_and_found_by_each_of_its_ids(tenant: Tenant) -> None:
    for identity in (APP_ID, APP_OBJECT_ID, "mim"):
        row = tenant.run("Get-ServicePrincipal", Identity=identity).row
        assert (row["AppId"], row["ObjectId"], row["DisplayName"]) == (APP_ID, APP_OBJECT_ID, "MIM")
    again = tenant.run("New-ServicePrincipal", **POINTER)
    assert again.status == 400
    assert "AlreadyExists" in again.detail
    assert tenant.run("Get-ServicePrincipal", Identity="nobody").status == 404


@pytest.mark.parametrize(
    "change",
    [{"ObjectId": "5a6db0c0-9999-4c0a-8f00-c0de00000001"}, {"AppId": "5a6db0c0-9999-4c0a-8f00-c0de00000001"}],
)
def test_a_pointer_needs_the_object_id_of_the_service_principal(tenant: Tenant, change: dict[str, str]) -> None:
    tenant.run("Remove-ServicePrincipal", Identity=APP_ID)
    reply = tenant.run("New-ServicePrincipal", **{**POINTER, **change})
    assert reply.status == 400
    assert "No ServicePrincipal with Object Id '" in reply.detail
    assert tenant.run("New-ServicePrincipal", AppId="not a guid", ObjectId=APP_OBJECT_ID).status == 400


def test_deleting_the_service_principal_in_entra_removes_the_pointer_and_what_hangs_on_it(tenant: Tenant) -> None:
    assign(tenant, RecipientGroupScope="fence")
    assert reaches(tenant, MIM)
    with tenant.state.transaction() as tx:
        tx.delete(TENANT, "servicePrincipal", APP_OBJECT_ID)
    assert tenant.run("Get-ServicePrincipal").rows == []
    assert tenant.run("Test-ServicePrincipalAuthorization", Identity=APP_ID).status == 404
    assert not reaches(tenant, MIM)


def test_a_scope_by_group_reaches_its_direct_members_only(tenant: Tenant) -> None:
    tenant.run("New-DistributionGroup", Name="inner", Type="Security", Members=[OTHER])
    tenant.run("Add-DistributionGroupMember", Identity="fence", Member="inner")
    made = assign(tenant, RecipientGroupScope="fence")
    assert (made["Role"], made["RoleAssigneeName"], made["RoleAssigneeType"]) == (ROLE, "MIM", "ServicePrincipal")
    assert (made["AssignmentMethod"], made["RecipientGroupScope"]) == ("Direct", "fence")
    assert (in_scope(tenant, MIM), in_scope(tenant, OTHER), in_scope(tenant)) == (["True"], ["False"], ["Not Run"])
    assert (reaches(tenant, MIM), reaches(tenant, OTHER)) == (True, False)


def test_a_scope_by_filter_follows_the_groups_distinguished_name(tenant: Tenant) -> None:
    name = tenant.run("Get-DistributionGroup", Identity="fence").row["DistinguishedName"]
    made = tenant.run("New-ManagementScope", Name="s", RecipientRestrictionFilter=f"MemberOfGroup -eq '{name}'").row
    assert (made["Name"], made["ScopeRestrictionType"], made["Exclusive"]) == ("s", "RecipientScope", False)
    assert tenant.run("Get-ManagementScope", Identity="S").row["RecipientFilter"] == f"MemberOfGroup -eq '{name}'"
    assign(tenant, CustomResourceScope="s")
    (row,) = tenant.run("Test-ServicePrincipalAuthorization", Identity=APP_ID, Resource=MIM).rows
    assert row == {
        "RoleName": ROLE,
        "GrantedPermissions": "EWS.AccessAsApp",
        "AllowedResourceScope": "s",
        "ScopeType": "CustomRecipientScope",
        "InScope": "True",
    }
    assert (reaches(tenant, MIM), reaches(tenant, OTHER)) == (True, False)


def test_a_filter_doubles_the_quotes_of_a_name(tenant: Tenant) -> None:
    tenant.run("New-DistributionGroup", Name="Bob's fence", Alias="bob", Type="Security", Members=[OTHER])
    name = tenant.run("Get-DistributionGroup", Identity="bob").row["DistinguishedName"]
    bad = tenant.run("New-ManagementScope", Name="bad", RecipientRestrictionFilter=f"MemberOfGroup -eq '{name}'")
    assert bad.status == 400
    quoted = name.replace("'", "''")
    tenant.run("New-ManagementScope", Name="bob", RecipientRestrictionFilter=f"MemberOfGroup -eq '{quoted}'")
    assign(tenant, CustomResourceScope="bob")
    assert (reaches(tenant, OTHER), reaches(tenant, MIM)) == (True, False)


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        (f"PrimarySmtpAddress -eq '{MIM}'", [MIM]),
        (f"PrimarySmtpAddress -eq '{MIM}' -or Alias -eq 'other'", [MIM, OTHER]),
        ("{Alias -eq 'OTHER'}", [OTHER]),
        ("Name -eq 'nobody'", []),
    ],
)
def test_other_filters(tenant: Tenant, text: str, inside: list[str]) -> None:
    tenant.run("New-ManagementScope", Name="s", RecipientRestrictionFilter=text)
    assign(tenant, CustomResourceScope="s")
    assert [mailbox for mailbox in (MIM, OTHER) if in_scope(tenant, mailbox) == ["True"]] == inside


@pytest.mark.parametrize("text", ["", "Alias -like 'x*'", "City -eq 'Rome'", "Alias -eq 'a' -and Name -eq 'b'", "x"])
def test_a_filter_that_is_not_read_is_refused(tenant: Tenant, text: str) -> None:
    assert tenant.run("New-ManagementScope", Name="s", RecipientRestrictionFilter=text).status == 400


def test_a_scope_by_administrative_unit(tenant: Tenant) -> None:
    (mailbox,) = (r for r in tenant.directory().recipients.values() if r.primary == MIM)
    unit_guid = "5a6db0c0-8888-4c0a-8f00-c0de00000002"
    tenant.put(AdministrativeUnit(guid=unit_guid, external_id=UNIT_ID, display_name="MIM", members=(mailbox.guid,)))
    assert tenant.run("Get-AdministrativeUnit", Identity=UNIT_ID).row["DisplayName"] == "MIM"
    assert len(tenant.run("Get-AdministrativeUnit").rows) == 1
    assert tenant.run("Get-AdministrativeUnit", Identity="nowhere").status == 404
    made = assign(tenant, RecipientAdministrativeUnitScope=UNIT_ID)
    assert made["RecipientAdministrativeUnitScope"] == UNIT_ID
    assert (reaches(tenant, MIM), reaches(tenant, OTHER)) == (True, False)


def test_without_a_scope_a_role_reaches_everybody(tenant: Tenant) -> None:
    assign(tenant)
    (row,) = tenant.run("Test-ServicePrincipalAuthorization", Identity=APP_ID, Resource=OTHER).rows
    assert (row["AllowedResourceScope"], row["ScopeType"], row["InScope"]) == ("Organization", "Organization", "True")
    assert reaches(tenant, OTHER)


def test_another_role_opens_no_ews(tenant: Tenant) -> None:
    given = {"App": APP_ID, "Role": "application mail.read", "RecipientGroupScope": "fence"}
    assert tenant.run("New-ManagementRoleAssignment", **given).row["Role"] == "Application Mail.Read"
    assert not reaches(tenant, MIM)


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"App": "nobody"}, 404),
        ({"Role": "Application Teapot.Brew"}, 404),
        ({"CustomResourceScope": "nowhere"}, 404),
        ({"RecipientGroupScope": "nowhere"}, 404),
        ({"RecipientGroupScope": MIM}, 404),
        ({"RecipientAdministrativeUnitScope": "nowhere"}, 404),
        ({"RecipientGroupScope": "fence", "CustomResourceScope": "s"}, 400),
        ({"Name": "n" * 65}, 400),
    ],
)
def test_an_assignment_that_cannot_be(tenant: Tenant, parameters: dict[str, str], status: int) -> None:
    given = {"App": APP_OBJECT_ID, "Role": ROLE, **parameters}
    assert tenant.run("New-ManagementRoleAssignment", **given).status == status
    assert tenant.run("Get-ManagementRoleAssignment").rows == []


def test_names_are_unique_and_made_up_when_missing(tenant: Tenant) -> None:
    first = assign(tenant, RecipientGroupScope="fence")
    assert first["Name"].startswith(ROLE)
    twin = tenant.run("New-ManagementRoleAssignment", App=APP_ID, Role=ROLE, RecipientGroupScope="fence")
    assert twin.status == 400
    second = assign(tenant)
    assert second["Name"] != first["Name"]
    assert len(second["Name"]) <= 64
    named = {"App": APP_ID, "Role": "Application Mail.Send", "Name": second["Name"]}
    assert tenant.run("New-ManagementRoleAssignment", **named).status == 400


def test_assignments_are_listed_by_assignee_and_role(tenant: Tenant) -> None:
    assign(tenant, RecipientGroupScope="fence")
    tenant.run("New-ManagementRoleAssignment", App=APP_ID, Role="Application Mail.Send", Name="send")
    assert len(tenant.run("Get-ManagementRoleAssignment", RoleAssignee=APP_ID).rows) == 2
    assert tenant.run("Get-ManagementRoleAssignment", Role=ROLE).row["RecipientWriteScope"] == "Group"
    assert tenant.run("Get-ManagementRoleAssignment", Identity="send").row["Role"] == "Application Mail.Send"
    assert tenant.run("Get-ManagementRoleAssignment", RoleAssignee="nobody").status == 404
    assert tenant.run("Get-ManagementRoleAssignment", Identity="nothing").status == 404


def test_taking_away_in_order(tenant: Tenant) -> None:
    tenant.run("New-ManagementScope", Name="s", RecipientRestrictionFilter="Alias -eq 'other'")
    assert tenant.run("New-ManagementScope", Name="S", RecipientRestrictionFilter="Alias -eq 'x'").status == 400
    assert tenant.run("New-ManagementScope", Name="s" * 65, RecipientRestrictionFilter="Alias -eq 'x'").status == 400
    name = assign(tenant, CustomResourceScope="s")["Name"]
    kept = tenant.run("Remove-ManagementScope", Identity="s")
    assert kept.status == 400
    assert name in kept.detail
    assert tenant.run("Remove-ManagementRoleAssignment", Identity=name, Confirm=False).status == 204
    assert tenant.run("Remove-ManagementRoleAssignment", Identity=name).status == 404
    assert in_scope(tenant) == []
    assert tenant.run("Remove-ManagementScope", Identity="s").status == 204
    assert tenant.run("Get-ManagementScope", Identity="s").status == 404
    assert tenant.run("Get-ManagementScope").rows == []
    assert tenant.run("Remove-ServicePrincipal", Identity=APP_ID).status == 204
    assert tenant.run("Get-ServicePrincipal", Identity=APP_ID).status == 404


class Cached:
    """Roles act after an hour and go on for half an hour after they are taken away."""

    def delay(self, effect: Effect) -> timedelta:
        late = {Effect.ROLE_ENFORCED: timedelta(hours=1), Effect.ROLE_RELEASED: timedelta(minutes=30)}
        return late.get(effect, timedelta())

    def refusal(self, operation: str) -> Refusal | None:
        del operation
        return None


class Spreading:
    """Exchange's objects are known after ten seconds."""

    def delay(self, kind: str) -> Delay:
        return Delay(first=10, last=10) if kind in {"exo.principal", "exo.assignment"} else Delay()

    def replica(self) -> float:
        return 0.0


def test_the_test_ignores_the_cache_that_access_follows(tmp_path: Path) -> None:
    tenant = Tenant(tmp_path, weather=Cached(), lag=Spreading())
    try:
        prepare(tenant)
        given = {"App": APP_OBJECT_ID, "Role": ROLE, "RecipientGroupScope": "fence"}
        assert tenant.run("New-ManagementRoleAssignment", **given).status == 404
        tenant.clock.advance(timedelta(seconds=11))
        name = assign(tenant, RecipientGroupScope="fence")["Name"]
        assert tenant.run("Get-ManagementRoleAssignment").rows == []
        assert (in_scope(tenant, MIM), reaches(tenant, MIM)) == (["True"], False)
        tenant.clock.advance(timedelta(hours=1))
        assert reaches(tenant, MIM)
        tenant.run("Remove-ManagementRoleAssignment", Identity=name)
        assert len(tenant.run("Get-ManagementRoleAssignment").rows) == 1
        assert tenant.run("Remove-ManagementRoleAssignment", Identity=name).status == 404
        assert (in_scope(tenant, MIM), reaches(tenant, MIM)) == ([], True)
        tenant.clock.advance(timedelta(minutes=30))
        assert not reaches(tenant, MIM)
    finally:
        tenant.close()
