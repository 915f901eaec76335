"""What the tests of consent do with a tenant: build what comes before it, and be the person at the consent page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from mimapp.graph import ApplicationPatch, RedirectUris
from mimapp.sandbox import catalog
from mimapp.sandbox.directory_roles import GLOBAL_ADMINISTRATOR
from support.tenants import MAILBOX, Finished, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.graph import Application, RoleGrant

CONSENT = ("consent", "--mailbox", MAILBOX, "--yes", "--output", "json")
DESKTOP = {"DISPLAY": ":0"}
#: A redirect URI of the form that a killed consent forgets.
LEFTOVER = "http://localhost:51234/mimapp-consent"


def fenced(place: Place) -> Application:
    """An application and its fence, both made by mimapp, and no consent."""
    for only in ("entra", "exchange"):
        done = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json", "--only", only)
        assert done.code in {0, 3}, done.err
    app = application(place)
    place.wire.requests.clear()
    return app


def application(place: Place) -> Application:
    with place.connect() as tenant:
        found = tenant._graph.applications.by_unique_name("mimapp-mimservice")
    assert found is not None
    return found


def redirects(place: Place) -> tuple[str, ...]:
    web = application(place).web
    return () if web is None else web.redirect_uris or ()


def set_redirects(place: Place, *uris: str) -> None:
    with place.connect() as tenant:
        patch = ApplicationPatch(web=RedirectUris(redirect_uris=uris))
        tenant._graph.applications.change(application(place).id, patch)


def grants(place: Place) -> tuple[RoleGrant, ...]:
    with place.connect() as tenant:
        return tenant._graph.role_grants.held_by(application(place).app_id)


def grant(place: Place) -> None:
    """Somebody else consents, in the portal perhaps."""
    with place.connect() as tenant:
        graph = tenant._graph
        principal = graph.service_principals.by_app_id(application(place).app_id)
        resource = graph.service_principals.by_app_id(catalog.EXCHANGE.app_id)
        assert principal is not None
        assert resource is not None
        role = catalog.EXCHANGE.role("full_access_as_app").id
        graph.role_grants.grant(principal_id=principal.id, resource_id=resource.id, role_id=role)


def consent_as_a_person(place: Place, *more: str) -> Finished:
    """Run consent as the person whom the tenant signs in by a device code."""
    as_person = {"MIMAPP_AUTH": "device-code", "AZURE_CLIENT_ID": "", "AZURE_CLIENT_SECRET": ""}
    return place.remote(*CONSENT, *more, environ=as_person)


def without_directory_role(place: Place) -> None:
    """That person has been let in before, and may no longer consent."""
    known = consent_as_a_person(place, "--dry-run")
    assert known.code == 0, known.err
    tenant = place.info.tenant_id
    with place.sandbox.state.transaction() as tx:
        role = tx.get(tenant, "directoryRole", GLOBAL_ADMINISTRATOR)
        assert role is not None
        tx.put(tenant, "directoryRole", role.id, role.body | {"members": []}, settled=True)


def consent(place: Place, *more: str, browser: Callable[[str], bool] = lambda _: False) -> Finished:
    """Run consent on a desktop; only its own requests are on the wire afterwards."""
    place.wire.requests.clear()
    return place.remote(*CONSENT, *more, environ=DESKTOP, open_browser=browser)


@dataclass
class Person:
    """Somebody in front of the browser: opens the page, and lets it lead back to this machine.

    Attributes:
        place: whose tenant.
        opened: the addresses that were opened.
        statuses: how mimapp's listener answered.
    """

    place: Place
    opened: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def __call__(self, url: str) -> bool:
        self.opened.append(url)
        with httpx.Client(transport=self.place.sandbox.transport()) as browser:
            while (page := browser.get(url)).status_code != 302:
                self.place.clock.sleep(1)  # a page that does not know the way back yet is loaded again
        self.arrive(page.headers["location"])
        return True

    def arrive(self, address: str) -> None:
        with httpx.Client(trust_env=False) as browser:
            self.statuses.append(browser.get(address).status_code)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the page that was opened last."""
        return dict(parse_qsl(urlsplit(self.opened[-1]).query))


@dataclass
class Liar(Person):
    """Never opens the page, and goes back with answers of its own; an address with another state or path perhaps."""

    answers: tuple[dict[str, Any], ...] = ()

    def __call__(self, url: str) -> bool:
        self.opened.append(url)
        for answer in self.answers:
            path = answer.get("path", "")
            fields = {"state": self.query["state"]} | {k: v for k, v in answer.items() if k != "path"}
            self.arrive(f"{self.query['redirect_uri']}{path}?{urlencode(fields)}")
        return True
