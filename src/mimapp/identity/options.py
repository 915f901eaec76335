"""How an operator wants to sign in to one service, and whether all is there that this way needs.

What is missing is said before anything is sent. What azure-identity's variables add is added here, in one place.
"""

from __future__ import annotations

import sys
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mimapp.errors import UsageError
from mimapp.identity.certificate import Certificate
from mimapp.identity.methods import METHOD_HINTS, Method, missing_platform
from mimapp.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.core.credentials import TokenCredential

__all__ = ["EXCHANGE", "GRAPH", "KEY_VAULT", "SignInOptions", "complete", "person_method", "refuse_secret_id"]

#: The two services, as persons know them.
GRAPH = "Microsoft Graph"
EXCHANGE = "Exchange Online"
#: The store that signs in by itself.
KEY_VAULT = "Azure Key Vault"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInOptions:
    """How to sign in to one service.

    Attributes:
        method: the way; `person_method` says how to ask a person on this machine.
        client_id: the client application; None takes Microsoft's own for a person, AZURE_CLIENT_ID for the rest.
        secret: of `Method.CLIENT_SECRET`; None takes AZURE_CLIENT_SECRET.
        certificate: of `Method.CERTIFICATE`; None takes AZURE_CLIENT_CERTIFICATE_PATH and its password variable.
        user: the sign-in name that a person is expected to have; None takes whoever comes.
        credential: a credential to use as it is; nothing else then matters.
    """

    method: Method = Method.DEVICE_CODE
    client_id: str | None = None
    secret: Secret | None = None
    certificate: Certificate | None = None
    user: str | None = None
    credential: TokenCredential | None = None


def person_method(environ: Mapping[str, str], platform: str = sys.platform) -> Method:
    """How to ask a person here: `Method.BROWSER` on a desktop, `Method.DEVICE_CODE` without one."""
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return Method.DEVICE_CODE
    has_desktop = platform in {"win32", "darwin"} or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
    return Method.BROWSER if has_desktop else Method.DEVICE_CODE


def complete(options: SignInOptions, what: str, environ: Mapping[str, str]) -> SignInOptions:
    """The options with what azure-identity's variables add to them; nothing is sent.

    Args:
        options: what the operator asked for.
        what: the service in words.
        environ: the environment variables.

    Raises:
        UsageError: something is missing that only an option or a variable can give; or the method counts as reaching
            Microsoft Graph only, and the service is another.
    """
    method = options.method
    if options.credential is not None or method.is_person or method is Method.AUTO:
        return options
    if what == EXCHANGE and method.is_graph_only:
        raise UsageError(
            f"{method} counts as reaching Microsoft Graph only: nobody has proven it for Exchange",
            hint=f"--graph-auth {method} --exchange-auth {person_method(environ)}",
        )
    if method is Method.CLIENT_SECRET:
        return replace(
            options, client_id=_client_id(what, options, environ), secret=_client_secret(what, options, environ)
        )
    if method is Method.CERTIFICATE:
        return replace(
            options, client_id=_client_id(what, options, environ), certificate=_certificate(what, options, environ)
        )
    missing = ""
    if method is Method.WORKLOAD_IDENTITY:
        missing = missing_platform(environ, options.client_id)
    elif method is Method.ENVIRONMENT and not _is_environment_set(environ):
        missing = f"sign-in to {what} with environment needs variables that are not all set"
    if missing:
        raise UsageError(missing, hint=METHOD_HINTS[method])
    return options


def refuse_secret_id(secret: Secret) -> None:
    """Refuse what is almost surely the id of a secret, before it is sent.

    Raises:
        UsageError: it has the form of a GUID.
    """
    try:
        uuid.UUID(secret.reveal().strip())
    except ValueError:
        return
    raise UsageError(
        "the client secret has the form of a GUID: this is the secret's id, not its value",
        hint="copy the value that was shown once when the secret was made, or issue a new one: mimapp rotate",
        explain="AADSTS7000215",
    )


def _client_id(what: str, options: SignInOptions, environ: Mapping[str, str]) -> str:
    found = options.client_id or environ.get("AZURE_CLIENT_ID")
    if not found:
        raise UsageError(
            f"sign-in to {what} as an application needs its client id", hint="give --client-id, or set AZURE_CLIENT_ID"
        )
    return found


def _client_secret(what: str, options: SignInOptions, environ: Mapping[str, str]) -> Secret:
    found = options.secret or Secret(environ.get("AZURE_CLIENT_SECRET", ""))
    if not found:
        raise UsageError(
            f"sign-in to {what} with client-secret needs the secret",
            hint="give --client-secret-file FILE, or set AZURE_CLIENT_SECRET",
        )
    refuse_secret_id(found)
    return found


def _certificate(what: str, options: SignInOptions, environ: Mapping[str, str]) -> Certificate:
    found = options.certificate
    if found is None:
        path = environ.get("AZURE_CLIENT_CERTIFICATE_PATH")
        if not path:
            raise UsageError(
                f"sign-in to {what} with certificate needs a certificate with its private key",
                hint="give --certificate FILE (PEM or PFX), or set AZURE_CLIENT_CERTIFICATE_PATH",
            )
        password = environ.get("AZURE_CLIENT_CERTIFICATE_PASSWORD")
        found = Certificate(path=Path(path), password=Secret(password) if password else None)
    found.check()
    return found


def _is_environment_set(environ: Mapping[str, str]) -> bool:
    """Whether one of the sets of variables is whole that azure-identity's ``EnvironmentCredential`` knows."""
    common = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID")
    sets = (
        (*common, "AZURE_CLIENT_SECRET"),
        (*common, "AZURE_CLIENT_CERTIFICATE_PATH"),
        ("AZURE_CLIENT_ID", "AZURE_USERNAME", "AZURE_PASSWORD"),
    )
    return any(all(environ.get(name) for name in names) for names in sets)
