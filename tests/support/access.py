"""The table of access cases as a tenant that mimapp's own clients ask: administration and EWS, over one sandbox."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
from access_tenant import APPS, PRINCIPAL_ID, address_of
from exchange_tenant import ADMIN, ORIGIN, TENANT, Tenant
from test_sandbox_ews_access import stand

from mimapp.checks.verify_ews import Situation
from mimapp.clouds import CLOUDS, Cloud
from mimapp.exchange import EwsAnswer, EwsProbe, Exchange, anchor_for_user
from mimapp.transport import Http, Patience, Reply, Request

if TYPE_CHECKING:
    from pathlib import Path

    from access_facts import AccessCase

    from mimapp.checks.verify_ews import Windows

OURS = APPS["ours"]


class _Signed:
    """Adds a token, and a User-Agent of its own."""

    def __init__(self, http: Http, token: str, agent: str = "") -> None:
        self._http, self._token, self._agent = http, token, agent

    def send(self, request: Request) -> Reply:
        headers = {**request.headers, "Authorization": f"Bearer {self._token}", "User-Agent": self._agent}
        return self._http.send(replace(request, headers=headers))


class Bench:
    """One tenant for all cases: making one costs more than filling it."""

    def __init__(self, path: Path) -> None:
        self.tenant = Tenant(path)
        transport = httpx.WSGITransport(app=self.tenant.app)
        self.http = Http(Patience(self.tenant.clock, jitter=random.Random(0)), transport=transport)

    def close(self) -> None:
        self.http.close()
        self.tenant.close()

    def stand(self, case: AccessCase) -> None:
        stand(self.tenant, case)

    @property
    def exchange(self) -> Exchange:
        """Exchange administration, as the administrator; tokens end when a case moves the clock."""
        sender = _Signed(self.http, self.tenant.admin_token())
        return Exchange(sender, ORIGIN, TENANT, anchor=anchor_for_user(ADMIN), clock=self.tenant.clock)

    def ask(self, case: AccessCase) -> EwsAnswer:
        """What mimapp's own probe gets, as the application of the case."""
        roles = ["full_access_as_app"] if case.facts.granted else []
        token = self.tenant.token(appid=OURS, oid=PRINCIPAL_ID, roles=roles)
        return EwsProbe(_Signed(self.http, token, case.agent), ORIGIN).get_inbox(address_of(case.mailbox))


def cloud_of(case: AccessCase) -> Cloud:
    return CLOUDS["global" if case.facts.cloud == "worldwide" else "china"]


def situation(bench: Bench, case: AccessCase, windows: Windows) -> Situation:
    """What verify compares an answer with, in the tenant as it stands."""
    exchange, address = bench.exchange, address_of(case.mailbox)
    mailbox = exchange.mailboxes.get(address)
    return Situation(
        now=bench.tenant.clock.now(),
        mailbox=address,
        application_id=OURS,
        settings=exchange.organization.read(),
        access=None if mailbox is None else exchange.mailboxes.client_access(address),
        ews_ends=cloud_of(case).ews_ends,
        has_right=case.facts.granted or bool(exchange.rbac.assignments(OURS)),
        windows=windows,
    )
