"""Replace the tenant's EWS allow list, and see that nobody else's entry was lost on the way.

The write replaces the whole list, there is no form that adds or removes one entry, and no check for another's change
(https://learn.microsoft.com/powershell/module/exchange/set-organizationconfig). So it is read back, and what is
missing is written again together with what somebody else wrote meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import BusyError, ReplyLostError, UnreachableError
from mimapp.exchange import Unknown

if TYPE_CHECKING:
    from mimapp.exchange import EwsSettings, OrganizationSettings
    from mimapp.transport import Patience

__all__ = ["WrittenList", "entries", "replace_list"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenList:
    """What came of a write.

    Attributes:
        settings: as they were read back, at the end.
        written: the list as it was sent last.
        restored: entries that were missing after the first write, and were sent again.
        missing: entries that are missing all the same.
    """

    settings: EwsSettings
    written: tuple[str, ...]
    restored: tuple[str, ...]
    missing: tuple[str, ...]


def entries(settings: EwsSettings) -> tuple[str, ...]:
    """The list; empty where it is not known."""
    return () if isinstance(settings.allowed_app_ids, Unknown) else settings.allowed_app_ids


def replace_list(
    organization: OrganizationSettings,
    patience: Patience,
    wanted: tuple[str, ...],
    *,
    without: frozenset[str] = frozenset(),
) -> WrittenList:
    """Write the list, read it back, and write the union where an entry was lost.

    Args:
        organization: where it is kept.
        patience: how long the run may wait while Exchange is busy.
        wanted: every entry that is to stand, in order; from a list that was read a moment ago.
        without: client ids in lower case that are to be gone, also from what somebody else wrote meanwhile.

    Raises:
        UsageError: nothing would be left, which blocks every application.
        ServiceError, TransportError: a read or a write failed; where the reply was lost, the list may be written.
    """
    wanted, after = _write(organization, patience, wanted, without)
    restored = _lost(wanted, after)
    if restored:
        # Somebody else wrote between our read and our write, or a replica is behind: the union keeps every entry.
        wanted, after = _write(organization, patience, _union(after, restored, without), without)
    return WrittenList(settings=after, written=wanted, restored=restored, missing=_lost(wanted, after))


def _write(
    organization: OrganizationSettings, patience: Patience, wanted: tuple[str, ...], without: frozenset[str]
) -> tuple[tuple[str, ...], EwsSettings]:
    """Write a list and read it back; what was written last, and what came back.

    While one waits for a busy service somebody may write the list, so it is read anew before the next try.
    """
    attempt = 0
    while True:
        try:
            organization.write_allowed(wanted)
        except (BusyError, UnreachableError, ReplyLostError) as error:
            attempt += 1
            pause = patience.pause_before(attempt, error.retry_after if isinstance(error, BusyError) else None)
            if not patience.allows(pause):
                raise
            patience.pause("the EWS allow list", "not written, it is read anew before the next try", pause)
            wanted = _union(organization.read(), wanted, without)
        else:
            return wanted, organization.read()


def _union(read: EwsSettings, wanted: tuple[str, ...], without: frozenset[str]) -> tuple[str, ...]:
    """What stands there and what is wanted besides; what is to be gone is gone."""
    kept = tuple(app_id for app_id in entries(read) if app_id.lower() not in without)
    known = {app_id.lower() for app_id in kept}
    return (*kept, *(app_id for app_id in wanted if app_id.lower() not in known))


def _lost(wanted: tuple[str, ...], settings: EwsSettings) -> tuple[str, ...]:
    """What should be in the list and is not; nothing when the list cannot be read."""
    return tuple(app_id for app_id in wanted if settings.lists(app_id) is False)
