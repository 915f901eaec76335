"""Which replies of Graph mean "not carried out, ask again", though their status alone does not say so.

Entra's directory is replicated: a write is acknowledged before every replica knows it, and the next call may meet one
that does not. The texts are matched where the codes say too little; facts and sources stand at each predicate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.graph.errors import read_error

if TYPE_CHECKING:
    from mimapp.transport import Reply

__all__ = [
    "is_app_not_replicated",
    "is_concurrency_violation",
    "is_delegated_only",
    "is_duplicate_grant",
    "is_duplicate_owner",
    "is_missing",
    "is_missing_password",
    "is_msa_not_replicated",
    "is_reference_not_replicated",
]

_BAD_REQUEST = 400
_FORBIDDEN = 403
_NOT_FOUND = 404
_CONFLICT = 409
_UNAVAILABLE = 503


def is_concurrency_violation(reply: Reply) -> bool:
    """Another write to the same object was under way, so this one was not carried out.

    409 in 2026 (nais/azurerator#448), 503 with the same code in 2022 (Azure/azure-cli#23081).
    """
    if reply.status not in {_CONFLICT, _UNAVAILABLE}:
        return False
    return _code(reply) == "Directory_ConcurrencyViolation"


def is_missing(reply: Reply) -> bool:
    """The object is not there, or the replica does not know it yet; said by Graph, not by a gateway before it."""
    return reply.status == _NOT_FOUND and read_error(reply) is not None


def is_app_not_replicated(reply: Reply) -> bool:
    """A service principal cannot be made because the replica does not know its application.

    400 "The appId '..' of the service principal does not reference a valid application object" (azure-cli matches
    the same words), and for an app-only caller with Application.ReadWrite.OwnedBy a 403 that speaks of the local
    tenant (hashicorp/terraform-provider-azuread, hashicorp/vault-plugin-secrets-azure).
    """
    if reply.status == _BAD_REQUEST:
        return _says(reply, "does not reference a valid application object")
    return reply.status == _FORBIDDEN and _says(reply, "backing application of the service principal being created")


def is_reference_not_replicated(reply: Reply) -> bool:
    """A grant names a service principal that the replica does not know.

    400 "Not a valid reference update" (terraform-provider-azuread). An id of the wrong kind gets the same words
    (microsoft-graph-docs-contrib#1407), so asking again has to end.
    """
    return reply.status == _BAD_REQUEST and _says(reply, "not a valid reference update")


def is_msa_not_replicated(reply: Reply) -> bool:
    """The other half of an application for personal accounts is not there yet (terraform-provider-azuread#1764)."""
    return reply.status == _CONFLICT and _code(reply) == "Error_MsaAppDoesNotExist"


def is_missing_password(reply: Reply) -> bool:
    """`removePassword` found no such credential: it is gone, or the replica does not know it yet.

    400 "No password credential found with keyId" (hashicorp/vault-plugin-secrets-azure takes it for gone); the code
    is [unverified], and so is whether the status is ever 404.
    """
    return reply.status in {_BAD_REQUEST, _NOT_FOUND} and _says(reply, "no password credential found with keyid")


def is_duplicate_grant(reply: Reply) -> bool:
    """The role was granted before: what was asked for stands.

    "Permission being assigned already exists on the object" (ten public callers; its code is [unverified]), and
    "EntitlementGrant entry already exists" as Bicep reports it (msgraph-bicep-types#161).
    """
    if reply.status not in {_BAD_REQUEST, _CONFLICT}:
        return False
    return _says(reply, "permission being assigned already exists") or _says(reply, "entitlementgrant entry already")


def is_duplicate_owner(reply: Reply) -> bool:
    """The owner was one before. The words are those that azure-cli matches."""
    return reply.status == _BAD_REQUEST and _says(reply, "one or more added object references already exist")


def is_delegated_only(reply: Reply) -> bool:
    """``/me`` was asked by an application that signed in by itself: there is nobody to name.

    400 "/me request is only valid with delegated authentication flow." (azure-cli quotes it in its role module).
    """
    return reply.status == _BAD_REQUEST and _says(reply, "only valid with delegated authentication flow")


def _code(reply: Reply) -> str:
    error = read_error(reply)
    return (error.code or "") if error is not None else ""


def _says(reply: Reply, words: str) -> bool:
    error = read_error(reply)
    return error is not None and words in error.text.lower()
