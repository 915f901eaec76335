"""How a tenant has to look when unregister has come to its end, and what has to hold at every moment before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.graph import FULL_ACCESS_AS_APP_ID
from mimapp.sandbox.exchange.access import Clockwork, assignments_of, in_scope, mailbox_of, policy_allows
from mimapp.sandbox.exchange.store import load
from support.tenants import name_of

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from support.tenants import Place

OTHERS = ("cc15fd57-2c6c-4117-a88c-83b1d56b4bbe", "5a6db0c0-00e5-4c0a-8f00-c0de000000e5")
#: The longest an access token lives (https://learn.microsoft.com/entra/identity-platform/access-tokens).
LONGEST_TOKEN = timedelta(minutes=90)


def check_gone(place: Place, app_id: str, *, in_bin: bool = True, listed: tuple[str, ...] = OTHERS) -> None:
    """Nothing of the registration is alive, and what is everybody's is as it was.

    Args:
        place: the machine and the tenant.
        app_id: the client id that it had.
        in_bin: whether the application lies in the recycle bin, or is gone for good.
        listed: the EWS allow list.
    """
    with place.connect() as tenant:
        graph, exchange = tenant._graph, tenant._exchange
        assert graph.applications.by_tag_prefix("mimapp:") == ()
        assert graph.service_principals.by_tag("mimapp:mimservice") == ()
        assert graph.service_principals.by_app_id(app_id) is None
        assert [one.app_id for one in graph.deleted.applications()] == ([app_id] if in_bin else [])
        assert exchange.access_policies.list() == ()
        assert exchange.groups.get("mimapp-mimservice@contoso.onmicrosoft.com") is None
        assert exchange.organization.read().allowed_app_ids == listed
        assert exchange.rbac.assignments(app_id) == ()
        assert [one.name for one in exchange.rbac.every_assignment() if one.name.startswith("mimapp-")] == []
        assert exchange.rbac.scope("mimapp-mimservice") is None
    assert not list((place.home / "secrets").glob("*/*"))
    assert not list((place.home / "journal").glob("*/*.json"))


class Watch:
    """Looks at the tenant's truth after every request: no grant, no token of one and no role without a fence.

    Attributes:
        open_at: the requests after which a mailbox outside the fence could have been read.
    """

    def __init__(self, place: Place, app_id: str) -> None:
        self.open_at: list[str] = []
        self._place = place
        self._app_id = app_id
        self._granted: datetime | None = None
        place.wire.after = self.look

    def look(self, request: httpx.Request, _: httpx.Response) -> None:
        now = self._place.clock.now()
        with self._place.sandbox.state.transaction(write=False) as tx:
            if tx.find(self._place.info.tenant_id, "appRoleAssignment", appRoleId=FULL_ACCESS_AS_APP_ID):
                self._granted = now
            directory = load(tx, self._place.info.tenant_id)
        assert directory is not None
        outside = mailbox_of(directory, self._place.info.outside_mailbox)
        assert outside is not None
        has_token = self._granted is not None and now < self._granted + LONGEST_TOKEN
        by_grant = has_token and policy_allows(directory, self._app_id, outside, now, Clockwork.SERVICE)
        roles = assignments_of(directory, self._app_id, now)
        if by_grant or any(in_scope(directory, one, outside) for one in roles):
            self.open_at.append(name_of(request))
