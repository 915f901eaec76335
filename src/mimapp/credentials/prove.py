"""Prove a stored secret by getting a token with it: seen in Graph is not the same as usable.

The proof has three answers. *works*; *wrong*, said only after the replication window, since a new secret is refused
with the same words as a false one; *blocked*: something other than the secret is refused, such as this machine by a
policy of the tenant, which says nothing about the secret or the MIM server, so the secret is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mimapp.identity import AppToken, RefusalKind

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.credentials.desk import Desk
    from mimapp.identity import Refusal
    from mimapp.secret import Secret

__all__ = ["Proof", "Verdict", "prove"]

#: What an application or a secret made moments ago gets until every server knows it.
_NOT_YET = frozenset({RefusalKind.WRONG_SECRET, RefusalKind.APP_UNKNOWN, RefusalKind.PRINCIPAL_MISSING})


class Verdict(StrEnum):
    """What a try to sign in with a secret showed."""

    WORKS = "works"
    WRONG = "wrong"
    BLOCKED = "blocked"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The answer, with what led to it.

    Attributes:
        verdict: works; wrong; blocked, by something other than the secret; or undecided: the run's time was over first,
            or Entra does not know the application.
        roles: the application roles that the token carried.
        reason: what Entra said when it refused; empty when it did not.
        code: the AADSTS code of the refusal, or None.
        tries: how many times a token was asked for.
    """

    verdict: Verdict
    roles: tuple[str, ...] = ()
    reason: str = ""
    code: str | None = None
    tries: int = 1


def prove(desk: Desk, secret: Secret, *, usable_by: datetime) -> Proof:
    """Ask for a token until the answer is final.

    Args:
        desk: the application.
        secret: the value.
        usable_by: until when a refusal may still mean "not replicated yet".

    Raises:
        TransportError: Entra cannot be reached.
        UsageError: the journal cannot be written: Entra's sign-in report does not tell our sign-ins from MIM's.
    """
    desk.journal.note_token(desk.tenant_id, desk.key, desk.clock.now().date())
    tries = 0
    while True:
        tries += 1
        is_final = desk.clock.now() >= usable_by  # as of the question, not of its answer
        answer = desk.app_sign_in.token(desk.tenant_id, desk.application_id, secret, desk.scope)
        if isinstance(answer, AppToken):
            return Proof(verdict=Verdict.WORKS, roles=tuple(sorted(answer.claims.roles)), tries=tries)
        if (verdict := _verdict(answer, is_final=is_final)) is not None:
            return _refused(verdict, answer, tries)
        pause = desk.patience.pause_before(tries)
        if not desk.patience.allows(pause):
            return _refused(Verdict.UNDECIDED, answer, tries)
        desk.patience.pause("client secret", f"not usable yet (AADSTS{answer.code})", pause)


def _verdict(refusal: Refusal, *, is_final: bool) -> Verdict | None:
    """What a refusal proves; None where asking again may help."""
    if refusal.kind is RefusalKind.EXPIRED:
        return Verdict.WRONG
    if refusal.kind is RefusalKind.TEMPORARY:
        return None
    if refusal.kind not in _NOT_YET:
        return Verdict.BLOCKED
    if not is_final:
        return None
    return Verdict.WRONG if refusal.kind is RefusalKind.WRONG_SECRET else Verdict.UNDECIDED


def _refused(verdict: Verdict, refusal: Refusal, tries: int) -> Proof:
    return Proof(verdict=verdict, reason=refusal.text, code=refusal.code, tries=tries)
