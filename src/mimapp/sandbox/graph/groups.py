"""Groups: those that Graph makes itself (security and Microsoft 365), and their members.

A mail-enabled security group belongs to Exchange: Graph shows it but neither makes nor changes one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox.clock import iso
from mimapp.sandbox.exchange.models import security_identifier
from mimapp.sandbox.graph import errors, owners
from mimapp.sandbox.graph.access import GROUP_CREATE, GROUP_READ, GROUP_WRITE
from mimapp.sandbox.graph.objects import as_directory_object, changeable, find_any, new_id, readable, reference
from mimapp.sandbox.graph.properties import merged, without_annotations
from mimapp.sandbox.graph.request import GraphRequest, Operation, Reply, collection, created, entity, no_content

if TYPE_CHECKING:
    from mimapp.sandbox.state import Document, Record

__all__ = ["OPERATIONS"]

_KIND = "group"
_NAME = "groups"
_REQUIRED = ("displayName", "mailEnabled", "mailNickname", "securityEnabled")


def _list(request: GraphRequest) -> Reply:
    return collection(request, _NAME, (record.body for record in request.tx.seen_all(request.tenant_id, _KIND)))


def _get(request: GraphRequest) -> Reply:
    return entity(request, _NAME, readable(request, _KIND, request.keys[0]).body)


def _create(request: GraphRequest) -> Reply:
    wanted = without_annotations(request.body)
    for name in _REQUIRED:
        if wanted.get(name) is None:
            raise errors.value_missing(name, "Group")
    if wanted["mailEnabled"] and "Unified" not in (wanted.get("groupTypes") or ()):
        raise _belongs_to_exchange()
    body = merged(_fresh(request), {name: value for name, value in wanted.items() if name not in ("owners", "members")})
    if body["mailEnabled"]:
        body["mail"] = f"{body['mailNickname']}@{request.tenant.domain}"
        body["proxyAddresses"] = [f"SMTP:{body['mail']}"]
    request.tx.put(request.tenant_id, _KIND, body["id"], body)
    return created(request, _NAME, body, kind="Group")


def _change(request: GraphRequest) -> Reply:
    record = _own(request)
    request.tx.put(request.tenant_id, _KIND, record.id, merged(record.body, request.body))
    return no_content()


def _delete(request: GraphRequest) -> Reply:
    record = _own(request)
    if "Unified" in record.body["groupTypes"]:
        # Only Microsoft 365 groups are kept for 30 days ("Delete group").
        request.tx.put(request.tenant_id, _KIND, record.id, record.body, deleted=request.tx.now)
    else:
        request.tx.delete(request.tenant_id, _KIND, record.id)
    return no_content()


def _members(request: GraphRequest) -> Reply:
    record = readable(request, _KIND, request.keys[0])
    found = (find_any(request, id_) for id_ in record.body.get("_members", ()))
    return collection(
        request, "directoryObjects", (as_directory_object(*known) for known in found if known is not None)
    )


def _add_member(request: GraphRequest) -> Reply:
    record = _own(request)
    member = reference(request)
    held = record.body.get("_members", [])
    if member in held:
        raise errors.bad_request(
            "One or more added object references already exist for the following modified properties: 'members'."
        )
    request.tx.put(request.tenant_id, _KIND, record.id, record.body | {"_members": [*held, member]})
    return no_content()


def _remove_member(request: GraphRequest) -> Reply:
    record = _own(request)
    member = request.keys[1].value.lower()
    held = record.body.get("_members", [])
    if member not in held:
        raise errors.not_found(member)
    left = [id_ for id_ in held if id_ != member]
    request.tx.put(request.tenant_id, _KIND, record.id, record.body | {"_members": left})
    return no_content()


def _own(request: GraphRequest) -> Record:
    record = changeable(request, _KIND, request.keys[0])
    if record.body["mailEnabled"] and "Unified" not in record.body["groupTypes"]:
        raise _belongs_to_exchange()
    return record


def _belongs_to_exchange() -> errors.GraphError:
    """The words are those of Graph's own page on groups."""
    return errors.bad_request("Cannot Update a mail-enabled security groups and or distribution list.")


def _fresh(request: GraphRequest) -> Document:
    moment, id_ = iso(request.tx.now), new_id()
    return {
        "id": id_,
        "deletedDateTime": None,
        "classification": None,
        "createdDateTime": moment,
        "creationOptions": [],
        "description": None,
        "displayName": None,
        "expirationDateTime": None,
        "groupTypes": [],
        "isAssignableToRole": None,
        "mail": None,
        "mailEnabled": False,
        "mailNickname": None,
        "membershipRule": None,
        "membershipRuleProcessingState": None,
        "onPremisesDomainName": None,
        "onPremisesLastSyncDateTime": None,
        "onPremisesNetBiosName": None,
        "onPremisesProvisioningErrors": [],
        "onPremisesSamAccountName": None,
        "onPremisesSecurityIdentifier": None,
        "onPremisesSyncEnabled": None,
        "preferredDataLocation": None,
        "preferredLanguage": None,
        "proxyAddresses": [],
        "renewedDateTime": moment,
        "resourceBehaviorOptions": [],
        "resourceProvisioningOptions": [],
        "securityEnabled": True,
        "securityIdentifier": security_identifier(id_),
        "serviceProvisioningErrors": [],
        "theme": None,
        "uniqueName": None,
        "visibility": None,
    }


OPERATIONS = (
    Operation(method="GET", template="groups", handler=_list, access=GROUP_READ),
    Operation(method="POST", template="groups", handler=_create, access=GROUP_CREATE),
    Operation(method="GET", template="groups/{}", handler=_get, access=GROUP_READ),
    Operation(method="PATCH", template="groups/{}", handler=_change, access=GROUP_WRITE),
    Operation(method="DELETE", template="groups/{}", handler=_delete, access=GROUP_WRITE),
    Operation(method="GET", template="groups/{}/members", handler=_members, access=GROUP_READ),
    Operation(method="POST", template="groups/{}/members/$ref", handler=_add_member, access=GROUP_WRITE),
    Operation(method="DELETE", template="groups/{}/members/{}/$ref", handler=_remove_member, access=GROUP_WRITE),
    *owners.operations("groups", _KIND, read=GROUP_READ, write=GROUP_WRITE),
)
