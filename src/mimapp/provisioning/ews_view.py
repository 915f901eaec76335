"""What is known of an application and EWS in one tenant: the settings, what this machine wrote, what is lost since.

Reads only. The list has no check for another's change, so every run compares what stands there with what mimapp wrote
last: an entry that somebody else's write lost is seen then at the latest.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.errors import NotFoundError, UsageError
from mimapp.provisioning.ews import judge
from mimapp.provisioning.ews_now import ews_now
from mimapp.provisioning.exchange_actions import EWS_NOTE
from mimapp.provisioning.scope_notes import SWITCH_NOTE
from mimapp.provisioning.steps import StepKind
from mimapp.provisioning.unregister_observe import find_application

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from mimapp.exchange import ClientAccess, EwsSettings
    from mimapp.journal import WriteRecord
    from mimapp.provisioning.ews import EwsVerdict
    from mimapp.provisioning.ews_now import EwsNow
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration

__all__ = ["EwsView", "LostEntry", "observe_ews"]

#: "Introducing EWSAllowedAppIDs": a changed list acts within 24 hours, a changed switch within about one.
_LIST_TAKES = timedelta(hours=24)
_SWITCH_TAKES = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LostEntry:
    """An application that stood on the list when mimapp last wrote it, and does not any more."""

    app_id: str
    written: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EwsView:
    """One application's EWS, as one run saw it.

    Attributes:
        application_id: the client id.
        settings: the organisation's EWS settings.
        access: the mailbox's own; None where there is no mailbox.
        verdict: the row of the table, and what a person has to do.
        now: whether EWS answers at this moment, by what is written.
        listed_since: when mimapp added the entry; None where it did not, from this machine.
        expected: when the latest change of mimapp's acts everywhere; None where nothing is under way.
        lost: entries that are missing since mimapp last wrote the list.
        ews_ends: the first day without EWS in this cloud; None where no date is known.
        at: when it was read.
    """

    application_id: str
    settings: EwsSettings
    access: ClientAccess | None
    verdict: EwsVerdict
    now: EwsNow
    listed_since: datetime | None
    expected: datetime | None
    lost: tuple[LostEntry, ...]
    ews_ends: date | None
    at: datetime


def observe_ews(services: Services, wanted: Registration) -> EwsView:
    """Read the settings; an application that the operator names by its client id is not looked for in Entra.

    Raises:
        UsageError: the registration has no application.
        UnsafePlanError: a person has to say which application.
        ServiceError, TransportError, SignInError: a read failed.
    """
    exchange, clock = services.exchange, services.clock
    with ThreadPoolExecutor(3, thread_name_prefix="observe") as pool:
        read = pool.submit(exchange.organization.read)
        asked = pool.submit(_access, services, wanted.mailbox)
        app_id = wanted.app_id or _application_id(services, wanted)
        settings, access = read.result(), asked.result()
    state = services.journal.state(services.tenant_id, wanted.key)
    times = [
        state.since[note] + takes
        for note, takes in ((EWS_NOTE, _LIST_TAKES), (SWITCH_NOTE, _SWITCH_TAKES))
        if note in state.since
    ]
    expected = max(times, default=None)
    return EwsView(
        application_id=app_id,
        settings=settings,
        access=access,
        verdict=judge(settings, app_id, services.cloud),
        now=ews_now(settings, access, app_id, services.cloud, clock.now()),
        listed_since=state.since.get(EWS_NOTE),
        expected=expected if expected is not None and expected > clock.now() else None,
        lost=_lost(services, wanted, settings, app_id),
        ews_ends=services.cloud.ews_ends,
        at=clock.now(),
    )


def _application_id(services: Services, wanted: Registration) -> str:
    with ThreadPoolExecutor(2, thread_name_prefix="observe") as pool:
        application = find_application(services.graph, wanted, pool)
    if application is None:
        raise UsageError(
            f"this tenant has no application of registration {wanted.key!r}",
            hint=f"register it first: mimapp register --mailbox {wanted.mailbox}; or name one with --app-id ID",
        )
    return application.app_id


def _access(services: Services, mailbox: str) -> ClientAccess | None:
    try:
        return services.exchange.mailboxes.client_access(mailbox)
    except NotFoundError:
        return None


def _lost(services: Services, wanted: Registration, settings: EwsSettings, app_id: str) -> tuple[LostEntry, ...]:
    """What the last write of mimapp's left on the list, and is not there now; nothing where the list is unknown."""
    last = _last_write(services.journal.records(), services.tenant_id, wanted.key)
    if last is None or settings.lists(app_id) is None:
        return ()
    stood = [one.strip() for one in last.before.split(",") if one.strip()]
    if last.action == StepKind.ALLOW_EWS:
        stood.append(app_id)
    elif app_id in stood:
        stood.remove(app_id)
    return tuple(LostEntry(app_id=one, written=last.when) for one in stood if settings.lists(one) is False)


def _last_write(records: Iterable[WriteRecord], tenant_id: str, key: str) -> WriteRecord | None:
    """The last write to the list that was carried out, by this registration on this machine."""
    found = None
    for record in records:
        is_list = record.action in {StepKind.ALLOW_EWS, StepKind.DISALLOW_EWS}
        if is_list and record.outcome == "done" and (record.tenant, record.registration) == (tenant_id, key):
            found = record
    return found
