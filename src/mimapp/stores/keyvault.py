"""Azure Key Vault: each secret is a version, its ids and hand-over evidence are the version's tags.

The newest version is what others read by the secret's name; a former one stays until it is forgotten, which disables
it: Key Vault deletes no single version. A name that was deleted softly is recovered where the tags say that it is
mimapp's, and named otherwise.

Everything goes over the run's HTTP client, with the operator's credential; nothing of it is recorded.

https://learn.microsoft.com/rest/api/keyvault/secrets
https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mimapp.errors import StoreError
from mimapp.stores import keyvault_tags as tags
from mimapp.stores.keyvault_client import Conflict, VaultClient

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from mimapp.journal import Evidence
    from mimapp.secret import Secret, StoredSecret
    from mimapp.stores.keyvault_client import Version
    from mimapp.transport import Http

__all__ = ["KeyVaultStore", "parse_secret_url"]

_NAME: Final = re.compile(r"[0-9A-Za-z-]{1,127}")
_TRIES: Final = 12
_ELSEWHERE: Final = "give another name with --secret-to keyvault:https://VAULT/secrets/NAME"


def parse_secret_url(url: str) -> tuple[str, str]:
    """The vault's URL and the secret's name.

    Raises:
        ValueError: it is no URL of a secret.
    """
    parts = urlsplit(url)
    segments = parts.path.strip("/").split("/")
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme != "https" or not parts.hostname or not is_plain:
        raise ValueError("wanted https://VAULT/secrets/NAME")
    if len(segments) != 2 or segments[0] != "secrets" or _NAME.fullmatch(segments[1]) is None:  # noqa: PLR2004 - "secrets" and the name
        raise ValueError("wanted https://VAULT/secrets/NAME, the name of letters, digits and hyphens, no version")
    return f"https://{parts.netloc}", segments[1]


class KeyVaultStore:
    """Keeps secrets as versions of one Key Vault secret.

    Args:
        url: ``https://VAULT/secrets/NAME``.
        credential: signs in to the vault; any credential of azure-identity or one's own.
        http: the client of the run; None makes one of its own.

    Raises:
        ValueError: the URL is not of that form.
    """

    def __init__(self, url: str, *, credential: TokenCredential, http: Http | None = None) -> None:
        vault, self._name = parse_secret_url(url)
        self._url = f"{vault}/secrets/{self._name}"
        self._vault = VaultClient(vault, credential, http)

    @property
    def uri(self) -> str:
        """``keyvault:`` and the secret's URL."""
        return f"keyvault:{self._url}"

    def __repr__(self) -> str:
        return f"KeyVaultStore({self._url!r})"

    def preflight(self) -> None:
        """Read the versions, and the name among what was deleted; the right to write is found out by writing only.

        Raises:
            StoreError: the vault cannot be asked, or the name belongs to something that is not mimapp's.
            UsageError: the extra is not installed.
        """
        versions = self._vault.versions(self._name)
        if not versions:
            self._refuse_foreign_deleted()
        elif not any(tags.is_ours(version.tags) for version in versions):
            raise StoreError(
                f"{self.uri} holds a secret that is not mimapp's", hint=f"it is left as it is: {_ELSEWHERE}"
            )

    def put(self, stored: StoredSecret) -> None:
        """Make a new version; a name that was deleted softly is recovered first."""
        patience = self._vault.http.patience
        for attempt in range(1, _TRIES + 1):
            conflict = self._vault.add(self._name, stored)
            if conflict is None:
                break
            if conflict is Conflict.DELETED:
                self._refuse_foreign_deleted()
                self._vault.recover(self._name)
            pause = patience.pause_before(attempt)
            if attempt == _TRIES or not patience.allows(pause):
                raise StoreError(
                    f"{self.uri}: the name is being deleted or recovered, and did not come back in time",
                    hint="run the same command again in a minute",
                )
            patience.pause(self.uri, "the name is being recovered", pause)
        version = self._find(stored.key_id)
        if version is None or not self._is_kept(version, stored):
            raise StoreError(f"{self.uri} did not keep what was written to it")

    def current(self) -> StoredSecret | None:
        """The newest version that is mimapp's and enabled."""
        ours = [version for version in self._vault.versions(self._name) if _is_live(version)]
        if not ours:
            return None
        newest = max(ours, key=lambda version: (version.created, version.id))
        value = self._vault.value(self._name, newest.id)
        if value is None:
            raise StoreError(f"{self.uri}: this sign-in may not read values", hint=_READ_HINT)
        return tags.stored_secret(newest.tags, value, newest.expires)

    def has(self, key_id: str) -> bool:
        """Whether an enabled version is of this credential."""
        return self._find(key_id) is not None

    def get(self, key_id: str) -> Secret | None:
        """The value of this credential; None also where the sign-in may not read values."""
        version = self._find(key_id)
        return None if version is None else self._vault.value(self._name, version.id)

    def forget(self, key_id: str) -> None:
        """Disable the version of this credential."""
        version = self._find(key_id)
        if version is not None:
            self._vault.disable(self._name, version.id)

    def evidence(self, key_id: str) -> tuple[Evidence, ...]:
        """What the version's tags keep about this credential."""
        version = self._find(key_id)
        return () if version is None else tags.evidence_in(version.tags, key_id)

    def put_evidence(self, evidence: Evidence) -> None:
        """Keep one piece in the version's tags; there is room for ten, and the oldest makes way."""
        version = self._find(evidence.key_id)
        if version is not None:
            self._vault.retag(self._name, version.id, tags.with_evidence(version.tags, evidence))

    def _find(self, key_id: str) -> Version | None:
        versions = self._vault.versions(self._name)
        return next((one for one in versions if _is_live(one) and one.tags[tags.KEY_ID] == key_id), None)

    def _is_kept(self, version: Version, stored: StoredSecret) -> bool:
        value = self._vault.value(self._name, version.id)
        return value is None or value == stored.secret  # None: only the right to write was given

    def _refuse_foreign_deleted(self) -> None:
        deleted = self._vault.deleted_tags(self._name)
        if deleted is not None and not tags.is_ours(deleted):
            raise StoreError(
                f"{self.uri}: a deleted secret that is not mimapp's still holds the name",
                hint=f"purge or recover it yourself, or {_ELSEWHERE}",
            )


_READ_HINT: Final = "give it the role Key Vault Secrets User on the vault, or the access policy's permission get"


def _is_live(version: Version) -> bool:
    return version.enabled and tags.is_ours(version.tags)
