"""The cases of access_cases.py as entities of the sandbox: a tenant is made to stand as a case says."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from access_facts import NOW, AccessCase, Agents, Facts, Group, Pending, Policy, Role

from mimapp.sandbox.exchange.access import WORLDWIDE_EWS_END
from mimapp.sandbox.exchange.models import (
    ALWAYS,
    AccessPolicy,
    AccessRight,
    AdministrativeUnit,
    ApplicationPrincipal,
    Cloud,
    Dated,
    Directory,
    Entity,
    GroupPart,
    MailboxPart,
    MailboxState,
    ManagementScope,
    Organization,
    Recipient,
    RecipientType,
    RoleAssignment,
    Roles,
    ScopeType,
    UserAgentPolicy,
    UserAgentRule,
    security_identifier,
)

if TYPE_CHECKING:
    from datetime import datetime

DOMAIN = "contoso.onmicrosoft.com"
TENANT_ID = "5a6db0c0-0001-4c0a-8f00-c0de00000001"
APPS = {
    "ours": "11111111-aaaa-4333-8444-555555555555",
    "teams": "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
    "second": "22222222-2222-4333-8444-555555555555",
}
PRINCIPAL_ID = "66666666-2222-4333-8444-555555555555"
_SCOPE_TYPES = {
    "": ScopeType.ORGANIZATION,
    "group": ScopeType.GROUP,
    "filter": ScopeType.CUSTOM,
    "unit": ScopeType.UNIT,
}


def id_of(what: str) -> str:
    return str(uuid.uuid5(uuid.UUID(TENANT_ID), what))


def address_of(name: str) -> str:
    return name if "@" in name else f"{name}@{DOMAIN}"


def app_id(name: str) -> str:
    return APPS[name.lower()].upper() if name.isupper() else APPS[name]


def directory_of(case: AccessCase) -> Directory:
    """The tenant of a case, as the rules read it."""
    facts = case.facts
    recipients = {recipient.guid: recipient for recipient in (*_people(case), *map(_group, facts.groups))}
    entities = _rights(facts)
    policies = tuple(_policy(index, policy) for index, policy in enumerate(facts.policies))
    roles = Roles(
        principals=tuple(e for e in entities if isinstance(e, ApplicationPrincipal) and facts.pointer),
        scopes=tuple(e for e in entities if isinstance(e, ManagementScope)),
        assignments=tuple(e for e in entities if isinstance(e, RoleAssignment)),
        units=tuple(e for e in entities if isinstance(e, AdministrativeUnit)),
    )
    return Directory(
        organization=organization_of(facts),
        recipients=recipients,
        known=recipients,
        policies=policies,
        listed=policies,
        roles=roles,
        known_roles=roles,
        entra_apps={PRINCIPAL_ID: APPS["ours"]} if facts.pointer else {},
    )


def entities_of(case: AccessCase) -> list[Entity]:
    """The tenant of a case, as documents to be written."""
    directory = directory_of(case)
    return [directory.organization, *directory.recipients.values(), *directory.policies, *_rights(case.facts)]


def organization_of(facts: Facts) -> Organization:
    cloud = Cloud(facts.cloud)
    return Organization(
        tenant_id=TENANT_ID,
        initial_domain=DOMAIN,
        domains=(DOMAIN,),
        display_name="Contoso",
        guid=id_of("organization"),
        cloud=cloud,
        ews_enabled=_history(facts.switch, facts.switch_pending),
        ews_allowed=_text_history(facts.listed, facts.listed_pending),
        ews_ends=WORLDWIDE_EWS_END if cloud is Cloud.WORLDWIDE else None,
        user_agents=_agents(facts.agents),
    )


def _history(value: bool | None, pending: Pending | None) -> tuple[Dated[bool | None], ...]:  # noqa: FBT001 - a value of three kinds
    if pending is None:
        return (Dated(value=value),)
    assert not isinstance(pending.before, str)
    return (Dated(value=pending.before), Dated(value=value, since=_in(pending.acts_in)))


def _text_history(value: str | None, pending: Pending | None) -> tuple[Dated[str | None], ...]:
    if pending is None:
        return (Dated(value=_app_list(value)),)
    assert not isinstance(pending.before, bool)
    return (Dated(value=_app_list(pending.before)), Dated(value=_app_list(value), since=_in(pending.acts_in)))


def _app_list(text: str | None) -> str | None:
    return None if text is None else text.format(**APPS, OURS=APPS["ours"].upper())


def _in(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def _agents(agents: Agents) -> UserAgentPolicy:
    rule = UserAgentRule(agents.rule) if agents.rule else None
    return UserAgentPolicy(rule=rule, allowed=agents.allowed, blocked=agents.blocked)


def _people(case: AccessCase) -> list[Recipient]:
    facts = case.facts
    people = [
        _mailbox("mim", more=("mim.alias",), login="mim.login", facts=facts),
        _mailbox("other", facts=facts),
        _mailbox("desk", RecipientType.SHARED_MAILBOX, licensed=False, facts=facts),
        _mailbox("room", RecipientType.ROOM_MAILBOX, licensed=False, facts=facts),
        _mailbox("unlicensed", licensed=False, facts=facts),
        _mailbox("deleted", state=MailboxState.SOFT_DELETED, facts=facts),
        _mailbox("inactive", state=MailboxState.INACTIVE, facts=facts),
    ]
    remote = Recipient(
        guid=id_of("remote"),
        type=RecipientType.MAIL_USER,
        name="remote",
        display_name="remote",
        alias="remote",
        addresses=(address_of("remote"),),
        external_id=id_of("remote in Entra"),
        sid=security_identifier(id_of("remote in Entra")),
    )
    return [*people, remote]


def _mailbox(
    name: str,
    kind: RecipientType = RecipientType.USER_MAILBOX,
    *,
    facts: Facts,
    more: tuple[str, ...] = (),
    login: str | None = None,
    licensed: bool = True,
    state: MailboxState = MailboxState.ACTIVE,
) -> Recipient:
    entra = id_of(f"{name} in Entra")
    return Recipient(
        guid=id_of(name),
        type=kind,
        name=name,
        display_name=name,
        alias=name,
        addresses=(address_of(name), *map(address_of, more)),
        external_id=entra,
        sid=security_identifier(entra),
        upn=address_of(login or name),
        mailbox=MailboxPart(
            exchange_guid=id_of(f"{name} store"),
            state=state,
            licensed=licensed,
            ews_enabled=_history(facts.mailbox_switch, facts.mailbox_switch_pending),
            user_agents=_agents(facts.mailbox_agents),
        ),
    )


def _group(group: Group) -> Recipient:
    entra = id_of(f"{group.name} in Entra")
    return Recipient(
        guid=id_of(group.name),
        type=RecipientType(group.type),
        name=group.name,
        display_name=group.name,
        alias=group.name,
        addresses=(address_of(group.name),),
        external_id=entra,
        sid=security_identifier(entra),
        group=GroupPart(members=tuple(id_of(member) for member in group.members)),
    )


def _policy(index: int, policy: Policy) -> AccessPolicy:
    removed = None if policy.released_in is None else NOW
    return AccessPolicy(
        id=id_of(f"policy {index}"),
        app_id=app_id(policy.app),
        right=AccessRight(policy.right),
        scope_guid=id_of(policy.scope),
        scope_name=policy.scope,
        scope_identity=policy.scope,
        scope_raw=f"{security_identifier(id_of(policy.scope))};{id_of(f'{policy.scope} in Entra')}",
        created=ALWAYS,
        tested=_in(policy.tested_in),
        enforced=_in(policy.enforced_in),
        removed=removed,
        tested_until=removed,
        enforced_until=None if policy.released_in is None else _in(policy.released_in),
    )


def _rights(facts: Facts) -> list[ApplicationPrincipal | ManagementScope | RoleAssignment | AdministrativeUnit]:
    """The pointer, and for every role its assignment with what limits it."""
    made: list[ApplicationPrincipal | ManagementScope | RoleAssignment | AdministrativeUnit] = []
    if facts.roles:
        ours, guid = APPS["ours"], id_of("pointer")
        made.append(ApplicationPrincipal(object_id=PRINCIPAL_ID, app_id=ours, display_name="MIM", guid=guid))
    for index, role in enumerate(facts.roles):
        made += _role(index, role)
    return made


def _role(index: int, role: Role) -> list[ManagementScope | RoleAssignment | AdministrativeUnit]:
    guid = id_of(role.scope) if role.limit == "group" else id_of(f"scope {index}")
    made: list[ManagementScope | RoleAssignment | AdministrativeUnit] = []
    if role.limit == "filter":
        made.append(ManagementScope(guid=guid, name=f"scope {index}", filter=_filter(role.scope)))
    if role.limit == "unit":
        members = tuple(id_of(name) for name in role.scope.split(","))
        unit_id = id_of(f"unit {index}")
        made.append(AdministrativeUnit(guid=guid, external_id=unit_id, display_name=f"unit {index}", members=members))
    assignment = RoleAssignment(
        guid=id_of(f"assignment {index}"),
        name=f"{index} {role.role}",
        principal_id=PRINCIPAL_ID,
        role=role.role,
        scope_type=_SCOPE_TYPES[role.limit],
        scope=guid if role.limit else "",
        enforced=_in(role.enforced_in),
        removed=None if role.released_in is None else NOW,
        enforced_until=None if role.released_in is None else _in(role.released_in),
    )
    return [*made, assignment]


def _filter(text: str) -> str:
    organization = organization_of(Facts())
    return re.sub(r"\{DN:(\w+)\}", lambda match: organization.distinguished_name(match[1]), text)
