"""Read what a decision about secrets needs: the application, its secrets of mimapp's, and what is known of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mimapp.credentials import is_ours, unfinished
from mimapp.credentials.listing import list_credentials
from mimapp.errors import NotFoundError, UnsafePlanError, UsageError
from mimapp.rotation.evidence import covers, evidence_of
from mimapp.spec import registration_of_tags

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from mimapp.credentials import Desk
    from mimapp.credentials.listing import Credential
    from mimapp.graph import Application
    from mimapp.journal import Evidence, SecretEntry, SecretState
    from mimapp.rotation.report import Report
    from mimapp.rotation.services import Services
    from mimapp.spec import Registration

__all__ = ["OurSecret", "View", "find_application", "look", "owners_of", "ways_in"]

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_STORED = frozenset({"handed", "proven", "wrong", "retiring"})
#: What MIM may have been given; a secret that Entra refused, or that nobody has, is none of them.
_GIVEN = frozenset({None, "handed", "proven", "retiring"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OurSecret:
    """One client secret that mimapp issued and stored, here or elsewhere.

    Attributes:
        key_id: Entra's id of it.
        label: its display name.
        starts: when it began.
        expires: when it ends.
        stores: URIs of the stores of this run that have its value.
        state: how far this machine's journal knows it to have come; None where it was issued elsewhere.
        evidence: what shows that MIM uses it.
        nodes: the MIM servers that evidence has to cover.
    """

    key_id: str
    label: str
    starts: datetime | None
    expires: datetime | None
    stores: tuple[str, ...]
    state: SecretState | None
    evidence: tuple[Evidence, ...]
    nodes: tuple[str, ...]

    @property
    def is_here(self) -> bool:
        """Whether this machine issued it, or a store of this run has its value."""
        return bool(self.stores) or self.state is not None

    @property
    def is_proven(self) -> bool:
        """Whether somebody got a token with it: mimapp on this machine, or the MIM server itself."""
        return self.state == "proven" or any(piece.kind in {"result", "report"} for piece in self.evidence)

    @property
    def is_handed_over(self) -> bool:
        """Whether there is evidence that MIM uses it, on every node."""
        return covers(self.evidence, self.nodes)

    @property
    def order(self) -> tuple[datetime, str]:
        """By age, the oldest first."""
        return (self.starts or _LONG_AGO, self.label)

    def is_live(self, now: datetime) -> bool:
        """Whether it has not ended."""
        return self.expires is None or self.expires > now

    def is_newer_than(self, other: OurSecret) -> bool:
        """Whether it was issued after another one."""
        return (self.starts or _LONG_AGO) > (other.starts or _LONG_AGO)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One registration's secrets as one run saw them.

    Attributes:
        at: when the reading was done.
        desk: where they are worked on.
        secrets: those of mimapp's, the newest first; those that nobody has are left out, ended ones are not.
        foreign: key ids of client secrets that mimapp did not issue.
        unfinished: labels of secrets that were begun here and never stored.
        report: Graph's sign-in report, where it was asked for.
    """

    at: datetime
    desk: Desk
    secrets: tuple[OurSecret, ...]
    foreign: tuple[str, ...]
    unfinished: tuple[str, ...]
    report: Report | None = None

    @property
    def live(self) -> tuple[OurSecret, ...]:
        """The secrets that MIM may use or be given, the newest first."""
        return tuple(one for one in self.secrets if one.is_live(self.at) and one.state in _GIVEN)

    @property
    def newest(self) -> OurSecret | None:
        """The successor of all others."""
        return next(iter(self.live), None)

    def with_secret(self, secret: OurSecret | None) -> View:
        """The same view with what a run made of one secret, or with the one that it issued."""
        if secret is None:
            return self
        others = [one for one in self.secrets if one.key_id != secret.key_id]
        return replace(self, secrets=tuple(sorted([*others, secret], key=lambda one: one.order, reverse=True)))

    def without(self, key_ids: Collection[str]) -> View:
        """The same view after some secrets went."""
        gone = {key_id.lower() for key_id in key_ids}
        return replace(
            self,
            secrets=tuple(one for one in self.secrets if one.key_id.lower() not in gone),
            foreign=tuple(key_id for key_id in self.foreign if key_id.lower() not in gone),
        )

    def older_than(self, secret: OurSecret) -> tuple[OurSecret, ...]:
        """The secrets that MIM may have been given before this one, ended ones among them."""
        return tuple(one for one in self.secrets if one.state in _GIVEN and secret.is_newer_than(one))

    def find(self, key_id: str) -> OurSecret | None:
        """One of mimapp's secrets by its id, or None."""
        return next((one for one in self.secrets if one.key_id.lower() == key_id.lower()), None)


def look(services: Services, wanted: Registration, nodes: tuple[str, ...] = ()) -> View:
    """Read the application and everything that is known of its secrets.

    Args:
        services: the rooms below.
        wanted: the registration.
        nodes: the MIM servers that hand-over evidence has to cover; none: one piece is enough.

    Raises:
        UsageError: there is no application of this registration.
        UnsafePlanError: more than one could be meant, or it is another registration's.
        StoreError: a store does not say whether it has a secret.
        ServiceError, TransportError: the read failed.
    """
    application = find_application(services, wanted)
    desk = services.desk(wanted, application.app_id, application.id)
    entries = {entry.key_id: entry for entry in desk.entries() if entry.key_id}
    nobodys = {entry.label for entry in unfinished(desk.entries())}
    secrets = [
        *_listed(desk, application, entries, nobodys, nodes),
        *_unlisted(desk, application, entries, nodes),
    ]
    return View(
        at=services.clock.now(),
        desk=desk,
        secrets=tuple(sorted(secrets, key=lambda one: one.order, reverse=True)),
        foreign=tuple(
            credential.key_id
            for credential in application.password_credentials or ()
            if credential.key_id and not is_ours(credential.display_name)
        ),
        unfinished=tuple(sorted(nobodys - {one.label for one in secrets})),
    )


def find_application(services: Services, wanted: Registration) -> Application:
    """The application of a registration, by its key or its mark.

    Raises:
        UsageError: there is none.
        UnsafePlanError: more than one carries the mark, or it is marked for another registration.
    """
    applications = services.graph.applications
    found = applications.by_unique_name(wanted.unique_name)
    if found is None:
        marked = applications.by_tag(wanted.mark)
        if len(marked) > 1:
            raise UnsafePlanError(
                f"{len(marked)} applications carry the mark {wanted.mark}",
                hint="remove the tag from the one that is not meant",
                details=[f"{one.display_name} ({one.app_id})" for one in marked],
            )
        if not marked:
            raise UsageError(
                f"this tenant has no application of registration {wanted.key!r}",
                hint="is it the right tenant? mimapp register makes one",
            )
        return marked[0]
    mark = registration_of_tags(found.tags or ())
    if mark not in {None, wanted.key}:
        raise UnsafePlanError(
            f"the application {found.app_id} belongs to registration {mark!r}", hint=f"use --registration {mark}"
        )
    return found


def ways_in(services: Services, view: View) -> tuple[Credential, ...]:
    """Every live way into the application: secrets, certificates and federated credentials, its principal's too."""
    graph, desk = services.graph, view.desk
    application = graph.applications.get(desk.object_id, fresh=True)
    try:
        federated = graph.applications.federated_credentials(desk.object_id)
    except NotFoundError:
        federated = ()  # a replica that does not know the application
    principal = graph.service_principals.by_app_id(desk.application_id)
    every = list_credentials(application, principal, federated, desk.stores, desk.entries())
    return tuple(one for one in every if one.expires is None or one.expires > view.at)


def owners_of(services: Services, view: View) -> tuple[str, ...]:
    """Who may add a secret to the application without any role in the directory, by name.

    Raises:
        ServiceError, TransportError: the read failed.
    """
    found = services.graph.applications.owners(view.desk.object_id)
    return tuple(one.user_principal_name or one.display_name or one.app_id or one.id for one in found)


def _listed(
    desk: Desk,
    application: Application,
    entries: Mapping[str, SecretEntry],
    nobodys: set[str],
    nodes: tuple[str, ...],
) -> Iterator[OurSecret]:
    """The secrets that Graph shows."""
    for credential in application.password_credentials or ():
        label, key_id = credential.display_name or "", credential.key_id
        if not key_id or not is_ours(label):
            continue
        stores = _holders(desk, key_id)
        if label in nobodys and not stores:
            continue
        entry = entries.get(key_id)
        yield OurSecret(
            key_id=key_id,
            label=label,
            starts=credential.start_date_time,
            expires=credential.end_date_time,
            stores=stores,
            # A run that died between the store and the journal left it so: a store has it.
            state="handed" if label in nobodys else None if entry is None else entry.state,
            evidence=evidence_of(desk, key_id),
            nodes=nodes,
        )


def _unlisted(
    desk: Desk, application: Application, entries: Mapping[str, SecretEntry], nodes: tuple[str, ...]
) -> Iterator[OurSecret]:
    """The stored secrets that are so new that the replica that answered may not show them yet."""
    now = desk.clock.now()
    shown = {credential.key_id for credential in application.password_credentials or ()}
    for key_id, entry in entries.items():
        if key_id in shown or now >= entry.begun + desk.window:
            continue
        stores = _holders(desk, key_id)
        if entry.state not in _STORED and not (entry.state == "issued" and stores):
            continue
        yield OurSecret(
            key_id=key_id,
            label=entry.label,
            starts=entry.begun.replace(microsecond=0),
            expires=entry.expires,
            stores=stores,
            state="handed" if entry.state == "issued" else entry.state,
            evidence=evidence_of(desk, key_id),
            nodes=nodes,
        )


def _holders(desk: Desk, key_id: str) -> tuple[str, ...]:
    return tuple(store.uri for store in desk.holders(key_id))
