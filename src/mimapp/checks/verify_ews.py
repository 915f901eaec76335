"""What an EWS answer means for a registration: works, not yet, or broken, and what to do.

Judged in the order of the answer itself (`mimapp.exchange.EwsKind`): the header ``X-EWS-Policy-Reason``, then
``x-ms-diagnostics``, then the SOAP code, then the bare status
(https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-control-access-to-ews-in-exchange).
Pure: whatever the answer is compared with was read before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.checks.verify_row import Verdict, VerifyRow
from mimapp.exchange import EwsKind, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from mimapp.exchange import ClientAccess, EwsAnswer, EwsSettings

__all__ = [
    "LIST_TAKES",
    "RIGHT_TAKES",
    "SCOPE_TAKES",
    "SWITCH_TAKES",
    "Situation",
    "Windows",
    "inside_row",
    "outside_row",
]

#: "Introducing EWSAllowedAppIDs": a changed list up to 24 hours, a changed switch about one.
LIST_TAKES = timedelta(hours=24)
SWITCH_TAKES = timedelta(hours=1)
#: An access policy can take over an hour, a role up to two (https://learn.microsoft.com/exchange/permissions-exo/application-rbac):
#: a refusal inside is looked at again for two hours.
SCOPE_TAKES = timedelta(hours=2)
#: No page says how long a new grant takes to reach every token; an hour is this product's bound [unverified].
RIGHT_TAKES = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Until when a change that was made may not have reached every server; None: no change is known to be under way.

    Attributes:
        consent: the grant in Entra.
        scope: the access policy or the role assignment.
        listed: the entry in the EWS allow list.
        switch: the organisation's EWS switch.
    """

    consent: datetime | None = None
    scope: datetime | None = None
    listed: datetime | None = None
    switch: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What an answer is compared with.

    Attributes:
        now: the moment.
        mailbox: the registration's mailbox.
        application_id: the client id.
        settings: the organisation's EWS settings; None where they could not be read.
        access: the mailbox's own EWS settings; None where they could not be read.
        ews_ends: the first day without EWS in this cloud; None where no date is known.
        has_right: whether a grant or a role stands in the tenant.
        windows: the changes under way.
    """

    now: datetime
    mailbox: str
    application_id: str
    settings: EwsSettings | None
    access: ClientAccess | None
    ews_ends: date | None
    has_right: bool
    windows: Windows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    verdict: Verdict
    meaning: str
    todo: str = ""
    until: datetime | None = None


def inside_row(name: str, asked: str, answer: EwsAnswer, seen: Situation) -> VerifyRow:
    """The row of a request to the registration's own mailbox.

    Args:
        name: the row's name.
        asked: what was asked.
        answer: what came back.
        seen: what it is compared with.
    """
    return _row(name, asked, answer, _INSIDE[answer.kind](answer, seen))


def outside_row(asked: str, address: str, answer: EwsAnswer, seen: Situation, *, inside_opened: bool) -> VerifyRow:
    """The row of a request to a mailbox that the application must not reach.

    A refusal counts only where the own mailbox opened: an application that is refused everywhere proves nothing.
    """
    return _row("outside", asked, answer, _outside(address, answer, seen, inside_opened=inside_opened))


def _row(name: str, asked: str, answer: EwsAnswer, judged: _Judged) -> VerifyRow:
    return VerifyRow(
        name=name,
        asked=asked,
        came=_came(answer),
        verdict=judged.verdict,
        meaning=judged.meaning,
        todo=judged.todo,
        until=judged.until,
    )


def _came(answer: EwsAnswer) -> str:
    """The answer in one line: the status, and what decided."""
    parts = [f"HTTP {answer.status}"]
    parts += [f"X-EWS-Policy-Reason: {answer.policy_reason}"] if answer.policy_reason else []
    parts += [f"x-ms-diagnostics: {answer.diagnostics}"] if answer.diagnostics else []
    parts += [answer.response_code] if answer.response_code else []
    if answer.kind is EwsKind.OTHER and answer.text:
        parts.append(answer.text)
    if answer.kind is EwsKind.POLICY_DENIED:
        parts.append("without body or reason")
    if answer.kind is not EwsKind.SUCCESS and answer.request_id:
        parts.append(f"request id {answer.request_id}")
    return ", ".join(parts)


def _opened(_: EwsAnswer, seen: Situation) -> _Judged:
    return _Judged(verdict=Verdict.HOLDS, meaning=f"EWS opens {seen.mailbox} for the application")


def _disabled(_: EwsAnswer, seen: Situation) -> _Judged:
    """The switch of the organisation or of the mailbox; no list helps."""
    if seen.ews_ends is not None and seen.now.date() >= seen.ews_ends:
        return _Judged(
            verdict=Verdict.BROKEN,
            meaning=f"EWS ended in this cloud on {seen.ews_ends:%Y-%m-%d}",
            todo="docs/after-ews.md says what MIM offers without it",
        )
    if seen.settings is not None and seen.settings.ews_enabled is False:
        return _Judged(
            verdict=Verdict.BROKEN,
            meaning="the organisation's EWS switch is False",
            todo="mimapp ews allow --enable says what opening it would do, and asks",
        )
    if seen.access is not None and seen.access.ews_enabled is False:
        return _Judged(
            verdict=Verdict.BROKEN,
            meaning="the mailbox's own EWS switch is False",
            todo=f"Set-CASMailbox {seen.mailbox} -EwsEnabled $true (it acts after about an hour)",
        )
    return _wait_or(
        seen.windows.switch,
        seen,
        waiting="the EWS switch was set a moment ago, and Exchange takes about an hour",
        broken="EWS says that it is switched off, and neither the organisation's nor the mailbox's switch reads so",
        todo="a switch that somebody set within the last hour may not act yet; else give the request id to Microsoft",
    )


def _blocked(_: EwsAnswer, seen: Situation) -> _Judged:
    """The list of applications or the User-Agent policy: the header does not say which."""
    settings = seen.settings
    if settings is None or isinstance(settings.allowed_app_ids, Unknown):
        return _Judged(
            verdict=Verdict.BROKEN,
            meaning="the EWS allow list or a User-Agent policy refuses the application; neither could be read here",
            todo="an Exchange administrator runs mimapp ews status",
        )
    agents = _agents(settings, seen.access)
    if settings.ews_enabled is not None and not settings.lists(seen.application_id):
        return _Judged(
            verdict=Verdict.BROKEN,
            meaning="the application is not on the tenant's EWS allow list",
            todo=f"mimapp ews allow --mailbox {seen.mailbox}",
        )
    return _wait_or(
        seen.windows.listed,
        seen,
        waiting=f"the application is on the list since a short time, and Exchange takes up to 24 h{agents}",
        broken=f"EWS refuses an application that is on the list, or that no list holds back{agents}",
        todo="look at the User-Agent policy (Get-OrganizationConfig, EwsApplicationAccessPolicy): the probe is sent as "
        "mimapp, and how MIM names itself is not documented"
        if agents
        else "an entry that somebody else wrote within the last 24 h may not act yet; else give the request id to "
        "Microsoft",
    )


def _agents(settings: EwsSettings, access: ClientAccess | None) -> str:
    own = "" if access is None else access.ews_application_access_policy
    policies = [
        f"{policy} of {whose}"
        for policy, whose in ((settings.application_access_policy, "the organisation"), (own, "the mailbox"))
        if policy
    ]
    return f"; there is a User-Agent policy ({', '.join(policies)})" if policies else ""


def _no_permission(_: EwsAnswer, seen: Situation) -> _Judged:
    windows = [one for one in (seen.windows.consent, seen.windows.scope) if one is not None]
    if not seen.has_right:
        return _Judged(
            verdict=Verdict.BROKEN,
            meaning="the application holds neither full_access_as_app nor a role in Exchange",
            todo=f"mimapp register --mailbox {seen.mailbox}, or mimapp consent where another administrator consents",
        )
    return _wait_or(
        max(windows, default=None),
        seen,
        waiting="the right was given a short time ago, and has not reached every server",
        broken="the right stands in the tenant, and EWS does not see it",
        todo="run mimapp verify again with a fresh token; if it stays, give the request id to Microsoft",
    )


def _denied(_: EwsAnswer, seen: Situation) -> _Judged:
    return _wait_or(
        seen.windows.scope,
        seen,
        waiting="the restriction to this mailbox was written a short time ago: denied, or still spreading",
        broken="the mailbox is refused to the application, most likely by an access policy or the limit of a role that "
        "does not include it",
        todo=f"mimapp scope show --mailbox {seen.mailbox} says which group, policy or role decides",
    )


def _bad_token(_: EwsAnswer, __: Situation) -> _Judged:
    return _Judged(
        verdict=Verdict.BROKEN,
        meaning="Exchange does not take the token: audience, tenant or time",
        todo="compare this machine's clock and --cloud; the row claims shows what the token says",
    )


def _no_mailbox(_: EwsAnswer, seen: Situation) -> _Judged:
    return _Judged(
        verdict=Verdict.BROKEN,
        meaning=f"Exchange Online has no mailbox {seen.mailbox}: wrong address, no licence, or it is on-premises",
        todo=f"mimapp check --mailbox {seen.mailbox} says what the address is",
    )


def _busy(answer: EwsAnswer, seen: Situation) -> _Judged:
    until = None if answer.back_off is None else seen.now + timedelta(seconds=answer.back_off)
    return _Judged(verdict=Verdict.NOT_YET, meaning="Exchange is busy", todo="run it again later", until=until)


def _other(_: EwsAnswer, __: Situation) -> _Judged:
    return _Judged(
        verdict=Verdict.BROKEN,
        meaning="an answer that no page explains for this request",
        todo="run it again; if it stays, give the request id to Microsoft",
    )


_INSIDE: Mapping[EwsKind, Callable[[EwsAnswer, Situation], _Judged]] = {
    EwsKind.SUCCESS: _opened,
    EwsKind.EWS_DISABLED: _disabled,
    EwsKind.EWS_BLOCKED: _blocked,
    EwsKind.NO_PERMISSION: _no_permission,
    EwsKind.DIAGNOSED: _other,
    EwsKind.POLICY_DENIED: _denied,
    EwsKind.BAD_TOKEN: _bad_token,
    EwsKind.NO_MAILBOX: _no_mailbox,
    EwsKind.IMPERSONATION_DENIED: _denied,
    EwsKind.ACCESS_DENIED: _denied,
    EwsKind.BUSY: _busy,
    EwsKind.OTHER: _other,
}


def _outside(address: str, answer: EwsAnswer, seen: Situation, *, inside_opened: bool) -> _Judged:
    if answer.kind is EwsKind.SUCCESS:
        return _wait_or(
            seen.windows.scope,
            seen,
            waiting=f"{address} opens: the restriction was written a short time ago, and is not enforced yet",
            broken=f"the application is NOT restricted: it opens {address}",
            todo=f"mimapp scope show --mailbox {seen.mailbox} says by which right; mimapp lockdown stops it at once",
        )
    if answer.kind is EwsKind.BUSY:
        return _busy(answer, seen)
    if answer.is_denial and inside_opened:
        return _Judged(verdict=Verdict.HOLDS, meaning=f"EWS refuses {address}: the application is restricted")
    return _Judged(
        verdict=Verdict.NOT_PROBED,
        meaning=_says_nothing(address, answer, seen),
        todo="name a user mailbox of this tenant with --outside" if inside_opened else "",
    )


def _says_nothing(address: str, answer: EwsAnswer, seen: Situation) -> str:
    if answer.is_ews_policy:
        return f"EWS itself is closed for {address}, which proves nothing about the restriction"
    if answer.kind is EwsKind.NO_MAILBOX:
        return f"Exchange Online has no mailbox {address}"
    if answer.is_denial:
        return f"{address} is refused, and so is {seen.mailbox}: that proves nothing about the restriction"
    return "the answer says nothing about the restriction"


def _wait_or(until: datetime | None, seen: Situation, *, waiting: str, broken: str, todo: str) -> _Judged:
    """Not yet while a window is open, broken after it."""
    if until is not None and seen.now < until:
        again = f"run the same command again after {until:%Y-%m-%d %H:%M} UTC"
        return _Judged(verdict=Verdict.NOT_YET, meaning=waiting, todo=again, until=until)
    return _Judged(verdict=Verdict.BROKEN, meaning=broken, todo=todo)
