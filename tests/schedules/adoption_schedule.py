"""One seeded schedule of an adoption: an application of somebody else's is taken over in bad weather, cut short."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mimapp.sandbox import catalog
from mimapp.sandbox.scenarios import portal_app, script_app
from schedules.cut_short import CutShort
from support.others import belongings, taken_away
from support.tenants import MAILBOX, is_write, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from support.tenants import Finished, Place

REGISTER = ("register", "--mailbox", MAILBOX, "--yes", "--output", "json", "--deadline", "30m")
_GUIDE = {"portal": portal_app, "script": script_app}
_REDIRECTS = ["https://portal.contoso.example/signin"]
_NAME = "contoso-mail-2022"
#: What may be another afterwards on the application that is taken over, and on its service principal.
_CHANGED = {"requiredResourceAccess", "tags", "uniqueName", "passwordCredentials", "_secrets"}


@dataclass
class AdoptionSchedule(CutShort):
    """What happens in one schedule; all of it follows from the seed, but for a death that a test asks for.

    Attributes:
        first_death: the first run dies at this write, before or after the service took it.
        has_died: whether it did.
    """

    app_id: str = ""
    first_death: tuple[int, bool] | None = None
    has_died: bool = False
    granted_without_fence: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        draw = self.random
        self.made_by = draw.choice(["portal", "script"])
        self.is_sign_in = draw.random() < 0.4
        self.other_scopes = draw.random() < 0.3
        self.has_name = draw.random() < 0.3
        self.is_granted = draw.random() < 0.6
        self.removes = self.is_sign_in and draw.random() < 0.5
        self.names_it_again = draw.random() < 0.7

    def run(self) -> None:
        """Make somebody's application, take it over, cut short as often as the seed says, and compare."""
        place = self.calm()
        self.app_id = str(_GUIDE[self.made_by](place.sandbox).app_id)
        self.prepare(place)
        before, ids = belongings(place), self.ids(place)
        place.close()
        adopts = ("--app-id", self.app_id, "--restrict-existing", *(("--remove-user-read",) if self.removes else ()))
        if self.first_death is not None:
            self.has_died = self.register(self.first_death, *adopts, counts=is_write) is None
        for number in range(self.crashes):
            self.register(self.draw_crash(number), *adopts)
            self.later(0, 1, 30, 400)
        done = self.register(None, *adopts)
        assert done is not None
        assert done.code == 0, self.told(done.err)
        assert done.document["applicationId"] == self.app_id, self.told(done.out)
        assert self.granted_without_fence == [], self.told("a grant before its fence")
        self.later(25 * 3600)
        self.check(before, ids)
        if not self.names_it_again:
            adopts = ()
        again = self.register(None, *adopts)
        assert again is not None
        assert again.document["changes"] == [], self.told(again.out)

    def register(
        self, crash: tuple[int, bool] | None, *more: str, counts: Callable[[httpx.Request], bool] = lambda _: True
    ) -> Finished | None:
        return self.once(lambda place: place.remote(*REGISTER, *more), crash, counts=counts, before=self.watch)

    def watch(self, place: Place, request: httpx.Request) -> None:
        """A grant is written only behind the registration's own policy."""
        if not request.url.path.endswith("/appRoleAssignedTo"):
            return
        with place.sandbox.state.transaction(write=False) as tx:
            scopes = [str(one.body["scope_name"]) for one in tx.find(place.info.tenant_id, "exo.policy")]
        if "mimapp-mimservice" not in scopes:
            self.granted_without_fence.append(f"{name_of(request)}: {scopes}")

    def prepare(self, place: Place) -> None:
        """What somebody has done with the application in the meantime."""
        tenant = place.info.tenant_id
        with place.sandbox.state.transaction() as tx:
            (app,) = tx.find(tenant, "application", appId=self.app_id)
            (principal,) = tx.find(tenant, "servicePrincipal", appId=self.app_id)
            body = dict(app.body)
            if self.is_sign_in:
                body["web"] = body["web"] | {"redirectUris": _REDIRECTS}
                shown = principal.body | {"replyUrls": _REDIRECTS}
                tx.put(tenant, "servicePrincipal", principal.id, shown, settled=True)
            if self.has_name:
                body["uniqueName"] = _NAME
            tx.put(tenant, "application", app.id, body, settled=True)
            for grant in tx.find(tenant, "oauth2PermissionGrant", clientId=principal.id):
                if self.other_scopes:
                    wider = grant.body | {"scope": "openid User.Read profile"}
                    tx.put(tenant, "oauth2PermissionGrant", grant.id, wider, settled=True)
            if not self.is_granted:
                for one in tx.find(tenant, "appRoleAssignment", principalId=principal.id):
                    tx.delete(tenant, "appRoleAssignment", one.id)

    def ids(self, place: Place) -> dict[str, str]:
        """The ids of what is taken over: these may change, and how is looked at one by one."""
        tenant = place.info.tenant_id
        with place.sandbox.state.transaction(write=False) as tx:
            (app,) = tx.find(tenant, "application", appId=self.app_id)
            (principal,) = tx.find(tenant, "servicePrincipal", appId=self.app_id)
            (delegated,) = tx.find(tenant, "oauth2PermissionGrant", clientId=principal.id)
        return {"application": app.id, "servicePrincipal": principal.id, "oauth2PermissionGrant": delegated.id}

    def check(self, before: dict[str, str], ids: dict[str, str]) -> None:
        """Nothing of anybody's is gone or another, and the application has what it needs and all it had."""
        place = self.calm()
        after = belongings(place)
        place.close()
        assert taken_away(before, after, changes=tuple(ids.values())) == [], self.told("somebody else's")
        for kind in ("application", "servicePrincipal"):
            name = f"{kind} {ids[kind]}"
            then, now = json.loads(before[name]), json.loads(after[name])
            differs = {key for key in then if then[key] != now.get(key)}
            assert differs <= _CHANGED, self.told(f"{name}: {differs}")
            assert set(then["tags"]) <= set(now["tags"]), self.told(f"{name}: {now['tags']}")
            if kind == "application":
                self.check_application(then, now)
        self.check_delegated(after.get(f"oauth2PermissionGrant {ids['oauth2PermissionGrant']}"))
        grants = [body for name, body in after.items() if name.startswith("appRoleAssignment ")]
        held = [one for one in map(json.loads, grants) if one["principalId"] == ids["servicePrincipal"]]
        assert len(held) == 1, self.told(str(held))
        scopes = [json.loads(body)["scope_name"] for name, body in after.items() if name.startswith("exo.policy ")]
        assert scopes.count("mimapp-mimservice") == 1, self.told(str(scopes))

    def check_application(self, then: dict[str, Any], now: dict[str, Any]) -> None:
        assert now["uniqueName"] == (_NAME if self.has_name else "mimapp-mimservice"), self.told(now["uniqueName"])
        old, kept = then["passwordCredentials"], now["passwordCredentials"]
        assert all(one in kept for one in old), self.told("an old secret is gone")
        assert len(kept) == len(old) + 1, self.told(str([one["displayName"] for one in kept]))
        asked = {item["id"] for one in now["requiredResourceAccess"] for item in one["resourceAccess"]}
        role, user_read = catalog.EXCHANGE.role("full_access_as_app").id, catalog.GRAPH.scope("User.Read").id
        assert asked == ({role, user_read} if self.keeps_user_read else {role}), self.told(str(asked))

    def check_delegated(self, grant: str | None) -> None:
        """Of the delegated grant nothing goes but the word User.Read, and that only where nobody signs in with it."""
        scopes = set() if grant is None else set(json.loads(grant)["scope"].split())
        others = {"openid", "profile"} if self.other_scopes else set()
        assert scopes == (others | {"User.Read"} if self.keeps_user_read else others), self.told(str(scopes))

    @property
    def keeps_user_read(self) -> bool:
        return (self.is_sign_in or self.other_scopes) and not self.removes
