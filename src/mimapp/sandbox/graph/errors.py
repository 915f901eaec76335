"""How Graph refuses: codes, words and statuses, and where each was seen.

The body is the recorded one (of 2024: compact, `innerError` with `date`, `request-id` and `client-request-id`); only
the wire knows those ids, so an error is raised without them and stamped on its way out. Bodies of public threads say
`[thread]`; words that no source shows say [unverified].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox.clock import from_epoch
from mimapp.sandbox.errors import WireError, json_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mimapp.sandbox.conditions import TurnedAway
    from mimapp.sandbox.state import Document

__all__ = [
    "GraphError",
    "already_assigned",
    "bad_request",
    "credential_lifetime_refused",
    "credential_type_refused",
    "denied",
    "grant_exists",
    "needs_user",
    "no_backing_application",
    "not_found",
    "not_yet_in_tenant",
    "owner_exists",
    "read_only",
    "reference_refused",
    "segment_unknown",
    "service_principal_exists",
    "service_reference_missing",
    "token_refused",
    "turn_away",
    "unique_name_taken",
    "unsupported_query",
    "value_missing",
]

BAD_REQUEST = "Request_BadRequest"


class GraphError(WireError):
    """A refused Graph request.

    Args:
        status: the HTTP status.
        code: `error.code`, which clients act on.
        message: `error.message`, for people.
        details: `error.details`, left out when empty.
        headers: more headers for the reply.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Sequence[Document] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, content_type="application/json", headers=headers)
        self.code = code
        self.message = message
        self.details = list(details)

    def document(self, *, now: float, request_id: str, client_request_id: str) -> Document:
        """The body as Graph writes it."""
        error: Document = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = self.details
        error["innerError"] = {
            "date": from_epoch(now).strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": client_request_id,
        }
        return {"error": error}

    def stamp(self, *, now: float, request_id: str, client_request_id: str) -> None:
        """Make the body; it stands from then on."""
        self.body = json_bytes(self.document(now=now, request_id=request_id, client_request_id=client_request_id))


def not_found(name: str) -> GraphError:
    """Recorded: an object that is not there, or not there yet."""
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{name}' does not exist or one of its queried reference-property objects are not present.",
    )


def denied() -> GraphError:
    """Recorded: the caller lacks a permission or a directory role."""
    return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


_TOKEN_TEXTS = {
    "missing": "Access token is empty.",
    "malformed": "CompactToken parsing failed with error code: 80049217",
    "signature": "Access token validation failure. Signature is invalid.",
    "expired": "Access token has expired or is not yet valid.",
    "audience": "Access token validation failure. Invalid audience.",
}


def token_refused(reason: str) -> GraphError:
    """A bearer token that is not good here; the texts are widely quoted, the challenge header [unverified]."""
    challenge = 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"'
    return GraphError(401, "InvalidAuthenticationToken", _TOKEN_TEXTS[reason], headers={"WWW-Authenticate": challenge})


def bad_request(message: str, *, details: Sequence[Document] = ()) -> GraphError:
    """A request that makes no sense to the directory."""
    return GraphError(400, BAD_REQUEST, message, details=details)


def segment_unknown(segment: str) -> GraphError:
    """A path that names nothing; widely quoted."""
    return GraphError(400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def needs_user() -> GraphError:
    """`/me` with an app-only token; widely quoted."""
    return GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")


def value_missing(name: str, resource: str) -> GraphError:
    """A required property that was not sent [unverified]."""
    return bad_request(f"A value is required for property '{name}' of resource '{resource}'.")


def read_only(name: str) -> GraphError:
    """A property that only the service sets [unverified]."""
    return bad_request(f"Property '{name}' is read-only and cannot be set.")


def unsupported_query(message: str = "Unsupported Query.") -> GraphError:
    """A query option in a form that the directory, or this simulation of it, does not take."""
    return GraphError(400, "Request_UnsupportedQuery", message)


def unique_name_taken() -> GraphError:
    """[thread] byte5ai/omadia#916: 400 and not 409; a deleted application keeps its name too."""
    return bad_request("Another object with the same value for property uniqueName already exists.")


def no_backing_application(app_id: str) -> GraphError:
    """The words as azure-cli and terraform-provider-azuread match them; `details` [unverified]."""
    message = f"The appId '{app_id}' of the service principal does not reference a valid application object."
    return bad_request(message, details=[{"code": "NoBackingApplicationObject", "message": message, "target": "appId"}])


def not_yet_in_tenant() -> GraphError:
    """An app-only OwnedBy caller before the application has spread; the words, sic, as terraform matches them."""
    return GraphError(
        403,
        "Authorization_RequestDenied",
        "When using this permission, the backing application of the service principal being created must in the local"
        " tenant",
    )


def service_principal_exists(app_id: str) -> GraphError:
    """A second service principal for one application; widely quoted, `details` left out [unverified]."""
    return GraphError(
        409,
        "Request_MultipleObjectsWithSameKeyValue",
        "The service principal cannot be created, updated, or restored because the service principal name"
        f" {app_id} is already in use.",
    )


def reference_refused() -> GraphError:
    """[thread] microsoft-graph-docs-contrib#1407: a role grant whose objects are unknown, or of the wrong kind."""
    return bad_request("Not a valid reference update.")


def already_assigned() -> GraphError:
    """The same role granted twice: ten public callers match the words, the code is [unverified]."""
    return bad_request("Permission being assigned already exists on the object")


def grant_exists() -> GraphError:
    """[thread] terraform-provider-azuread#681: a second delegated grant for the same three."""
    return GraphError(409, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.")


def owner_exists() -> GraphError:
    """The words as azure-cli matches them."""
    return bad_request(
        "One or more added object references already exist for the following modified properties: 'owners'."
    )


def credential_lifetime_refused(policy: str) -> GraphError:
    """[thread] OfficeDev/TeamsFx#10998, whole body."""
    message = f"Credential lifetime exceeds the max value allowed as per assigned policy '{policy}'."
    return GraphError(
        400,
        "CredentialInvalidLifetimeAsPerAppPolicy",
        message,
        details=[{"code": "InvalidKeyEndDate", "message": message, "target": "EndDate"}],
    )


def turn_away(refusal: TurnedAway | None) -> None:
    """Refuse a request that the weather does not let through.

    409 and 503 carry the body of nais/azurerator#448 and Azure/azure-cli#23081 [thread]; the code of 429 is that of
    "Microsoft Graph throttling guidance", where identity's may lack ``Retry-After``; all other words are [unverified].

    Raises:
        GraphError: there is a refusal.
    """
    if refusal is None:
        return
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    code, message = _WEATHER_TEXTS.get(refusal.status, ("UnknownError", "An error occurred."))
    raise GraphError(refusal.status, code, message, headers=headers)


_CONCURRENCY = (
    "Directory_ConcurrencyViolation",
    "Error due to concurrent requests being made to the tenant. Please wait briefly and retry.",
)
_WEATHER_TEXTS = {
    404: ("Request_ResourceNotFound", "Resource does not exist or one of its queried objects are not present."),
    403: ("Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
    409: _CONCURRENCY,
    429: ("TooManyRequests", "Too many requests."),
    500: ("InternalServerError", "Internal server error."),
    503: _CONCURRENCY,
    504: ("UnknownError", "Gateway timeout."),
}


def service_reference_missing() -> GraphError:
    """Code and words as MicrosoftDocs/msteams-docs#13077 quotes them; seen in tenants of Microsoft itself."""
    return GraphError(
        400,
        "ServiceTreeValueMissing",
        "ServiceManagementReference field is required for Create, but is missing in the request. Refer to the TSG "
        "`https://aka.ms/service-management-reference-error` for resolving the error",
    )


def credential_type_refused(policy: str) -> GraphError:
    """The code from OfficeDev/TeamsFx's source; the words [unverified]."""
    return GraphError(
        400,
        "CredentialTypeNotAllowedAsPerAppPolicy",
        f"Credential type not allowed as per assigned policy '{policy}'.",
    )
