"""Who signs in to be checked, what stands in the tenant, and the rows that come of it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import httpx

from mimapp.identity import Method, SignInOptions
from mimapp.sandbox import catalog, shapes
from mimapp.sandbox.exchange.models import Recipient, RecipientType, security_identifier
from mimapp.sandbox.exchange.store import put
from mimapp.secret import Secret
from mimapp.tenant import REGISTER_PERMISSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.checks.preflight import Row
    from mimapp.identity import DeviceCode
    from support.tenants import Place

GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"
GRAPH_COMMAND_LINE = "14d82eec-204b-4c2f-b7e8-296a70dab67e"


def check(place: Place, *, connect: Mapping[str, Any] | None = None, **wanted: Any) -> dict[str, Row]:
    """The rows by their names; the administrator signs in unless `connect` says otherwise."""
    with place.connect(**(connect or {})) as tenant:
        rows = tenant.check(place.registration(**wanted))
    found = {row.name: row for row in rows}
    assert len(found) == len(rows)
    return found


def as_application(place: Place) -> dict[str, Any]:
    """Both services are signed in to by the sandbox's operator application."""
    options = SignInOptions(
        method=Method.CLIENT_SECRET,
        client_id=place.info.operator_client_id,
        secret=Secret(place.info.operator_client_secret),
    )
    return {"graph": options, "exchange": options}


def as_person(place: Place, *templates: str, scopes: tuple[str, ...] = REGISTER_PERMISSIONS) -> dict[str, Any]:
    """Somebody with these directory roles signs in; an administrator consented to these scopes before."""
    name = f"person-{uuid.uuid4().hex[:6]}@{place.info.tenant_name}"
    person = {"id": str(uuid.uuid4()), "displayName": name, "userPrincipalName": name, "mail": name}
    tenant = place.info.tenant_id
    with place.sandbox.state.transaction() as tx:
        tx.put(tenant, "user", person["id"], person, settled=True)
        for template in templates:
            kept = tx.get(tenant, "directoryRole", template)
            role = {"id": str(uuid.uuid4()), "displayName": template, "members": []} if kept is None else kept.body
            tx.put(
                tenant, "directoryRole", template, role | {"members": [*role["members"], person["id"]]}, settled=True
            )
        tx.put(tenant, "login.settings", tenant, {"autoApprove": False}, settled=True)
        client = shapes.service_principal(
            id_=str(uuid.uuid4()),
            app_id=GRAPH_COMMAND_LINE,
            name="Microsoft Graph Command Line Tools",
            owner_tenant=catalog.MICROSOFT_TENANT_ID,
            created=tx.now,
        )
        tx.put(tenant, "servicePrincipal", client["id"], client, settled=True)
        graph = tx.find(tenant, "servicePrincipal", appId=catalog.GRAPH.app_id)[0]
        grant = shapes.permission_grant(
            client_id=client["id"], resource_id=graph.id, principal_id=None, scope=" ".join(scopes)
        )
        tx.put(tenant, "oauth2PermissionGrant", grant["id"], grant, settled=True)

    def enter(code: DeviceCode) -> None:
        page = f"{place.sandbox.origin}/{tenant}/oauth2/deviceauth"
        with httpx.Client(transport=place.sandbox.transport()) as browser:
            browser.post(page, data={"user_code": code.code, "username": name}).raise_for_status()

    return {"show_code": enter, "permissions": scopes}


def take_role(place: Place, service: catalog.FirstPartyService, role: str) -> None:
    """The operator application loses one application permission."""
    tenant = place.info.tenant_id
    with place.sandbox.state.transaction() as tx:
        client = tx.find(tenant, "servicePrincipal", appId=place.info.operator_client_id)[0]
        held = tx.find(tenant, "appRoleAssignment", principalId=client.id, appRoleId=service.role(role).id)
        assert len(held) == 1
        tx.delete(tenant, "appRoleAssignment", held[0].id)


def take_directory_role(place: Place, template: str) -> None:
    """Nobody holds this directory role any more."""
    tenant = place.info.tenant_id
    with place.sandbox.state.transaction() as tx:
        kept = tx.get(tenant, "directoryRole", template)
        assert kept is not None
        tx.put(tenant, "directoryRole", template, kept.body | {"members": []}, settled=True)


def put_recipient(place: Place, kind: RecipientType, *addresses: str, display_name: str = "") -> None:
    """A recipient that is no mailbox, with these addresses."""
    external_id, name = str(uuid.uuid4()), addresses[0].partition("@")[0]
    recipient = Recipient(
        guid=str(uuid.uuid4()),
        type=kind,
        name=name,
        display_name=display_name or name,
        alias=name,
        addresses=addresses,
        external_id=external_id,
        sid=security_identifier(external_id),
    )
    with place.sandbox.state.transaction() as tx:
        put(tx, place.info.tenant_id, recipient, settled=True)


def change_document(place: Place, kind: str, changes: Mapping[str, object], **where: str) -> None:
    """Lay members over the one document of a kind that fits."""
    tenant = place.info.tenant_id
    with place.sandbox.state.transaction() as tx:
        (found,) = tx.find(tenant, kind, where=where)
        tx.put(tenant, kind, found.id, found.body | dict(changes), settled=True)
