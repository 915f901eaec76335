"""How Entra refuses a sign-in: its codes, its words, its statuses.

The body is that of "Microsoft Entra authentication and authorization error codes"; texts are those seen in public
threads, named where they stand. A client must act on ``error`` and on the code, never on the text.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from mimapp.sandbox.asked_refusals import ASKED
from mimapp.sandbox.clock import from_epoch
from mimapp.sandbox.errors import WireError, json_bytes

if TYPE_CHECKING:
    from mimapp.sandbox.conditions import TurnedAway
    from mimapp.sandbox.state import Document
    from mimapp.sandbox.tenants import Tenant

__all__ = [
    "LoginError",
    "application_disabled",
    "application_unknown",
    "asked_for",
    "authorization_pending",
    "blocked_by_policy",
    "client_is_public",
    "consent_missing",
    "device_code_expired",
    "device_code_unknown",
    "invalid_grant_type",
    "not_preauthorized",
    "parameter_missing",
    "redirect_unknown",
    "refresh_token_invalid",
    "resource_unknown",
    "scope_invalid",
    "scopes_of_two_resources",
    "secret_expired",
    "secret_invalid",
    "secret_missing",
    "service_principal_missing",
    "temporarily_unavailable",
    "tenant_unknown",
]


class LoginError(WireError):
    """A refused sign-in.

    Args:
        code: the number behind ``AADSTS``.
        error: the OAuth error that clients act on.
        text: the description, without the AADSTS prefix.
        status: the HTTP status.
        suberror: what the client may do about it, where the body says so.

    Attributes:
        description: ``error_description``; with ids and time once it is stamped.
    """

    def __init__(self, code: int, error: str, text: str, *, status: int = 400, suberror: str | None = None) -> None:
        super().__init__(status, content_type="application/json; charset=utf-8")
        self.code = code
        self.error = error
        self.text = text
        self.suberror = suberror
        self.description = f"AADSTS{code}: {text}"

    def stamp(self, *, now: float, correlation_id: str, origin: str) -> None:
        """Fill in what only the request knows; the body stands from then on."""
        moment = from_epoch(now).strftime("%Y-%m-%d %H:%M:%SZ")
        trace_id = str(uuid.uuid4())
        self.description = (
            f"AADSTS{self.code}: {self.text}\r\nTrace ID: {trace_id}\r\n"
            f"Correlation ID: {correlation_id}\r\nTimestamp: {moment}"
        )
        body: Document = {
            "error": self.error,
            "error_description": self.description,
            "error_codes": [self.code],
            "timestamp": moment,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"{origin}/error?code={self.code}",
        }
        self.body = json_bytes(body if self.suberror is None else body | {"suberror": self.suberror})


def asked_for(code: int) -> LoginError:
    """A refusal that a fault of the weather asks for."""
    known = ASKED[code]
    return LoginError(code, known.error, known.text, status=known.status, suberror=known.suberror)


def secret_invalid(app_id: str) -> LoginError:
    """Body and 401: OfficeDev/microsoft-365-agents-toolkit#8621, Azure/sap-automation#418."""
    return LoginError(
        7000215,
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not"
        f" the client secret ID, for a secret added to app '{app_id}'.",
        status=401,
    )


def secret_expired(app_id: str) -> LoginError:
    """Body and 401: liprec/vsts-release-aas#119."""
    return LoginError(
        7000222,
        "invalid_client",
        f"The provided client secret keys for app '{app_id}' are expired. Visit the Azure portal to create new keys for"
        " your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security:"
        " https://aka.ms/certCreds.",
        status=401,
    )


def secret_missing() -> LoginError:
    """Body: stephaneey/azure-apim-extension#138, which shows 401."""
    return LoginError(
        7000216,
        "invalid_client",
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
        status=401,
    )


def client_is_public() -> LoginError:
    """A public client that sends a secret; code and text as documented, error and status [unverified]."""
    return LoginError(
        700025,
        "invalid_client",
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        status=401,
    )


def application_unknown(app_id: str, tenant: Tenant) -> LoginError:
    """Body and 400: hashicorp/terraform-provider-azurerm#20623."""
    return LoginError(
        700016,
        "unauthorized_client",
        f"Application with identifier '{app_id}' was not found in the directory '{tenant.display_name}'. This can"
        " happen if the application has not been installed by the administrator of the tenant or consented to by any"
        " user in the tenant. You may have sent your authentication request to the wrong tenant.",
    )


def service_principal_missing(app_id: str, tenant: Tenant) -> LoginError:
    """Text and ``invalid_client``: Azure/Commercial-Marketplace-SaaS-Accelerator#830; the 401 [unverified]."""
    return LoginError(
        7000229,
        "invalid_client",
        f"The client application {app_id} is missing service principal in the tenant {tenant.id}. See instructions"
        " here: https://go.microsoft.com/fwlink/?linkid=2225119",
        status=401,
    )


def application_disabled(app_id: str, name: str) -> LoginError:
    """Text and error: Worklytics/psoxy#74; the 400 [unverified]."""
    return LoginError(7000112, "unauthorized_client", f"Application '{app_id}'({name}) is disabled.")


def tenant_unknown(name: str) -> LoginError:
    """Text as the MIM installer shows it, with the sentence that public threads add."""
    return LoginError(
        90002,
        "invalid_request",
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct"
        " cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for"
        " the tenant.",
    )


def resource_unknown(resource: str, tenant: Tenant) -> LoginError:
    """Body: rootinc/laravel-azure-middleware#51; the 400 [unverified]."""
    return LoginError(
        500011,
        "invalid_resource",
        f"The resource principal named {resource} was not found in the tenant named {tenant.display_name}. This can"
        " happen if the application has not been installed by the administrator of the tenant or consented to by any"
        " user in the tenant. You might have sent your authentication request to the wrong tenant.",
    )


def scope_invalid(scope: str, *, client_credentials: bool) -> LoginError:
    """A scope that names no permission, or a client-credentials one that is not ``.default`` [texts unverified]."""
    if client_credentials:
        return LoginError(
            1002012,
            "invalid_scope",
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with"
            " /.default suffixed to the resource identifier (application ID URI).",
        )
    return LoginError(
        70011,
        "invalid_scope",
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter"
        f" 'scope' is not valid. The scope {scope} is not valid.",
    )


def scopes_of_two_resources() -> LoginError:
    """Code and meaning as documented; the text [unverified]."""
    return LoginError(
        700022,
        "invalid_scope",
        "The provided value for the input parameter scope is not valid: more than one resource.",
    )


def blocked_by_policy() -> LoginError:
    """Conditional Access says no; code and meaning as documented, `error` for an app-only sign-in [unverified]."""
    return LoginError(
        53003,
        "invalid_grant",
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    )


def temporarily_unavailable(refusal: TurnedAway) -> LoginError:
    """A fault on the way; code and meaning as documented, statuses as asked for."""
    error = LoginError(
        90033,
        "temporarily_unavailable",
        "A transient error has occurred. Please try again.",
        status=refusal.status,
    )
    if refusal.retry_after is not None:
        error.headers["Retry-After"] = str(refusal.retry_after)
    return error


def parameter_missing(name: str) -> LoginError:
    """A request without a parameter that every request has."""
    return LoginError(900144, "invalid_request", f"The request body must contain the following parameter: '{name}'.")


def redirect_unknown(uri: str, app_id: str) -> LoginError:
    """An address that the application did not register; text as documented."""
    return LoginError(
        50011,
        "invalid_request",
        f"The redirect URI '{uri}' specified in the request does not match the redirect URIs configured for the"
        f" application '{app_id}'.",
    )


def invalid_grant_type(name: str) -> LoginError:
    """A grant that this endpoint does not know."""
    return LoginError(70003, "unsupported_grant_type", f"The app requested an unsupported grant type '{name}'.")


def consent_missing(app_id: str, name: str) -> LoginError:
    """Code and error as documented; ``suberror`` is left out, no source shows it for these grants."""
    return LoginError(
        65001,
        "invalid_grant",
        f"The user or administrator has not consented to use the application with ID '{app_id}' named '{name}'. Send an"
        " interactive authorization request for this user and resource.",
    )


def not_preauthorized(app_id: str, resource_id: str) -> LoginError:
    """A Microsoft client on an API that does not know it; code and meaning as documented, error [unverified]."""
    return LoginError(
        65002,
        "invalid_client",
        f"Consent between first party application '{app_id}' and first party resource '{resource_id}' must be"
        " configured via preauthorization - applications owned and operated by Microsoft must get approval from the API"
        " owner before requesting tokens for that API.",
    )


def authorization_pending() -> LoginError:
    """Nobody has entered the code yet."""
    return LoginError(
        70016,
        "authorization_pending",
        "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
    )


def device_code_expired() -> LoginError:
    """The code was not entered in time."""
    return LoginError(70019, "expired_token", "Verification code expired. Have the user retry the sign-in.")


def device_code_unknown() -> LoginError:
    """A code that was never issued, or was used before; Entra has 90120 for the latter."""
    return LoginError(70000, "invalid_grant", "The provided value for the input parameter 'device_code' is not valid.")


def refresh_token_invalid() -> LoginError:
    """A refresh token that is unknown here or too old; code and meaning as documented, the text [unverified]."""
    return LoginError(
        700082, "invalid_grant", "The refresh token has expired due to inactivity or was never issued here."
    )
