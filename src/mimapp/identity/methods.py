"""The ways an operator signs in without being asked, each as a credential over our HTTP client.

azure-identity's credentials, built late. azure-cli and azure-powershell are child processes with a sign-in of their
own: they are the one exception to "everything runs over our client".
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mimapp.errors import MimappError, SignInError, UsageError
from mimapp.identity.adapters import LoginSender
from mimapp.identity.failures import MethodUnavailableError, as_mimapp_error, unanswered, with_clock_advice
from mimapp.transport import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azure.core.credentials import AccessToken, TokenCredential

    from mimapp.clouds import Cloud
    from mimapp.identity.certificate import Certificate
    from mimapp.secret import Secret
    from mimapp.transport import Http, Reply

    Builder = Callable[[LoginSender], TokenCredential]

__all__ = [
    "METHOD_HINTS",
    "Built",
    "Method",
    "MethodCredential",
    "Surroundings",
    "azure_cli",
    "azure_powershell",
    "certificate",
    "client_secret",
    "environment",
    "managed_identity",
    "missing_platform",
    "workload_identity",
]

# https://learn.microsoft.com/entra/workload-id/workload-identity-federation: the audience Entra expects.
_EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
_OK = 200


class Method(StrEnum):
    """How an operator signs in; the values are what ``--auth`` takes."""

    BROWSER = "browser"
    DEVICE_CODE = "device-code"
    AZURE_CLI = "azure-cli"
    AZURE_POWERSHELL = "azure-powershell"
    CLIENT_SECRET = "client-secret"  # noqa: S105 - the name of a method
    CERTIFICATE = "certificate"
    MANAGED_IDENTITY = "managed-identity"
    WORKLOAD_IDENTITY = "workload-identity"
    ENVIRONMENT = "environment"
    AUTO = "auto"

    @property
    def is_person(self) -> bool:
        """Whether mimapp itself asks a person."""
        return self in {Method.BROWSER, Method.DEVICE_CODE}

    @property
    def is_graph_only(self) -> bool:
        """Whether it counts as reaching Microsoft Graph only, until somebody has proven more."""
        return self in {Method.AZURE_CLI, Method.AZURE_POWERSHELL}


#: What to do where a method is not available.
METHOD_HINTS = {
    Method.AZURE_CLI: "install Azure CLI and run: az login --tenant TENANT; or sign in with --auth browser",
    Method.AZURE_POWERSHELL: "install Az.Accounts and run: Connect-AzAccount -Tenant TENANT; or use --auth browser",
    Method.MANAGED_IDENTITY: "assign a managed identity to this machine (Azure only), or use another --auth",
    Method.WORKLOAD_IDENTITY: "see docs/sign-in.md for what Kubernetes, GitHub Actions and Azure DevOps have to set",
    Method.ENVIRONMENT: "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or "
    "AZURE_CLIENT_CERTIFICATE_PATH, or use another --auth",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the credentials of one run have in common.

    Attributes:
        http: the client of the run.
        cloud: where to sign in.
        tenant: the tenant's GUID, or one of its domains.
        environ: the environment variables.
        known: replies to GETs, by URL, that the run has already.
    """

    http: Http
    cloud: Cloud
    tenant: str
    environ: Mapping[str, str]
    known: Mapping[str, Reply] = field(default_factory=dict)


class Built:
    """A credential that is built at its first use, over a sender of its own; serves both services where it may."""

    def __init__(self, around: Surroundings, build: Builder) -> None:
        self.sender = LoginSender(around.http, around.known)
        self._build = build
        self._lock = threading.Lock()
        self._credential: TokenCredential | None = None

    def credential(self) -> TokenCredential:
        """The credential."""
        with self._lock:
            if self._credential is None:
                self._credential = self._build(self.sender)
            return self._credential


class MethodCredential:
    """A credential of one method for one service, its errors told as mimapp's own.

    Args:
        method: which.
        what: the service in words.
        built: the credential behind it.
    """

    def __init__(self, method: Method, what: str, built: Built) -> None:
        self.method = method
        self._what = what
        self._built = built

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,  # noqa: ARG002 - the protocol's; the authority names the tenant
        enable_cae: bool = False,
        **_: object,
    ) -> AccessToken:
        """A token by this method.

        Raises:
            MethodUnavailableError: this method cannot be tried here.
            UsageError: what it needs cannot be used.
            SignInError: it was tried and refused.
            TransportError: no readable answer came.
        """
        from azure.identity import CredentialUnavailableError  # noqa: PLC0415 - late, see the package

        asked: dict[str, Any] = {"claims": claims} if claims else {}
        try:
            return self._built.credential().get_token(*scopes, enable_cae=enable_cae, **asked)
        except CredentialUnavailableError as error:
            text = " ".join(str(error).split())
            raise MethodUnavailableError(
                f"sign-in to {self._what} with {self.method} is not available: {text}",
                hint=METHOD_HINTS.get(self.method),
            ) from error
        except MimappError:
            raise
        except Exception as error:
            found = as_mimapp_error(error, self._what)
            if isinstance(found, SignInError) and found.explain is None:
                found = unanswered(self._built.sender, self._what) or found
            found.client_request_id = found.client_request_id or self._built.sender.refused_id
            skew = self._built.sender.skew
            raise with_clock_advice(found, skew) if isinstance(found, SignInError) and skew else found from error


def _entra_options(around: Surroundings, sender: LoginSender) -> dict[str, Any]:
    from mimapp.identity.azure_adapter import OPTIONS, AzureTransport  # noqa: PLC0415 - imports azure-core

    return {
        **OPTIONS,
        "authority": around.cloud.login,
        # The cloud table is the authority on login hosts; discovery would ask the worldwide cloud's.
        "disable_instance_discovery": True,
        "transport": AzureTransport(sender),
    }


def client_secret(around: Surroundings, client_id: str, secret: Secret) -> Builder:
    """An application with its client secret."""

    def build(sender: LoginSender) -> TokenCredential:
        from azure.identity import ClientSecretCredential  # noqa: PLC0415 - late, see the package

        return ClientSecretCredential(around.tenant, client_id, secret.reveal(), **_entra_options(around, sender))

    return build


def certificate(around: Surroundings, client_id: str, given: Certificate) -> Builder:
    """An application with its certificate."""

    def build(sender: LoginSender) -> TokenCredential:
        from azure.identity import CertificateCredential  # noqa: PLC0415 - late, see the package

        data = given.read()
        password = {"password": given.password.reveal()} if given.password else {}
        try:
            return CertificateCredential(
                around.tenant, client_id, certificate_data=data, **password, **_entra_options(around, sender)
            )
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"the certificate {given.path} cannot be used: {error}",
                hint="a PEM file with certificate and RSA private key, or a PFX file; is its password right",
            ) from error

    return build


def managed_identity(client_id: str | None) -> Builder:
    """The identity that Azure gives to this machine; with a client id, that user-assigned one."""

    def build(sender: LoginSender) -> TokenCredential:
        from azure.identity import ManagedIdentityCredential  # noqa: PLC0415 - late, see the package

        from mimapp.identity.azure_adapter import AzureTransport  # noqa: PLC0415 - imports azure-core

        # Nobody answers: say so at once. An answer of "not ready" is asked again, on the run's clock.
        return ManagedIdentityCredential(client_id=client_id, transport=AzureTransport(sender), retry_connect=0)

    return build


def workload_identity(around: Surroundings, client_id: str | None) -> Builder:
    """An application by a token of the platform that runs this: Kubernetes, GitHub Actions or Azure DevOps."""
    environ = around.environ

    def build(sender: LoginSender) -> TokenCredential:
        if missing := missing_platform(environ, client_id):
            raise MethodUnavailableError(missing, hint=METHOD_HINTS[Method.WORKLOAD_IDENTITY])
        chosen = client_id or _client_id(environ)
        options = _entra_options(around, sender)
        if path := environ.get("AZURE_FEDERATED_TOKEN_FILE"):
            from azure.identity import WorkloadIdentityCredential  # noqa: PLC0415 - late, see the package

            return WorkloadIdentityCredential(
                tenant_id=around.tenant, client_id=chosen, token_file_path=path, **options
            )
        if environ.get("ACTIONS_ID_TOKEN_REQUEST_URL") and environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
            from azure.identity import ClientAssertionCredential  # noqa: PLC0415 - late, see the package

            return ClientAssertionCredential(
                around.tenant, chosen, lambda: _github_token(around.http, environ), **options
            )
        from azure.identity import AzurePipelinesCredential  # noqa: PLC0415 - late, see the package

        return AzurePipelinesCredential(
            tenant_id=around.tenant,
            client_id=chosen,
            service_connection_id=environ["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"],
            system_access_token=environ["SYSTEM_ACCESSTOKEN"],
            **options,
        )

    return build


def missing_platform(environ: Mapping[str, str], client_id: str | None) -> str:
    """Why ``workload-identity`` cannot be tried here, in words; empty where it can."""
    if not (client_id or _client_id(environ)):
        return "workload-identity needs the client id of the application: --client-id or AZURE_CLIENT_ID"
    on_github = environ.get("ACTIONS_ID_TOKEN_REQUEST_URL") and environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if environ.get("AZURE_FEDERATED_TOKEN_FILE") or on_github:
        return ""
    if not environ.get("SYSTEM_OIDCREQUESTURI"):
        return (
            "workload-identity found no platform: none of AZURE_FEDERATED_TOKEN_FILE (Kubernetes), "
            "ACTIONS_ID_TOKEN_REQUEST_URL (GitHub Actions) and SYSTEM_OIDCREQUESTURI (Azure DevOps) is set"
        )
    needed = ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "SYSTEM_ACCESSTOKEN")
    unset = " and ".join(name for name in needed if not environ.get(name))
    return f"workload-identity in Azure DevOps needs {unset}" if unset else ""


def _client_id(environ: Mapping[str, str]) -> str:
    # Azure DevOps hands a service connection's own id over under the second name.
    return environ.get("AZURE_CLIENT_ID") or environ.get("AZURESUBSCRIPTION_CLIENT_ID") or ""


def environment(around: Surroundings) -> Builder:
    """An application by the variables that azure-identity defines."""

    def build(sender: LoginSender) -> TokenCredential:
        from azure.identity import EnvironmentCredential  # noqa: PLC0415 - late, see the package

        return EnvironmentCredential(**_entra_options(around, sender))

    return build


def azure_cli(around: Surroundings) -> Builder:
    """Who is signed in to Azure CLI."""

    def build(_: LoginSender) -> TokenCredential:
        from azure.identity import AzureCliCredential  # noqa: PLC0415 - late, see the package

        return AzureCliCredential(tenant_id=around.tenant, process_timeout=_CHILD_LIMIT)

    return build


def azure_powershell(around: Surroundings) -> Builder:
    """Who is signed in to Azure PowerShell."""

    def build(_: LoginSender) -> TokenCredential:
        from azure.identity import AzurePowerShellCredential  # noqa: PLC0415 - late, see the package

        return AzurePowerShellCredential(tenant_id=around.tenant, process_timeout=_CHILD_LIMIT)

    return build


# Seconds; azure-identity's 10 are too few for a cold PowerShell on a server.
_CHILD_LIMIT = 30


def _github_token(http: Http, environ: Mapping[str, str]) -> str:
    """A token of this GitHub Actions job for Entra.

    https://docs.github.com/actions/reference/security/oidc (requesting the token by its two variables).
    """
    url = environ["ACTIONS_ID_TOKEN_REQUEST_URL"]
    reply = http.send(
        Request(
            method="GET",
            url=f"{url}{'&' if '?' in url else '?'}audience={quote(_EXCHANGE_AUDIENCE, safe='')}",
            headers={"Authorization": f"Bearer {environ['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"},
            what="the job's token at GitHub",
            repeatable=True,
        )
    )
    try:
        body: object = json.loads(reply.content)
    except ValueError:
        body = None
    token = body.get("value") if reply.status == _OK and isinstance(body, dict) else None
    if not isinstance(token, str):
        raise SignInError(
            f"GitHub gave no token for this job (HTTP {reply.status})",
            hint="the job needs the permission id-token: write",
        )
    return token
