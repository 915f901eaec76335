"""The proof of a migration: a fresh token without the grant opens the mailbox, and opens no other.

Three witnesses: the token's roles, Exchange's test cmdlet inside and outside, and EWS itself. EWS is asked about the
registration's own mailbox, and about one outside only where somebody named it: the cmdlet may ask about a picked one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.errors import ServiceError, UnsafePlanError
from mimapp.exchange import EWS_ROLE, EwsKind, EwsProbe
from mimapp.graph import FULL_ACCESS_AS_APP
from mimapp.identity import AppToken, AsApplication, RefusalKind
from mimapp.provisioning.rbac_view import read_roles

if TYPE_CHECKING:
    from mimapp.credentials.stored import Held
    from mimapp.exchange import EwsAnswer
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration

__all__ = ["Shown", "open_mailbox", "prove_without_grant", "sign_in"]

#: For how long a refusal inside is asked again. The role stands for two hours by then, the longest that Microsoft
#: names; what this bridges is one server that is behind. While it lasts MIM Service may be refused: it is short.
_ASKED_AGAIN = timedelta(minutes=2)
_EVERY = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One thing that a run has shown.

    Attributes:
        asked: what was asked.
        came: what came back.
        holds: whether it is as it should be; None where it was not asked, or says nothing.
    """

    asked: str
    came: str
    holds: bool | None


def sign_in(services: Services, wanted: Registration, app_id: str, held: Held, *, without_grant: bool) -> AppToken:
    """A token that Entra issues at this moment.

    Args:
        services: the rooms below.
        wanted: the registration.
        app_id: the client id.
        held: its secret.
        without_grant: wait until full_access_as_app is no longer in it.

    Raises:
        UnsafePlanError: Entra does not take the secret, so nothing can be shown.
        DeadlineError: the grant was still in it when the time of the run was over.
        TransportError: Entra cannot be reached.
    """
    # Entra's sign-in report does not tell our sign-ins from MIM's.
    services.journal.note_token(services.tenant_id, wanted.key, services.clock.now().date())

    def ask() -> AppToken | None:
        answer = services.app_sign_in.token(services.tenant_id, app_id, held.value, services.cloud.exchange_scope)
        if isinstance(answer, AppToken):
            return None if without_grant and FULL_ACCESS_AS_APP in answer.claims.roles else answer
        if answer.kind is RefusalKind.TEMPORARY:
            return None
        raise UnsafePlanError(
            f"the secret from {held.source} does not sign in, so nothing can be proven: {answer.text}",
            hint=answer.hint or f"mimapp verify --mailbox {wanted.mailbox} says why",
        )

    reason = f"{FULL_ACCESS_AS_APP} is still in it" if without_grant else "Entra asks to come back later"
    return services.http.patience.until("token", reason, ask)


def open_mailbox(services: Services, wanted: Registration, token: AppToken) -> EwsAnswer:
    """What EWS answers for the registration's mailbox; a refusal is asked again for two minutes.

    Raises:
        DeadlineError: EWS asked to come back until the time of the run was over.
        TransportError: EWS cannot be reached.
    """
    probe = _probe(services, token)
    begun = services.clock.now()

    def ask() -> EwsAnswer | None:
        answer = probe.get_inbox(wanted.mailbox)
        is_final = answer.kind is not EwsKind.BUSY and not answer.is_denial
        return answer if is_final or services.clock.now() >= begun + _ASKED_AGAIN else None

    return services.http.patience.until(f"EWS for {wanted.mailbox}", "refused, or busy", ask, every=_EVERY)


def prove_without_grant(
    services: Services,
    wanted: Registration,
    app_id: str,
    held: Held,
    *,
    picked: str | None,
    named: str | None,
) -> tuple[Shown, ...]:
    """Prove that the role alone opens the mailbox and nothing else.

    Args:
        services: the rooms below.
        wanted: the registration.
        app_id: the client id.
        held: its secret.
        picked: the mailbox outside that the test cmdlet is asked about; None where there is none.
        named: the mailbox outside that EWS is asked about; None: it is asked about none.

    Raises:
        UnsafePlanError: the test, or EWS, reaches a mailbox outside; or the secret does not sign in.
        ServiceError: EWS refuses the mailbox.
        DeadlineError: no answer that decides came in the time of the run.
        TransportError: a service cannot be reached.
    """
    token = sign_in(services, wanted, app_id, held, without_grant=True)
    roles = ", ".join(sorted(token.claims.roles)) or "none"
    shown = [Shown(asked="a fresh token", came=f"roles: {roles}", holds=True)]
    view = read_roles(services.exchange, wanted, app_id, outside=picked)
    if not view.stands:
        raise UnsafePlanError(
            f"Exchange's test no longer has {wanted.mailbox}, and only that, in the scope of {EWS_ROLE}",
            hint=f"mimapp scope show --mailbox {wanted.mailbox} says what stands",
        )
    shown.append(
        Shown(
            asked="Test-ServicePrincipalAuthorization",
            came=f"in scope: {wanted.mailbox}; out of scope: {picked or 'nobody else to ask about'}",
            holds=True,
        )
    )
    answer = open_mailbox(services, wanted, token)
    if answer.kind is not EwsKind.SUCCESS:
        raise ServiceError(
            f"EWS does not open {wanted.mailbox} by the role alone: {_words(answer)}",
            service="ews",
            status=answer.status,
            code=answer.response_code,
            request_id=answer.request_id,
            client_request_id=answer.client_request_id,
            hint=f"mimapp scope show --mailbox {wanted.mailbox} says what stands; the next run tries again",
        )
    shown.append(Shown(asked=f"EWS, inbox of {wanted.mailbox}", came="opened", holds=True))
    shown.append(_outside(services, token, named))
    return tuple(shown)


def _outside(services: Services, token: AppToken, named: str | None) -> Shown:
    """What EWS does with a mailbox that somebody named.

    Raises:
        UnsafePlanError: it opens.
    """
    if named is None:
        return Shown(asked="EWS, a mailbox outside", came="not probed: no address was named", holds=None)
    answer = _probe(services, token).get_inbox(named)
    if answer.kind is EwsKind.SUCCESS:
        raise UnsafePlanError(
            f"the application is NOT restricted: by the role alone EWS opens {named}",
            hint="mimapp lockdown stops the application at once; then look at its role assignments",
        )
    asked = f"EWS, inbox of {named}"
    if answer.is_denial:
        return Shown(asked=asked, came=f"refused: {_words(answer)}", holds=True)
    return Shown(asked=asked, came=f"not probed: {_words(answer)} says nothing about the role", holds=None)


def _probe(services: Services, token: AppToken) -> EwsProbe:
    return EwsProbe(AsApplication(services.http, token.token), services.cloud.exchange)


def _words(answer: EwsAnswer) -> str:
    """An answer in one line."""
    return answer.policy_reason or answer.response_code or answer.diagnostics or f"HTTP {answer.status}"
