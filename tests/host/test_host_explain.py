from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mimapp
from mimapp.graph.errors import NAME_TAKEN
from mimapp.host.explain import TABLE, explain, explain_json, explain_text
from mimapp.host.explanation import Explanation, LiveCheck
from mimapp.host.facts import RegistrationFacts
from mimapp.host.options import OPTIONS
from mimapp.host.pages import AccountNames, Mode, pages
from mimapp.identity.aadsts import ADVICE

# Texts as they are seen, and the row that must come first. Every row of the table has at least one.
SAMPLES = [
    (
        (
            "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client "
            "secret value, not the client secret ID, for a secret added to app '213ca08c'.\r\nTrace ID: x"
        ),
        "AADSTS7000215",
    ),
    ("Invalid client secret is provided.", "AADSTS7000215"),
    ("7000215", "AADSTS7000215"),
    ("aadsts7000215", "AADSTS7000215"),
    ("AADSTS7000222: The provided client secret keys for app '213ca08c' are expired.", "AADSTS7000222"),
    ("AADSTS700016: Application with identifier 'x' was not found in the directory 'Contoso'.", "AADSTS700016"),
    ("missing service principal in the tenant", "AADSTS7000229"),
    ("AADSTS7000112: Application is disabled.", "AADSTS7000112"),
    ("AADSTS7000218", "AADSTS7000218"),
    ("AADSTS700025: Client is public", "AADSTS700025"),
    ("AADSTS700027", "AADSTS700027"),
    ("Failed to authenticate:\nAADSTS90002: Tenant 'contoso' not found.", "AADSTS90002"),
    ("AADSTS90038", "AADSTS90038"),
    ("Confidential Client is not supported in Cross Cloud request.", "AADSTS900382"),
    ("900432", "AADSTS900382"),
    ("AADSTS50128: Invalid domain name", "AADSTS50059"),
    ("AADSTS50194", "AADSTS50194"),
    ("AADSTS500011: The resource principal named x was not found", "AADSTS500011"),
    ("AADSTS650057", "AADSTS650056"),
    ("The user or administrator has not consented to use the application with ID 'x'", "AADSTS65001"),
    ("AADSTS65002", "AADSTS65002"),
    ("AADSTS65004: User declined to consent", "AADSTS65004"),
    ("AADSTS90094", "AADSTS90094"),
    ("AADSTS70011: The provided value for the input parameter 'scope' is not valid", "AADSTS70011"),
    ("AADSTS700022", "AADSTS700022"),
    ("AADSTS50011: The redirect URI", "AADSTS50011"),
    ("AADSTS50020: User account", "AADSTS50034"),
    ("AADSTS50126: Error validating credentials", "AADSTS50126"),
    ("AADSTS50055", "AADSTS50055"),
    ("AADSTS50057", "AADSTS50057"),
    ("AADSTS50076: Due to a configuration change", "AADSTS50072"),
    ("AADSTS53003: Access has been blocked by Conditional Access policies.", "AADSTS53000"),
    ("AADSTS50105", "AADSTS50105"),
    ("AADSTS70016", "AADSTS70016"),
    ("AADSTS70019", "AADSTS70018"),
    ("AADSTS700082: The refresh token has expired", "AADSTS700082"),
    ("AADSTS50196", "AADSTS50196"),
    ("AADSTS90033", "AADSTS50033"),
    ("AADSTS700024", "AADSTS700024"),
    ("Failed to access Office 365 mailbox", "installer-mailbox-failed"),
    ("Please check authentication information provided.", "installer-mailbox-failed"),
    ("Invalid Mail Authentication", "installer-invalid-pair"),
    ("Authentication method selected is not supported by this Mail Server", "installer-invalid-pair"),
    ("installer-licence", "installer-licence"),
    ("Service Account is not secure in its current configuration", "installer-account-not-secure"),
    ("The service account shouldn\u2019t be managed", "installer-account-managed"),
    (
        "The Forefront Identity Manager Service cannot connect to the Exchange Web Service.  The network may be down",
        "event-12",
    ),
    ("event 12", "event-12"),
    ("Event ID: 12", "event-12"),
    ("12", "event-12"),
    (
        (
            "Could not get access token for office365 mailbox. Probably registry value is empty because token was not "
            "obtained.  Please ensure that mailbox configuration is valid and restart service."
        ),
        "mim-token",
    ),
    ("approvals-ignored", "approvals-ignored"),
    ("poll-exchange", "approvals-ignored"),
    ("stopped-after-hotfix", "stopped-after-hotfix"),
    ("The specified service MIMKeyProtectService already exists", "keyprotect-left-over"),
    ("HTTP 403\nX-EWS-Policy-Reason: EWS is disabled for this user or tenant", "ews-disabled"),
    ("X-EWS-Policy-Reason: EWS is blocked by policy for this user or tenant", "ews-blocked-by-policy"),
    ("403 with X-EWS-Policy-Reason: something new", "x-ews-policy-reason"),
    ('2000008;reason="The token contains not enough scope to make this call."', "ews-no-scope"),
    ("HTTP 403 Forbidden, empty body", "ews-403"),
    ("403", "ews-403"),
    ("401", "ews-401"),
    ("<e:ResponseCode>ErrorNonExistentMailbox</e:ResponseCode>", "ErrorNonExistentMailbox"),
    ("ErrorImpersonationDenied", "ErrorImpersonateUserDenied"),
    ("ErrorAccessDenied", "ErrorAccessDenied"),
    ("The caller has not assigned any of the RBAC roles requested in the management role header.", "ErrorAccessDenied"),
    ("ErrorServerBusy", "ErrorServerBusy"),
    (
        "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.",
        "odata-disabled",
    ),
    ("ews-ended", "ews-ended"),
    ('{"error":{"code":"Request_ResourceNotFound","message":"Resource x does not exist"}}', "Request_ResourceNotFound"),
    ("Insufficient privileges to complete the operation.", "Authorization_RequestDenied"),
    ("Another object with the same value for property uniqueName already exists.", "unique-name-taken"),
    ("Directory_ConcurrencyViolation", "Directory_ConcurrencyViolation"),
    ("Error due to concurrent requests being made to the tenant.", "Directory_ConcurrencyViolation"),
    ("Directory_QuotaExceeded", "Directory_QuotaExceeded"),
    ("CredentialInvalidLifetimeAsPerAppPolicy", "CredentialInvalidLifetimeAsPerAppPolicy"),
    ("CredentialTypeNotAllowedAsPerAppPolicy", "CredentialTypeNotAllowedAsPerAppPolicy"),
    ("InvalidUniqueTenantIdentifierAsPerAppPolicy", "SignInAudienceNotAllowedAsPerAppPolicy"),
    (
        "The appId 'x' of the service principal does not reference a valid application object.",
        "application-not-replicated",
    ),
    ("Permission being assigned already exists on the object", "already-granted"),
    ("Error_MsaAppDoesNotExist", "Error_MsaAppDoesNotExist"),
    ("HTTP 429 Too Many Requests", "graph-throttled"),
    ("Not a valid reference update", "not-a-valid-reference-update"),
    ("The identity of the policy scope is not a security principal", "not-a-security-principal"),
    ("The total size of App Access Policies exceeded the limit.", "policy-space-full"),
    (
        (
            "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation "
            "couldn't be performed because object 'x' couldn't be found on 'SY2P'."
        ),
        "ManagementObjectNotFoundException",
    ),
    ("AADServicePrincipalNotFound ... No ServicePrincipal with Object Id 'X'", "AADServicePrincipalNotFound"),
    ("exchange-403", "exchange-403"),
    (
        "You have reached the maximum number of concurrent requests per tenant. Please wait and try again",
        "exchange-throttled",
    ),
    (
        "Cannot Update a mail-enabled security groups and or distribution list.",
        "cannot-update-mail-enabled-group",
    ),
    ("stale-plan", "stale-plan"),
    ("scope-waiting", "not-proven-restricted"),
    ("stored-elsewhere", "stored-elsewhere"),
    ("no-handover-evidence", "no-handover-evidence"),
    ("host-input", "host-input"),
    ("unsupported-secret-script", "unsupported-secret-script"),
]

# The contract's commands: an advice that names another one helps nobody.
_COMMANDS = {
    "check",
    "clouds",
    "consent",
    "explain",
    "ews",
    "handover",
    "host",
    "lockdown",
    "log",
    "logout",
    "register",
    "rotate",
    "scope",
    "secret",
    "status",
    "verify",
    "whoami",
}


@pytest.mark.parametrize(("text", "key"), SAMPLES)
def test_a_text_that_is_seen_finds_its_row(text: str, key: str) -> None:
    found = explain(text)
    assert found
    assert found[0].key == key


def test_every_row_has_a_sample() -> None:
    assert {row.key for row in TABLE} == {key for _, key in SAMPLES}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.key)
def test_each_row_is_whole(row: Explanation) -> None:
    assert explain(row.key)[0] is row
    for name in row.keys:
        assert row in explain(name)
    for phrase in row.phrases:
        assert phrase == phrase.casefold()
        assert row in explain(f"it said: {phrase.upper()}.")
    assert row.title
    assert row.sources
    assert 1 <= len(row.causes) <= 6
    for cause in row.causes:
        assert cause.what
        assert cause.tell
        assert cause.fix
        for command in re.findall(r"mimapp ([a-z]+)", f"{cause.tell} {cause.fix}"):
            assert command in _COMMANDS, f"{row.key}: mimapp {command}"


def test_no_key_names_two_rows() -> None:
    names = [name for row in TABLE for name in row.keys]
    assert len(names) == len(set(names))


def test_7000215_means_first_that_the_secret_id_was_pasted() -> None:
    row = explain("AADSTS7000215")[0]
    assert row.causes[0].what == "the Secret ID was pasted instead of the secret's value"
    assert "mimapp secret show" in row.causes[0].fix
    assert "expired" not in "".join(cause.what for cause in row.causes)


def test_event_12_means_first_the_strong_cryptography_values() -> None:
    assert ".NET 2.0" in explain("event 12")[0].causes[0].what
    assert "mimapp host tls" in explain("event 12")[0].causes[0].fix


def test_every_code_of_the_facts_has_a_row() -> None:
    codes = [
        "7000215",
        "7000222",
        "7000218",
        "700025",
        "700027",
        "700016",
        "7000229",
        "7000112",
        "90002",
        "90038",
        "900382",
        "900432",
        "50059",
        "50128",
        "50194",
        "500011",
        "650052",
        "650057",
        "650056",
        "70011",
        "28002",
        "700022",
        "65001",
        "65004",
        "90094",
        "90095",
        "65002",
        "50011",
        "50034",
        "51004",
        "50020",
        "50055",
        "50057",
        "50126",
        "50074",
        "50076",
        "50079",
        "50072",
        "50158",
        "53000",
        "53001",
        "53003",
        "530032",
        "50105",
        "70016",
        "70019",
        "70018",
        "90120",
        "700082",
        "70043",
        "50173",
        "50089",
        "50196",
        "50033",
        "90006",
        "90012",
        "90024",
        "90033",
        "90090",
    ]
    for code in codes:
        assert f"aadsts{code}" in explain(code)[0].keys
        assert len(explain(f"AADSTS{code}: x")[0].causes) >= 1
        assert "not in this table" not in explain(code)[0].title


def test_every_code_that_sign_in_advises_on_has_a_row() -> None:
    known = {name for row in TABLE for name in row.keys}
    assert {f"aadsts{code}" for code in ADVICE} <= known


def test_every_key_that_mimapps_errors_end_with_has_a_row() -> None:
    root = Path(mimapp.__file__).parent
    literal = re.compile(r"""explain=f?["']([A-Za-z0-9_-]+)["']""")
    named = {key for file in root.rglob("*.py") for key in literal.findall(file.read_text(encoding="utf-8"))}
    assert named
    missing = {key for key in {*named, NAME_TAKEN} if not explain(key)}
    assert not missing, f"give these a row in mimapp.host.explain_services: {sorted(missing)}"


def test_an_unknown_code_gets_microsofts_page() -> None:
    row = explain("AADSTS123456: new")[0]
    assert row.key == "AADSTS123456"
    assert row.causes[0].tell == "https://login.microsoftonline.com/error?code=123456"
    assert explain("123456")[0].key == "AADSTS123456"


def test_several_codes_come_in_the_order_of_the_text() -> None:
    found = explain("first AADSTS65001 then AADSTS7000222 and AADSTS65001 again")
    assert [row.key for row in found] == ["AADSTS65001", "AADSTS7000222"]


@pytest.mark.parametrize("text", ["", "   ", "nothing of this is known", "event 1234", "the year 2026"])
def test_what_is_not_known_finds_nothing(text: str) -> None:
    assert explain(text) == []


def test_the_pop_ups_of_the_sheet_have_their_rows() -> None:
    facts = RegistrationFacts(
        application_id="213ca08c-94a9-414d-b09f-123456789012",
        tenant_id="5c79cea7-0e47-428c-de9c-987654321098",
        mailbox="a@contoso.com",
    )
    named = {
        popup.key
        for row in OPTIONS
        for page in pages(row, facts, next(iter(row.servers)), AccountNames(), Mode.NEW)
        for popup in page.popups
        if popup.key
    }
    assert len(named) == 5
    assert named <= {row.key for row in TABLE}


def test_text_is_never_wrapped_and_json_is_whole() -> None:
    found = explain("HTTP 403 X-EWS-Policy-Reason: EWS is disabled for this user or tenant")
    lines = explain_text(found).splitlines()
    for row in found:
        for number, cause in enumerate(row.causes, 1):
            assert f"  {number}. {cause.what}" in lines
            assert f"     fix:  {cause.fix}" in lines
    document = json.loads(explain_json(found))
    assert document["schema"] == "mimapp.explain/1"
    assert [row["key"] for row in document["explanations"]] == [row.key for row in found]
    assert document["explanations"][0]["causes"][0]["live"] == LiveCheck.EWS
    assert json.loads(explain_json([]))["explanations"] == []


@given(st.text(max_size=2000))
def test_any_text_is_taken(text: str) -> None:
    assert all(isinstance(row, Explanation) for row in explain(text))


def test_a_very_long_text_is_taken() -> None:
    assert explain("x" * 1_000_000 + " AADSTS7000215") == []
    assert explain("AADSTS7000215 " + "x " * 1_000_000)[0].key == "AADSTS7000215"
