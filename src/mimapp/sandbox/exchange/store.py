"""Exchange's documents: a `Directory` read from the sandbox's state, and entities written back.

Three kinds are shared with the sandbox's seed, in the form that seed.py writes, with members of ours beside its own:
``exo.organization`` (settings), ``mailbox`` (id is the user's) and ``acceptedDomain``. Every other entity is a
document of its `kind` as its dataclass reads. A group also appears in Entra: its directory object is the document
``group`` that Graph shows. A setting that seeding wrote over loses its history: what is written there acts at once.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from mimapp.sandbox.clock import from_epoch, iso
from mimapp.sandbox.exchange.access import WORLDWIDE_EWS_END
from mimapp.sandbox.exchange.models import (
    AccessPolicy,
    AdministrativeUnit,
    ApplicationPrincipal,
    Behaviour,
    Cloud,
    Dated,
    Directory,
    Entity,
    MailboxPart,
    MailboxState,
    ManagementScope,
    Organization,
    Recipient,
    RecipientType,
    RoleAssignment,
    Roles,
    UserAgentPolicy,
    UserAgentRule,
    latest,
    security_identifier,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.sandbox.exchange.call import Outcome
    from mimapp.sandbox.state import Document, Record, Transaction

__all__ = ["apply", "load", "put"]

T = TypeVar("T")

# msgspec learns a form when it is first read. In 0.22 two threads that are the first at once can meet a half of it, and
# the process dies; so all of them are learned here, on import, by one thread.
_FORMS: Final = frozenset(
    {
        AccessPolicy,
        AdministrativeUnit,
        ApplicationPrincipal,
        Behaviour,
        ManagementScope,
        Recipient,
        RoleAssignment,
    }
)
for _form in _FORMS:
    msgspec.json.Decoder(_form)

_MAILBOX = "mailbox"
_ENTRA_GROUP = "group"


def load(tx: Transaction, tenant_id: str) -> Directory | None:
    """The organisation of a tenant; None where the tenant has none."""
    found = tx.get(tenant_id, Organization.kind, tenant_id)
    if found is None:
        return None
    policies = tx.find(tenant_id, AccessPolicy.kind)
    there = {record.id for record in tx.find(tenant_id, "servicePrincipal")}
    return Directory(
        organization=_organization(tx, found),
        recipients=_recipients(tx.find(tenant_id, _MAILBOX), tx.find(tenant_id, Recipient.kind)),
        known=_recipients(tx.seen_all(tenant_id, _MAILBOX), tx.seen_all(tenant_id, Recipient.kind)),
        policies=tuple(_entity(record, AccessPolicy) for record in policies),
        listed=tuple(_entity(record, AccessPolicy) for record in tx.seen_all(tenant_id, AccessPolicy.kind)),
        roles=_roles(lambda kind: tx.find(tenant_id, kind), there),
        known_roles=_roles(lambda kind: tx.seen_all(tenant_id, kind), there),
        entra_apps={record.id: str(record.body["appId"]) for record in tx.seen_all(tenant_id, "servicePrincipal")},
    )


def apply(tx: Transaction, tenant_id: str, outcome: Outcome) -> None:
    """Write what a cmdlet decided."""
    for entity in outcome.puts:
        put(tx, tenant_id, entity)
    for entity in outcome.deletes:
        tx.delete(tenant_id, entity.kind, entity.key)
        if isinstance(entity, Recipient) and entity.group is not None:
            tx.delete(tenant_id, _ENTRA_GROUP, entity.external_id)


def put(tx: Transaction, tenant_id: str, entity: Entity, *, settled: bool = False) -> None:
    """Write one entity; with `settled` every replica knows it at once (seeding)."""
    if isinstance(entity, Organization):
        tx.put(tenant_id, entity.kind, entity.key, _organization_document(entity), settled=settled)
    elif isinstance(entity, Recipient) and entity.mailbox is not None:
        tx.put(tenant_id, _MAILBOX, entity.external_id, _mailbox_document(entity), settled=settled)
    else:
        document: Document = msgspec.to_builtins(entity)
        tx.put(tenant_id, entity.kind, entity.key, document, settled=settled)
        if isinstance(entity, Recipient) and entity.group is not None:
            _mirror(tx, tenant_id, entity, settled=settled)


def _roles(read: Callable[[str], list[Record]], there: set[str]) -> Roles:
    principals = [_entity(record, ApplicationPrincipal) for record in read(ApplicationPrincipal.kind)]
    return Roles(
        # Deleting the service principal in Entra removes Exchange's pointer (facts/exchange.md 7).
        principals=tuple(principal for principal in principals if principal.object_id in there),
        scopes=tuple(_entity(record, ManagementScope) for record in read(ManagementScope.kind)),
        assignments=tuple(_entity(record, RoleAssignment) for record in read(RoleAssignment.kind)),
        units=tuple(_entity(record, AdministrativeUnit) for record in read(AdministrativeUnit.kind)),
    )


def _entity(record: Record, form: type[T]) -> T:
    return _read(record.body, form)


def _read(body: Document, form: type[T]) -> T:
    if form not in _FORMS:
        raise LookupError(f"{form.__name__} is none of the forms that are learned on import")
    return msgspec.convert(body, form)


def _recipients(mailboxes: list[Record], others: list[Record]) -> dict[str, Recipient]:
    found = [*(_mailbox(record) for record in mailboxes), *(_entity(record, Recipient) for record in others)]
    return {recipient.guid: recipient for recipient in found}


# Settings of the organisation, in the seed's form


def _organization(tx: Transaction, record: Record) -> Organization:
    body = record.body
    domains = [domain.body for domain in tx.find(record.tenant, "acceptedDomain")]
    initial = next((d["domainName"] for d in domains if d.get("initial")), domains[0]["domainName"])
    default = next((d["domainName"] for d in domains if d.get("default")), initial)
    tenant = tx.get(record.tenant, "tenant", record.tenant)
    history = body.get("_history", {})
    cloud = Cloud(body.get("cloud", Cloud.WORLDWIDE.value))
    ends = body.get("ewsEnds", WORLDWIDE_EWS_END.isoformat() if cloud is Cloud.WORLDWIDE else None)
    return Organization(
        tenant_id=record.tenant,
        initial_domain=initial,
        domains=(default, *(d["domainName"] for d in domains if d["domainName"] != default)),
        display_name=str(tenant.body["displayName"]) if tenant else initial,
        guid=str(uuid.uuid5(uuid.NAMESPACE_DNS, record.tenant)),
        cloud=cloud,
        ews_enabled=_history(history.get("EwsEnabled", ()), body.get("EwsEnabled")),
        ews_allowed=_history(history.get("EwsAllowedAppIDs", ()), body.get("EwsAllowedAppIDs")),
        ews_ends=datetime.fromisoformat(ends) if ends else None,
        user_agents=_agents(body),
        administrators=tuple(body.get("administrators", ())),
        policies_made=bool(body.get("policiesMade", False)),
        behaviour=_read(body.get("behaviour", {}), Behaviour),
    )


def _organization_document(organization: Organization) -> Document:
    return {
        "EwsEnabled": latest(organization.ews_enabled),
        "EwsAllowedAppIDs": latest(organization.ews_allowed),
        **_agents_document(organization.user_agents),
        "cloud": organization.cloud.value,
        "ewsEnds": organization.ews_ends.isoformat() if organization.ews_ends else None,
        "administrators": list(organization.administrators),
        "policiesMade": organization.policies_made,
        "behaviour": msgspec.to_builtins(organization.behaviour),
        "_history": {
            "EwsEnabled": _history_document(organization.ews_enabled),
            "EwsAllowedAppIDs": _history_document(organization.ews_allowed),
        },
    }


def _agents(body: Document) -> UserAgentPolicy:
    rule = body.get("EwsApplicationAccessPolicy")
    return UserAgentPolicy(
        rule=UserAgentRule(rule) if rule else None,
        allowed=tuple(body.get("EwsAllowList") or ()),
        blocked=tuple(body.get("EwsBlockList") or ()),
    )


def _agents_document(policy: UserAgentPolicy) -> Document:
    return {
        "EwsApplicationAccessPolicy": policy.rule.value if policy.rule else None,
        "EwsAllowList": list(policy.allowed),
        "EwsBlockList": list(policy.blocked),
    }


def _history(kept: Any, value: Any) -> tuple[Dated[Any], ...]:  # noqa: ANN401 - a setting's JSON value, typed by its field
    """A setting's history; a value that is not the one we wrote last was seeded, and acts at once."""
    entries = tuple(Dated(value=old, since=datetime.fromisoformat(since)) for old, since in kept)
    return entries if entries and latest(entries) == value else (Dated(value=value),)


def _history_document(history: tuple[Dated[T], ...]) -> list[list[T | str]]:
    return [[entry.value, entry.since.astimezone(UTC).isoformat()] for entry in history]


# Mailboxes, in the seed's form


def _mailbox(record: Record) -> Recipient:
    body = record.body
    primary = str(body["primarySmtpAddress"])
    guid = str(body.get("guid") or uuid.uuid5(uuid.UUID(record.id), "exchange object"))
    others = tuple(address for address in body.get("proxyAddresses", ()) if address.casefold() != primary.casefold())
    return Recipient(
        guid=guid,
        type=RecipientType(body["recipientTypeDetails"]),
        name=str(body.get("name") or body["alias"]),
        display_name=str(body["displayName"]),
        alias=str(body["alias"]),
        addresses=(primary, *others),
        external_id=record.id,
        sid=str(body.get("sid") or security_identifier(record.id)),
        upn=str(body["userPrincipalName"]),
        synced=bool(body.get("synced", False)),
        hidden=bool(body.get("hidden", False)),
        created=from_epoch(record.created),
        changed=from_epoch(record.modified),
        mailbox=MailboxPart(
            exchange_guid=str(body["exchangeGuid"]),
            state=MailboxState(body.get("state", MailboxState.ACTIVE.value)),
            licensed=bool(body.get("licensed", True)),
            ews_enabled=_history(body.get("_ewsHistory", ()), body.get("ewsEnabled")),
            user_agents=_agents(body),
            region=str(body.get("region", "")),
        ),
    )


def _mailbox_document(recipient: Recipient) -> Document:
    mailbox = recipient.mailbox or MailboxPart(exchange_guid=recipient.guid)
    return {
        "id": recipient.external_id,
        "userPrincipalName": recipient.upn,
        "primarySmtpAddress": recipient.primary,
        "displayName": recipient.display_name,
        "alias": recipient.alias,
        "exchangeGuid": mailbox.exchange_guid,
        "recipientTypeDetails": recipient.type.value,
        "ewsEnabled": latest(mailbox.ews_enabled),
        "guid": recipient.guid,
        "name": recipient.name,
        "proxyAddresses": list(recipient.addresses),
        "sid": recipient.sid,
        "state": mailbox.state.value,
        "licensed": mailbox.licensed,
        "region": mailbox.region,
        "synced": recipient.synced,
        "hidden": recipient.hidden,
        "_ewsHistory": _history_document(mailbox.ews_enabled),
        **_agents_document(mailbox.user_agents),
    }


# The group's other half in Entra


def _mirror(tx: Transaction, tenant_id: str, recipient: Recipient, *, settled: bool) -> None:
    """The directory object of a mail-enabled group, as Graph reads it."""
    security = recipient.type is RecipientType.SECURITY_GROUP
    group = recipient.group
    document: Document = {
        "id": recipient.external_id,
        "createdDateTime": iso(recipient.created.timestamp()),
        "description": (group.description or None) if group else None,
        "displayName": recipient.display_name,
        "groupTypes": ["Unified"] if recipient.type is RecipientType.UNIFIED_GROUP else [],
        "mail": recipient.primary,
        "mailEnabled": True,
        "mailNickname": recipient.alias,
        "onPremisesSyncEnabled": True if recipient.synced else None,
        "proxyAddresses": [f"SMTP:{recipient.primary}"],
        "securityEnabled": security,
        "securityIdentifier": recipient.sid or None,
    }
    tx.put(tenant_id, _ENTRA_GROUP, recipient.external_id, document, settled=settled)
