"""What reality leaves behind in a tenant, made on demand: applications of other tools, deleted ones, odd EWS settings.

Every function writes in one transaction, known to all replicas at once, and may be called again. Names are those of the
MIM install guide and of what its script showed on screen; a secret's value is never returned, since nobody has it.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from mimapp.sandbox import catalog, shapes
from mimapp.sandbox.clock import iso
from mimapp.sandbox.errors import SandboxError
from mimapp.sandbox.exchange.models import (
    AccessPolicy,
    AccessRight,
    GroupPart,
    Recipient,
    RecipientType,
    security_identifier,
)
from mimapp.sandbox.exchange.store import load, put
from mimapp.sandbox.login.clients import secret_digest
from mimapp.sandbox.seed import CONTOSO, OTHER_EWS_APPS, seed_tenant
from mimapp.sandbox.tenants import find_tenant, find_user
from mimapp.sandbox.tokens import SANDBOX_WIDE

if TYPE_CHECKING:
    from mimapp.sandbox import Sandbox
    from mimapp.sandbox.state import Document, Record, Transaction
    from mimapp.sandbox.tenants import Tenant

__all__ = [
    "PORTAL_APP_NAME",
    "SCRIPT_APP_NAME",
    "SCRIPT_GROUP",
    "EwsState",
    "Made",
    "block_sign_in",
    "decline_consent",
    "ensure_tenant",
    "foreign_secret",
    "portal_app",
    "reset",
    "script_app",
    "set_ews_state",
    "soft_deleted_app",
]

PORTAL_APP_NAME = "MIM Service mailbox client access"
SCRIPT_APP_NAME = "Microsoft Identity Manager Service Mailbox client"
SCRIPT_GROUP = "MIMMailboxAccess"
SCRIPT_POLICY_DESCRIPTION = "Restrict access to application."
_PORTAL_TAG = "WindowsAzureActiveDirectoryIntegratedApp"
_TWO_YEARS = timedelta(days=730)
_MADE_BEFORE = timedelta(days=400)


class EwsState(StrEnum):
    """The rows of the EWS retirement's state table (worldwide cloud), and a mailbox that is switched off by itself."""

    NULL = "null"
    NULL_LIST = "null-list"
    TRUE_EMPTY = "true-empty"
    TRUE_LIST = "true-list"
    FALSE = "false"
    FALSE_LIST = "false-list"
    MAILBOX_OFF = "mailbox-off"


_SWITCH = {
    EwsState.NULL: (None, ()),
    EwsState.NULL_LIST: (None, OTHER_EWS_APPS),
    EwsState.TRUE_EMPTY: (True, ()),
    EwsState.TRUE_LIST: (True, OTHER_EWS_APPS),
    EwsState.FALSE: (False, ()),
    EwsState.FALSE_LIST: (False, OTHER_EWS_APPS),
    EwsState.MAILBOX_OFF: (True, OTHER_EWS_APPS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a scenario left in the tenant.

    Attributes:
        what: one line for people.
        app_id: the application's client id, None where there is none.
    """

    what: str
    app_id: str | None = None


def ensure_tenant(sandbox: Sandbox, tenant: str = CONTOSO) -> Made:
    """A tenant of this name, made like contoso where it is not there yet.

    Raises:
        SandboxError: the name is no domain that a tenant could begin with.
    """
    with sandbox.state.transaction() as tx:
        if find_tenant(tx, tenant) is not None:
            return Made(what=f"tenant {tenant} is there")
        name, dot, rest = tenant.partition(".")
        if not name or not dot or rest != "onmicrosoft.com":
            raise SandboxError(f"{tenant} is no initial domain: a simulated tenant's ends in .onmicrosoft.com")
        seed_tenant(tx, tenant, name=name.capitalize())
    return Made(what=f"tenant {tenant}, with mailboxes MIMService@, other@ and admin@")


def portal_app(sandbox: Sandbox, tenant: str = CONTOSO) -> Made:
    """An application as an administrator makes it by hand in the portal: `User.Read` with its delegated grant.

    Raises:
        SandboxError: there is no such tenant.
    """
    with sandbox.state.transaction() as tx:
        made = _Making(tx, tenant)
        app = made.application(PORTAL_APP_NAME, label="MIM Service")
        made.consent(app)
    return Made(what=f"application {PORTAL_APP_NAME!r}, made by hand, with User.Read", app_id=app["appId"])


def script_app(sandbox: Sandbox, tenant: str = CONTOSO) -> Made:
    """What Create-MIMMailboxApp.ps1 left: application, consent, group `MIMMailboxAccess` and its access policy.

    Raises:
        SandboxError: there is no such tenant.
    """
    with sandbox.state.transaction() as tx:
        made = _Making(tx, tenant)
        app = made.application(SCRIPT_APP_NAME, label=None)
        made.consent(app)
        made.group_and_policy(app["appId"])
    return Made(what=f"application {SCRIPT_APP_NAME!r} with group {SCRIPT_GROUP} and its policy", app_id=app["appId"])


def soft_deleted_app(sandbox: Sandbox, unique_name: str, tenant: str = CONTOSO) -> Made:
    """An application that was deleted a day ago and still holds its `uniqueName`.

    Raises:
        SandboxError: there is no such tenant, or the name is in use by a live application.
    """
    with sandbox.state.transaction() as tx:
        made = _Making(tx, tenant)
        if tx.find(made.tenant.id, "application", uniqueName=unique_name):
            raise SandboxError(f"a live application has the uniqueName {unique_name}")
        app = made.application(PORTAL_APP_NAME, label=None, unique_name=unique_name)
        deleted = tx.now - timedelta(days=1).total_seconds()
        for kind, id_ in (("application", app["id"]), ("servicePrincipal", made.principal(app)["id"])):
            record = tx.get(made.tenant.id, kind, id_)
            if record is not None:
                tx.put(made.tenant.id, kind, id_, record.body, deleted=deleted, settled=True)
    return Made(what=f"a deleted application that holds the uniqueName {unique_name}", app_id=app["appId"])


def foreign_secret(sandbox: Sandbox, unique_name: str, *, label: str | None = None, tenant: str = CONTOSO) -> Made:
    """A secret on an application whose value this machine does not have: issued elsewhere, stored elsewhere.

    Args:
        sandbox: the sandbox.
        unique_name: the application's.
        label: the secret's display name; without one a label as mimapp gives them, of yesterday.
        tenant: the tenant's id or domain.

    Raises:
        SandboxError: there is no such tenant or application.
    """
    with sandbox.state.transaction() as tx:
        made = _Making(tx, tenant)
        found = tx.find(made.tenant.id, "application", uniqueName=unique_name)
        if not found:
            raise SandboxError(f"no application has the uniqueName {unique_name}")
        yesterday = datetime.fromtimestamp(tx.now, UTC) - timedelta(days=1)
        named = label or f"mimapp {yesterday:%Y-%m-%d} {secrets.token_hex(4)}"
        made.put("application", _with_secret(found[0].body, named, start=yesterday))
    return Made(what=f"a secret {named!r} whose value nobody here has", app_id=found[0].body["appId"])


def set_ews_state(sandbox: Sandbox, state: EwsState, tenant: str = CONTOSO) -> Made:
    """Put the organisation's EWS switch and list, and the mailboxes' own switches, into one of the known states.

    Raises:
        SandboxError: there is no such tenant.
    """
    enabled, listed = _SWITCH[state]
    with sandbox.state.transaction() as tx:
        made = _Making(tx, tenant)
        record = tx.get(made.tenant.id, "exo.organization", made.tenant.id)
        body = dict(record.body) if record is not None else {}
        body |= {"EwsEnabled": enabled, "EwsAllowedAppIDs": ",".join(listed)}
        tx.put(made.tenant.id, "exo.organization", made.tenant.id, body, settled=True)
        for mailbox in tx.find(made.tenant.id, "mailbox"):
            own = mailbox.body | {"ewsEnabled": False if state is EwsState.MAILBOX_OFF else None}
            tx.put(made.tenant.id, "mailbox", mailbox.id, own, settled=True)
    shown = "True" if enabled else "False" if enabled is False else "null"
    return Made(what=f"EwsEnabled {shown}, {len(listed)} applications listed ({state.value})")


def decline_consent(sandbox: Sandbox, tenant: str = CONTOSO, *, declines: bool = True) -> Made:
    """Let the tenant's administrator say no on the admin consent page; or yes again.

    Raises:
        SandboxError: there is no such tenant.
    """
    with sandbox.state.transaction() as tx:
        made = _Making(tx, tenant)
        record = tx.get(made.tenant.id, "login.settings", made.tenant.id)
        settings: Document = dict(record.body) if record is not None else {"autoApprove": False}
        settings["declinesConsent"] = declines
        tx.put(made.tenant.id, "login.settings", made.tenant.id, settings, settled=True)
    return Made(what=f"the admin consent page is {'declined' if declines else 'accepted'}")


def block_sign_in(sandbox: Sandbox, app_id: str, tenant: str = CONTOSO, *, blocked: bool = True) -> Made:
    """Let Conditional Access refuse this client (AADSTS53003), whatever its secret; or let it in again.

    Raises:
        SandboxError: there is no such tenant.
    """
    with sandbox.state.transaction() as tx:
        made = _Making(tx, tenant)
        record = tx.get(made.tenant.id, "login.settings", made.tenant.id)
        settings: Document = dict(record.body) if record is not None else {"autoApprove": False}
        others = [known for known in settings.get("blocked", []) if known != app_id]
        settings["blocked"] = [*others, app_id] if blocked else others
        tx.put(made.tenant.id, "login.settings", made.tenant.id, settings, settled=True)
    return Made(what=f"sign-in {'blocked' if blocked else 'allowed'} by Conditional Access", app_id=app_id)


def reset(sandbox: Sandbox) -> None:
    """Empty the sandbox: only the freshly seeded contoso tenant is left, and the key that signs tokens."""
    with sandbox.state.transaction() as tx:
        for tenant_id in tx.tenants():
            if tenant_id != SANDBOX_WIDE:
                tx.clear(tenant_id)
        seed_tenant(tx)


class _Making:
    """Objects being made in one tenant, settled at once and a while ago."""

    def __init__(self, tx: Transaction, tenant: str) -> None:
        found = find_tenant(tx, tenant)
        if found is None:
            raise SandboxError(f"the sandbox has no tenant {tenant}")
        self.tx = tx
        self.tenant: Tenant = found
        self.made_at = datetime.fromtimestamp(tx.now, UTC) - _MADE_BEFORE

    def put(self, kind: str, body: Document) -> None:
        self.tx.put(self.tenant.id, kind, body["id"], body, settled=True)

    def application(self, name: str, *, label: str | None, unique_name: str | None = None) -> Document:
        """The registration and its service principal, owned by the administrator."""
        administrator = self.administrator()
        app = shapes.application(
            id_=str(uuid.uuid4()),
            app_id=str(uuid.uuid4()),
            created=self.made_at.timestamp(),
            domain=self.tenant.domain,
        )
        app |= {"displayName": name, "uniqueName": unique_name, "_owners": [administrator.id]}
        app["requiredResourceAccess"] = [
            _wants(catalog.GRAPH.app_id, catalog.GRAPH.scope("User.Read").id, "Scope"),
            _wants(catalog.EXCHANGE.app_id, catalog.EXCHANGE.role("full_access_as_app").id, "Role"),
        ]
        app = _with_secret(app, label, start=self.made_at)
        self.put("application", app)
        principal = shapes.service_principal(
            id_=str(uuid.uuid4()),
            app_id=app["appId"],
            name=name,
            owner_tenant=self.tenant.id,
            created=self.made_at.timestamp(),
        )
        self.put("servicePrincipal", principal | {"tags": [_PORTAL_TAG], "_owners": [administrator.id]})
        return app

    def administrator(self) -> Record:
        found = find_user(self.tx, self.tenant.id, f"admin@{self.tenant.domain}")
        if found is None:
            raise SandboxError(f"tenant {self.tenant.domain} has no administrator")
        return found

    def principal(self, app: Document) -> Document:
        return self.tx.find(self.tenant.id, "servicePrincipal", appId=app["appId"])[0].body

    def service(self, app_id: str) -> Document:
        return self.tx.find(self.tenant.id, "servicePrincipal", appId=app_id)[0].body

    def consent(self, app: Document) -> None:
        """Admin consent as the browser's page gives it: to everything that the registration asks for."""
        principal = self.principal(app)
        role = shapes.app_role_assignment(
            principal=principal,
            resource=self.service(catalog.EXCHANGE.app_id),
            role_id=catalog.EXCHANGE.role("full_access_as_app").id,
            created=self.made_at.timestamp(),
        )
        self.put("appRoleAssignment", role)
        graph = self.service(catalog.GRAPH.app_id)["id"]
        grant = shapes.permission_grant(
            client_id=principal["id"], resource_id=graph, principal_id=None, scope="User.Read"
        )
        self.put("oauth2PermissionGrant", grant)

    def group_and_policy(self, app_id: str) -> None:
        """The group with the mailbox in it, and the policy that names it."""
        directory = load(self.tx, self.tenant.id)
        mailbox = f"mimservice@{self.tenant.domain}".casefold()
        recipients = () if directory is None else tuple(directory.recipients.values())
        members = tuple(known.guid for known in recipients if known.primary.casefold() == mailbox)
        group = next((known for known in recipients if known.name == SCRIPT_GROUP), None) or self._group(members)
        policy = AccessPolicy(
            id=str(uuid.uuid4()),
            app_id=app_id,
            right=AccessRight.RESTRICT,
            scope_guid=group.guid,
            scope_name=group.name,
            scope_identity=group.name,
            scope_raw=f"{group.sid};{group.external_id}",
            description=SCRIPT_POLICY_DESCRIPTION,
            created=self.made_at,
        )
        put(self.tx, self.tenant.id, policy, settled=True)

    def _group(self, members: tuple[str, ...]) -> Recipient:
        external_id = str(uuid.uuid4())
        group = Recipient(
            guid=str(uuid.uuid4()),
            type=RecipientType.SECURITY_GROUP,
            name=SCRIPT_GROUP,
            display_name=SCRIPT_GROUP,
            alias=SCRIPT_GROUP,
            addresses=(f"{SCRIPT_GROUP}@{self.tenant.domain}",),
            external_id=external_id,
            sid=security_identifier(external_id),
            created=self.made_at,
            changed=self.made_at,
            group=GroupPart(members=members),
        )
        put(self.tx, self.tenant.id, group, settled=True)
        return group


def _wants(resource: str, permission: str, kind: str) -> Document:
    return {"resourceAppId": resource, "resourceAccess": [{"id": permission, "type": kind}]}


def _with_secret(app: Document, label: str | None, *, start: datetime) -> Document:
    """The application with one more secret, whose value is drawn and forgotten."""
    value = f"sandbox-{secrets.token_urlsafe(32)}"
    key_id = str(uuid.uuid4())
    credential = {
        "customKeyIdentifier": None,
        "displayName": label,
        "endDateTime": iso((start + _TWO_YEARS).timestamp()),
        "hint": value[:3],
        "keyId": key_id,
        "secretText": None,
        "startDateTime": iso(start.timestamp()),
    }
    kept = app.get("_secrets", {}) | {key_id: {"digest": secret_digest(value), "usableFrom": 0.0}}
    return app | {"passwordCredentials": [credential, *app["passwordCredentials"]], "_secrets": kept}
