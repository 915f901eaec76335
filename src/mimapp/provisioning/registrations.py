"""Which registrations a tenant has: found by the marks on its applications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.spec import MARK, mailbox_of_tags, registration_of_tags

if TYPE_CHECKING:
    from mimapp.graph import Graph

__all__ = ["Marked", "marked_registrations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A registration that some mimapp made in this tenant."""

    key: str
    mailbox: str
    application_id: str


def marked_registrations(graph: Graph, *, deleted: bool = False) -> tuple[Marked, ...]:
    """Every registration in the tenant, by key; or those in its recycle bin, one of each key and mailbox."""
    found: list[Marked] = []
    for application in graph.deleted.applications() if deleted else graph.applications.by_tag_prefix(MARK):
        tags = application.tags or ()
        key, mailbox = registration_of_tags(tags), mailbox_of_tags(tags)
        if key is not None and mailbox is not None:
            found.append(Marked(key=key, mailbox=mailbox, application_id=application.app_id))
    if deleted:
        found = list({(marked.key, marked.mailbox): marked for marked in found}.values())
    return tuple(sorted(found, key=lambda marked: marked.key))
