"""Replace the tenant's EWS allow list, and see that nobody else's entry was lost on the way.

The write replaces the whole list, there is no form that adds or removes one entry, and no check for another's change
(https://learn.microsoft.com/powershell/module/exchange/set-organizationconfig). So it is read back, and what is
missing is written again together with what somebody else wrote meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.exchange import Unknown

if TYPE_CHECKING:
    from mimapp.exchange import EwsSettings, OrganizationSettings

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
    organization: OrganizationSettings, wanted: tuple[str, ...], *, without: frozenset[str] = frozenset()
) -> WrittenList:
    """Write the list, read it back, and write the union where an entry was lost.

    Args:
        organization: where it is kept.
        wanted: every entry that is to stand, in order; from a list that was read a moment ago.
        without: client ids in lower case that are to be gone, also from what somebody else wrote meanwhile.

    Raises:
        UsageError: nothing would be left, which blocks every application.
        ServiceError, TransportError: a read or a write failed; where the reply was lost, the list may be written.
    """
    organization.write_allowed(wanted)
    after = organization.read()
    restored = _lost(wanted, after)
    if restored:
        # Somebody else wrote between our read and our write, or a replica is behind: the union keeps every entry.
        kept = tuple(app_id for app_id in entries(after) if app_id.lower() not in without)
        wanted = (*kept, *restored)
        organization.write_allowed(wanted)
        after = organization.read()
    return WrittenList(settings=after, written=wanted, restored=restored, missing=_lost(wanted, after))


def _lost(wanted: tuple[str, ...], settings: EwsSettings) -> tuple[str, ...]:
    """What should be in the list and is not; nothing when the list cannot be read."""
    return tuple(app_id for app_id in wanted if settings.lists(app_id) is False)
