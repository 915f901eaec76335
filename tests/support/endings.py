"""How a tenant has to look when register has come to its end, whatever happened on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mimapp.identity import AppSignIn, AppToken
from mimapp.secret import Secret
from mimapp.transport import Http, Patience

if TYPE_CHECKING:
    from support.tenants import Place


def check_one_of_each(place: Place, document: dict[str, Any], *, unclaimed: int = 0) -> None:
    """One application, service principal, group, fence and list entry, and one secret that works.

    The fence is the policy with the grant, or the role without one, as the document says.

    Args:
        place: the machine and the tenant.
        document: what register said.
        unclaimed: how many further secrets of mimapp's may be there, shown and not revoked.
    """
    app_id = document["applicationId"]
    with place.connect() as tenant:
        graph, exchange = tenant._graph, tenant._exchange
        applications = graph.applications.by_tag_prefix("mimapp:")
        assert [application.app_id for application in applications] == [app_id]
        principal = graph.service_principals.by_app_id(app_id)
        assert principal is not None
        assert len(graph.service_principals.by_tag("mimapp:mimservice")) == 1
        is_role = document["scope"]["kind"] == "rbac"
        grants = graph.role_grants.held_by(app_id)
        assert len(grants) == (0 if is_role else 1)
        policies = exchange.access_policies.list()
        assert [policy.app_id for policy in policies] == ([] if is_role else [app_id])
        group = exchange.groups.get(document["scope"]["group"])
        assert group is not None
        assert is_role or policies[0].scope_group_object_id == group.external_directory_object_id
        assert [one.name for one in exchange.rbac.assignments(app_id)] == (
            [document["scope"]["assignment"]] if is_role else []
        )
        pointer = exchange.rbac.service_principal(app_id)
        assert (pointer is not None and pointer.object_id == principal.id) is is_role
        assert len(exchange.groups.members(document["scope"]["group"])) == 1
        allowed = exchange.organization.read().allowed_app_ids
        assert isinstance(allowed, tuple)
        assert allowed.count(app_id) == 1
        assert len(allowed) == 3
        credentials = [c for a in applications for c in a.password_credentials or ()]
        deleted = graph.deleted.applications()
    assert deleted == ()
    assert len(credentials) == 1 + unclaimed, credentials
    kept = json.loads(Path(document["secret"]["storedIn"].removeprefix("file:")).read_text())
    assert kept["keyId"] in {credential.key_id for credential in credentials}
    http = Http(Patience(place.clock), transport=place.wire)
    answer = AppSignIn(http, place.cloud).token(
        kept["tenantId"], kept["applicationId"], Secret(kept["clientSecret"]), place.cloud.exchange_scope
    )
    assert isinstance(answer, AppToken), answer
    assert answer.claims.roles == (set() if is_role else {"full_access_as_app"})
