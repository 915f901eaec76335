"""Real replies of Graph pass through the models without loss or error; what the models ignore is listed here.

The recordings (Azure/azure-cli, MIT) lie beside the project, in ``../shared/conformance/recordings``, where it is
developed; elsewhere this test is skipped, and the recorded cassettes of this room stand for it.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mimapp.graph import Application, DirectoryObject, PasswordCredential, ServicePrincipal, User
from mimapp.graph.channel import Page
from mimapp.graph.errors import read_error
from mimapp.graph.wire import decode
from mimapp.secret import Secret
from mimapp.transport import Reply
from support.player import Cassette

RECORDINGS = Path(__file__).parents[3] / "shared" / "conformance" / "recordings"
ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
NOTHING = "nothing"
MODELS: dict[str, Any] = {
    r"GET /applications": Page[Application],
    r"POST /applications": Application,
    rf"GET /applications/{ID}": Application,
    rf"GET /applications/{ID}/owners": Page[DirectoryObject],
    rf"POST /applications/{ID}/addPassword": PasswordCredential,
    r"GET /servicePrincipals": Page[ServicePrincipal],
    r"POST /servicePrincipals": ServicePrincipal,
    rf"GET /servicePrincipals/{ID}": ServicePrincipal,
    r"GET /users/\S+": User,
    rf"(PATCH|DELETE) /\w+/{ID}(/owners/{ID}/\$ref)?": NOTHING,
    rf"DELETE /directory/deletedItems/{ID}": NOTHING,
}
# How many replies of each kind the six recordings have: fewer would mean that the test had missed some.
EXPECTED_COUNTS = {
    "Page": 72,
    "Application": 35,
    "ServicePrincipal": 10,
    "PasswordCredential": 2,
    "User": 1,
    "error": 6,
}

APPLICATION_IGNORED = {
    "addIns",
    "api.acceptMappedClaims",
    "api.knownClientApplications",
    "api.oauth2PermissionScopes",
    "api.preAuthorizedApplications",
    "appRoles",
    "applicationTemplateId",
    "certification",
    "defaultRedirectUri",
    "groupMembershipClaims",
    "info",
    "isDeviceOnlyAuthSupported",
    "keyCredentials.key",
    "nativeAuthenticationApisEnabled",
    "optionalClaims",
    "parentalControlSettings",
    "requestSignatureVerification",
    "samlMetadataUrl",
    "tokenEncryptionKeyId",
    "verifiedPublisher",
    "web.homePageUrl",
    "web.implicitGrantSettings",
    "web.logoutUrl",
    "web.redirectUriSettings",
}
IGNORED: dict[str, set[str]] = {
    "Application": APPLICATION_IGNORED,
    "ServicePrincipal": {
        "addIns",
        "alternativeNames",
        "appDescription",
        "appDisplayName",
        "appRoleAssignmentRequired",
        "applicationTemplateId",
        "createdDateTime",
        "description",
        "disabledByMicrosoftStatus",
        "homepage",
        "info",
        "loginUrl",
        "logoutUrl",
        "notificationEmailAddresses",
        "oauth2PermissionScopes",
        "preferredSingleSignOnMode",
        "preferredTokenSigningKeyThumbprint",
        "replyUrls",
        "resourceSpecificApplicationPermissions",
        "samlSingleSignOnSettings",
        "servicePrincipalNames",
        "signInAudience",
        "tokenEncryptionKeyId",
        "verifiedPublisher",
    },
    "DirectoryObject": {
        "businessPhones",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
    },
    "PasswordCredential": set(),
    "User": {
        "businessPhones",
        "givenName",
        "jobTitle",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
    },
}


def model_of(method: str, path: str) -> Any:
    line = f"{method} {path}"
    return next((model for pattern, model in MODELS.items() if re.fullmatch(pattern, line)), None)


def recorded() -> list[tuple[str, str, Reply]]:
    """Every exchange with Graph: where it stands, what was asked, and the reply."""
    found = []
    for path in sorted(RECORDINGS.glob("*.yaml")):
        for number, one in enumerate(Cassette.load(path).interactions):
            rest = one.url.partition("https://graph.microsoft.com/v1.0")[2].partition("?")[0]
            if rest:
                reply = Reply(status=one.status, headers=one.response_headers, content=one.response_body)
                found.append((f"{path.stem}#{number}", f"{one.method} {rest}", reply))
    return found


def plain(value: Any) -> Any:
    """What the encoder is given for the types that it does not know; a secret is a placeholder in a recording."""
    return value.reveal() if isinstance(value, Secret) else value.isoformat()


def differences(raw: Any, encoded: Any, model: Any, where: str, ignored: set[str]) -> list[str]:
    """Where a re-encoded value differs from the recorded one; names that the model lacks go to `ignored`."""
    if isinstance(raw, list):
        if not isinstance(encoded, list) or len(raw) != len(encoded):
            return [f"{where}: {raw!r} became {encoded!r}"]
        return [
            line
            for one, other in zip(raw, encoded, strict=True)
            for line in differences(one, other, model, where, ignored)
        ]
    if isinstance(raw, dict):
        fields = {field.encode_name: field.type for field in msgspec.structs.fields(model)}
        named = {name for name in raw if not name.startswith("@") or name in fields}
        ignored.update(f"{where}.{name}".lstrip(".") for name in named - fields.keys())
        return [
            line
            for name in sorted(named & fields.keys())
            for line in differences(
                raw[name], encoded.get(name), struct_in(fields[name]), f"{where}.{name}".lstrip("."), ignored
            )
        ]
    if where.endswith("DateTime") and raw is not None and encoded is not None:
        raw = datetime.fromisoformat(raw).astimezone(UTC)
        encoded = datetime.fromisoformat(encoded)
    return [] if raw == encoded else [f"{where}: {raw!r} became {encoded!r}"]


def struct_in(annotation: Any) -> Any:
    """The model that a property's type holds, at any depth; None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return annotation
    return next(filter(None, map(struct_in, getattr(annotation, "__args__", ()))), None)


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings are not beside this checkout")
def test_recorded_replies_pass_through_the_models_without_loss() -> None:
    counts: Counter[str] = Counter()
    ignored: defaultdict[str, set[str]] = defaultdict(set)
    for where, line, reply in recorded():
        if reply.status >= 400:
            error = read_error(reply)
            assert error is not None, where
            raw_error = json.loads(reply.content)["error"]
            assert (error.code, error.message) == (raw_error["code"], raw_error["message"])
            counts["error"] += 1
            continue
        model = model_of(*line.split(" ", 1))
        assert model is not None, f"{where}: no model for {line}"
        if model is NOTHING:
            assert not reply.content.strip(), where
            continue
        decoded = decode(reply, model, where)
        counts[type(decoded).__name__] += 1
        items = list(decoded.value) if isinstance(decoded, Page) else [decoded]
        raw = json.loads(reply.content)
        raws = raw["value"] if isinstance(decoded, Page) else [raw]
        assert len(items) == len(raws)
        for item, one in zip(items, raws, strict=True):
            encoded = json.loads(msgspec.json.encode(item, enc_hook=plain))
            assert differences(one, encoded, type(item), "", ignored[type(item).__name__]) == [], where
    assert dict(counts) == EXPECTED_COUNTS
    assert dict(ignored) == IGNORED


def test_the_comparison_finds_a_loss() -> None:
    ignored: set[str] = set()
    raw = {"id": "1", "appId": "2", "tags": ["a", "b"], "createdDateTime": "2024-09-06T09:31:12.047203Z", "new": 1}
    good = {"id": "1", "appId": "2", "tags": ["a", "b"], "createdDateTime": "2024-09-06T09:31:12.047203+00:00"}
    assert differences(raw, good, Application, "", ignored) == []
    assert ignored == {"new"}
    assert differences(raw, good | {"tags": ["a"]}, Application, "", ignored) != []
    assert differences(raw, good | {"appId": None}, Application, "", ignored) != []
    assert differences(raw, good | {"createdDateTime": "2024-09-06T09:31:12+00:00"}, Application, "", ignored) != []
