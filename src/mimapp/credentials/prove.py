"""Prove a stored secret by getting a token with it: seen in Graph is not the same as usable.

The proof has three answers. *works*; *wrong*, said only after the replication window, since a new secret is refused
with the same words as a false one; *blocked*: a policy of the tenant refuses this machine, which says nothing about
the MIM server, so the secret is kept.
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

_NOT_YET = frozenset(
    {RefusalKind.WRONG_SECRET, RefusalKind.APP_UNKNOWN, RefusalKind.PRINCIPAL_MISSING, RefusalKind.TEMPORARY}
)


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
        verdict: works, wrong, blocked here, or undecided because the run's time was over first.
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
    """
    tries = 0
    while True:
        tries += 1
        answer = desk.app_sign_in.token(desk.tenant_id, desk.application_id, secret, desk.scope)
        if isinstance(answer, AppToken):
            return Proof(verdict=Verdict.WORKS, roles=tuple(sorted(answer.claims.roles)), tries=tries)
        if answer.kind not in _NOT_YET:
            verdict = Verdict.BLOCKED if answer.kind is RefusalKind.BLOCKED else Verdict.WRONG
            return _refused(verdict, answer, tries)
        if desk.clock.now() >= usable_by and answer.kind is not RefusalKind.TEMPORARY:
            return _refused(Verdict.WRONG, answer, tries)
        pause = desk.patience.pause_before(tries)
        if not desk.patience.allows(pause):
            return _refused(Verdict.UNDECIDED, answer, tries)
        desk.patience.pause("client secret", f"not usable yet (AADSTS{answer.code})", pause)


def _refused(verdict: Verdict, refusal: Refusal, tries: int) -> Proof:
    return Proof(verdict=verdict, reason=refusal.text, code=refusal.code, tries=tries)
