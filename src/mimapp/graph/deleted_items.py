"""Deleted applications: for 30 days they can be restored, and keep their `uniqueName` until they are purged.

https://learn.microsoft.com/graph/api/resources/directory
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.graph.applications import Application, DirectoryObject
from mimapp.graph.channel import Call, Page, segment

if TYPE_CHECKING:
    from mimapp.graph.channel import Channel

__all__ = ["DeletedItems"]

_WRITE = "Application.ReadWrite.All (app-only: Application.ReadWrite.OwnedBy)"


class DeletedItems:
    """Reads, restores and purges deleted applications."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def applications(self) -> tuple[Application, ...]:
        """All applications that are deleted and not yet gone.

        https://learn.microsoft.com/graph/api/directory-deleteditems-list
        """
        call = Call(
            verb="read",
            what="deleted applications",
            path="/directory/deletedItems/microsoft.graph.application?$top=999",
            needs="Application.Read.All",
        )
        return self._channel.many(call, Page[Application])

    def restore(self, object_id: str) -> DirectoryObject:
        """Bring an application back, with its secrets; the reply tells little of it, so read it afterwards.

        https://learn.microsoft.com/graph/api/directory-deleteditems-restore

        Raises:
            NotFoundError: it is not among the deleted.
            ReplyLostError: it may be back.
        """
        return self._channel.one(
            Call(
                verb="restore",
                what=f"application {object_id}",
                path=f"/directory/deletedItems/{segment(object_id)}/restore",
                method="POST",
                needs=_WRITE,
            ),
            DirectoryObject,
        )

    def purge(self, object_id: str) -> bool:
        """Delete for good; False when it is not among the deleted.

        https://learn.microsoft.com/graph/api/directory-deleteditems-delete
        """
        return self._channel.gone(
            Call(
                verb="delete for good",
                what=f"application {object_id}",
                path=f"/directory/deletedItems/{segment(object_id)}",
                method="DELETE",
                needs=_WRITE,
                repeatable=True,
            )
        )
