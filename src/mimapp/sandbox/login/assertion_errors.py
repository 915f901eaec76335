"""How Entra refuses a client assertion, an application's own or another issuer's.

Codes: "Microsoft Entra authentication and authorization error codes". ``invalid_client`` is shown by the threads named
below; that all of them come with 401 is [unverified].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox.clock import iso
from mimapp.sandbox.login.errors import LoginError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "application_differs",
    "audience_wrong",
    "issuer_key_unusable",
    "key_unknown",
    "key_unusable",
    "malformed",
    "no_record_for_audience",
    "no_record_for_issuer",
    "no_record_for_subject",
    "outside_its_time",
]

_FEDERATION = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"


def malformed(reason: str) -> LoginError:
    """The assertion is no JWT, or lacks what every assertion has."""
    return LoginError(50027, "invalid_client", f"JWT token is invalid or malformed. {reason}", status=401)


def key_unknown(app_id: str, thumbprint: str) -> LoginError:
    """No certificate of the application has this thumbprint; text of 2023 and later: keycloak/keycloak#19425."""
    return LoginError(
        700027,
        "invalid_client",
        "The certificate with identifier used to sign the client assertion is not registered on application. [Reason -"
        f" The key was not found., Thumbprint of key used by client: '{thumbprint}', Please visit the Azure Portal,"
        f" Graph Explorer or directly use MS Graph to see configured keys for app Id '{app_id}'.]",
        status=401,
    )


def key_unusable(thumbprint: str, reason: str, *, starts: str, ends: str) -> LoginError:
    """The certificate is there and does not prove the assertion; the form is that of Azure/azure-sdk-for-net#29007."""
    return LoginError(
        700027,
        "invalid_client",
        f"Client assertion contains an invalid signature. [Reason - {reason}, Thumbprint of key used by client:"
        f" '{thumbprint}', Found key 'Start={starts}, End={ends}']",
        status=401,
    )


def application_differs() -> LoginError:
    """An application's own assertion about another one."""
    return LoginError(
        700021,
        "invalid_client",
        "Client assertion application identifier doesn't match 'client_id' parameter.",
        status=401,
    )


def audience_wrong() -> LoginError:
    """The assertion is meant for somebody else."""
    return LoginError(
        700023, "invalid_client", "Client assertion audience claim does not match Realm issuer.", status=401
    )


def outside_its_time(*, now: float, starts: float, ends: float) -> LoginError:
    """The assertion is not valid yet, or no longer: a clock is wrong."""
    return LoginError(
        700024,
        "invalid_client",
        f"Client assertion is not within its valid time range. Current time: {iso(now)}, assertion valid from"
        f" {iso(starts)}, expiry time of assertion {iso(ends)}.",
        status=401,
    )


def issuer_key_unusable(issuer: str) -> LoginError:
    """The issuer's own keys do not prove its token; the code is that of an application's own key [unverified]."""
    return LoginError(
        700027, "invalid_client", f"Client assertion failed signature validation with the keys of {issuer}.", status=401
    )


def no_record_for_issuer(issuer: str) -> LoginError:
    """No federated credential trusts this issuer: Azure/azure-workload-identity#1200."""
    return _no_record(700211, f"issuer '{issuer}'")


def no_record_for_audience(audience: Iterable[str]) -> LoginError:
    """The issuer is trusted, for other audiences."""
    return _no_record(700212, f"audience '{', '.join(audience)}'")


def no_record_for_subject(subject: str, *, but_for_case: bool) -> LoginError:
    """The issuer is trusted, for other subjects: Azure/login#482, and #517 where only upper and lower case differ."""
    if but_for_case:
        return _no_record(
            7002138,
            f"subject '{subject}'",
            " The subject matches with case-insensitive comparison, but not with case-sensitive comparison.",
        )
    return _no_record(700213, f"subject '{subject}'")


def _no_record(code: int, what: str, more: str = "") -> LoginError:
    return LoginError(
        code,
        "invalid_client",
        f"No matching federated identity record found for presented assertion {what}.{more} Check your federated"
        f" identity credential Subject, Audience and Issuer against the presented assertion. {_FEDERATION}",
        status=401,
    )
