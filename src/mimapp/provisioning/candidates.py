"""Which application of the tenant is meant: ours, one that somebody made for the same purpose, or none yet.

Names are not keys: an application is ours by its `uniqueName` or its tag. One that only has the name of the MIM install
guide, or of Microsoft's retired script, is a candidate, and taking it over is a person's decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import UnsafePlanError, UsageError
from mimapp.spec import DISPLAY_NAME, SCRIPT_DISPLAY_NAME, registration_of_tags

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from mimapp.graph import Application, Graph
    from mimapp.spec import Registration

__all__ = ["Choice", "Lookup", "no_such_application"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a run works on.

    Attributes:
        application: the application that is there, or None.
        adopting: it is somebody else's, and is taken over by this run.
        deleted: an application of this registration that lies in the recycle bin, or None.
    """

    application: Application | None
    adopting: bool = False
    deleted: Application | None = None


class Lookup:
    """Looks for the application; the request by its key begins when it is made, others only when that finds nothing.

    Args:
        graph: the tenant.
        wanted: the registration.
        pool: where requests go side by side.
        was_purged: whether this machine purged the deleted application in a run that may not have come to its end.
    """

    def __init__(self, graph: Graph, wanted: Registration, pool: Executor, *, was_purged: bool = False) -> None:
        self._graph = graph
        self._was_purged = was_purged
        self._wanted = wanted
        self._pool = pool
        named = wanted.app_id
        if named is not None:
            self._first: Future[Application | None] = pool.submit(graph.applications.by_app_id, named)
        else:
            self._first = pool.submit(graph.applications.by_unique_name, wanted.unique_name)

    def choose(self) -> Choice:
        """The application that is meant.

        Raises:
            UsageError: the application that was named is not there.
            UnsafePlanError: several could be meant, one is another registration's, or one lies in the recycle bin.
        """
        found = self._first.result()
        wanted = self._wanted
        if found is not None:
            self._check_mark(found)
            return Choice(
                application=found, adopting=_mark_of(found) is None and found.unique_name != wanted.unique_name
            )
        if wanted.app_id is not None and not wanted.restore:
            raise no_such_application(wanted.app_id)
        return self._choose_among_others()

    def _choose_among_others(self) -> Choice:
        graph, wanted = self._graph, self._wanted
        by_tag = self._pool.submit(graph.applications.by_tag, wanted.mark)
        names = dict.fromkeys((DISPLAY_NAME, SCRIPT_DISPLAY_NAME, wanted.display_name))
        by_name = [self._pool.submit(graph.applications.by_display_name, name) for name in names]
        in_bin = self._pool.submit(graph.deleted.applications)
        named = [a for asked in by_name for a in asked.result() if self._is_candidate(a, tuple(names))]
        # Each list may come from another replica: what one of them does not know yet, another may show.
        ours = list({a.id: a for a in (*by_tag.result(), *named) if self._is_ours(a)}.values())
        if len(ours) > 1:
            raise UnsafePlanError(
                f"{len(ours)} applications carry the mark {wanted.mark}",
                hint="say which with --app-id, and remove the tag from the other",
                details=[_line(application) for application in ours],
            )
        if ours:
            return Choice(application=ours[0])
        deleted = [a for a in in_bin.result() if self._is_candidate(a, tuple(names))]
        mine = [a for a in deleted if self._is_ours(a)]
        purged = wanted.purge_deleted and self._was_purged and not deleted
        if not purged and (wanted.restore or wanted.purge_deleted or mine):
            return Choice(application=None, deleted=self._deleted(mine or deleted))
        if (named or deleted) and not wanted.new:
            raise self._undecided(named, deleted)
        return Choice(application=None)

    def _is_ours(self, application: Application) -> bool:
        return application.unique_name == self._wanted.unique_name or _mark_of(application) == self._wanted.key

    def _is_candidate(self, application: Application, names: tuple[str, ...]) -> bool:
        """Whether it may be meant; one that is marked for another registration never is."""
        mark = _mark_of(application)
        if mark is not None:
            return mark == self._wanted.key
        named = self._wanted.app_id
        if named is not None:
            return application.app_id.lower() == named.lower()
        return application.unique_name == self._wanted.unique_name or application.display_name in names

    def _deleted(self, candidates: list[Application]) -> Application:
        wanted = self._wanted
        if not candidates:
            raise UsageError("nothing to restore or purge: no application of this registration is in the recycle bin")
        if len(candidates) > 1:
            raise UnsafePlanError(
                f"{len(candidates)} deleted applications could be meant",
                hint="say which with --app-id",
                details=[_line(application) for application in candidates],
            )
        if not wanted.restore and not wanted.purge_deleted:
            raise UnsafePlanError(
                f"the application of this registration, {candidates[0].app_id}, lies in the recycle bin",
                hint="--restore brings it back without its old secrets; --purge-deleted deletes it for good and makes "
                "a new one, whose id EWS takes up to 24 h to allow",
            )
        return candidates[0]

    def _check_mark(self, application: Application) -> None:
        mark = _mark_of(application)
        if mark not in {None, self._wanted.key}:
            raise UnsafePlanError(
                f"the application {application.app_id} belongs to registration {mark!r}",
                hint=f"use --registration {mark}, or name another application",
            )

    def _undecided(self, candidates: list[Application], deleted: list[Application]) -> UnsafePlanError:
        first = (candidates or deleted)[0]
        use = f"--app-id {first.app_id}" + ("" if candidates else " --restore")
        return UnsafePlanError(
            f"{len(candidates) + len(deleted)} application(s) in this tenant may be meant for this mailbox already",
            hint=f"add {use} to take it over, or --new to make another one",
            details=[
                *(_line(application) for application in candidates),
                *(f"{_line(application)} (in the recycle bin)" for application in deleted),
            ],
        )


def no_such_application(app_id: str) -> UsageError:
    """What is wrong where ``--app-id`` names an application that is not there."""
    return UsageError(
        f"app id: this tenant has no application {app_id}",
        hint="give the application (client) id, not the object id; a deleted one needs --restore as well",
    )


def _mark_of(application: Application) -> str | None:
    return registration_of_tags(application.tags or ())


def _line(application: Application) -> str:
    made = "" if application.created_date_time is None else f", made {application.created_date_time:%Y-%m-%d}"
    return f"{application.display_name} ({application.app_id}{made})"
