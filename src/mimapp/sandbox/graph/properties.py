"""What a POST or PATCH body does to an object: which members it may set, and the defaults inside what it sets."""

from __future__ import annotations

import base64
import hashlib
import uuid
from typing import TYPE_CHECKING, Any

from mimapp.sandbox.clock import iso, parse_iso
from mimapp.sandbox.graph import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.sandbox.state import Document

__all__ = ["kept_certificates", "key_credentials", "merged", "without_annotations"]

_READ_ONLY = frozenset(
    {
        "appDisplayName",
        "appId",
        "appOwnerOrganizationId",
        "applicationTemplateId",
        "certification",
        "createdByAppId",
        "createdDateTime",
        "deletedDateTime",
        "disabledByMicrosoftStatus",
        "id",
        "publisherDomain",
        "resourceSpecificApplicationPermissions",
        "servicePrincipalType",
        "verifiedPublisher",
    }
)
_AUDIENCES = frozenset(
    {"AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"}
)


def merged(document: Document, changes: Document, *, settable: frozenset[str] = frozenset()) -> Document:
    """The document with the changes laid over it; structured members are merged, lists replaced.

    Args:
        document: the object with all its defaults.
        changes: what the caller sent.
        settable: members that are read-only otherwise, but not here.

    Raises:
        GraphError: 400; a member is unknown or read-only, or a value is impossible.
    """
    result = dict(document)
    for name, value in without_annotations(changes).items():
        if name not in document or name.startswith("_"):
            raise errors.bad_request(f"Invalid property '{name}'.")
        if name in _READ_ONLY - settable:
            raise errors.read_only(name)
        if name == "signInAudience" and value not in _AUDIENCES:
            raise errors.bad_request("Invalid value specified for property 'signInAudience' of resource 'Application'.")
        filled = _FILL[name](value) if name in _FILL and value is not None else value
        held = document[name]
        result[name] = {**held, **filled} if isinstance(held, dict) and isinstance(filled, dict) else filled
    return result


def key_credentials(keys: list[Document], held: list[Document], *, now: float) -> list[Document]:
    """Certificates as Graph keeps them: thumbprint, subject and key id filled in, the key itself never shown again."""
    known = {key["keyId"]: key for key in held}
    return [known.get(key.get("keyId") or "") or _certificate(without_annotations(key), now) for key in keys]


def kept_certificates(sent: list[Document], shown: list[Document], kept: Document) -> Document:
    """The certificates themselves by key id, base64, which Graph never shows and sign-in verifies assertions with.

    Args:
        sent: the key credentials of the request.
        shown: what `key_credentials` made of them.
        kept: the ones kept so far.
    """
    pairs = ((new["keyId"], old.get("key") or kept.get(new["keyId"])) for old, new in zip(sent, shown, strict=True))
    return {key_id: key for key_id, key in pairs if key}


def without_annotations(body: Document) -> Document:
    """The members that are no OData annotations."""
    return {name: value for name, value in body.items() if "@odata" not in name}


def _certificate(key: Document, now: float) -> Document:
    raw = base64.b64decode(key.get("key") or "")
    subject, starts, ends = _read_certificate(raw, now)
    return {
        "customKeyIdentifier": key.get("customKeyIdentifier") or hashlib.sha1(raw).hexdigest().upper(),  # noqa: S324 - the field is defined as SHA-1
        "displayName": key.get("displayName") or subject,
        "endDateTime": iso(parse_iso(key["endDateTime"])) if key.get("endDateTime") else ends,
        "key": None,
        "keyId": key.get("keyId") or str(uuid.uuid4()),
        "startDateTime": iso(parse_iso(key["startDateTime"])) if key.get("startDateTime") else starts,
        "type": key.get("type", "AsymmetricX509Cert"),
        "usage": key.get("usage", "Verify"),
    }


def _read_certificate(raw: bytes, now: float) -> tuple[str, str, str]:
    """Subject, start and end of a certificate; a key that is none is refused."""
    from cryptography import x509  # noqa: PLC0415 - only a certificate pays for it

    try:
        certificate = x509.load_der_x509_certificate(raw)
    except ValueError:
        raise errors.bad_request("Key credentials contains invalid values.") from None
    names = [f"{_short(part.oid.dotted_string)}={part.value!s}" for part in reversed(list(certificate.subject))]
    return ", ".join(names), iso(now), iso(certificate.not_valid_after_utc.timestamp())


def _short(oid: str) -> str:
    """Names as Windows writes them in a subject."""
    return {"2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "S", "2.5.4.10": "O", "2.5.4.11": "OU"}.get(
        oid, oid
    )


def _each(defaults: Document) -> Callable[[Any], Any]:
    return lambda values: [defaults | without_annotations(value) for value in values]


def _claims(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    fill = _each({"additionalProperties": [], "essential": False, "name": None, "source": None})
    return {name: fill(value.get(name) or []) for name in ("accessToken", "idToken", "saml2Token")}


def _api(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    changed = without_annotations(value)
    if "oauth2PermissionScopes" in changed:
        changed["oauth2PermissionScopes"] = _each(_SCOPE)(changed["oauth2PermissionScopes"] or [])
    return changed


def _web(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    changed = without_annotations(value)
    if "redirectUris" in changed:
        changed["redirectUriSettings"] = [{"uri": uri, "index": None} for uri in changed["redirectUris"]]
    if "implicitGrantSettings" in changed:
        flows = {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False}
        changed["implicitGrantSettings"] = flows | (changed["implicitGrantSettings"] or {})
    return changed


def _lock(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    names = ("allProperties", "credentialsWithUsageSign", "credentialsWithUsageVerify", "tokenEncryptionKeyId")
    return {"isEnabled": False} | dict.fromkeys(names) | without_annotations(value)


_SCOPE: Document = {
    "adminConsentDescription": None,
    "adminConsentDisplayName": None,
    "id": None,
    "isEnabled": True,
    "type": "User",
    "userConsentDescription": None,
    "userConsentDisplayName": None,
    "value": None,
}
_FILL: dict[str, Callable[[Any], Any]] = {
    "api": _api,
    "appRoles": _each(
        {
            "allowedMemberTypes": [],
            "description": None,
            "displayName": None,
            "id": None,
            "isEnabled": True,
            "origin": "Application",
            "value": None,
        }
    ),
    "optionalClaims": _claims,
    "servicePrincipalLockConfiguration": _lock,
    "web": _web,
}
