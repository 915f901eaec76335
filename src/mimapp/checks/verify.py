"""MIM Service for a moment: sign in with its secret, open its mailbox, be refused elsewhere. The tenant is not changed.

With ``send`` one mail goes from the mailbox to itself, and is deleted again. A mailbox outside is asked for only where
somebody named its address: never a picked person's.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mimapp.checks.verify_ews import inside_row, outside_row
from mimapp.checks.verify_read import observe_mail
from mimapp.checks.verify_row import Verdict, Verification, VerifyRow, nobody_named
from mimapp.checks.verify_token import claims_row, expiry_row, token_row
from mimapp.credentials.stored import Held, stored_secret
from mimapp.errors import DeadlineError, ReplyLostError, UsageError
from mimapp.exchange import EwsKind, EwsProbe
from mimapp.identity import AppToken, AsApplication
from mimapp.provisioning.scope_proof import Proof, forget_proof, note_proof, proof_of

if TYPE_CHECKING:
    from mimapp.checks.verify_read import Seen
    from mimapp.exchange import EwsAnswer
    from mimapp.identity import Refusal
    from mimapp.provisioning.services import Services
    from mimapp.secret import Secret
    from mimapp.spec import Registration

__all__ = ["verify"]

_EVERY = 5.0


def verify(
    services: Services,
    wanted: Registration,
    *,
    secret: Secret | None = None,
    outside: str | None = None,
    send: bool = False,
) -> Verification:
    """Ask, as MIM Service, for a token and for the mailbox, and say what each answer means.

    Args:
        services: the rooms below.
        wanted: the registration; its stores are where the secret is looked for.
        secret: the client secret to try; None: the stored one.
        outside: the address of a mailbox that the application must not reach; None: that is not probed.
        send: send a mail from the mailbox to itself, find it, delete it.

    Raises:
        UsageError: there is no application, or `outside` is the registration's own mailbox.
        StoreError: there is no secret to try.
        ServiceError, TransportError, SignInError: Graph could not be read, or a service cannot be reached.
    """
    if outside is not None and outside.lower() == wanted.mailbox.lower():
        raise UsageError(
            f"outside: {outside} is the registration's own mailbox",
            hint="name a mailbox that the application must not reach",
        )
    seen = observe_mail(services, wanted)
    application = seen.application
    desk = services.desk(wanted, application.app_id, application.id)
    held = stored_secret(desk, application) if secret is None else Held(value=secret, source="stdin")
    return _Verifying(services=services, wanted=wanted, seen=seen, outside=outside, send=send).run(held)


@dataclass(slots=True, kw_only=True)
class _Verifying:
    """One verification while it is under way; `rows` are in the order in which they were asked."""

    services: Services
    wanted: Registration
    seen: Seen
    outside: str | None
    send: bool
    rows: list[VerifyRow] = field(default_factory=list)

    def run(self, held: Held) -> Verification:
        """Ask everything."""
        services, wanted = self.services, self.wanted
        answer = self._sign_in(held)
        self.rows.append(token_row(services, wanted, held, answer))
        if isinstance(answer, AppToken):
            self.rows.append(claims_row(services, wanted, self.seen, answer))
            self._mail(EwsProbe(AsApplication(services.http, answer.token), services.cloud.exchange))
        else:
            self.rows.append(_not_asked("inbox", self._inbox_of(wanted.mailbox)))
        self.rows.append(expiry_row(services, wanted, held))
        self.rows.append(self._ews())
        return Verification(
            tenant_id=services.tenant_id,
            registration=wanted.key,
            mailbox=wanted.mailbox,
            application_id=self.seen.application.app_id,
            rows=tuple(self.rows),
            proof=proof_of(services.journal.state(services.tenant_id, wanted.key)),
            ews_ends=services.cloud.ews_ends,
            sandbox=services.sandbox,
        )

    def _sign_in(self, held: Held) -> AppToken | Refusal:
        services = self.services
        # Entra's sign-in report does not tell our sign-ins from MIM's.
        services.journal.note_token(services.tenant_id, self.wanted.key, services.clock.now().date())
        app_id, scope = self.seen.application.app_id, services.cloud.exchange_scope
        return services.app_sign_in.token(services.tenant_id, app_id, held.value, scope)

    def _mail(self, probe: EwsProbe) -> None:
        """The rows about mailboxes: the own one, a mail to itself, the one outside."""
        mailbox = self.wanted.mailbox
        answer = probe.get_inbox(mailbox)
        opened = answer.kind is EwsKind.SUCCESS
        self.rows.append(self._inside("inbox", self._inbox_of(mailbox), answer))
        if self.send:
            asked = "a mail from the mailbox to itself"
            self.rows.append(self._sent(probe, asked) if opened else _not_asked("send", asked))
        self.rows.append(self._probe_outside(probe, inside_opened=opened))

    def _inside(self, name: str, asked: str, answer: EwsAnswer) -> VerifyRow:
        return inside_row(name, asked, answer, self.seen.situation(self.services, self.wanted))

    def _sent(self, probe: EwsProbe, asked: str) -> VerifyRow:
        """Send, find, delete: each refusal is the row's; a lost reply is looked for like one that came."""
        mailbox, patience = self.wanted.mailbox, self.services.http.patience
        subject = f"mimapp verify {secrets.token_hex(8)}"
        text = "Sent by mimapp to see that mail works; it is deleted once it is found."
        try:
            answer = probe.send_to_self(mailbox, subject, text)
        except ReplyLostError:
            answer = None
        if answer is not None and answer.kind is not EwsKind.SUCCESS:
            return self._inside("send", asked, answer)

        def find() -> EwsAnswer | None:
            found = probe.find(mailbox, subject)
            return found if found.items or found.kind is not EwsKind.SUCCESS else None

        try:
            found = patience.until("mail to itself", "sent, not in the inbox yet", find, every=_EVERY)
        except DeadlineError as error:
            return VerifyRow(
                name="send",
                asked=asked,
                came="sent, and not in the inbox",
                verdict=Verdict.NOT_YET,
                meaning=error.message,
                todo=f"look for a mail with the subject “{subject}”: a transport rule or a quarantine may have it",
            )
        if found.kind is not EwsKind.SUCCESS:
            return self._inside("send", asked, found)
        gone = probe.delete(mailbox, found.items)
        is_gone = gone.kind is EwsKind.SUCCESS
        return VerifyRow(
            name="send",
            asked=asked,
            came="it arrived",
            verdict=Verdict.HOLDS if is_gone else Verdict.WARNING,
            meaning="sent, found and deleted" if is_gone else f"sent and found; {gone.response_code or gone.status}",
            todo="" if is_gone else f"delete the mail with the subject “{subject}”",
        )

    def _probe_outside(self, probe: EwsProbe, *, inside_opened: bool) -> VerifyRow:
        """A mailbox outside, where somebody named one; what EWS does is kept as proof, or ends an older one."""
        address, services = self.outside, self.services
        if address is None:
            return nobody_named()
        answer = probe.get_inbox(address)
        situation = self.seen.situation(services, self.wanted)
        row = outside_row(self._inbox_of(address), address, answer, situation, inside_opened=inside_opened)
        tenant_id, key = services.tenant_id, self.wanted.key
        if row.verdict is Verdict.HOLDS:
            note_proof(services.journal, tenant_id, key, Proof(when=services.clock.now(), address=address))
        elif answer.kind is EwsKind.SUCCESS:
            forget_proof(services.journal, tenant_id, key)
        return row

    def _ews(self) -> VerifyRow:
        """What the organisation's settings say, now and ahead; the inbox's row says what they do."""
        services, found = self.services, self.seen.ews
        asked = "the organisation's EWS switch and list (Get-OrganizationConfig)"
        if found is None:
            return VerifyRow(
                name="ews",
                asked=asked,
                came="not readable for this account",
                verdict=Verdict.NOT_PROBED,
                todo="an Exchange administrator runs mimapp ews status",
            )
        ends = services.cloud.ews_ends
        days = None if ends is None else (ends - services.clock.now().date()).days
        ahead = "" if ends is None else f"; EWS ends here on {ends:%Y-%m-%d}, in {max(days or 0, 0)} days"
        return VerifyRow(
            name="ews",
            asked=asked,
            came=f"{found.row.value}{ahead}",
            verdict=Verdict.WARNING if found.needs_person else Verdict.HOLDS,
            meaning=found.reason,
            todo=found.remedy,
        )

    @staticmethod
    def _inbox_of(address: str) -> str:
        return f"GetFolder inbox of {address}"


def _not_asked(name: str, asked: str) -> VerifyRow:
    return VerifyRow(
        name=name,
        asked=asked,
        came="not asked",
        verdict=Verdict.NOT_PROBED,
        meaning="what comes before it has to hold first",
    )
