"""What the tests of scope migrate do with a tenant: run the command, look at it, and be the others who work in it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mimapp.graph import FULL_ACCESS_AS_APP_ID
from mimapp.sandbox.exchange import store
from mimapp.sandbox.exchange.models import AccessPolicy, RoleAssignment, ScopeType
from support.tenants import MAILBOX, Finished, Place, is_write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    import httpx

    from mimapp.sandbox.exchange.models import Directory, Entity

OTHER = "other@contoso.onmicrosoft.com"
GROUP = "mimapp-mimservice@contoso.onmicrosoft.com"
OWNER = "admin@contoso.onmicrosoft.com"
TWO_HOURS, TWO_DAYS = timedelta(hours=2), timedelta(days=2)
MIGRATE = ("scope", "migrate", "--mailbox", MAILBOX, "--yes", "--output", "json")


@dataclass
class Migrating:
    """A place in which `register` has been run."""

    place: Place
    app_id: str = field(init=False)

    def __post_init__(self) -> None:
        stored = json.loads(next(self.place.home.glob("secrets/*/mimservice.json")).read_text())
        self.app_id = str(stored["applicationId"])

    def done(self, *more: str) -> Finished:
        """Run it; only its own requests are on the wire afterwards."""
        self.place.wire.requests.clear()
        return self.place.remote(*MIGRATE, *more)

    def run(self, *more: str, code: int = 0) -> dict[str, Any]:
        done = self.done(*more)
        assert done.code == code, done.out + done.err
        return done.document

    def refused(self, *more: str, code: int) -> str:
        """Run it where it has to refuse, before it writes anything."""
        done = self.done(*more)
        assert done.code == code, done.out + done.err
        assert self.place.wire.writes == []
        return done.err

    def alter(self, change: Callable[[Directory], Iterable[Entity]]) -> None:
        """Change what stands in Exchange without a cmdlet."""
        with self.place.sandbox.state.transaction() as tx:
            directory = store.load(tx, self.place.info.tenant_id)
            assert directory is not None
            for entity in change(directory):
                store.put(tx, self.place.info.tenant_id, entity, settled=True)

    def role_acts_from(self, moment: datetime) -> None:
        """EWS follows the assignment from then on, whatever the test cmdlet says by now."""
        self.alter(lambda found: [replace(one, enforced=moment) for one in found.roles.assignments])

    def unlimited_role_lingers(self) -> None:
        """An assignment for the whole organisation was taken away a moment ago, and EWS still follows it."""
        now = self.place.clock.now()
        (one,) = self.truth().roles.assignments
        self.alter(
            lambda _: [
                replace(
                    one,
                    guid="77777777-0000-4000-8000-000000000001",
                    name="gone",
                    scope_type=ScopeType.ORGANIZATION,
                    scope="",
                    removed=now,
                    enforced_until=now + TWO_HOURS,
                )
            ]
        )

    def remove_role(self) -> None:
        """Somebody takes the role away, and it acts no more."""
        now = self.place.clock.now()
        self.alter(lambda found: [replace(one, removed=now, enforced_until=now) for one in found.roles.assignments])

    def truth(self) -> Directory:
        with self.place.sandbox.state.transaction(write=False) as tx:
            directory = store.load(tx, self.place.info.tenant_id)
        assert directory is not None
        return directory

    @property
    def is_granted(self) -> bool:
        with self.place.sandbox.state.transaction(write=False) as tx:
            return bool(tx.find(self.place.info.tenant_id, "appRoleAssignment", appRoleId=FULL_ACCESS_AS_APP_ID))

    @property
    def policies(self) -> list[AccessPolicy]:
        return [one for one in self.truth().policies if one.removed is None]

    @property
    def roles(self) -> list[RoleAssignment]:
        return [one for one in self.truth().roles.assignments if one.removed is None]

    @property
    def asked_mailboxes(self) -> set[str]:
        """Whose mailbox EWS was asked about."""
        return {
            request.headers["x-anchormailbox"].lower()
            for request in self.place.wire.requests
            if request.url.path.endswith("/EWS/Exchange.asmx")
        }


@dataclass
class Watch:
    """Looks at every write: the grant never stands without its policy, and the policy goes after both."""

    there: Migrating
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.there.place.wire.after = self.look

    def look(self, request: httpx.Request, _: httpx.Response) -> None:
        if is_write(request) and self.there.is_granted and not self.there.policies:
            self.wrong.append(f"{request.method} {request.url.path}")


def steps(document: dict[str, Any]) -> list[str]:
    """What a run wrote."""
    return [change["step"] for change in document["changes"]]
