"""Stand-ins: nothing that points at a tenant or a person is left, the same value has the same one, forms stay forms."""

from __future__ import annotations

import base64
import json
import re
import uuid
from typing import Any

import pytest

from mimapp.transport.stand_ins import StandIns

JSON = "application/json"
TENANT = "9f0c2a51-3c1e-4b57-8d39-0a4b6f7e1c2d"
GROUP = "4be1d0a7-52b8-4c5f-a1f3-7d2f6f0b9e11"
ROLE = "dc890d15-9560-4a4c-9b7f-a736ec74ec40"
STAND_IN_ID = re.compile(r"[0-9a-f]{8}-0000-4000-8000-[0-9a-f]{12}")


def rewritten(stand_ins: StandIns, value: object) -> Any:
    body = json.dumps(value, ensure_ascii=False)
    stand_ins.learn("https://graph.microsoft.com/", body, JSON)
    return json.loads(stand_ins.body(body, JSON))


def sid_of(guid: str) -> str:
    raw = uuid.UUID(guid).bytes_le
    return "S-1-12-1-" + "-".join(str(int.from_bytes(raw[at : at + 4], "little")) for at in range(0, 16, 4))


def packed(*guids: str) -> str:
    return base64.urlsafe_b64encode(b"".join(uuid.UUID(one).bytes_le for one in guids)).rstrip(b"=").decode()


def test_an_id_has_one_stand_in_in_whatever_form_it_comes() -> None:
    stand_ins = StandIns()
    new = stand_ins.text(GROUP)

    assert STAND_IN_ID.fullmatch(new)
    assert stand_ins.text(GROUP.upper()) == new
    assert stand_ins.text(GROUP.replace("-", "")) == new.replace("-", "")
    assert stand_ins.text(sid_of(GROUP)) == sid_of(new)
    assert stand_ins.text(packed(GROUP, GROUP)) == packed(new, new)
    assert stand_ins.text(packed(GROUP, GROUP, GROUP)) == packed(new, new, new)
    assert stand_ins.url(
        f"https://graph.microsoft.com/v1.0/groups(id='{GROUP}')/members?$filter=id%20eq%20'{GROUP}'"
    ) == (f"https://graph.microsoft.com/v1.0/groups(id='{new}')/members?$filter=id%20eq%20'{new}'")
    assert stand_ins.text(TENANT) != new


def test_what_is_the_same_in_every_tenant_stays() -> None:
    stand_ins = StandIns(ids=frozenset({ROLE.upper()}), names=frozenset({"MIM Service mailbox client access"}))
    value = {
        "appRoleId": ROLE,
        "nobody": "00000000-0000-0000-0000-000000000000",
        "displayName": "MIM Service mailbox client access",
        "principalDisplayName": "MIM Service",
    }
    new = rewritten(stand_ins, value)

    assert {**new, "principalDisplayName": ""} == {**value, "principalDisplayName": ""}
    assert new["principalDisplayName"] == "name1"


def test_addresses_stay_addresses_and_share_the_stand_ins_of_their_parts() -> None:
    new = rewritten(
        StandIns(),
        {
            "primarySmtpAddress": "Jane.Roe@fabrikam-hr.onmicrosoft.com",
            "emailAddresses": ["SMTP:jane.roe@FABRIKAM-HR.onmicrosoft.com", "smtp:jroe@mail.fabrikam-hr.com"],
            "alias": "jane.roe",
            "note": "asked jane.roe@fabrikam-hr.onmicrosoft.com, of fabrikam-hr.onmicrosoft.com.",
        },
    )

    assert new == {
        "primarySmtpAddress": "name1@domain1.example",
        "emailAddresses": ["SMTP:name1@domain1.example", "smtp:name2@domain2.example"],
        "alias": "name1",
        "note": "asked name1@domain1.example, of domain1.example.",
    }


def test_what_mimapp_derives_from_a_mailbox_is_derived_from_its_stand_in() -> None:
    new = rewritten(
        StandIns(),
        {
            "tags": ["mimapp:jane-roe", "mimapp-mailbox:jane.roe@fabrikam.com"],
            "uniqueName": "mimapp-jane-roe",
            "Identity": "mimapp-jane-roe@fabrikam.com",
            "Notes": "mimapp:jane-roe mailbox jane.roe@fabrikam.com",
            "DistinguishedName": "CN=mimapp-jane-roe,OU=fabrikam.onmicrosoft.com,DC=PROD,DC=OUTLOOK,DC=COM",
            "secret": {"displayName": "mimapp 2026-11-21 0123456789"},
        },
    )

    assert new == {
        "tags": ["mimapp:name1", "mimapp-mailbox:name1@domain1.example"],
        "uniqueName": "mimapp-name1",
        "Identity": "mimapp-name1@domain1.example",
        "Notes": "mimapp:name1 mailbox name1@domain1.example",
        "DistinguishedName": "CN=mimapp-name1,OU=domain2.example,DC=PROD,DC=OUTLOOK,DC=COM",
        "secret": {"displayName": "mimapp 2026-11-21 0123456789"},
    }


def test_a_name_is_replaced_wherever_it_stands_as_a_word() -> None:
    stand_ins = StandIns()
    rewritten(stand_ins, {"displayName": "Fabrikam HR", "id": TENANT, "givenName": "Jane", "surname": "Roe"})

    assert stand_ins.text("AADSTS90002: Tenant 'FABRIKAM HR' (Jane_Roe, roe) not found") == (
        "AADSTS90002: Tenant 'name1' (name2_name3, name3) not found"
    )
    assert stand_ins.text("Janet's roes") == "Janet's roes"


def test_words_that_point_at_nobody_keep_what_the_services_mean_by_them() -> None:
    value = {"displayName": "Administrator", "alias": "admin", "type": "Admin", "ManagedBy": ["admin"], "kind": "user"}

    assert rewritten(StandIns(), {**value, "mail": "admin@fabrikam.com"}) == {**value, "mail": "admin@domain1.example"}


def test_names_of_microsofts_own_things_stay() -> None:
    value = {
        "displayName": "Contoso Cloud Mailer",
        "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        "appRoles": [{"displayName": "Read mail", "description": "Reads mail of anybody", "value": "Mail.Read"}],
        "optionalClaims": {"idToken": [{"name": "email"}]},
        "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
    }
    roles = {"value": [{"roleTemplateId": ROLE, "displayName": "Exchange Administrator", "id": GROUP}]}
    stand_ins = StandIns(ids=frozenset({ROLE}))
    role = rewritten(stand_ins, roles)["value"][0]

    assert rewritten(stand_ins, value) == value
    assert (role["displayName"], role["roleTemplateId"]) == ("Exchange Administrator", ROLE)
    assert rewritten(stand_ins, {"Name": "Application Mail.Read-7d2f"}) == {"Name": "Application Mail.Read-7d2f"}


def test_the_anchor_of_an_application_keeps_the_name_that_exchange_gave() -> None:
    stand_ins = StandIns(ids=frozenset({"bb558c35-97f1-4cb9-8ff7-d53741dc928c"}))
    anchor = "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@"
    tenant = stand_ins.text(TENANT)

    assert stand_ins.headers([("X-AnchorMailbox", f"{anchor}{TENANT}")]) == (("X-AnchorMailbox", f"{anchor}{tenant}"),)
    stand_ins.learn("", f"{anchor}fabrikam.onmicrosoft.com", "")
    assert stand_ins.text(f"{anchor}fabrikam.onmicrosoft.com") == f"{anchor}domain1.example"


def test_domains_below_a_known_one_and_of_microsofts_tenants() -> None:
    stand_ins = StandIns()
    rewritten(stand_ins, {"verifiedDomains": [{"name": "fabrikam.com", "isInitial": False}]})
    known = [stand_ins.text(text) for text in ("fabrikam.com", "autodiscover.FABRIKAM.com", "x.mail.onmicrosoft.com")]

    assert known == ["domain1.example", "domain2.example", "domain3.example"]
    assert stand_ins.text("https://fabrikam-my.sharepoint.com/x") == "https://domain4.example/x"
    assert (
        stand_ins.text("https://graph.microsoft.com notfabrikam.com") == "https://graph.microsoft.com notfabrikam.com"
    )


def test_pages_addresses_of_machines_and_identifiers_of_accounts() -> None:
    stand_ins = StandIns()
    link = "https://outlook.office365.com/adminapi/beta/x/InvokeCommand?$select=Name&$skiptoken=AbC123%3d"

    assert stand_ins.url(link).endswith("$skiptoken=page1")
    assert json.loads(stand_ins.body(json.dumps({"@odata.nextLink": link}), JSON))["@odata.nextLink"].endswith("page1")
    assert stand_ins.text("from 203.0.113.9, server 15.20.9366.13") == "from 192.0.2.1, server 15.20.9366.13"
    assert stand_ins.text("S-1-5-21-3623811015-3361044348-30300820-1013") == "S-1-5-21-1-2-3-1"


def test_ids_of_mail_items_and_what_a_sign_in_packs() -> None:
    stand_ins = StandIns()
    soap = '<t:ItemId Id="AAMkADk5ZmYxNzE1LWY0" ChangeKey="CQAAABYAAAC7"/><t:DistinguishedFolderId Id="inbox"/>'
    packed_account = base64.urlsafe_b64encode(json.dumps({"uid": GROUP, "utid": TENANT}).encode()).decode()
    again = stand_ins.body(soap, "text/xml")
    account = json.loads(stand_ins.body(json.dumps({"client_info": packed_account}), JSON))["client_info"]

    assert "AAMkADk5" not in again
    assert 'Id="inbox"' in again
    assert stand_ins.body(soap, "text/xml") == again
    unpacked = json.loads(base64.urlsafe_b64decode(account + "=" * (-len(account) % 4)))
    assert unpacked == {"uid": stand_ins.text(GROUP), "utid": stand_ins.text(TENANT)}


def test_claims_of_a_token() -> None:
    claims: dict[str, Any] = {
        "tid": TENANT,
        "oid": GROUP,
        "name": "Jane Roe",
        "upn": "jane.roe@fabrikam.com",
        "roles": ["full_access_as_app"],
        "scp": "AdminApi.AccessAsUser.All",
        "exp": 1795255199,
    }
    stand_ins = StandIns()

    assert stand_ins.claims(claims) == {
        **claims,
        "tid": stand_ins.text(TENANT),
        "oid": stand_ins.text(GROUP),
        "name": "name1",
        "upn": "name1@domain1.example",
    }


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id":null,"n":1.5,"b":true}', "<a", "plain ü \U0001f600 text"])
def test_odd_bodies_come_back_as_they_were(text: str) -> None:
    assert StandIns().body(text, JSON) == text


def test_certificates_of_an_application() -> None:
    value = {"keyId": GROUP, "key": "MIIDdzCCAl+gAwIBAgIE", "customKeyIdentifier": "Zm9vYmFyYmF6"}
    new = rewritten(StandIns(), value)

    assert base64.b64decode(new["key"]) == b"key1"
    assert base64.b64decode(new["customKeyIdentifier"]) == b"key2"
