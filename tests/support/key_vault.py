"""A Key Vault as its documentation has it: challenges, versions, tags, soft deletion, refusals.

https://learn.microsoft.com/rest/api/keyvault/secrets, https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from azure.core.credentials import AccessToken

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.clock import FakeClock

HOST = "mim.vault.azure.net"
TENANT = "11111111-1111-1111-1111-111111111111"
TOKEN = "operator-token"
AUDIENCE = "https://vault.azure.net"
NAME = "mim-mail"
URL = f"https://{HOST}/secrets/{NAME}"


class Operator:
    """A credential that knows what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[str, ...], str | None]] = []

    def get_token(self, *scopes: str, tenant_id: str | None = None, **_: object) -> AccessToken:
        self.asked.append((scopes, tenant_id))
        return AccessToken(TOKEN, 4_000_000_000)


@dataclass
class Vault:
    """The vault, as a callable that answers whom it `knows`; `refuse` says no to the calls that it names."""

    clock: FakeClock
    tenant: str = TENANT
    knows: Callable[[str], bool] = f"Bearer {TOKEN}".__eq__
    secrets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    deleted: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    being_recovered: int = 0
    refuse: dict[str, httpx.Response] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    page: int = 2

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if not self.knows(request.headers.get("authorization", "")):
            assert not request.content, "the secret must not be sent before the vault knows who asks"
            asked = f'Bearer authorization="https://login.microsoftonline.com/{self.tenant}", resource="{AUDIENCE}"'
            return httpx.Response(401, headers={"WWW-Authenticate": asked}, json=_error("Unauthorized", "AKV10000"))
        assert request.url.params["api-version"]
        _, kind, name, *rest = request.url.path.split("/")
        call = " ".join([request.method, kind, *rest[:1]])
        if request.method == "PATCH" or (request.method == "GET" and kind == "secrets" and rest != ["versions"]):
            call = f"{request.method} {kind} VERSION"
        self.seen.append(call)
        self.bodies.append(request.content.decode())
        if call in self.refuse:
            return self.refuse[call]
        return self._answer(call, name, rest, request)

    def delete(self, name: str) -> None:
        self.deleted[name] = self.secrets.pop(name)

    def values(self, name: str = NAME) -> list[str]:
        return [version["value"] for version in self.secrets.get(name, [])]

    def _answer(self, call: str, name: str, rest: list[str], request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else {}
        answers = {
            "GET secrets versions": lambda: self._versions(name, request),
            "PUT secrets": lambda: self._put(name, body),
            "GET secrets VERSION": lambda: self._get(name, rest[0]),
            "PATCH secrets VERSION": lambda: self._patch(name, rest[0], body),
            "GET deletedsecrets": lambda: self._get_deleted(name),
            "POST deletedsecrets recover": lambda: self._recover(name),
        }
        assert call in answers, f"{call} is no call that the store should make"
        return answers[call]()

    def _get(self, name: str, version: str) -> httpx.Response:
        found = self._find(name, version)
        if found is None:
            return httpx.Response(404, json=_error("SecretNotFound", f"A secret with {name} was not found"))
        if not found["attributes"]["enabled"]:
            return httpx.Response(403, json=_error("Forbidden", "disabled", "SecretDisabled"))
        return httpx.Response(200, json=found)

    def _patch(self, name: str, version: str, body: dict[str, Any]) -> httpx.Response:
        found = self._find(name, version)
        assert found is not None
        found["attributes"].update(body.get("attributes") or {})
        found["tags"] = body.get("tags") or found["tags"]
        return httpx.Response(200, json=_without_value(found))

    def _get_deleted(self, name: str) -> httpx.Response:
        if name not in self.deleted:
            return httpx.Response(404, json=_error("SecretNotFound", f"Deleted secret {name} not found"))
        newest = _without_value(self.deleted[name][-1])
        return httpx.Response(200, json={**newest, "recoveryId": f"https://{HOST}/deletedsecrets/{name}"})

    def _recover(self, name: str) -> httpx.Response:
        self.secrets[name] = self.deleted.pop(name)
        return httpx.Response(200, json=_without_value(self.secrets[name][-1]))

    def _put(self, name: str, body: dict[str, Any]) -> httpx.Response:
        if name in self.deleted:
            return httpx.Response(
                409, json=_error("Conflict", f"Secret {name} is deleted", "ObjectIsDeletedButRecoverable")
            )
        if self.being_recovered:
            self.being_recovered -= 1
            return httpx.Response(409, json=_error("Conflict", f"Secret {name} is busy", "ObjectIsBeingRecovered"))
        assert len(body["tags"]) <= 15
        assert all(len(text) <= 256 for text in body["tags"].values())
        made = self.secrets.setdefault(name, [])
        self.clock.sleep(1)
        made.append(
            {
                "value": body["value"],
                "id": f"https://{HOST}/secrets/{name}/{len(made):032x}",
                "contentType": body["contentType"],
                "tags": body["tags"],
                "attributes": {
                    "enabled": True,
                    "exp": body["attributes"]["exp"],
                    "created": int(self.clock.now().timestamp()),
                    "updated": int(self.clock.now().timestamp()),
                    "recoveryLevel": "Recoverable+Purgeable",
                },
            }
        )
        return httpx.Response(200, json=made[-1])

    def _versions(self, name: str, request: httpx.Request) -> httpx.Response:
        """In pages, as the service lists; a name that is not there lists nothing."""
        start = int(request.url.params.get("$skiptoken", "0"))
        found = self.secrets.get(name, [])
        following = start + self.page
        link = f"https://{HOST}/secrets/{name}/versions?api-version=7.6&$skiptoken={following}"
        return httpx.Response(
            200,
            json={
                "value": [_without_value(version) for version in found[start:following]],
                "nextLink": link if following < len(found) else None,
            },
        )

    def _find(self, name: str, version: str) -> dict[str, Any] | None:
        return next((one for one in self.secrets.get(name, []) if one["id"].endswith(f"/{version}")), None)


def _without_value(version: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in version.items() if name != "value"}


def _error(code: str, message: str, inner: str = "") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **({"innererror": {"code": inner}} if inner else {})}}


def refusal(status: int, code: str, message: str = "no", inner: str = "") -> httpx.Response:
    """A refusal as the service writes it."""
    return httpx.Response(status, headers={"x-ms-request-id": "request-7"}, json=_error(code, message, inner))
