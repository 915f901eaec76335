"""InvokeCommand over HTTP: who may come in, how replies look, how refusals look."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from exchange_tenant import ADMIN, APP_ID, APP_OBJECT_ID, MIM, OTHER, TENANT, Tenant

from mimapp.sandbox import exchange
from mimapp.sandbox.directory_roles import GLOBAL_ADMINISTRATOR
from mimapp.sandbox.exchange.models import effective
from mimapp.sandbox.exchange.weather import Effect, Refusal, RefusalKind
from mimapp.sandbox.seed import seed_tenant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
RECIPIENT_ADMINISTRATOR = "31392ffb-586c-42d1-9346-e59415a2cc4e"
CALL = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {"Identity": MIM}}}


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    made = Tenant(tmp_path)
    yield made
    made.close()


class Stormy:
    """Refuses as often as it is told to."""

    def __init__(self, *refusals: Refusal) -> None:
        self.refusals = list(refusals)
        self.asked: list[str] = []

    def delay(self, effect: Effect) -> timedelta:
        del effect
        return timedelta()

    def refusal(self, operation: str) -> Refusal | None:
        self.asked.append(operation)
        return self.refusals.pop(0) if self.refusals else None


def test_a_reply_has_the_recorded_headers_and_members(tenant: Tenant) -> None:
    reply = tenant.post(CALL, client_request_id="c0ffee")
    assert reply.status == 200
    assert reply.headers["odata-version"] == "4.0"
    assert reply.headers["content-type"].startswith("application/json;odata.metadata=minimal;odata.streaming=true")
    assert reply.headers["client-request-id"] == "c0ffee"
    assert reply.headers["request-id"]
    assert int(reply.headers["rate-limit-remaining"]) < int(reply.headers["rate-limit-limit"])
    assert list(reply.body) == ["@odata.context", "adminapi.warnings@odata.type", "@adminapi.warnings", "value"]
    assert reply.body["@odata.context"].endswith(
        f"/adminapi/beta/{TENANT}/$metadata#Collection(Exchange.GenericHashTable)"
    )
    row = reply.row
    assert (row["Guid@data.type"], row["Guid@odata.type"]) == ("System.Guid", "#Guid")
    assert row["EmailAddresses@odata.type"] == "#Collection(String)"
    assert row["WhenCreated@data.type"] == "System.DateTime"
    assert "WhenCreated@odata.type" not in row


def test_only_beta_answers(tenant: Tenant) -> None:
    assert tenant.post(CALL, path=f"/adminapi/v1.0/{TENANT}/InvokeCommand").status == 405


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://graph.microsoft.com"},
        {"tid": "5a6db0c0-9999-4c0a-8f00-c0de00000001"},
        {"exp": 1_000_000_000, "nbf": 999_990_000},
    ],
)
def test_a_token_for_something_else_is_401(tenant: Tenant, claims: dict[str, object]) -> None:
    reply = tenant.post(CALL, token=tenant.admin_token(**claims))
    assert reply.status == 401
    assert reply.headers["www-authenticate"].startswith("Bearer ")


def test_a_forged_or_missing_token_is_401(tenant: Tenant) -> None:
    assert tenant.post(CALL, token=tenant.admin_token()[:-6] + "AAAAAA").status == 401
    assert tenant.post(CALL, Authorization="").status == 401


def test_another_tenant_in_the_path_is_401(tenant: Tenant) -> None:
    assert tenant.post(CALL, path="/adminapi/beta/5a6db0c0-9999-4c0a-8f00-c0de00000001/InvokeCommand").status == 401


@pytest.mark.parametrize("scope", ["Exchange.ManageV2", "EWS.AccessAsUser.All", ""])
def test_a_delegated_token_without_the_right_scope_is_a_bare_403(tenant: Tenant, scope: str) -> None:
    reply = tenant.post(CALL, token=tenant.admin_token(scp=scope))
    assert (reply.status, reply.raw) == (403, b"")
    assert "x-ms-diagnostics" not in reply.headers


@pytest.mark.parametrize("scope", ["Exchange.Manage", "AdminApi.AccessAsUser.All Mail.Send"])
def test_either_scope_will_do(tenant: Tenant, scope: str) -> None:
    assert tenant.post(CALL, token=tenant.admin_token(scp=scope, wids=[GLOBAL_ADMINISTRATOR])).status == 200


def test_a_user_without_an_exchange_role_is_a_bare_403(tenant: Tenant) -> None:
    reply = tenant.post(CALL, token=tenant.admin_token(wids=[]))
    assert (reply.status, reply.raw) == (403, b"")


def test_app_only_needs_the_permission_and_a_directory_role(tenant: Tenant) -> None:
    role = {"wids": ["29232cdf-9323-42fd-ade2-1d097af3e4de"]}
    assert tenant.post(CALL, token=tenant.app_token(**role)).status == 200
    assert tenant.post(CALL, token=tenant.app_token()).status == 403
    assert tenant.post(CALL, token=tenant.app_token(roles=["Exchange.ManageAsAppV2"], **role)).status == 403


@pytest.mark.parametrize(
    ("role", "cmdlet", "allowed"),
    [
        (GLOBAL_READER, "Get-OrganizationConfig", True),
        (GLOBAL_READER, "Get-ApplicationAccessPolicy", True),
        (GLOBAL_READER, "Set-OrganizationConfig", False),
        (RECIPIENT_ADMINISTRATOR, "Get-Mailbox", True),
        (RECIPIENT_ADMINISTRATOR, "New-ApplicationAccessPolicy", False),
        (GLOBAL_ADMINISTRATOR, "Set-OrganizationConfig", True),
    ],
)
def test_a_role_decides_which_cmdlets_exist(tenant: Tenant, role: str, cmdlet: str, *, allowed: bool) -> None:
    reply = tenant.run_as(tenant.admin_token(wids=[role]), cmdlet)
    assert (reply.status != 403) is allowed


def test_a_place_in_organization_management_stands_in_for_a_directory_role(tenant: Tenant) -> None:
    token = tenant.app_token()
    assert tenant.post(CALL, token=token).status == 403
    tenant.put(replace(tenant.directory().organization, administrators=(APP_OBJECT_ID,)))
    assert tenant.run_as(token, "Set-OrganizationConfig", EwsEnabled=False).status == 200


def test_an_unknown_cmdlet_is_403_with_nul_bytes_that_claim_gzip(tenant: Tenant) -> None:
    reply = tenant.run("Get-Nonsense")
    assert reply.status == 403
    assert reply.headers["content-encoding"] == "gzip"
    assert reply.raw
    assert not reply.raw.strip(b"\0")


def test_cmdlet_and_parameter_names_take_any_case(tenant: Tenant) -> None:
    assert tenant.run("get-mailbox", identity=MIM).row["Alias"] == "MIMService"


def test_a_missing_object_is_404_in_the_recorded_form(tenant: Tenant) -> None:
    reply = tenant.run("Get-CASMailbox", Identity="nobody@contoso.onmicrosoft.com")
    assert reply.status == 404
    error = reply.body["error"]
    assert (error["code"], error["message"]) == ("NotFound", "Error executing cmdlet")
    assert error["details"][0].keys() == {"code", "target", "message"}
    code, kind, text = reply.detail.split("|")
    assert code == "Ex6F9304"
    assert kind == "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
    assert text.startswith(
        "The operation couldn't be performed because object 'nobody@contoso.onmicrosoft.com' couldn't"
    )
    assert error["innererror"]["type"] == "Microsoft.Exchange.Admin.OData.Core.ODataServiceException"
    assert reply.headers["x-exceptiontype"] == "ManagementObjectNotFoundException"


@pytest.mark.parametrize(
    ("cmdlet", "parameters", "said"),
    [
        ("Get-Mailbox", {"Nonsense": 1}, "parameter name 'Nonsense'"),
        ("Get-Mailbox", {"Identity": 7}, "parameter 'Identity'"),
        ("Get-Mailbox", {"SoftDeletedMailbox": "yes"}, "parameter 'SoftDeletedMailbox'"),
        ("Get-Mailbox", {"RecipientTypeDetails": "Teapot"}, "UserMailbox"),
        ("Get-Mailbox", {"RecipientTypeDetails": ["UserMailbox", 3]}, "RecipientTypeDetails"),
        ("Get-Mailbox", {"SoftDeletedMailbox": True, "InactiveMailboxOnly": True}, "Parameter set"),
        ("Add-DistributionGroupMember", {"Identity": "x"}, "missing mandatory parameters: Member"),
        ("New-ApplicationAccessPolicy", {"AppId": []}, "missing mandatory parameters: AccessRight AppId"),
        ("Set-OrganizationConfig", {"EwsAllowList": {"Add": ["x"]}}, "EwsAllowList"),
        (
            "Set-OrganizationConfig",
            {"EwsAllowList": {"@odata.type": "#Exchange.GenericHashTable", "Set": "x"}},
            "EwsAllowList",
        ),
    ],
)
def test_a_bad_parameter_is_400(tenant: Tenant, cmdlet: str, parameters: dict[str, Any], said: str) -> None:
    reply = tenant.run(cmdlet, **parameters)
    assert reply.status == 400
    assert reply.body["error"]["code"] == "BadRequest"
    assert said in reply.detail


def test_common_parameters_and_annotations_are_taken_and_ignored(tenant: Tenant) -> None:
    reply = tenant.run("Get-Mailbox", Identity=MIM, ResultSize=1, ErrorAction="Stop", **{"Identity@odata.type": "x"})
    assert reply.row["Alias"] == "MIMService"


def test_what_if_writes_nothing(tenant: Tenant) -> None:
    assert tenant.run("Set-OrganizationConfig", EwsEnabled=False, WhatIf=True).status == 200
    assert tenant.run("Get-OrganizationConfig").row["EwsEnabled"] is True


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"CmdletInput":{}}', b'{"CmdletInput":{"CmdletName":3}}', b"\xff"]
)
def test_a_body_without_a_cmdlet_is_400(tenant: Tenant, raw: bytes) -> None:
    assert tenant.post(raw).status == 400


@pytest.mark.parametrize(
    ("anchor", "status"),
    [
        (f"UPN:{ADMIN}", 200),
        (f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{TENANT}", 200),
        ("UPN:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@contoso.onmicrosoft.com", 200),
        (f"SMTP:{MIM}", 200),
        (f"MBX:9d172b0d-1cc4-5081-bda9-ab3f0565ffee@{TENANT}", 200),
        ("UPN:admin@fabrikam.com", 400),
        ("admin@contoso.onmicrosoft.com", 400),
        ("nonsense", 400),
    ],
)
def test_the_anchor_must_lead_into_the_tenant(tenant: Tenant, anchor: str, status: int) -> None:
    assert tenant.post(CALL, X_AnchorMailbox=anchor).status == status


def test_select_keeps_what_is_named(tenant: Tenant) -> None:
    reply = tenant.post(CALL, path=f"/adminapi/beta/{TENANT}/InvokeCommand?$select=alias,Guid")
    assert set(reply.row) == {"Alias", "Guid", "Guid@data.type", "Guid@odata.type"}


def test_pages_are_posted_to_the_link_with_the_same_body(tenant: Tenant) -> None:
    body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}}
    seen: list[str] = []
    path: str | None = None
    sizes = []
    while True:
        reply = tenant.post(body, path=path, Prefer="odata.maxpagesize=2")
        sizes.append(len(reply.rows))
        seen += [row["Alias"] for row in reply.rows]
        if "@odata.nextLink" not in reply.body:
            break
        path = reply.body["@odata.nextLink"]
    assert sizes == [2, 1]
    assert seen == ["admin", "MIMService", "other"]


def test_a_link_dies_after_five_minutes_and_with_another_body(tenant: Tenant) -> None:
    body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}}
    link = tenant.post(body, Prefer="odata.maxpagesize=1").body["@odata.nextLink"]
    other = {"CmdletInput": {"CmdletName": "Get-Recipient", "Parameters": {}}}
    assert tenant.post(other, path=link).status == 400
    assert tenant.post(body, path=link + "x").status == 400
    assert tenant.post(body, path=link).status == 200
    tenant.clock.advance(timedelta(minutes=6))
    assert tenant.post(body, path=link).status == 400


def test_a_success_without_output_comes_in_three_forms(tenant: Tenant) -> None:
    tenant.run("New-DistributionGroup", Name="g", Type="Security")
    added = tenant.run("Add-DistributionGroupMember", Identity="g", Member=OTHER)
    assert (added.status, added.raw) == (200, b"")
    changed = tenant.run("Set-DistributionGroup", Identity="g", DisplayName="G")
    assert (changed.status, changed.rows) == (200, [])
    removed = tenant.run("Remove-DistributionGroup", Identity="g", Confirm=False)
    assert (removed.status, removed.raw) == (204, b"")


def test_a_set_that_changes_nothing_warns(tenant: Tenant) -> None:
    reply = tenant.run("Set-OrganizationConfig", EwsEnabled=True)
    assert reply.rows == []
    (warning,) = reply.body["@adminapi.warnings"]
    assert "no settings" in warning
    assert reply.headers["x-warnings"] == warning


def test_the_module_file_names_the_callers_cmdlets(tenant: Tenant) -> None:
    def ask(**headers: str) -> tuple[int, str]:
        sent = {"Authorization": f"Bearer {tenant.admin_token(wids=[GLOBAL_READER])}", **headers}
        reply = tenant.http.get(f"/adminapi/v1.0/{TENANT}/EXOModuleFile", params={"Version": "3.9.2"}, headers=sent)
        return reply.status_code, reply.text

    status, text = ask(CommandName="*")
    assert status == 200
    names = json.loads(text)["value"][0]["exportedCmdlets"].split(",")
    assert "Get-Mailbox" in names
    assert "New-DistributionGroup" not in names
    assert ask()[0] == 400
    assert ask(CommandName="*", Authorization=f"Bearer {tenant.admin_token(wids=[])}")[0] == 403
    beta = f"/adminapi/beta/{TENANT}/EXOModuleFile"
    assert tenant.http.get(beta, headers={"Authorization": f"Bearer {tenant.admin_token()}"}).status_code == 404


def test_weather_turns_requests_away(tmp_path: Path) -> None:
    weather = Stormy(
        Refusal(kind=RefusalKind.THROTTLED, wait=timedelta(seconds=7)),
        Refusal(kind=RefusalKind.THROTTLED),
        Refusal(kind=RefusalKind.NUL_BODY),
        Refusal(kind=RefusalKind.EMPTY_FORBIDDEN),
        Refusal(kind=RefusalKind.UNAVAILABLE, wait=timedelta(seconds=2)),
    )
    tenant = Tenant(tmp_path, weather=weather)
    try:
        throttled, bare, nul, empty, busy, fine = (tenant.post(CALL) for _ in range(6))
    finally:
        tenant.close()
    assert (throttled.status, throttled.headers["retry-after"]) == (429, "7")
    assert throttled.raw.startswith(b"You have reached the maximum number of concurrent requests per tenant.")
    assert throttled.headers["rate-limit-remaining"] == "0"
    assert throttled.headers["rate-limit-reset"].startswith("2026-11-21T09:00:07")
    assert bare.status == 429
    assert "retry-after" not in bare.headers
    assert (nul.status, nul.raw.strip(b"\0")) == (403, b"")
    assert (empty.status, empty.raw) == (403, b"")
    assert (busy.status, busy.headers["retry-after"]) == (503, "2")
    assert fine.status == 200
    assert set(weather.asked) == {"Get-Mailbox"}


def test_organisations_are_apart(tenant: Tenant) -> None:
    with tenant.state.transaction() as tx:
        other = seed_tenant(tx, "fabrikam.onmicrosoft.com", name="Fabrikam")
    path = f"/adminapi/beta/{other}/InvokeCommand"
    assert tenant.post(CALL, path=path).status == 401
    token = tenant.admin_token(tid=other)
    body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}}
    addresses = [row["PrimarySmtpAddress"] for row in tenant.post(body, path=path, token=token).rows]
    assert addresses
    assert all(address.endswith("@fabrikam.onmicrosoft.com") for address in addresses)


def test_a_tenant_without_exchange_is_401(tenant: Tenant) -> None:
    nowhere = "5a6db0c0-9999-4c0a-8f00-c0de00000001"
    reply = tenant.post(CALL, path=f"/adminapi/beta/{nowhere}/InvokeCommand", token=tenant.admin_token(tid=nowhere))
    assert reply.status == 401


def test_without_weather_everything_acts_at_once(tenant: Tenant) -> None:
    tenant.serve(lambda app: exchange.add_routes(app, tenant.context))
    tenant.run("Set-OrganizationConfig", EwsAllowedAppIDs=APP_ID)
    assert effective(tenant.directory().organization.ews_allowed, tenant.clock.now()) == APP_ID
