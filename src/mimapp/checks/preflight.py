"""Everything that can be known before the first write: one row a question, read only, each row failing on its own.

All reads of the first round go side by side: 14 requests where both services are asked. A second round asks only what
the first one raised: the policy of an application that exists, its grants and its roles in Exchange (3), the group that
exists with its members and notes (3), deleted mailboxes where none was found (2). Nothing waits for a third.
docs/check.md says which row needs which right.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeAlias

from mimapp.checks.preflight_exchange import (
    GroupSighting,
    domain_row,
    ews_row,
    flapping_row,
    group_row,
    mailbox_ews_row,
)
from mimapp.checks.preflight_mailbox import Sighting, conflict_row, mailbox_row, region_row
from mimapp.checks.preflight_policy import (
    PolicyView,
    audience_row,
    identifier_uri_row,
    reference_row,
    secret_row,
    unread_row,
)
from mimapp.checks.preflight_rights import OTHER_RIGHTS, RightsReader, no_rights_row
from mimapp.checks.preflight_row import Row, Verdict, unknown
from mimapp.checks.preflight_scope import ScopeSighting, scope_row
from mimapp.checks.preflight_signin import (
    directory_role_row,
    exchange_permission_row,
    exchange_rights_row,
    graph_permission_row,
)
from mimapp.checks.preflight_tenant import clock_row, cloud_row, elsewhere_row, licence_row, tenant_row
from mimapp.errors import (
    CancelledError,
    ConflictError,
    DeniedError,
    MimappError,
    NotFoundError,
    SignInError,
    StoreError,
    UsageError,
)
from mimapp.graph import FULL_ACCESS_AS_APP_ID
from mimapp.identity import discover
from mimapp.provisioning.candidates import no_such_application
from mimapp.provisioning.observe import ObservedGroup, group_address, parts_of
from mimapp.provisioning.observe_exchange import group_owner_of
from mimapp.provisioning.steps import Part
from mimapp.spec import Only, Scope
from mimapp.transport import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from datetime import datetime

    from mimapp.exchange import Group, GroupMember, Mailbox, Recipient, RoleAssignment
    from mimapp.graph import Application, AppManagementPolicy, RoleGrant
    from mimapp.provisioning.services import Services
    from mimapp.secret import SecretStore
    from mimapp.spec import Registration

__all__ = ["SECRET_STORE", "Row", "Verdict", "is_ready", "preflight", "stopping"]

#: The name of the rows about the places where the secret is to go.
SECRET_STORE = "secret store"  # noqa: S105 - the name of a row

_GroupAnswers: TypeAlias = "tuple[Future[Group | None], Future[tuple[GroupMember, ...]], Future[str | None]]"

_SIDE_BY_SIDE = 16
_GROUPS = frozenset({"MailUniversalSecurityGroup", "MailUniversalDistributionGroup"})


def preflight(services: Services, wanted: Registration) -> tuple[Row, ...]:
    """Ask everything that decides whether a registration can succeed; writes nothing.

    Args:
        services: the rooms below.
        wanted: the registration; where only one administrator's part is wanted, only that is asked about.

    Raises:
        CancelledError: a person interrupted.
    """
    parts = parts_of(wanted)
    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="preflight") as pool:
        ground = _Ground(services, pool)
        entra = _Entra(services, wanted, pool) if Part.ENTRA in parts else None
        exchange = _Exchange(services, wanted, pool) if Part.EXCHANGE in parts else None
        stores = [pool.submit(_store_row, store) for store in services.stores] if _makes_application(wanted) else []
        if entra is not None:
            entra.second_round()
        if exchange is not None:
            exchange.second_round(wanted.app_id if entra is None else entra.known_application_id())
        seen = ScopeSighting(
            tags=() if entra is None else entra.tags(),
            granted=entra is not None and entra.granted(),
            roles=None if exchange is None else exchange.roles(),
        )
        decided = replace(wanted, scope=wanted.scope or seen.standing)
        rows = [] if entra is None else [_answer("tenant", entra.tenant, is_needed=True)]
        rows += ground.rows()
        if entra is not None:
            rows += entra.rows(decided)
        rows.append(scope_row(wanted.scope, seen))
        if exchange is not None:
            rows += exchange.rows(
                decided, lambda: wanted.app_id if entra is None else entra.application_id(), tags=seen.tags
            )
        rows += [store.result() for store in stores]
        return tuple(rows)


def stopping(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """The rows that keep a registration from beginning."""
    return tuple(row for row in rows if row.verdict is Verdict.STOP)


def is_ready(rows: tuple[Row, ...]) -> bool:
    """Whether nothing stops and nothing needs a person."""
    return not stopping(rows) and not any(row.needs_person for row in rows)


class _Ground:
    """The questions that need no sign-in."""

    def __init__(self, services: Services, pool: ThreadPoolExecutor) -> None:
        self._services = services
        self._facts = pool.submit(discover, services.http, services.cloud, services.tenant_id)
        self._moments = pool.submit(_moments, services)

    def rows(self) -> Iterator[Row]:
        """Cloud and clock."""
        yield _answer("cloud", self._cloud)
        yield _answer("clock", lambda: clock_row(*self._moments.result()))

    def _cloud(self) -> Row:
        cloud = self._services.cloud
        try:
            return cloud_row(cloud, self._facts.result())
        except (SignInError, UsageError) as error:
            return elsewhere_row(cloud, error)


class _Entra:
    """What is asked of Graph."""

    def __init__(self, services: Services, wanted: Registration, pool: ThreadPoolExecutor) -> None:
        graph = services.graph
        self._services = services
        self._wanted = wanted
        self._pool = pool
        self._organization = pool.submit(graph.directory.organization)
        self._application = pool.submit(_application, services, wanted)
        self._own: Future[tuple[AppManagementPolicy, ...]] | None = None
        self._grants: Future[tuple[RoleGrant, ...]] | None = None
        if _makes_application(wanted):
            self._skus = pool.submit(graph.directory.subscribed_skus)
            self._default = pool.submit(graph.policies.default_credential_policy)

    def second_round(self) -> None:
        """Ask for the grants and the policy of the application, where there is one."""
        if self._application.exception() is not None:
            return
        application, graph = self._application.result(), self._services.graph
        if application is None:
            return
        self._grants = self._pool.submit(graph.role_grants.held_by, application.app_id)
        if _makes_application(self._wanted):
            self._own = self._pool.submit(graph.policies.for_application, application.id)

    def known_application_id(self) -> str | None:
        """The client id, where the application exists and could be read."""
        return None if self._application.exception() is not None else self.application_id()

    def tags(self) -> tuple[str, ...]:
        """The application's tags, likewise."""
        application = None if self._application.exception() is not None else self._application.result()
        return () if application is None else application.tags or ()

    def granted(self) -> bool:
        """Whether it holds full_access_as_app, by the id that Microsoft's page gives; False where it is not known."""
        if self._grants is None or self._grants.exception() is not None:
            return False
        return any(grant.app_role_id == FULL_ACCESS_AS_APP_ID for grant in self._grants.result())

    def tenant(self) -> Row:
        """The tenant's row."""
        return tenant_row(self._organization.result(), self._services.tenant_id)

    def application_id(self) -> str | None:
        """The client id, where the application exists."""
        application = self._application.result()
        return None if application is None else application.app_id

    def rows(self, wanted: Registration) -> Iterator[Row]:
        """Licence, rights and policies, for a registration whose scope is known."""
        operator = self._services.graph_operator
        if _makes_application(wanted):
            yield _answer("licence", lambda: licence_row(self._skus.result()))
        yield graph_permission_row(operator, wanted)
        if wanted.only is not Only.EXCHANGE:
            yield directory_role_row(operator, wanted)
        if _makes_application(wanted):
            yield _answer("client secret policy", self._secret)
            yield _answer("audience policy", lambda: audience_row(self._application.result()))
            yield _answer("identifier URI policy", lambda: identifier_uri_row(self._application.result()))
            reference = wanted.service_management_reference
            yield _answer("service management reference", lambda: reference_row(self._application.result(), reference))

    def _secret(self) -> Row:
        services, application = self._services, self._application.result()
        try:
            view = PolicyView(
                default=self._default.result(),
                own=() if self._own is None else self._own.result(),
                application=application,
                has_secret=application is not None and _has_secret(services, application),
            )
        except DeniedError as error:
            return unread_row(error, is_person=not services.graph_operator.is_app_only)
        return secret_row(view, self._wanted, services.clock.now(), services.cloud.graph)


class _Exchange:
    """What is asked of Exchange."""

    def __init__(self, services: Services, wanted: Registration, pool: ThreadPoolExecutor) -> None:
        exchange = services.exchange
        self._services = services
        self._wanted = wanted
        self._pool = pool
        self._cmdlets = pool.submit(exchange.session.cmdlets)
        self._gone: tuple[Future[Mailbox | None], Future[Mailbox | None]] | None = None
        self._group: _GroupAnswers | None = None
        self._roles: Future[tuple[RoleAssignment, ...]] | None = None
        self._rights: RightsReader | None = None
        if not _fences(wanted):
            return
        self._address = group_address(wanted, wanted.mailbox)
        self._mailbox = pool.submit(exchange.mailboxes.get, wanted.mailbox)
        self._matches = pool.submit(exchange.mailboxes.matches, wanted.mailbox)
        self._group_matches = pool.submit(exchange.mailboxes.matches, self._address)
        self._owner = pool.submit(group_owner_of, services, wanted)
        self._domains = pool.submit(exchange.mailboxes.accepted_domains)
        self._ews = pool.submit(exchange.organization.read)
        self._access = pool.submit(exchange.mailboxes.client_access, wanted.mailbox)

    def second_round(self, app_id: str | None) -> None:
        """Look for a mailbox that is gone where there is none, into the group where there is one, and at the roles."""
        if app_id is not None:
            self._roles = self._pool.submit(self._services.exchange.rbac.assignments, app_id)
        if not _fences(self._wanted):
            return
        if app_id is not None:
            self._rights = RightsReader(self._services, app_id, self._pool)
        mailboxes, address = self._services.exchange.mailboxes, self._wanted.mailbox
        if self._has_nobody():
            self._gone = (
                self._pool.submit(mailboxes.inactive, address),
                self._pool.submit(mailboxes.soft_deleted, address),
            )
        if self._group_matches.exception() is None and _is_group(self._group_matches.result()):
            groups = self._services.exchange.groups
            self._group = (
                self._pool.submit(groups.get, self._address),
                self._pool.submit(groups.members, self._address),
                self._pool.submit(groups.notes, self._address),
            )

    def roles(self) -> tuple[RoleAssignment, ...] | None:
        """What the application holds by role; None where this account may not read it."""
        if self._roles is None:
            return ()
        return None if self._roles.exception() is not None else self._roles.result()

    def rows(
        self, wanted: Registration, application_id: Callable[[], str | None], *, tags: tuple[str, ...]
    ) -> Iterator[Row]:
        """Rights, mailbox, group and EWS, for a registration whose scope is known."""
        services = self._services
        yield exchange_permission_row(services.exchange_operator)
        yield _answer("exchange rights", lambda: exchange_rights_row(self._cmdlets.result(), wanted))
        if not _fences(wanted):
            return
        yield _answer("mailbox", self._mailbox_row, is_needed=True)
        yield _answer("mailbox region", lambda: region_row(self._mailbox.result()))
        if wanted.scope is not Scope.NONE and wanted.administrative_unit is None:
            yield _answer("domain", lambda: domain_row(wanted.mailbox, self._domains.result()))
            yield _answer("scoping group", lambda: self._group_row(wanted), is_needed=True)
        yield _answer(OTHER_RIGHTS, lambda: self._rights_row(wanted, application_id, tags))
        yield _answer("ews", lambda: ews_row(self._ews.result(), application_id(), services.cloud), is_needed=True)
        yield _answer("mailbox ews", self._access_row)

    def _has_nobody(self) -> bool:
        if self._mailbox.exception() is not None or self._matches.exception() is not None:
            return False
        return self._mailbox.result() is None and not self._matches.result()

    def _mailbox_row(self) -> Row:
        matches = self._matches.result()
        try:
            mailbox = self._mailbox.result()
        except ConflictError as error:
            return conflict_row(error)
        inactive, deleted = (None, None) if self._gone is None else (asked.result() for asked in self._gone)
        return mailbox_row(
            Sighting(address=self._wanted.mailbox, matches=matches, mailbox=mailbox, inactive=inactive, deleted=deleted)
        )

    def _access_row(self) -> Row:
        try:
            access = self._access.result()
        except NotFoundError:
            access = None
        return mailbox_ews_row(access, self._wanted.mailbox)

    def _found_group(self) -> ObservedGroup | None:
        if self._group is None:
            return None
        group, members, notes = self._group
        found = group.result()
        return None if found is None else ObservedGroup(group=found, members=members.result(), notes=notes.result())

    def _rights_row(self, wanted: Registration, application_id: Callable[[], str | None], tags: tuple[str, ...]) -> Row:
        if application_id() is None or self._rights is None or wanted.scope is Scope.NONE:
            return no_rights_row()
        mailbox, group = self._mailbox.result(), self._found_group()
        return self._rights.row(wanted, tags=tags, held=self.roles(), mailbox=mailbox, group=group)

    def _group_row(self, wanted: Registration) -> Row:
        matches, there = self._group_matches.result(), self._found_group()
        if self._group is not None and there is None:
            return flapping_row(self._address)
        sighting = GroupSighting(address=self._address, matches=matches, group=there, owner=self._owner.result())
        return group_row(sighting, wanted)


def _answer(name: str, ask: Callable[[], Row], *, is_needed: bool = False) -> Row:
    """A question's row; what could not be asked is a row as well."""
    try:
        return ask()
    except CancelledError:
        raise
    except MimappError as error:
        # What cannot be used as it was asked for stops a registration too.
        return unknown(name, error, is_needed=is_needed or isinstance(error, UsageError))


def _makes_application(wanted: Registration) -> bool:
    return wanted.only in {None, Only.ENTRA}


def _fences(wanted: Registration) -> bool:
    return wanted.only in {None, Only.EXCHANGE}


def _application(services: Services, wanted: Registration) -> Application | None:
    """The application that was named, or the one that has this registration's key."""
    applications = services.graph.applications
    if wanted.app_id is None:
        return applications.by_unique_name(wanted.unique_name)
    found = applications.by_app_id(wanted.app_id)
    if found is None and not wanted.restore:
        raise no_such_application(wanted.app_id)
    return found


def _has_secret(services: Services, application: Application) -> bool:
    """Whether a store of this run holds a live secret of the application."""
    now = services.clock.now()
    live = [
        credential.key_id
        for credential in application.password_credentials or ()
        if credential.key_id and (credential.end_date_time is None or credential.end_date_time > now)
    ]
    try:
        return any(store.has(key_id) for store in services.stores for key_id in live)
    except StoreError:
        return False  # the row of the store says so


def _is_group(matches: tuple[Recipient, ...]) -> bool:
    return len(matches) == 1 and matches[0].recipient_type_details in _GROUPS


def _moments(services: Services) -> tuple[datetime, datetime | None]:
    """This machine's moment and Entra's, from a document that anybody may read."""
    reply = services.http.send(
        Request(
            method="GET",
            url=f"{services.cloud.authority(services.tenant_id)}/v2.0/.well-known/openid-configuration",
            what="the time at Entra",
            repeatable=True,
        )
    )
    here = services.clock.now()
    try:
        there = parsedate_to_datetime(reply.headers.get("date", ""))
    except ValueError:
        return here, None
    return here, there if there.tzinfo is not None else None


def _store_row(store: SecretStore) -> Row:
    """Whether a secret could be put there now."""
    try:
        store.preflight()
    except StoreError as error:
        return Row(
            name=SECRET_STORE,
            verdict=Verdict.STOP,
            found=store.uri,
            why=error.message,
            remedy=error.hint or "",
            details=error.details,
        )
    return Row(name=SECRET_STORE, verdict=Verdict.OK, found=f"{store.uri} can be written")
