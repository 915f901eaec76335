"""The rows about the secret and its token: does it sign in, what does the token say, when does the secret end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.checks.verify_row import Verdict, VerifyRow
from mimapp.graph import EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP
from mimapp.identity import AppToken, RefusalKind

if TYPE_CHECKING:
    from mimapp.checks.verify_read import Seen
    from mimapp.credentials.stored import Held
    from mimapp.identity import Refusal
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration

__all__ = ["claims_row", "expiry_row", "token_row"]

_SOON = timedelta(days=30)
_SCOPE_SUFFIX = "/.default"


def token_row(services: Services, wanted: Registration, held: Held, answer: AppToken | Refusal) -> VerifyRow:
    """Whether the secret signs in."""
    asked = f"a token for {services.cloud.exchange_scope}, with the secret from {held.source}"
    if isinstance(answer, AppToken):
        return VerifyRow(
            name="token", asked=asked, came="a token", verdict=Verdict.HOLDS, meaning="the secret signs in"
        )
    is_new = answer.may_be_too_early and held.usable_by is not None and services.clock.now() < held.usable_by
    is_early = is_new or answer.kind is RefusalKind.TEMPORARY
    meaning = "the secret is new, and not every server of Entra's has it" if is_new else _MEANS[answer.kind]
    final = answer.hint or f"mimapp secret list --mailbox {wanted.mailbox} shows what the application has"
    if answer.kind is RefusalKind.BLOCKED:
        final = "run the script of mimapp verify --print-probe on the MIM server, which the policy may let in"
    return VerifyRow(
        name="token",
        asked=asked,
        came=f"AADSTS{answer.code}: {answer.text}" if answer.code else answer.text,
        verdict=Verdict.NOT_YET if is_early else Verdict.BROKEN,
        meaning=meaning,
        todo="run the same command again in a few minutes" if is_early else final,
        until=held.usable_by if is_new else None,
    )


_MEANS = {
    RefusalKind.WRONG_SECRET: "Entra does not know this secret: it was revoked, or it is another application's",
    RefusalKind.EXPIRED: "the secret was right, and its time is over",
    RefusalKind.APP_UNKNOWN: "the tenant does not know the application",
    RefusalKind.PRINCIPAL_MISSING: "the application has no service principal in this tenant",
    RefusalKind.BLOCKED: "a policy of the tenant refuses this machine, which says nothing about the secret",
    RefusalKind.DISABLED: "the application is locked: mimapp lockdown --release lets it in again",
    RefusalKind.TENANT_UNKNOWN: "this cloud has no such tenant",
    RefusalKind.TEMPORARY: "Entra asks to come back later",
    RefusalKind.OTHER: "Entra refuses the sign-in",
}


def claims_row(services: Services, wanted: Registration, seen: Seen, token: AppToken) -> VerifyRow:
    """Whether the token is for Exchange, of this tenant, and carries the right that the tenant says it has."""
    claims = token.claims
    row = VerifyRow(
        name="claims",
        asked="what the token says: audience, tenant, roles",
        came=f"audience {claims.aud}, tenant {claims.tid}, roles {', '.join(sorted(claims.roles)) or 'none'}",
        verdict=Verdict.HOLDS,
    )
    audience = services.cloud.exchange_scope.removesuffix(_SCOPE_SUFFIX).rstrip("/")
    # Version 2 tokens name their audience by the resource's client id.
    if claims.aud.rstrip("/").lower() not in {audience.lower(), EXCHANGE_ONLINE_APP_ID}:
        return replace(
            row,
            verdict=Verdict.BROKEN,
            meaning=f"the token is not for {audience}",
            todo="compare --cloud and --exchange-scope with the tenant",
        )
    if claims.tid != services.tenant_id.lower():
        return replace(row, verdict=Verdict.BROKEN, meaning="the token is another tenant's", todo="check --tenant")
    return _roles(row, claims.roles, services, wanted, seen)


def _roles(row: VerifyRow, roles: frozenset[str], services: Services, wanted: Registration, seen: Seen) -> VerifyRow:
    further = sorted(roles - {FULL_ACCESS_AS_APP})
    if FULL_ACCESS_AS_APP in roles:
        if further:
            return replace(
                row,
                verdict=Verdict.WARNING,
                meaning=f"the application may do more than MIM needs: {', '.join(further)}",
                todo="take away in Entra what nothing else needs",
            )
        meaning = "Entra's grant is in the token"
        return replace(row, meaning=f"{meaning}; a role in Exchange adds to it" if seen.roles else meaning)
    if seen.roles:
        return replace(row, meaning="no grant of Entra's: the role in Exchange is the right, and no token shows it")
    until = seen.windows.consent
    if seen.grants and until is not None and services.clock.now() < until:
        return replace(
            row,
            verdict=Verdict.NOT_YET,
            meaning=f"{FULL_ACCESS_AS_APP} was granted a short time ago, and is in no token yet",
            todo="run the same command again in a few minutes",
            until=until,
        )
    return replace(
        row,
        verdict=Verdict.BROKEN,
        meaning=f"{FULL_ACCESS_AS_APP} is not in the token",
        todo=f"mimapp register --mailbox {wanted.mailbox}, or mimapp consent where another administrator consents",
    )


def expiry_row(services: Services, wanted: Registration, held: Held) -> VerifyRow:
    """How long the secret still lives."""
    asked = f"when the secret from {held.source} ends"
    if held.expires is None:
        return VerifyRow(
            name="expiry",
            asked=asked,
            came="not known",
            verdict=Verdict.NOT_PROBED,
            meaning="a secret that was given from outside does not say when it ends",
        )
    left = held.expires - services.clock.now()
    came = f"{held.expires:%Y-%m-%d}, in {left.days} days"
    todo = f"mimapp rotate --mailbox {wanted.mailbox}"
    if left <= timedelta(0):
        return VerifyRow(
            name="expiry",
            asked=asked,
            came=f"{held.expires:%Y-%m-%d}",
            verdict=Verdict.BROKEN,
            meaning="its time is over",
            todo=todo,
        )
    if left < _SOON:
        return VerifyRow(
            name="expiry", asked=asked, came=came, verdict=Verdict.WARNING, meaning="it ends soon", todo=todo
        )
    return VerifyRow(name="expiry", asked=asked, came=came, verdict=Verdict.HOLDS)
