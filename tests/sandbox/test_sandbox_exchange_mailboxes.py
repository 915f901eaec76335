"""Mailboxes, recipients and the organisation's settings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from exchange_tenant import APP_ID, MIM, OTHER, TENANT, Tenant

from mimapp.sandbox.exchange.models import (
    Behaviour,
    Dated,
    MailboxPart,
    MailboxState,
    Recipient,
    RecipientType,
    UserAgentPolicy,
    UserAgentRule,
    effective,
    latest,
)
from mimapp.sandbox.exchange.weather import Effect, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HASH_TABLE = "#Exchange.GenericHashTable"


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    made = Tenant(tmp_path)
    yield made
    made.close()


def stored(tenant: Tenant, address: str) -> Recipient:
    (found,) = (r for r in tenant.directory().recipients.values() if r.primary == address)
    return found


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["Name"] for row in rows]


@pytest.mark.parametrize(
    "identity",
    [
        MIM,
        MIM.upper(),
        "mimservice",
        "sales@contoso.onmicrosoft.com",
        "login@contoso.onmicrosoft.com",
        "Guid",
        "DistinguishedName",
    ],
)
def test_a_mailbox_is_found_by_each_of_its_identities(tenant: Tenant, identity: str) -> None:
    mailbox = stored(tenant, MIM)
    tenant.put(
        replace(
            mailbox,
            addresses=(*mailbox.addresses, "sales@contoso.onmicrosoft.com"),
            upn="login@contoso.onmicrosoft.com",
        )
    )
    row = tenant.run("Get-Mailbox", Identity=MIM).row
    found = tenant.run("Get-Mailbox", Identity=row.get(identity, identity)).row
    assert found["PrimarySmtpAddress"] == MIM
    assert found["EmailAddresses"] == [f"SMTP:{MIM}", "smtp:sales@contoso.onmicrosoft.com"]
    assert found["UserPrincipalName"] == "login@contoso.onmicrosoft.com"


def test_a_mailbox_is_not_found_by_its_display_name(tenant: Tenant) -> None:
    assert tenant.run("Get-Mailbox", Identity="MIM Service").status == 404


def test_several_that_fit_are_all_listed_and_none_is_written(tenant: Tenant) -> None:
    tenant.put(replace(stored(tenant, OTHER), name="MIMService"))
    assert len(tenant.run("Get-Mailbox", Identity="MIMService").rows) == 2
    reply = tenant.run("Set-CASMailbox", Identity="MIMService", EwsEnabled=True)
    assert reply.status == 400
    assert "matches multiple entries" in reply.detail


def test_deleted_and_inactive_mailboxes_are_listed_only_when_asked_for(tenant: Tenant) -> None:
    for address, state in ((OTHER, MailboxState.SOFT_DELETED), (MIM, MailboxState.INACTIVE)):
        mailbox = stored(tenant, address)
        assert mailbox.mailbox is not None
        tenant.put(replace(mailbox, mailbox=replace(mailbox.mailbox, state=state)))
    assert names(tenant.run("Get-Mailbox").rows) == ["admin"]
    assert names(tenant.run("Get-Mailbox", SoftDeletedMailbox=True).rows) == ["MIMService", "other"]
    assert names(tenant.run("Get-Mailbox", InactiveMailboxOnly=True).rows) == ["MIMService"]
    assert names(tenant.run("Get-Mailbox", IncludeInactiveMailbox=True).rows) == ["admin", "MIMService"]
    assert tenant.run("Get-Mailbox", Identity=OTHER).status == 404
    assert tenant.run("Get-CASMailbox", Identity=OTHER).status == 404
    assert tenant.run("Get-Recipient", Identity=OTHER).status == 404
    row = tenant.run("Get-Mailbox", Identity=OTHER, SoftDeletedMailbox=True).row
    assert (row["IsSoftDeletedByRemove"], row["IsMailboxEnabled"]) == (True, False)
    assert tenant.run("Get-Mailbox", Identity=MIM, InactiveMailboxOnly=True).row["IsInactiveMailbox"] is True


def other_recipient(kind: RecipientType, name: str) -> Recipient:
    return Recipient(
        guid="5a6db0c0-5555-4c0a-8f00-c0de00000001",
        type=kind,
        name=name,
        display_name=name,
        alias=name,
        addresses=(f"{name}@contoso.onmicrosoft.com",),
        external_id="5a6db0c0-5555-4c0a-8f00-c0de00000002",
        upn=f"{name}@contoso.onmicrosoft.com",
        mailbox=MailboxPart(exchange_guid="5a6db0c0-5555-4c0a-8f00-c0de00000003") if kind.is_mailbox else None,
    )


def test_lists_are_limited_by_type(tenant: Tenant) -> None:
    tenant.put(other_recipient(RecipientType.SHARED_MAILBOX, "desk"))
    assert names(tenant.run("Get-Mailbox", RecipientTypeDetails=["SharedMailbox"]).rows) == ["desk"]
    users = tenant.run("Get-Mailbox", RecipientTypeDetails="UserMailbox").rows
    assert names(users) == ["admin", "MIMService", "other"]
    assert tenant.run("Get-Mailbox", Identity="desk").row["IsShared"] is True


def test_a_mail_user_is_a_recipient_and_no_mailbox(tenant: Tenant) -> None:
    tenant.put(other_recipient(RecipientType.MAIL_USER, "remote"))
    row = tenant.run("Get-Recipient", Identity="remote").row
    assert (row["RecipientType"], row["RecipientTypeDetails"]) == ("MailUser", "MailUser")
    assert row["IsValidSecurityPrincipal"] is True
    assert tenant.run("Get-Mailbox", Identity="remote").status == 404
    assert tenant.run("Get-CASMailbox", Identity="remote").status == 404


def test_the_mailbox_switch_is_read_and_written(tenant: Tenant) -> None:
    assert tenant.run("Get-CASMailbox", Identity=MIM).row["EwsEnabled"] is None
    assert tenant.run("Set-CASMailbox", Identity=MIM, EwsEnabled=False).rows == []
    assert tenant.run("Get-CASMailbox", Identity=MIM).row["EwsEnabled"] is False
    assert tenant.run("Get-CASMailbox", Identity=OTHER).row["EwsEnabled"] is None
    assert tenant.run("Set-CASMailbox", Identity=MIM, EwsEnabled=False).body["@adminapi.warnings"]
    tenant.run("Set-CASMailbox", Identity=MIM, EwsEnabled=None)
    assert tenant.run("Get-CASMailbox", Identity=MIM).row["EwsEnabled"] is None


def test_the_mailboxes_user_agent_policy_is_read_and_written(tenant: Tenant) -> None:
    lists = {"EwsAllowList": ["MIM*", "x"], "EwsApplicationAccessPolicy": "enforceallowlist"}
    tenant.run("Set-CASMailbox", Identity=MIM, **lists)
    change = {"@odata.type": HASH_TABLE, "Add": ["y", "X"], "Remove": "mim*"}
    tenant.run("Set-CASMailbox", Identity=MIM, EwsAllowList=change, EwsBlockList="z")
    row = tenant.run("Get-CASMailbox", Identity=MIM).row
    assert row["EwsApplicationAccessPolicy"] == "EnforceAllowList"
    assert (row["EwsAllowList"], row["EwsBlockList"]) == (["x", "y"], ["z"])


def test_the_allow_list_reads_empty_without_the_switch(tenant: Tenant) -> None:
    without = tenant.run("Get-OrganizationConfig").row
    assert "EwsAllowedAppIDs" in without
    assert not without["EwsAllowedAppIDs"]
    listed = tenant.run("Get-OrganizationConfig", RetrieveEwsOperationAccessPolicy=True).row["EwsAllowedAppIDs"]
    assert len(listed.split(",")) == 2
    assert without["EwsEnabled"] is True


def allow_list(tenant: Tenant) -> str | None:
    row = tenant.run("Get-OrganizationConfig", RetrieveEwsOperationAccessPolicy=True).row
    value: str | None = row["EwsAllowedAppIDs"]
    return value


def test_a_write_replaces_the_whole_list_and_null_clears_it(tenant: Tenant) -> None:
    mixed = f"{APP_ID.upper()}, {{22222222-2222-4333-8444-555555555555}}"
    assert tenant.run("Set-OrganizationConfig", EwsAllowedAppIDs=mixed).status == 200
    assert allow_list(tenant) == mixed
    assert tenant.run("Set-OrganizationConfig", EwsAllowedAppIDs="not an id").status == 400
    assert allow_list(tenant) == mixed
    tenant.run("Set-OrganizationConfig", EwsAllowedAppIDs=None)
    assert allow_list(tenant) is None


def test_the_organisations_switch_takes_three_values(tenant: Tenant) -> None:
    for value in (False, None, True):
        tenant.run("Set-OrganizationConfig", EwsEnabled=value)
        assert tenant.run("Get-OrganizationConfig").row["EwsEnabled"] is value


def test_the_organisations_user_agent_policy(tenant: Tenant) -> None:
    tenant.run("Set-OrganizationConfig", EwsApplicationAccessPolicy="EnforceBlockList", EwsBlockList=["Bad*"])
    row = tenant.run("Get-OrganizationConfig").row
    assert (row["EwsApplicationAccessPolicy"], row["EwsBlockList"]) == ("EnforceBlockList", ["Bad*"])
    tenant.run("Set-OrganizationConfig", EwsApplicationAccessPolicy=None)
    assert tenant.run("Get-OrganizationConfig").row["EwsApplicationAccessPolicy"] is None


class Late:
    """The list acts after a day, the switch after an hour."""

    def delay(self, effect: Effect) -> timedelta:
        return {Effect.EWS_LIST: timedelta(days=1), Effect.EWS_SWITCH: timedelta(hours=1)}.get(effect, timedelta())

    def refusal(self, operation: str) -> Refusal | None:
        del operation
        return None


def test_settings_read_back_at_once_and_act_later(tmp_path: Path) -> None:
    tenant = Tenant(tmp_path, weather=Late())
    try:
        before = allow_list(tenant)
        tenant.run("Set-OrganizationConfig", EwsAllowedAppIDs=APP_ID, EwsEnabled=False)
        tenant.run("Set-CASMailbox", Identity=MIM, EwsEnabled=False)
        assert allow_list(tenant) == APP_ID
        organization = tenant.directory().organization
        now = tenant.clock.now()
        acting = [effective(organization.ews_allowed, now + timedelta(hours=hours)) for hours in (0, 23, 24)]
        assert acting == [before, before, APP_ID]
        switch = [effective(organization.ews_enabled, now + timedelta(minutes=minutes)) for minutes in (0, 60)]
        assert switch == [True, False]
        part = stored(tenant, MIM).mailbox
        assert part is not None
        assert latest(part.ews_enabled) is False
        assert effective(part.ews_enabled, now) is None
    finally:
        tenant.close()


def test_what_seeding_writes_over_a_setting_acts_at_once(tenant: Tenant) -> None:
    tenant.run("Set-OrganizationConfig", EwsAllowedAppIDs=APP_ID)
    with tenant.state.transaction() as tx:
        record = tx.get(TENANT, "exo.organization", TENANT)
        assert record is not None
        tx.put(TENANT, "exo.organization", TENANT, {**record.body, "EwsAllowedAppIDs": "seeded"}, settled=True)
    assert tenant.directory().organization.ews_allowed == (Dated(value="seeded"),)


def test_everything_about_an_organisation_and_a_mailbox_survives_the_store(tenant: Tenant) -> None:
    moment = tenant.clock.now()
    organization = replace(
        tenant.directory().organization,
        ews_enabled=(Dated(value=None), Dated(value=True, since=moment)),
        ews_ends=None,
        user_agents=UserAgentPolicy(rule=UserAgentRule.ALLOW, allowed=("a",), blocked=("b",)),
        administrators=("x",),
        policies_made=True,
        behaviour=Behaviour(decorated_names=True, policy_space=7),
    )
    tenant.put(organization)
    assert tenant.directory().organization == organization
    mailbox = stored(tenant, MIM)
    assert mailbox.mailbox is not None
    changed = replace(
        mailbox,
        hidden=True,
        synced=True,
        mailbox=replace(mailbox.mailbox, licensed=False, ews_enabled=(Dated(value=False, since=moment),)),
    )
    tenant.put(changed)
    assert stored(tenant, MIM) == replace(changed, created=moment, changed=moment)
    assert tenant.run("Get-Mailbox", Identity=MIM).row["SKUAssigned"] is False


def test_accepted_domains(tenant: Tenant) -> None:
    with tenant.state.transaction() as tx:
        tx.put(
            TENANT, "acceptedDomain", "contoso.com", {"domainName": "contoso.com", "default": False, "initial": False}
        )
    rows = tenant.run("Get-AcceptedDomain").rows
    assert [(row["DomainName"], row["Default"], row["InitialDomain"]) for row in rows] == [
        ("contoso.onmicrosoft.com", True, True),
        ("contoso.com", False, False),
    ]
    assert tenant.run("Get-AcceptedDomain", Identity="Contoso.com").row["DomainType"] == "Authoritative"
    assert tenant.run("Get-AcceptedDomain", Identity="fabrikam.com").status == 404


def test_recipients_are_filtered(tenant: Tenant) -> None:
    text = f"EmailAddresses -eq '{MIM}'"
    assert names(tenant.run("Get-Recipient", Filter=text).rows) == ["MIMService"]
    assert tenant.run("Get-Recipient", Filter="EmailAddresses -eq 'smtp:nobody@contoso.onmicrosoft.com'").rows == []
    identity = stored(tenant, OTHER).external_id
    either = f"Alias -eq 'ADMIN' -OR ExternalDirectoryObjectId -eq '{identity}'"
    assert names(tenant.run("Get-Recipient", Filter=either).rows) == ["admin", "other"]
    assert tenant.run("Get-Recipient", Filter="City -eq 'Rome'").status == 400
