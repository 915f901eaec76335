"""Sign-in refusals that a fault of the weather asks for by their code: ``POST */oauth2/v2.0/token AADSTS50076``.

Only the words stand here, so that the weather can tell a known code from a mistyped one without loading sign-in. Codes
and meanings: "Microsoft Entra authentication and authorization error codes". The values of ``error`` and the statuses
are those of public threads where one is named, else [unverified]; most of the codes also come about by themselves, and
then with the words of `mimapp.sandbox.login.errors`.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ASKED", "Refusal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How Entra words one code.

    Attributes:
        error: the OAuth error that clients act on.
        text: the description without its prefix.
        status: the HTTP status.
        suberror: what the client may do about it, None where the body does not say.
    """

    error: str
    text: str
    status: int = 400
    suberror: str | None = None


ASKED: dict[int, Refusal] = {
    # auth0/passport-azure-ad-oauth2#33, microsoft-authentication-library-for-objc#1391 (suberror)
    50076: Refusal(
        error="interaction_required",
        text="Due to a configuration change made by your administrator, or because you moved to a new location, you"
        " must use multi-factor authentication to access the resource.",
        suberror="basic_action",
    ),
    50079: Refusal(
        error="interaction_required",
        text="Due to a configuration change made by your administrator, or because you moved to a new location, you"
        " must enroll in multi-factor authentication to access the resource.",
        suberror="basic_action",
    ),
    53000: Refusal(error="interaction_required", text="Device is not in required device state."),
    53003: Refusal(
        error="invalid_grant",
        text="Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    ),
    65001: Refusal(
        error="invalid_grant",
        text="The user or administrator has not consented to use the application. Send an interactive authorization"
        " request for this user and resource.",
    ),
    65002: Refusal(
        error="invalid_client",
        text="Consent between first party application and first party resource must be configured via"
        " preauthorization - applications owned and operated by Microsoft must get approval from the API owner before"
        " requesting tokens for that API.",
    ),
    65004: Refusal(error="access_denied", text="User declined to consent to access the app."),
    90002: Refusal(error="invalid_request", text="Tenant not found. Check to make sure you have the right one."),
    90094: Refusal(error="access_denied", text="An administrator of the tenant must consent to the application."),
    700016: Refusal(error="unauthorized_client", text="Application was not found in the directory."),
    700024: Refusal(error="invalid_client", text="Client assertion is not within its valid time range.", status=401),
    700027: Refusal(error="invalid_client", text="Client assertion failed signature validation.", status=401),
    700082: Refusal(error="invalid_grant", text="The refresh token has expired due to inactivity."),
    # webprofusion/certify#553 (body and 400)
    900382: Refusal(error="invalid_request", text="Confidential Client is not supported in Cross Cloud request."),
    7000112: Refusal(error="unauthorized_client", text="The application is disabled."),
    7000215: Refusal(error="invalid_client", text="Invalid client secret provided.", status=401),
    7000222: Refusal(error="invalid_client", text="The provided client secret keys are expired.", status=401),
    7000229: Refusal(
        error="invalid_client", text="The client application is missing service principal in the tenant.", status=401
    ),
}
"""The codes that a fault may ask for."""
