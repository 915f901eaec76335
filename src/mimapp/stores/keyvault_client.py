"""Key Vault's secrets, by azure-keyvault-secrets over our HTTP client: the verbs that the store needs.

Imports the library when the first request is made, never before. The library's own retries are off: our client has
its policy for them. What the library asks (its challenge) says the tenant and the resource; that the resource is the
vault's own it checks itself.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mimapp.clock import SystemClock
from mimapp.errors import MimappError, StoreError
from mimapp.identity.adapters import LoginSender
from mimapp.secret import Secret
from mimapp.stores import keyvault_tags
from mimapp.stores.extras import load
from mimapp.transport import Http, Patience, Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from azure.core.credentials import TokenCredential
    from azure.core.exceptions import AzureError, HttpResponseError
    from azure.keyvault.secrets import SecretClient, SecretProperties

    from mimapp.secret import StoredSecret
    from mimapp.transport import Reply

__all__ = ["Conflict", "VaultClient", "Version"]

_CONTENT_TYPE: Final = "text/plain"
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_OFFICER: Final = "give it the role Key Vault Secrets Officer on the vault, or an access policy for secrets"
#: What each inner error code asks for (https://learn.microsoft.com/azure/key-vault/general/rest-error-codes).
_HINTS: Final = {
    "ForbiddenByRbac": _OFFICER,
    "ForbiddenByPolicy": _OFFICER,
    "AccessDenied": _OFFICER,
    "ForbiddenByFirewall": "the vault's firewall keeps this machine out: allow its address, or run elsewhere",
    "ForbiddenByConnection": "the vault takes private connections only: run in its network",
}


class Conflict(Enum):
    """Why a name cannot be written at this moment."""

    DELETED = auto()
    """It was deleted softly and can be recovered."""
    BUSY = auto()
    """It is being deleted or recovered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a secret, without its value."""

    id: str
    tags: Mapping[str, str]
    enabled: bool
    created: datetime
    expires: datetime | None


class VaultClient:
    """One vault.

    Args:
        url: ``https://VAULT``.
        credential: signs in.
        http: the client of the run; None makes one of its own.
    """

    def __init__(self, url: str, credential: TokenCredential, http: Http | None) -> None:
        self._url = url
        self._credential = credential
        self.http = http or Http(Patience(SystemClock()))
        self._made: SecretClient | None = None

    def versions(self, name: str) -> tuple[Version, ...]:
        """Every version of a secret; empty where the name is not there."""
        with self._asking(f"the versions of {name} cannot be read") as asked:
            listed = self._client.list_properties_of_secret_versions(name)
            try:
                return tuple(_version(found) for found in listed)
            except asked.not_found:
                return ()

    def value(self, name: str, version: str) -> Secret | None:
        """A version's value; None where the sign-in may not read values."""
        with self._asking(f"{name} cannot be read") as asked:
            try:
                found = self._client.get_secret(name, version)
            except asked.http_error as error:
                if error.status_code == _FORBIDDEN:
                    return None
                raise
        return Secret(found.value) if found.value else None

    def add(self, name: str, stored: StoredSecret) -> Conflict | None:
        """Make a version; a conflict of the name is returned, every other refusal raised."""
        with self._asking(f"{name} could not be written", hidden=stored.secret) as asked:
            try:
                self._client.set_secret(
                    name,
                    stored.secret.reveal(),
                    content_type=_CONTENT_TYPE,
                    tags=keyvault_tags.of(stored),
                    expires_on=stored.expires,
                )
            except asked.http_error as error:
                if error.status_code != _CONFLICT:
                    raise
                inner = _codes(error)
                return Conflict.DELETED if "ObjectIsDeletedButRecoverable" in inner else Conflict.BUSY
        return None

    def disable(self, name: str, version: str) -> None:
        """Make a version unreadable."""
        with self._asking(f"{name} could not be disabled"):
            self._client.update_secret_properties(name, version, enabled=False)

    def retag(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Replace a version's tags."""
        with self._asking(f"the tags of {name} could not be written"):
            self._client.update_secret_properties(name, version, tags=dict(tags))

    def deleted_tags(self, name: str) -> Mapping[str, str] | None:
        """The tags of a name that was deleted softly; None where there is none, or the sign-in may not see it."""
        with self._asking(f"deleted secrets called {name} cannot be read") as asked:
            try:
                found = self._client.get_deleted_secret(name)
            except asked.http_error as error:
                if error.status_code in {_FORBIDDEN, _NOT_FOUND}:
                    return None
                raise
        return found.properties.tags or {}

    def recover(self, name: str) -> None:
        """Ask for a deleted name to come back; whoever writes next finds out when it has."""
        with self._asking(f"the deleted {name} could not be recovered") as asked:
            try:
                self._client.begin_recover_deleted_secret(name)
            except asked.http_error as error:
                if error.status_code not in {_NOT_FOUND, _CONFLICT}:  # it is back already, or on its way
                    raise

    @property
    def _client(self) -> SecretClient:
        if self._made is None:
            load("azure.keyvault.secrets", extra="keyvault", store="keyvault:")
            from azure.keyvault.secrets import SecretClient  # noqa: PLC0415 - the extra is there

            from mimapp.identity.azure_adapter import AzureTransport  # noqa: PLC0415 - brings azure-core

            self._made = SecretClient(
                self._url, self._credential, transport=AzureTransport(_VaultSender(self.http)), retry_total=0
            )
        return self._made

    @contextlib.contextmanager
    def _asking(self, what: str, *, hidden: Secret | None = None) -> Iterator[_Asked]:
        """Tell the library's errors as ours."""
        load("azure.keyvault.secrets", extra="keyvault", store="keyvault:")
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - the extra is there

        try:
            yield _Asked()
        except AzureError as error:
            raise _told(f"keyvault:{self._url}: {what}", error, hidden) from None
        except StoreError:
            raise
        except MimappError as error:
            # The sign-in's own words, in the tree where a store's caller looks for them.
            raise StoreError(
                f"keyvault:{self._url}: {what}: {error.message}",
                hint=error.hint,
                details=error.details,
                explain=error.explain,
            ) from error


class _Asked:
    """The library's own errors, which this module may name only once it is loaded."""

    def __init__(self) -> None:
        from azure.core.exceptions import HttpResponseError, ResourceNotFoundError  # noqa: PLC0415 - see above

        self.http_error = HttpResponseError
        self.not_found = ResourceNotFoundError


class _VaultSender(LoginSender):
    """Sends what the library asks for; each of its requests may be sent again.

    A version that was made twice by a lost reply holds the same secret under the same key id, and harms nobody.
    """

    def send(self, method: str, url: str, headers: Mapping[str, str], content: bytes) -> Reply:
        """Send a request.

        Raises:
            TransportError: as `Http.send`.
        """
        host = urlsplit(url).hostname or ""
        kept = {name: value for name, value in headers.items() if name.lower() not in {"user-agent", "host"}}
        return self.http.send(
            Request(method=method, url=url, headers=kept, content=content, what=f"Key Vault {host}", repeatable=True)
        )


def _version(found: SecretProperties) -> Version:
    return Version(
        id=found.version or "",
        tags=found.tags or {},
        enabled=found.enabled is not False,
        created=found.created_on or datetime.min.replace(tzinfo=UTC),
        expires=found.expires_on,
    )


def _told(what: str, error: AzureError, hidden: Secret | None) -> StoreError:
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415 - the caller has loaded it
    from azure.core.rest import HttpResponse  # noqa: PLC0415 - as above

    codes: tuple[str, ...] = ()
    request_id = ""
    status = ""
    if isinstance(error, HttpResponseError):
        codes = _codes(error)
        status = f"HTTP {error.status_code} " if error.status_code else ""
        if isinstance(error.response, HttpResponse):
            request_id = error.response.headers.get("x-ms-request-id", "")
    said = " ".join((error.message or type(error).__name__).split())
    if hidden:
        said = said.replace(hidden.reveal(), "***")
    words = f"{status}{'/'.join(codes)}".strip()
    hint = next((_HINTS[code] for code in codes if code in _HINTS), None)
    return StoreError(
        f"{what}: {f'{words}: ' if words else ''}{said[:400]}",
        hint=hint or "look at the vault, the network and the sign-in, then run the same command again",
        details=[f"request id {request_id}"] if request_id else [],
    )


def _codes(error: HttpResponseError) -> tuple[str, ...]:
    """The service's code and its inner codes, the outer one first."""
    if error.error is None:
        return ()
    found = [error.error.code or ""]
    inner: object = error.error.innererror
    while isinstance(inner, dict):
        code: object = inner.get("code")
        found.append(code if isinstance(code, str) else "")
        inner = inner.get("innererror")
    return tuple(dict.fromkeys(code for code in found if code))
