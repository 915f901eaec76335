"""One run while it is under way: what is known so far, and what a step's action gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mimapp.errors import NotFoundError
from mimapp.provisioning.observe import group_address
from mimapp.provisioning.plan_entra import current_secret
from mimapp.spec import Scope

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.credentials import Desk
    from mimapp.exchange import AccessPolicy, EwsSettings, RoleAssignment
    from mimapp.identity.admin_consent import ConsentListener
    from mimapp.provisioning.observe import EntraView, ExchangeView, Observed
    from mimapp.provisioning.outcome import SecretResult
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration

__all__ = ["Done", "Run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a step.

    Attributes:
        detail: the result in words, never a secret.
        wrote: whether the tenant was changed; False when the thing was there already.
        before: what was there, for the record.
        undo: a command that takes it back, where there is one.
    """

    detail: str
    wrote: bool = True
    before: str = ""
    undo: str = ""


@dataclass(slots=True, kw_only=True)
class Run:
    """What a run knows; actions read it and add what they make.

    Attributes:
        services: the rooms below.
        wanted: the registration.
        observed: the tenant before the run.
        application_id: the client id, once known.
        object_id: the application object's id, once known.
        principal_id: the service principal's id, once known.
        group_id: how Exchange finds the group: its address.
        policy: the access policy, once it is listed.
        role: the role assignment, once it is listed.
        stands: whether the fence stands.
        consented: whether the role is granted.
        ews: the organisation's EWS settings as last read.
        ews_written: when this run wrote the list.
        secret: the secret that MIM is to use.
        secret_begun: when that secret was asked for, where this machine knows.
        listener: what waits for a browser's return from the consent page.
        redirects_kept: the application's own redirect URIs, once this run is about to add one for a while.
        warnings, attention: as in `Outcome`.
    """

    services: Services
    wanted: Registration
    observed: Observed
    application_id: str = ""
    object_id: str = ""
    principal_id: str = ""
    group_id: str = ""
    policy: AccessPolicy | None = None
    role: RoleAssignment | None = None
    stands: bool = False
    consented: bool = False
    ews: EwsSettings | None = field(init=False)
    ews_written: datetime | None = None
    secret: SecretResult | None = None
    listener: ConsentListener | None = None
    redirects_kept: tuple[str, ...] | None = None
    warnings: list[str] = field(default_factory=list)
    attention: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        entra, exchange = self.observed.entra, self.observed.exchange
        self.application_id = self.observed.application_id or ""
        self.group_id = group_address(self.wanted, self.wanted.mailbox)
        self.consented = self.observed.granted
        self.stands = self.observed.stands(self.scope) or self.wanted.fence_confirmed_by is not None
        self.ews = None if exchange is None else exchange.ews
        if entra is None:
            pointer = None if exchange is None or exchange.roles is None else exchange.roles.pointer
            self.principal_id = self.wanted.principal_id or ("" if pointer is None else pointer.object_id)
            return
        there = entra.application or (entra.deleted if self.wanted.restore else None)
        if there is not None:
            self.application_id, self.object_id = there.app_id, there.id
        if entra.principal is not None:
            self.principal_id = entra.principal.id
        current = current_secret(entra.secrets)
        self.secret = None if current is None else current.result

    @property
    def scope(self) -> Scope:
        """What keeps the application to its mailbox; a plan says which."""
        return self.wanted.scope or Scope.POLICY

    @property
    def entra(self) -> EntraView:
        """What Graph said before the run; a step that needs it is only planned where it was read."""
        if self.observed.entra is None:
            raise AssertionError("a step of Entra's in a run that did not read Entra")
        return self.observed.entra

    @property
    def exchange(self) -> ExchangeView:
        """What Exchange said before the run, the same way."""
        if self.observed.exchange is None:
            raise AssertionError("a step of Exchange's in a run that did not read Exchange")
        return self.observed.exchange

    def application(self) -> str:
        """The application object's id; looked up where a run before this one made it and a read missed it."""
        if self.observed.entra is None:
            raise AssertionError("the application is looked up only where Entra is read")
        if not self.object_id:
            found = self.services.graph.applications.by_unique_name(self.wanted.unique_name, fresh=True)
            if found is None:
                raise _missing("application", self.wanted.unique_name)
            self.object_id, self.application_id = found.id, found.app_id
        return self.object_id

    def known_application_id(self) -> str:
        """The client id; looked up where it is not known yet."""
        if not self.application_id:
            self.application()
        return self.application_id

    def principal(self) -> str:
        """The service principal's id, looked up the same way."""
        if not self.principal_id:
            self.application()
            found = self.services.graph.service_principals.by_app_id(self.application_id, fresh=True)
            if found is None:
                raise _missing("service principal", self.application_id)
            self.principal_id = found.id
        return self.principal_id

    def desk(self) -> Desk:
        """The desk for this application's secrets."""
        object_id = self.application()
        return self.services.desk(self.wanted, self.application_id, object_id)


def _missing(what: str, name: str) -> NotFoundError:
    return NotFoundError(
        f"{what} {name} was made and is not visible yet",
        service="graph",
        status=404,
        hint="run the same command again in a few minutes: it goes on where this run stopped",
    )
