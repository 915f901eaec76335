"""The table of access cases over HTTP: EWS itself, and the two test cmdlets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from access_cases import CASES
from access_facts import AccessCase, Expect
from access_tenant import APPS, PRINCIPAL_ID, address_of, entities_of
from exchange_tenant import TENANT, Tenant

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVELOPE = """<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
    xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"
    xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">
  <soap:Header><t:RequestServerVersion Version="Exchange2016"/>
    <t:ExchangeImpersonation><t:ConnectingSID><t:{form}>{address}</t:{form}></t:ConnectingSID></t:ExchangeImpersonation>
  </soap:Header>
  <soap:Body><m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>
    <m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:GetFolder></soap:Body>
</soap:Envelope>"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """One tenant for all cases: making one costs more than filling it."""
    made = Tenant(tmp_path_factory.mktemp("cases"))
    yield made
    made.close()


def stand(tenant: Tenant, case: AccessCase) -> None:
    """Make the tenant stand as the case says, and nothing else in it."""
    kinds = ("mailbox", "exo.recipient", "exo.policy", "exo.principal", "exo.scope", "exo.assignment", "exo.unit")
    tenant.clock.advance(case.moment - tenant.clock.now())
    with tenant.state.transaction() as tx:
        for kind in (*kinds, "group"):
            for record in tx.find(TENANT, kind):
                tx.delete(TENANT, kind, record.id)
        tx.delete(TENANT, "servicePrincipal", PRINCIPAL_ID)
    tenant.put(*entities_of(case))
    if case.facts.pointer:
        tenant.add_service_principal(PRINCIPAL_ID, APPS["ours"])


def ask(tenant: Tenant, case: AccessCase) -> Expect:
    """What came back, in the words of the table."""
    address = address_of(case.mailbox)
    form = "PrincipalName" if ".login" in address else "SmtpAddress"
    roles = ["full_access_as_app"] if case.facts.granted else []
    token = tenant.token(appid=APPS["ours"], oid=PRINCIPAL_ID, roles=roles)
    reply = tenant.http.post(
        "/EWS/Exchange.asmx",
        content=ENVELOPE.format(form=form, address=address).encode(),
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "text/xml; charset=utf-8",
            "X-AnchorMailbox": address,
            "User-Agent": case.agent,
        },
    )
    reason = reply.headers.get("x-ews-policy-reason")
    diagnostics = reply.headers.get("x-ms-diagnostics", "")
    if reply.status_code == 403 and reason:
        assert not reply.content
        return Expect(f"403, X-EWS-Policy-Reason: {reason}")
    if reply.status_code == 403 and diagnostics.startswith("2000008;"):
        return Expect.NO_RIGHT
    if reply.status_code == 403:
        assert not diagnostics
        assert not reply.content
        return Expect.DENIED
    code = re.search(r"ResponseCode[^>]*>(\w+)<", reply.text)
    assert code is not None
    if reply.status_code == 500:
        return Expect(f"SOAP fault {code[1]}")
    assert (reply.status_code, code[1]) == (200, "NoError")
    return Expect.GRANTED


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_ews_answers_as_the_table_says(bench: Tenant, case: AccessCase) -> None:
    stand(bench, case)
    assert ask(bench, case) is case.expected


@pytest.mark.parametrize("case", [c for c in CASES if c.policy_test], ids=lambda case: case.name)
def test_the_policy_cmdlet_answers_as_the_table_says(bench: Tenant, case: AccessCase) -> None:
    stand(bench, case)
    reply = bench.run("Test-ApplicationAccessPolicy", Identity=address_of(case.mailbox), AppId=APPS["ours"])
    assert reply.row["AccessCheckResult"] == case.policy_test


@pytest.mark.parametrize("case", [c for c in CASES if c.role_test], ids=lambda case: case.name)
def test_the_role_cmdlet_answers_as_the_table_says(bench: Tenant, case: AccessCase) -> None:
    stand(bench, case)
    given = {"Identity": APPS["ours"], "Resource": address_of(case.mailbox)}
    rows = bench.run("Test-ServicePrincipalAuthorization", **given).rows
    assert sorted(row["InScope"] for row in rows) == sorted(case.role_test or ())
