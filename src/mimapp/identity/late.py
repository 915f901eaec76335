"""A credential for Azure Key Vault that is made when its first token is asked for: nobody is asked anything before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mimapp.errors import SignInError
from mimapp.identity.failures import as_mimapp_error
from mimapp.identity.options import KEY_VAULT

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import AccessToken, TokenCredential

    from mimapp.identity.operator import OperatorSignIn

__all__ = ["LateVaultCredential"]

_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class LateVaultCredential:
    """The operator's credential for Key Vault.

    Args:
        make: makes the sign-in.
        tenant: the tenant that the operator is in; where it is a GUID, a vault of another tenant gets no token.
    """

    def __init__(self, make: Callable[[], OperatorSignIn], tenant: str) -> None:
        self._make = make
        self._tenant = tenant
        self._made: TokenCredential | None = None

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: object,
    ) -> AccessToken:
        """A token for the vault, as azure-core asks for it.

        Raises:
            MimappError: there is none, or the vault is another tenant's.
        """
        is_known = _GUID.fullmatch(self._tenant) is not None
        if is_known and tenant_id is not None and tenant_id.lower() != self._tenant.lower():
            raise SignInError(
                f"the vault belongs to tenant {tenant_id}, and this command signs in to {self._tenant}",
                hint="name a vault of the tenant",
            )
        if self._made is None:
            self._made = self._make().key_vault()
        wanted = {"claims": claims} if claims else {}
        try:
            return self._made.get_token(*scopes, enable_cae=enable_cae, **wanted)
        except Exception as error:
            raise as_mimapp_error(error, KEY_VAULT) from error
