"""Application access policies: made, listed, tested, removed, each with its own moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from exchange_tenant import APP_ID, MIM, OTHER, TENANT, Tenant

from mimapp.sandbox.exchange.access import AccessRequest, may_access
from mimapp.sandbox.exchange.models import Behaviour, GroupPart, MailboxPart, Recipient, RecipientType
from mimapp.sandbox.exchange.weather import Effect, Refusal
from mimapp.sandbox.state import Delay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECOND_APP = "22222222-2222-4333-8444-555555555555"


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    made = Tenant(tmp_path)
    made.run("New-DistributionGroup", Name="fence", Type="Security", Members=[MIM], DisplayName="The fence")
    yield made
    made.close()


def make(tenant: Tenant, **parameters: Any) -> dict[str, Any]:
    tenant.clock.advance(timedelta(seconds=1))  # lists are in the order of making
    given = {"AppId": [APP_ID], "AccessRight": "RestrictAccess", "PolicyScopeGroupId": "fence", "Description": "why"}
    return tenant.run("New-ApplicationAccessPolicy", **{**given, **parameters}).row


def verdict(tenant: Tenant, mailbox: str, app_id: str = APP_ID) -> str:
    result: str = tenant.run("Test-ApplicationAccessPolicy", Identity=mailbox, AppId=app_id).row["AccessCheckResult"]
    return result


def test_a_policy_reads_as_microsofts_page_shows_it(tenant: Tenant) -> None:
    made = make(tenant)
    group = tenant.run("Get-Group", Identity="fence").row
    raw = f"{group['Sid']};{group['ExternalDirectoryObjectId']}"
    assert made == {
        "ScopeName": "The fence",
        "ScopeIdentity": "fence",
        "Identity": f"{TENANT}\\{APP_ID}:{raw}",
        "AppId": APP_ID,
        "ScopeIdentityRaw": raw,
        "Description": "why",
        "AccessRight": "RestrictAccess",
        "ShardType": "All",
        "IsValid": True,
        "ObjectState": "Unchanged",
    }
    assert tenant.run("Get-ApplicationAccessPolicy").rows == [made]


def test_the_test_says_granted_inside_and_denied_outside(tenant: Tenant) -> None:
    assert verdict(tenant, OTHER) == "Granted"
    make(tenant)
    assert verdict(tenant, MIM) == "Granted"
    assert verdict(tenant, OTHER) == "Denied"
    assert verdict(tenant, OTHER, SECOND_APP) == "Granted"
    assert tenant.run("Test-ApplicationAccessPolicy", Identity="nobody", AppId=APP_ID).status == 404


def test_an_unknown_or_null_identity_lists_everything(tenant: Tenant) -> None:
    first = make(tenant)
    second = make(tenant, AppId=[SECOND_APP])
    assert tenant.run("Get-ApplicationAccessPolicy", Identity="no such policy").rows == [first, second]
    assert tenant.run("Get-ApplicationAccessPolicy", Identity=None).rows == [first, second]
    assert tenant.run("Get-ApplicationAccessPolicy", Identity=second["Identity"]).rows == [second]


def test_several_applications_make_several_policies(tenant: Tenant) -> None:
    given = {"AppId": [APP_ID, SECOND_APP], "AccessRight": "DenyAccess", "PolicyScopeGroupId": "fence"}
    rows = tenant.run("New-ApplicationAccessPolicy", **given).rows
    assert [row["AppId"] for row in rows] == [APP_ID, SECOND_APP]
    assert verdict(tenant, MIM) == "Denied"
    assert verdict(tenant, OTHER) == "Granted"


def test_a_second_policy_for_the_same_application_and_group_is_refused(tenant: Tenant) -> None:
    make(tenant)
    given = {"AppId": [APP_ID.upper()], "AccessRight": "RestrictAccess", "PolicyScopeGroupId": "fence"}
    refused = tenant.run("New-ApplicationAccessPolicy", **given)
    assert refused.status == 400
    assert "AlreadyExists" in refused.detail
    assert len(tenant.run("Get-ApplicationAccessPolicy").rows) == 1


def recipient(kind: RecipientType, name: str) -> Recipient:
    number = f"{abs(hash(name)) % 10**12:012d}"
    return Recipient(
        guid=f"5a6db0c0-5555-4c0a-8f00-{number}",
        type=kind,
        name=name,
        display_name=name,
        alias=name,
        addresses=(f"{name}@contoso.onmicrosoft.com",),
        external_id=f"5a6db0c0-6666-4c0a-8f00-{number}",
        upn=f"{name}@contoso.onmicrosoft.com" if kind.is_mailbox else "",
        mailbox=MailboxPart(exchange_guid=f"5a6db0c0-7777-4c0a-8f00-{number}") if kind.is_mailbox else None,
        group=GroupPart() if kind.is_group else None,
    )


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        (RecipientType.USER_MAILBOX, True),
        (RecipientType.MAIL_USER, True),
        (RecipientType.SECURITY_GROUP, True),
        (RecipientType.DISTRIBUTION_GROUP, False),
        (RecipientType.DYNAMIC_GROUP, False),
        (RecipientType.UNIFIED_GROUP, False),
        (RecipientType.MAIL_CONTACT, False),
        (RecipientType.SHARED_MAILBOX, False),
        (RecipientType.ROOM_MAILBOX, False),
        (RecipientType.EQUIPMENT_MAILBOX, False),
        (RecipientType.DISCOVERY_MAILBOX, False),
    ],
)
def test_the_scope_must_be_a_security_principal(tenant: Tenant, kind: RecipientType, *, taken: bool) -> None:
    tenant.put(recipient(kind, "scope"))
    assert tenant.run("Get-Recipient", Identity="scope").row["IsValidSecurityPrincipal"] is taken
    given = {"AppId": [APP_ID], "AccessRight": "RestrictAccess", "PolicyScopeGroupId": "scope"}
    reply = tenant.run("New-ApplicationAccessPolicy", **given)
    assert (reply.status == 200) is taken
    if not taken:
        assert "The identity of the policy scope is not a security principal" in reply.detail


def test_a_shared_mailbox_is_fine_as_a_member(tenant: Tenant) -> None:
    tenant.put(recipient(RecipientType.SHARED_MAILBOX, "desk"))
    tenant.run("Add-DistributionGroupMember", Identity="fence", Member="desk")
    make(tenant)
    assert verdict(tenant, "desk") == "Granted"


def test_nested_members_count(tenant: Tenant) -> None:
    tenant.run("New-DistributionGroup", Name="inner", Type="Security", Members=[OTHER])
    tenant.run("Add-DistributionGroupMember", Identity="fence", Member="inner")
    tenant.run("Add-DistributionGroupMember", Identity="inner", Member="fence")
    make(tenant)
    assert verdict(tenant, OTHER) == "Granted"
    assert verdict(tenant, "admin") == "Denied"


def test_only_the_description_can_change(tenant: Tenant) -> None:
    identity = make(tenant)["Identity"]
    assert tenant.run("Set-ApplicationAccessPolicy", Identity=identity, Description="new").status == 200
    assert tenant.run("Get-ApplicationAccessPolicy").row["Description"] == "new"
    assert tenant.run("Set-ApplicationAccessPolicy", Identity=identity, Description="new").body["@adminapi.warnings"]
    assert tenant.run("Set-ApplicationAccessPolicy", Identity=identity, AccessRight="DenyAccess").status == 400
    assert tenant.run("Set-ApplicationAccessPolicy", Identity="unknown", Description="x").status == 404


def test_a_removed_policy_is_gone_and_can_be_made_again(tenant: Tenant) -> None:
    identity = make(tenant)["Identity"]
    assert tenant.run("Remove-ApplicationAccessPolicy", Identity=identity, Confirm=False).status == 204
    assert tenant.run("Get-ApplicationAccessPolicy").rows == []
    assert tenant.run("Remove-ApplicationAccessPolicy", Identity=identity).status == 404
    assert verdict(tenant, OTHER) == "Granted"
    assert make(tenant)["Identity"] == identity


def test_a_policy_whose_group_is_gone_is_invalid_and_denies_everything(tenant: Tenant) -> None:
    make(tenant)
    tenant.run("Remove-DistributionGroup", Identity="fence")
    assert tenant.run("Get-ApplicationAccessPolicy").row["IsValid"] is False
    assert verdict(tenant, MIM) == "Denied"


def test_all_policies_share_one_space(tenant: Tenant) -> None:
    tenant.put(replace(tenant.directory().organization, behaviour=Behaviour(policy_space=250)))
    make(tenant, Description=" ")
    make(tenant, AppId=[SECOND_APP], Description=" ")
    given = {"AppId": ["33333333-2222-4333-8444-555555555555"], "AccessRight": "DenyAccess"}
    reply = tenant.run("New-ApplicationAccessPolicy", PolicyScopeGroupId="fence", **given)
    assert reply.status == 400
    assert "The total size of App Access Policies exceeded the limit." in reply.detail


def test_about_three_hundred_small_policies_fit(tenant: Tenant) -> None:
    apps = [f"{number:08d}-2222-4333-8444-555555555555" for number in range(300)]
    given = {"AccessRight": "DenyAccess", "PolicyScopeGroupId": "fence", "Description": " "}
    assert len(tenant.run("New-ApplicationAccessPolicy", AppId=apps, **given).rows) == 300
    more = [f"9{number:07d}-2222-4333-8444-555555555555" for number in range(100)]
    assert tenant.run("New-ApplicationAccessPolicy", AppId=more, **given).status == 400


def test_listing_may_fail_until_a_first_policy_was_made(tenant: Tenant) -> None:
    tenant.put(replace(tenant.directory().organization, behaviour=Behaviour(virgin_policy_list_fails=True)))
    reply = tenant.run("Get-ApplicationAccessPolicy")
    assert reply.status == 404
    assert "object 'OU=contoso.onmicrosoft.com,OU=Microsoft Exchange Hosted Organizations,DC=" in reply.detail
    assert "DC=COM\\*' couldn't be found on" in reply.detail
    identity = make(tenant)["Identity"]
    tenant.run("Remove-ApplicationAccessPolicy", Identity=identity)
    assert tenant.run("Get-ApplicationAccessPolicy").rows == []


class Slow:
    """Policies are tested after a minute, enforced after an hour, released after half an hour."""

    spans = {  # noqa: RUF012 - a constant of the test
        Effect.POLICY_TESTED: timedelta(minutes=1),
        Effect.POLICY_ENFORCED: timedelta(hours=1),
        Effect.POLICY_RELEASED: timedelta(minutes=30),
    }

    def delay(self, effect: Effect) -> timedelta:
        return self.spans.get(effect, timedelta())

    def refusal(self, operation: str) -> Refusal | None:
        del operation
        return None


class ListedLate:
    """Policies are listed after five minutes."""

    def delay(self, kind: str) -> Delay:
        return Delay(first=300, last=300) if kind == "exo.policy" else Delay()

    def replica(self) -> float:
        return 0.0


def reaches(tenant: Tenant, mailbox: str) -> bool:
    request = AccessRequest(
        app_id=APP_ID, mailbox=mailbox, moment=tenant.clock.now(), roles=frozenset({"full_access_as_app"})
    )
    return may_access(tenant.directory(), request).granted


def test_listing_testing_and_enforcing_each_have_their_moment(tmp_path: Path) -> None:
    tenant = Tenant(tmp_path, weather=Slow(), lag=ListedLate())
    try:
        tenant.run("Set-OrganizationConfig", EwsAllowedAppIDs=APP_ID)
        tenant.run("New-DistributionGroup", Name="fence", Type="Security", Members=[MIM])
        make(tenant)
        seen = []
        for minutes in (0, 2, 4, 56):
            tenant.clock.advance(timedelta(minutes=minutes))
            listed = len(tenant.run("Get-ApplicationAccessPolicy").rows)
            seen.append((listed, verdict(tenant, OTHER), reaches(tenant, OTHER)))
        assert seen == [(0, "Granted", True), (0, "Denied", True), (1, "Denied", True), (1, "Denied", False)]
        identity = tenant.run("Get-ApplicationAccessPolicy").row["Identity"]
        tenant.run("Remove-ApplicationAccessPolicy", Identity=identity)
        seen = []
        for minutes in (0, 6, 25):
            tenant.clock.advance(timedelta(minutes=minutes))
            listed = len(tenant.run("Get-ApplicationAccessPolicy").rows)
            seen.append((listed, verdict(tenant, OTHER), reaches(tenant, OTHER)))
        assert seen == [(1, "Granted", False), (0, "Granted", False), (0, "Granted", True)]
    finally:
        tenant.close()
