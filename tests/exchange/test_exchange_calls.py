"""Every verb, against a cassette: the request as it must be, and what is made of the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from exchange_stage import (
    APP,
    GROUP,
    GROUP_ID,
    MAILBOX,
    MAILBOX_ID,
    MARK,
    OTHER_APP,
    OWNER,
    POLICY,
    PRINCIPAL,
    SID,
    staged,
)

from mimapp.exchange import EWS_ROLE, Exchange, GroupChange, NewGroup, Unknown, member_of_group

Call = Callable[[Exchange], Any]

NEW_GROUP = NewGroup(
    name="mim-scope",
    alias="mim-scope",
    address=GROUP,
    members=(MAILBOX,),
    managed_by=(OWNER,),
    notes=MARK,
    description="Made by mimapp",
    display_name="MIM scope",
)
LEAST_GROUP = NewGroup(name="mim-scope", alias="mim-scope", address=GROUP, members=())
SCOPE_FILTER = member_of_group("CN=O'Neill,OU=contoso.onmicrosoft.com")
ROLE_NAME = "mimapp-mim-55555555"
UNIT = "66666666-6666-6666-6666-666666666666"
EWS_ROLE_NAME = "Application EWS.AccessAsApp-5555"


def parts(value: object, *names: str) -> Any:
    """What a table compares of an answer: one attribute, or several in their order; nothing of nothing."""
    if value is None:
        return None
    found = tuple(getattr(value, name) for name in names)
    return found[0] if len(found) == 1 else found


CALLS: dict[str, tuple[Call, Any]] = {
    # mailboxes
    "mailboxes.get": (
        lambda x: parts(x.mailboxes.get(MAILBOX), "addresses", "external_directory_object_id", "is_dir_synced"),
        ((MAILBOX, "mim@contoso.com"), MAILBOX_ID, True),
    ),
    "mailboxes.get.proxy": (
        lambda x: parts(x.mailboxes.get("mim@contoso.com"), "primary_smtp_address"),
        MAILBOX,
    ),
    "mailboxes.get.nulls": (
        lambda x: parts(x.mailboxes.get(MAILBOX), "name", "email_addresses", "is_dir_synced", "is_inactive_mailbox"),
        ("", (f"SMTP:{MAILBOX}",), None, False),
    ),
    "mailboxes.get.display-name": (lambda x: x.mailboxes.get(MAILBOX), None),
    "mailboxes.get.absent": (lambda x: x.mailboxes.get(MAILBOX), None),
    "mailboxes.get.absent-400": (lambda x: x.mailboxes.get(MAILBOX), None),
    "mailboxes.get.absent-untyped": (lambda x: x.mailboxes.get(MAILBOX), None),
    "mailboxes.recipient": (
        lambda x: parts(
            x.mailboxes.recipient(GROUP),
            "is_valid_security_principal",
            "external_directory_object_id",
        ),
        (True, GROUP_ID),
    ),
    "mailboxes.recipient.absent": (lambda x: x.mailboxes.recipient("nobody@contoso.com"), None),
    "mailboxes.matches": (
        lambda x: [one.primary_smtp_address for one in x.mailboxes.matches("o'neill@contoso.com")],
        ["o'neill@contoso.com", "second@contoso.com"],
    ),
    "mailboxes.soft_deleted": (
        lambda x: parts(x.mailboxes.soft_deleted(MAILBOX), "primary_smtp_address"),
        MAILBOX,
    ),
    "mailboxes.inactive": (
        lambda x: parts(x.mailboxes.inactive(MAILBOX), "is_inactive_mailbox"),
        True,
    ),
    "mailboxes.inactive.absent": (lambda x: x.mailboxes.inactive(MAILBOX), None),
    "mailboxes.client_access": (
        lambda x: parts(
            x.mailboxes.client_access(MAILBOX),
            "ews_enabled",
            "ews_allow_list",
            "ews_block_list",
        ),
        (False, ("MIM/*",), ()),
    ),
    "mailboxes.some_other_than": (
        lambda x: parts(x.mailboxes.some_other_than({MAILBOX.upper(), "third@contoso.onmicrosoft.com"}), "guid"),
        OTHER_APP,
    ),
    "mailboxes.some_other_than.none": (lambda x: x.mailboxes.some_other_than([MAILBOX]), None),
    "mailboxes.accepted_domains": (
        lambda x: [(one.domain_name, one.default, one.initial_domain) for one in x.mailboxes.accepted_domains()],
        [("contoso.com", True, False), ("contoso.onmicrosoft.com", False, True)],
    ),
    # groups
    "groups.get": (
        lambda x: parts(x.groups.get(GROUP), "name", "external_directory_object_id", "is_security", "managed_by"),
        ("mim-scope20261121090000", GROUP_ID, True, ("admin",)),
    ),
    "groups.get.plain": (
        lambda x: parts(x.groups.get(GROUP), "is_security", "managed_by"),
        (False, ("admin",)),
    ),
    "groups.get.absent": (lambda x: x.groups.get(GROUP), None),
    "groups.get.empty": (lambda x: x.groups.get(GROUP), None),
    "groups.get.fresh": (
        lambda x: parts(x.groups.get(GROUP, fresh=True), "primary_smtp_address"),
        GROUP,
    ),
    "groups.notes": (lambda x: x.groups.notes(GROUP), MARK),
    "groups.notes.without": (lambda x: x.groups.notes(GROUP), None),
    "groups.notes.absent": (lambda x: x.groups.notes(GROUP), None),
    "groups.notes.denied": (lambda x: x.groups.notes(GROUP), None),
    "groups.create": (
        lambda x: parts(x.groups.create(NEW_GROUP), "external_directory_object_id", "is_security"),
        ("", True),
    ),
    "groups.create.least": (lambda x: x.groups.create(LEAST_GROUP).external_directory_object_id, GROUP_ID),
    "groups.change": (
        lambda x: x.groups.change(
            GROUP, GroupChange(hidden=True, closed=True, display_name="MIM scope", managed_by=(OWNER,))
        ),
        None,
    ),
    "groups.change.nothing": (lambda x: x.groups.change(GROUP, GroupChange(hidden=True)), None),
    "groups.set_notes": (lambda x: x.groups.set_notes(GROUP, MARK), None),
    "groups.members": (
        lambda x: [(one.primary_smtp_address, one.external_directory_object_id) for one in x.groups.members(GROUP)],
        [(MAILBOX, MAILBOX_ID)],
    ),
    "groups.members.none": (lambda x: x.groups.members(GROUP), ()),
    "groups.members.pages": (
        lambda x: [one.primary_smtp_address for one in x.groups.members(GROUP)],
        [MAILBOX, "other@contoso.com"],
    ),
    "groups.add_member": (lambda x: x.groups.add_member(GROUP, MAILBOX), True),
    "groups.add_member.already": (lambda x: x.groups.add_member(GROUP, MAILBOX), False),
    "groups.add_member.fresh": (lambda x: x.groups.add_member(GROUP, MAILBOX, fresh=True), True),
    "groups.remove_member": (lambda x: x.groups.remove_member(GROUP, MAILBOX), True),
    "groups.remove_member.none": (lambda x: x.groups.remove_member(GROUP, MAILBOX), False),
    "groups.delete": (lambda x: x.groups.delete(GROUP), True),
    "groups.delete.absent": (lambda x: x.groups.delete(GROUP), False),
    # access policies
    "access_policies.list": (
        lambda x: [
            (one.app_id, one.access_right, one.scope_sid, one.scope_group_object_id, one.is_valid)
            for one in x.access_policies.list()
        ],
        [(APP, "RestrictAccess", SID, GROUP_ID, True), (OTHER_APP, "DenyAccess", SID, GROUP_ID, True)],
    ),
    "access_policies.list.never-made": (lambda x: x.access_policies.list(), ()),
    "access_policies.list.never-made-german": (lambda x: x.access_policies.list(), ()),
    "access_policies.for_app": (
        lambda x: [(one.app_id, one.identity) for one in x.access_policies.for_app(APP.upper())],
        [(APP, POLICY)],
    ),
    "access_policies.create": (
        lambda x: parts(x.access_policies.create(APP, GROUP, MARK), "identity", "description"),
        (POLICY, MARK),
    ),
    "access_policies.create.fresh": (
        lambda x: x.access_policies.create(APP, GROUP, MARK, fresh=True).scope_group_object_id,
        GROUP_ID,
    ),
    "access_policies.remove": (lambda x: x.access_policies.remove(POLICY), True),
    "access_policies.remove.absent": (lambda x: x.access_policies.remove(POLICY), False),
    "access_policies.test": (
        lambda x: parts(x.access_policies.test(MAILBOX, APP), "granted", "app_id", "mailbox"),
        (True, APP, "MIMService"),
    ),
    "access_policies.test.denied": (lambda x: x.access_policies.test(MAILBOX, APP).granted, False),
    # organisation
    "organization.read": (
        lambda x: parts(x.organization.read(), "ews_enabled", "allowed_app_ids", "application_access_policy"),
        (True, (OTHER_APP, "AAAAAAAA-AAAA-AAAA-AAAA-AAAAAAAAAAAA"), ""),
    ),
    "organization.read.null": (
        lambda x: parts(
            x.organization.read(), "ews_enabled", "allowed_app_ids", "application_access_policy", "block_list"
        ),
        (None, (), "EnforceBlockList", ("Outlook/*", "Other/*")),
    ),
    "organization.read.array": (
        lambda x: parts(x.organization.read(), "ews_enabled", "allowed_app_ids"),
        (False, (OTHER_APP, APP)),
    ),
    "organization.read.without-list": (
        lambda x: parts(x.organization.read(), "ews_enabled", "allowed_app_ids"),
        (True, Unknown(reason="the reply has no EwsAllowedAppIDs")),
    ),
    "organization.read.no-id": (
        lambda x: parts(x.organization.read(), "allowed_app_ids", "raw"),
        (
            Unknown(reason="'everyone' is not an application id", text=f"{OTHER_APP},everyone"),
            f"{OTHER_APP},everyone",
        ),
    ),
    "organization.write_allowed": (lambda x: x.organization.write_allowed([OTHER_APP, APP]), None),
    "organization.enable": (lambda x: x.organization.enable(True), None),
    # RBAC for Applications
    "rbac.service_principal": (
        lambda x: parts(x.rbac.service_principal(APP), "app_id", "object_id"),
        (APP, PRINCIPAL),
    ),
    "rbac.service_principal.absent": (lambda x: x.rbac.service_principal(APP), None),
    "rbac.create_service_principal": (
        lambda x: x.rbac.create_service_principal(APP, PRINCIPAL, "MIM Service mailbox client access").object_id,
        PRINCIPAL,
    ),
    "rbac.create_service_principal.unseen": (
        lambda x: (
            x.rbac.create_service_principal(APP, PRINCIPAL, "MIM Service mailbox client access", fresh=True).object_id
        ),
        PRINCIPAL,
    ),
    "rbac.remove_service_principal": (lambda x: x.rbac.remove_service_principal(PRINCIPAL), True),
    "rbac.remove_service_principal.absent": (lambda x: x.rbac.remove_service_principal(PRINCIPAL), False),
    "rbac.scope": (
        lambda x: parts(x.rbac.scope("mim-scope"), "name", "recipient_filter", "exclusive"),
        ("mim-scope", SCOPE_FILTER, False),
    ),
    "rbac.scope.absent": (lambda x: x.rbac.scope("mim-scope"), None),
    "rbac.scopes": (
        lambda x: [(one.name, one.exclusive) for one in x.rbac.scopes()],
        [("mim-scope", False), ("Executives", True)],
    ),
    "rbac.create_scope": (lambda x: x.rbac.create_scope("mim-scope", SCOPE_FILTER).name, "mim-scope"),
    "rbac.remove_scope": (lambda x: x.rbac.remove_scope("mim-scope"), True),
    "rbac.remove_scope.absent": (lambda x: x.rbac.remove_scope("mim-scope"), False),
    "rbac.assignments": (
        lambda x: [(one.role, one.role_assignee_type, one.custom_resource_scope) for one in x.rbac.assignments(APP)],
        [(EWS_ROLE, "ServicePrincipal", "mim-scope")],
    ),
    "rbac.assignments.absent": (lambda x: x.rbac.assignments(APP), ()),
    "rbac.every_assignment": (
        lambda x: [(one.role_assignee_type, one.recipient_group_scope) for one in x.rbac.every_assignment()],
        [("RoleGroup", ""), ("ServicePrincipal", "mim-scope")],
    ),
    "rbac.assign": (lambda x: x.rbac.assign(PRINCIPAL, EWS_ROLE, GROUP).name, EWS_ROLE_NAME),
    "rbac.assign.scope": (
        lambda x: x.rbac.assign(PRINCIPAL, EWS_ROLE, scope="mim-scope").custom_resource_scope,
        "mim-scope",
    ),
    "rbac.assign.named": (lambda x: x.rbac.assign(PRINCIPAL, EWS_ROLE, GROUP, name=ROLE_NAME).name, ROLE_NAME),
    "rbac.assign.unit": (
        lambda x: x.rbac.assign(PRINCIPAL, EWS_ROLE, administrative_unit=UNIT).recipient_administrative_unit_scope,
        UNIT,
    ),
    "rbac.remove_assignment": (lambda x: x.rbac.remove_assignment(EWS_ROLE_NAME), True),
    "rbac.remove_assignment.absent": (lambda x: x.rbac.remove_assignment(EWS_ROLE_NAME), False),
    "rbac.test": (
        lambda x: [
            (one.role_name, one.granted_permissions, one.in_scope, one.is_unlimited)
            for one in x.rbac.test(APP, MAILBOX)
        ],
        [
            (EWS_ROLE, ("EWS.AccessAsApp",), True, False),
            ("Application Mail.Read", ("Mail.Read",), False, True),
            ("Application Mail.Send", ("Mail.Send",), None, False),
        ],
    ),
    # session
    "session.cmdlets": (
        lambda x: sorted(x.session.cmdlets()),
        ["Get-Mailbox", "Get-Recipient", "New-ApplicationAccessPolicy", "New-DistributionGroup"],
    ),
    # waits
    "mailboxes.get.throttled": (lambda x: parts(x.mailboxes.get(MAILBOX), "alias"), "MIMService"),
    "mailboxes.get.retry-after": (lambda x: parts(x.mailboxes.get(MAILBOX), "alias"), "MIMService"),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_sends_what_it_must_and_reads_what_came(name: str) -> None:
    ask, expected = CALLS[name]
    with staged(f"exchange/{name}") as stage:
        assert ask(stage.exchange) == expected


def test_a_fresh_object_is_asked_for_again_within_the_patience_of_the_run() -> None:
    with staged("exchange/groups.get.fresh") as stage:
        assert stage.exchange.groups.get(GROUP, fresh=True) is not None
        assert len(stage.clock.slept) == 2


def test_retry_after_is_the_wait() -> None:
    with staged("exchange/mailboxes.get.retry-after") as stage:
        stage.exchange.mailboxes.get(MAILBOX)
        assert stage.clock.slept == [7.0]


@pytest.mark.parametrize("name", ["groups.change.nothing", "organization.enable"])
def test_a_warning_beside_a_success_is_handed_on(name: str) -> None:
    ask, _ = CALLS[name]
    with staged(f"exchange/{name}") as stage:
        ask(stage.exchange)
        assert [warning.text for warning in stage.warnings] == ["PLACEHOLDER: no settings were modified"]
        assert stage.warnings[0].cmdlet.startswith("Set-")
