"""Groups: what New-, Set-, Add-, Remove- and Get- do, and which groups they refuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from exchange_tenant import ADMIN, MIM, OTHER, TENANT, Tenant

from mimapp.sandbox.exchange.models import Behaviour, GroupPart, Recipient, RecipientType
from mimapp.sandbox.state import Delay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXCHANGE_ADMINISTRATOR = ["29232cdf-9323-42fd-ade2-1d097af3e4de"]
RECIPIENT_ADMINISTRATOR = ["31392ffb-586c-42d1-9346-e59415a2cc4e"]
ADDRESS = "mim-fence@contoso.onmicrosoft.com"


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    made = Tenant(tmp_path)
    yield made
    made.close()


def make(tenant: Tenant, **parameters: Any) -> dict[str, Any]:
    given = {"Name": "MIM fence", "Alias": "mim-fence", "Type": "Security", "PrimarySmtpAddress": ADDRESS}
    return tenant.run("New-DistributionGroup", **{**given, **parameters}).row


def member_addresses(tenant: Tenant, identity: str = ADDRESS) -> list[str]:
    rows = tenant.run("Get-DistributionGroupMember", Identity=identity).rows
    return [row["PrimarySmtpAddress"] for row in rows]


def test_a_new_security_group_is_closed_owned_by_its_maker_and_has_the_members_given(tenant: Tenant) -> None:
    made = make(tenant, Members=[MIM], Notes="mimapp:mim")
    assert made["RecipientTypeDetails"] == "MailUniversalSecurityGroup"
    assert made["GroupType"] == "Universal, SecurityEnabled"
    assert (made["MemberJoinRestriction"], made["MemberDepartRestriction"]) == ("Closed", "Closed")
    assert made["ManagedBy"] == ["admin"]
    assert made["RequireSenderAuthenticationEnabled"] is True
    assert made["HiddenFromAddressListsEnabled"] is False
    read = tenant.run("Get-DistributionGroup", Identity=ADDRESS).row
    assert read["ExternalDirectoryObjectId"] == made["ExternalDirectoryObjectId"]
    assert member_addresses(tenant) == [MIM]


@pytest.mark.parametrize("identity", ["MIM fence", "mim-fence", ADDRESS.upper(), "Guid", "ExternalDirectoryObjectId"])
def test_a_group_is_found_by_each_of_its_identities(tenant: Tenant, identity: str) -> None:
    made = make(tenant)
    asked = made.get(identity, identity)
    assert tenant.run("Get-DistributionGroup", Identity=asked).row["Guid"] == made["Guid"]
    assert tenant.run("Get-Recipient", Identity=asked).row["IsValidSecurityPrincipal"] is True


def test_a_group_is_not_found_by_its_display_name(tenant: Tenant) -> None:
    make(tenant, DisplayName="Shown differently")
    assert tenant.run("Get-DistributionGroup", Identity="Shown differently").status == 404


def test_notes_are_read_by_get_group_and_changed_by_set_group(tenant: Tenant) -> None:
    make(tenant, Notes="mimapp:mim")
    assert tenant.run("Get-Group", Identity=ADDRESS).row["Notes"] == "mimapp:mim"
    assert "Notes" not in tenant.run("Get-DistributionGroup", Identity=ADDRESS).row
    tenant.run("Set-Group", Identity=ADDRESS, Notes="other")
    assert tenant.run("Get-Group", Identity=ADDRESS).row["Notes"] == "other"
    assert tenant.run("Set-Group", Identity=ADDRESS, Notes="other").body["@adminapi.warnings"]


def test_the_group_is_an_object_of_entra_too_and_goes_with_it(tenant: Tenant) -> None:
    made = make(tenant)
    with tenant.state.transaction(write=False) as tx:
        group = tx.get(TENANT, "group", made["ExternalDirectoryObjectId"])
    assert group is not None
    assert group.body["mail"] == ADDRESS
    assert (group.body["mailEnabled"], group.body["securityEnabled"]) == (True, True)
    tenant.run("Remove-DistributionGroup", Identity=ADDRESS)
    with tenant.state.transaction(write=False) as tx:
        assert tx.get(TENANT, "group", made["ExternalDirectoryObjectId"]) is None
    assert tenant.run("Get-DistributionGroup", Identity=ADDRESS).status == 404


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"Name": "n" * 65}, "64"),
        ({"Alias": "a" * 65}, "64"),
        ({"Alias": "two words"}, "Alias"),
        ({"PrimarySmtpAddress": "x@fabrikam.com"}, "accepted domain"),
        ({"PrimarySmtpAddress": MIM}, f'The proxy address "SMTP:{MIM}" is already being used'),
        ({"Alias": "other", "PrimarySmtpAddress": ADDRESS}, "already exists"),
        ({"Name": "other"}, "already exists"),
        ({"MemberJoinRestriction": "Open"}, "can't be open"),
        ({"MemberDepartRestriction": "Open"}, "can't be open"),
        ({"MemberJoinRestriction": "Sometimes"}, "ApprovalRequired"),
        ({"HiddenFromAddressListsEnabled": True}, "parameter name 'HiddenFromAddressListsEnabled'"),
        ({"Type": "Secret"}, "Security"),
    ],
)
def test_a_group_that_cannot_be(tenant: Tenant, parameters: dict[str, Any], said: str) -> None:
    given = {"Name": "MIM fence", "Alias": "mim-fence", "Type": "Security", **parameters}
    reply = tenant.run("New-DistributionGroup", **given)
    assert reply.status == 400
    assert said in reply.detail
    assert tenant.run("Get-DistributionGroup").rows == []


@pytest.mark.parametrize("parameters", [{"Members": ["nobody"]}, {"ManagedBy": ["nobody"]}])
def test_a_group_with_somebody_unknown_is_404(tenant: Tenant, parameters: dict[str, Any]) -> None:
    assert tenant.run("New-DistributionGroup", Name="g", Type="Security", **parameters).status == 404


def test_an_application_must_name_an_owner(tenant: Tenant) -> None:
    token = tenant.app_token(wids=EXCHANGE_ADMINISTRATOR)
    refused = tenant.run_as(token, "New-DistributionGroup", Name="g", Type="Security")
    assert refused.status == 400
    assert "ManagedBy" in refused.detail
    made = tenant.run_as(token, "New-DistributionGroup", Name="g", Type="Security", ManagedBy=[ADMIN])
    assert made.row["ManagedBy"] == ["admin"]


def test_a_plain_group_is_no_owner(tenant: Tenant) -> None:
    tenant.run("New-DistributionGroup", Name="plain")
    assert tenant.run("New-DistributionGroup", Name="g", Type="Security", ManagedBy=["plain"]).status == 400
    tenant.run("New-DistributionGroup", Name="secure", Type="Security")
    assert tenant.run("New-DistributionGroup", Name="g", Type="Security", ManagedBy="secure").status == 200


def test_an_administrator_without_mailbox_owns_by_its_entra_id(tenant: Tenant) -> None:
    token = tenant.admin_token(oid="5a6db0c0-7777-4c0a-8f00-c0de00000001", upn="cloud@contoso.onmicrosoft.com")
    made = tenant.run_as(token, "New-DistributionGroup", Name="g", Type="Security").row
    assert made["ManagedBy"] == ["5a6db0c0-7777-4c0a-8f00-c0de00000001"]
    assert tenant.run_as(token, "Set-DistributionGroup", Identity="g", DisplayName="G").status == 200


def test_owners_become_members_only_when_asked(tenant: Tenant) -> None:
    make(tenant)
    assert member_addresses(tenant) == []
    tenant.run("New-DistributionGroup", Name="g2", Type="Security", CopyOwnerToMember=True)
    assert member_addresses(tenant, "g2") == [ADMIN]


def test_a_plain_group_is_open_and_no_security_principal(tenant: Tenant) -> None:
    made = tenant.run("New-DistributionGroup", Name="plain").row
    assert made["RecipientTypeDetails"] == "MailUniversalDistributionGroup"
    assert made["MemberJoinRestriction"] == "Open"
    assert made["PrimarySmtpAddress"] == "plain@contoso.onmicrosoft.com"
    assert tenant.run("Get-Recipient", Identity="plain").row["IsValidSecurityPrincipal"] is False


def test_names_may_be_decorated_with_a_time_stamp(tenant: Tenant) -> None:
    tenant.put(replace(tenant.directory().organization, behaviour=Behaviour(decorated_names=True)))
    made = make(tenant)
    assert made["Name"] == "MIM fence20261121090000"
    assert made["DisplayName"] == "MIM fence"
    assert tenant.run("Get-DistributionGroup", Identity="MIM fence").status == 404
    assert tenant.run("Get-DistributionGroup", Identity=ADDRESS).row["Identity"] == made["Name"]


def test_notes_may_be_unreadable_and_a_fresh_group_bare(tenant: Tenant) -> None:
    behaviour = Behaviour(unreadable_notes=True, bare_new_groups=True)
    tenant.put(replace(tenant.directory().organization, behaviour=behaviour))
    made = make(tenant, Notes="mimapp:mim")
    assert "DistinguishedName" not in made
    assert "ExternalDirectoryObjectId" not in made
    read = tenant.run("Get-Group", Identity=ADDRESS).row
    assert (read["Notes"], bool(read["DistinguishedName"])) == ("", True)


def test_members_come_and_go_with_the_known_errors(tenant: Tenant) -> None:
    make(tenant)
    given = {"Identity": ADDRESS, "Member": OTHER}
    assert tenant.run("Add-DistributionGroupMember", **given).status == 200
    again = tenant.run("Add-DistributionGroupMember", **given)
    assert again.status == 400
    assert "is already a member of the group" in again.detail
    assert member_addresses(tenant) == [OTHER]
    assert tenant.run("Remove-DistributionGroupMember", **given, Confirm=False).status == 204
    gone = tenant.run("Remove-DistributionGroupMember", **given)
    assert gone.status == 400
    assert "isn't a member of the group" in gone.detail
    assert tenant.run("Add-DistributionGroupMember", Identity=ADDRESS, Member="nobody").status == 404
    assert tenant.run("Get-DistributionGroupMember", Identity="nowhere").status == 404


@pytest.mark.parametrize(
    ("cmdlet", "parameters"),
    [
        ("Add-DistributionGroupMember", {"Member": OTHER}),
        ("Remove-DistributionGroupMember", {"Member": MIM}),
        ("Set-DistributionGroup", {"DisplayName": "x"}),
        ("Set-Group", {"Notes": "x"}),
        ("Remove-DistributionGroup", {}),
    ],
)
def test_only_owners_write_or_administrators_who_bypass_the_check(
    tenant: Tenant, cmdlet: str, parameters: dict[str, Any]
) -> None:
    make(tenant, Members=[MIM], ManagedBy=[OTHER])
    refused = tenant.run(cmdlet, Identity=ADDRESS, **parameters)
    assert refused.status == 400
    assert "OperationRequiresGroupManagerException" in refused.detail
    recipient_admin = tenant.admin_token(wids=RECIPIENT_ADMINISTRATOR)
    bypass = {"BypassSecurityGroupManagerCheck": True}
    assert tenant.run_as(recipient_admin, cmdlet, Identity=ADDRESS, **parameters, **bypass).status == 400
    assert tenant.run(cmdlet, Identity=ADDRESS, **parameters, **bypass).status in {200, 204}


def test_set_changes_what_it_is_given(tenant: Tenant) -> None:
    make(tenant)
    tenant.run(
        "Set-DistributionGroup",
        Identity=ADDRESS,
        HiddenFromAddressListsEnabled=True,
        PrimarySmtpAddress="new@contoso.onmicrosoft.com",
        ManagedBy={"@odata.type": "#Exchange.GenericHashTable", "Add": OTHER},
        Description="why",
    )
    read = tenant.run("Get-DistributionGroup", Identity=ADDRESS).row
    assert read["HiddenFromAddressListsEnabled"] is True
    assert read["EmailAddresses"] == ["SMTP:new@contoso.onmicrosoft.com", f"smtp:{ADDRESS}"]
    assert read["ManagedBy"] == ["admin", "other"]
    assert read["Description"] == ["why"]
    tenant.run(
        "Set-DistributionGroup",
        Identity=ADDRESS,
        ManagedBy={"@odata.type": "#Exchange.GenericHashTable", "remove": OTHER},
    )
    assert tenant.run("Get-DistributionGroup", Identity=ADDRESS).row["ManagedBy"] == ["admin"]
    assert tenant.run("Set-DistributionGroup", Identity=ADDRESS, MemberJoinRestriction="Open").status == 400
    unchanged = tenant.run("Set-DistributionGroup", Identity=ADDRESS, HiddenFromAddressListsEnabled=True)
    assert unchanged.body["@adminapi.warnings"]


def test_a_synced_group_is_changed_on_premises_only(tenant: Tenant) -> None:
    make(tenant, Members=[MIM])
    (group,) = (r for r in tenant.directory().recipients.values() if r.group)
    tenant.put(replace(group, synced=True))
    reply = tenant.run("Add-DistributionGroupMember", Identity=ADDRESS, Member=OTHER)
    assert reply.status == 400
    assert "on-premises" in reply.detail
    assert tenant.run("Get-DistributionGroup", Identity=ADDRESS).row["IsDirSynced"] is True


def test_groups_nest_and_a_removed_one_leaves_its_holder(tenant: Tenant) -> None:
    tenant.run("New-DistributionGroup", Name="inner", Type="Security")
    make(tenant, Members=["inner", MIM])
    rows = tenant.run("Get-DistributionGroupMember", Identity=ADDRESS).rows
    assert [row["RecipientTypeDetails"] for row in rows] == ["MailUniversalSecurityGroup", "UserMailbox"]
    tenant.run("Remove-DistributionGroup", Identity="inner")
    assert member_addresses(tenant) == [MIM]


def test_other_groups_are_listed_by_get_group_but_not_by_get_distribution_group(tenant: Tenant) -> None:
    unified = Recipient(
        guid="5a6db0c0-4444-4c0a-8f00-c0de00000001",
        type=RecipientType.UNIFIED_GROUP,
        name="team",
        display_name="Team",
        alias="team",
        addresses=("team@contoso.onmicrosoft.com",),
        external_id="5a6db0c0-4444-4c0a-8f00-c0de00000002",
        group=GroupPart(),
    )
    tenant.put(unified)
    make(tenant)
    assert [row["Name"] for row in tenant.run("Get-DistributionGroup").rows] == ["MIM fence"]
    assert [row["Name"] for row in tenant.run("Get-Group").rows] == ["MIM fence", "team"]
    listed = tenant.run("Get-DistributionGroup", RecipientTypeDetails="MailUniversalDistributionGroup").rows
    assert listed == []
    assert tenant.run("Get-Group", Identity="nowhere").status == 404


class SlowToSpread:
    """Every write takes a minute to reach the first replica."""

    def delay(self, kind: str) -> Delay:
        return Delay(first=60, last=60) if kind.startswith("exo.") else Delay()

    def replica(self) -> float:
        return 0.0


def test_a_new_group_is_absent_for_a_while_and_its_address_is_taken_all_the_same(tmp_path: Path) -> None:
    tenant = Tenant(tmp_path, lag=SlowToSpread())
    try:
        made = make(tenant)
        assert tenant.run("Get-DistributionGroup", Identity=ADDRESS).status == 404
        assert tenant.run("Add-DistributionGroupMember", Identity=made["Guid"], Member=MIM).status == 404
        again = tenant.run("New-DistributionGroup", Name="again", Alias="again", PrimarySmtpAddress=ADDRESS)
        assert "already being used" in again.detail
        tenant.clock.advance(timedelta(minutes=2))
        assert tenant.run("Get-DistributionGroup", Identity=ADDRESS).row["Guid"] == made["Guid"]
        tenant.run("Remove-DistributionGroup", Identity=ADDRESS)
        # A replica still shows what is gone; writing to it fails.
        assert tenant.run("Get-DistributionGroup", Identity=ADDRESS).status == 200
        assert tenant.run("Set-DistributionGroup", Identity=ADDRESS, DisplayName="x").status == 404
    finally:
        tenant.close()
