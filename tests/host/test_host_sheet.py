from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from mimapp.errors import UsageError
from mimapp.host import msi
from mimapp.host.facts import EWS_ENDS, RegistrationFacts, days_left
from mimapp.host.options import OPTIONS, Account, MailServer, option
from mimapp.host.pages import AccountNames, Entry, Field
from mimapp.host.sheet import Sheet, sheet
from mimapp.host.sheet_html import sheet_html
from mimapp.host.sheet_text import sheet_json, sheet_markdown, sheet_text
from support.page import read_page

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
APP, TENANT = "213ca08c-94a9-414d-b09f-123456789012", "5c79cea7-0e47-428c-de9c-987654321098"
FACTS = RegistrationFacts(
    application_id=APP,
    tenant_id=TENANT,
    mailbox="MIMService@contoso.onmicrosoft.com",
    display_name="MIM Service mailbox client access",
    secret_expires=datetime(2027, 5, 20, tzinfo=UTC),
    secret_command="mimapp secret show --mailbox MIMService@contoso.onmicrosoft.com",
)
PRODUCT = "{0D9F4B35-5C3B-4F0B-9D21-ABCDEF012345}"
LIVING = [row.letter for row in OPTIONS if row.retired is None]


def _facts(
    cloud: str = "global", *, sandbox: bool = False, mailbox: str = "MIMService@contoso.com"
) -> RegistrationFacts:
    return RegistrationFacts(application_id=APP, tenant_id=TENANT, mailbox=mailbox, cloud_name=cloud, sandbox=sandbox)


def _fields(found: Sheet) -> dict[str, Field]:
    return {field.label: field for page in found.pages for field in page.fields}


# Per option: mail server label, authentication field, host entry, gMSA box, account fields in order with their entry.
_T, _G, _E = Entry.TYPE, Entry.GREYED, Entry.EMPTY
_EXPECTED = {
    "A": (
        "Exchange Server 2013 or later",
        "Integrated Windows Authentication",
        _T,
        Entry.UNTICK,
        (_T, _T, _T, _T, None),
    ),
    "C": ("Office 365", "Application Context Authentication", _G, Entry.UNTICK, (_T, _T, _T, _T, _G)),
    "D": ("SMTP", "Integrated Windows Authentication", _T, Entry.UNTICK, (_T, _T, _T, _T, None)),
    "E": ("None", None, _G, Entry.UNTICK, (_T, _T, _T, None, None)),
    "F": ("Exchange Server 2013 or later", "Integrated Windows Authentication", _T, Entry.TICK, (_T, _E, _T, _T, _T)),
    "H": ("Office 365", "Application Context Authentication", _G, Entry.TICK, (_T, _G, _T, _T, _G)),
    "I": ("None", None, _G, Entry.TICK, (_T, _E, _T, None, None)),
}
_ACCOUNT_LABELS = (
    "Service Account Name:",
    "Service Account Password:",
    "Service Account Domain:",
    "Service Email Account:",
    "Service Email Account Password:",
)


@pytest.mark.parametrize("letter", LIVING)
def test_each_option_fills_the_installers_fields(letter: str) -> None:
    server, authentication, host, box, account = _EXPECTED[letter]
    fields = _fields(sheet(option(letter), FACTS, now=NOW))
    assert (fields["Mail Server:"].entry, fields["Mail Server:"].value) == (Entry.SELECT, server)
    if authentication is None:
        assert fields["Authentication:"].entry is Entry.GREYED
    else:
        assert (fields["Authentication:"].entry, fields["Authentication:"].value) == (Entry.SELECT, authentication)
    assert fields["(host name)"].entry is host
    assert fields["Use Group Managed Service Account"].entry is box
    assert tuple(fields[label].entry if label in fields else None for label in _ACCOUNT_LABELS) == account
    assert fields["Azure Cloud"].value == "Azure AD"
    asked = [label for label in ("Application ID:", "Tenant ID:", "Client Secret:") if label in fields]
    assert asked == (["Application ID:", "Tenant ID:", "Client Secret:"] if letter in "CH" else [])


@pytest.mark.parametrize("letter", ["C", "H"])
def test_the_three_values_are_this_registrations(letter: str) -> None:
    found = sheet(option(letter), FACTS, now=NOW)
    fields = _fields(found)
    assert fields["Application ID:"].value == APP
    assert fields["Tenant ID:"].value == TENANT
    assert "never its Secret ID" in fields["Client Secret:"].value
    assert fields["Service Email Account:"].value == FACTS.mailbox
    assert fields["(host name)"].value == "outlook.office365.com"
    assert dict(found.values)["Client Secret ends"] == "2027-05-20T00:00:00Z"
    assert dict(found.values)["Client Secret"] == f"run: {FACTS.secret_command}"


def test_the_pages_come_in_the_guides_order() -> None:
    titles = [page.title for page in sheet(option("C"), FACTS, now=NOW).pages]
    wanted = [
        "Welcome",
        "End-User License Agreement",
        "Azure Cloud",
        "Configure Common Services: Configure mail server connection",
        "System Center Service Manager management server",
        "Configure Common Services: Configure Office 365 mailbox",
        "Certificate",
        "Configure Common Services: Configure the MIM service account",
        "Service Account is not secure in its current configuration",
        "Synchronization server",
        "Ready to install",
    ]
    assert [title for title in titles if title in wanted] == wanted


def test_change_mode_starts_from_the_uninstall_string() -> None:
    found = sheet(option("H"), FACTS, now=NOW, uninstall_string=f"MsiExec.exe /I{PRODUCT}")
    assert rf"msiexec /I{PRODUCT} /lvxi* c:\miminstall\change-log.txt" in [command.line for command in found.start]
    titles = [page.title for page in found.pages]
    assert titles[:2] == ["Welcome", "Change, repair, or remove installation"]
    assert "Azure Cloud" not in titles
    assert found.pages[1].button == "Change, then Next"
    assert _fields(found)["Application ID:"].value == APP


@pytest.mark.parametrize(
    "text",
    [
        f"MsiExec.exe /I{PRODUCT}",
        f"msiexec /i {PRODUCT}",
        rf'"C:\Windows\System32\msiexec.exe" /I{PRODUCT.lower()}',
        f"  MsiExec.exe -I{PRODUCT}  ",
    ],
)
def test_an_uninstall_string_that_opens_change_mode_is_taken(text: str) -> None:
    assert msi.change_line(text) == rf"msiexec /I{PRODUCT} /lvxi* c:\miminstall\change-log.txt"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"MsiExec.exe /X{PRODUCT}", "would uninstall"),
        (f"msiexec /x {PRODUCT}", "would uninstall"),
        (f"msiexec -X{PRODUCT} /qn", "would uninstall"),
        (f"msiexec /uninstall {PRODUCT}", "would uninstall"),
        (f"MsiExec.exe /I{PRODUCT} REMOVE=ALL", "goes on after"),
        (f"MsiExec.exe /I{PRODUCT}\nshutdown", "goes on after"),
        (f"MsiExec.exe /I{PRODUCT} & del x", "goes on after"),
        (f"MsiExec.exe /fa{PRODUCT}", "not /I"),
        ("", "not msiexec"),
        (r"C:\setup\uninst.exe /S", "not msiexec"),
        ("MsiExec.exe /I{not-a-guid}", "not msiexec"),
        (f"evil & msiexec /I{PRODUCT}", "not msiexec"),
    ],
)
def test_other_uninstall_strings_are_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        msi.change_line(text)


def test_no_unattended_line_is_invented_for_application_context() -> None:
    for letter in "CH":
        found = sheet(option(letter), FACTS, now=NOW)
        assert msi.NO_UNATTENDED in found.warnings
        assert not [command for command in found.start if "/qn" in command.line]


_PUBLISHED = {
    "ADDLOCAL",
    "ACCEPT_EULA",
    "SQMOPTINSETTING",
    "REBOOT",
    "FIREWALL_CONF",
    "INSTALLDIR",
    "SQLSERVER_SERVER",
    "SQLSERVER_DATABASE",
    "EXISTINGDATABASE",
    "MAIL_SERVER",
    "MAIL_SERVER_USE_SSL",
    "MAIL_SERVER_IS_EXCHANGE",
    "MAIL_SERVER_IS_EXCHANGE_ONLINE",
    "POLL_EXCHANGE_ENABLED",
    "SERVICE_ACCOUNT_NAME",
    "SERVICE_ACCOUNT_PASSWORD",
    "SERVICE_ACCOUNT_DOMAIN",
    "SERVICE_ACCOUNT_EMAIL",
    "SERVICE_ACCOUNT_EMAIL_PASSWORD",
    "USE_MANAGED_ACCOUNT_FOR_SERVICE",
    "SYNCHRONIZATION_SERVER",
    "SYNCHRONIZATION_SERVER_ACCOUNT",
    "SERVICEADDRESS",
}


@pytest.mark.parametrize("letter", [letter for letter in LIVING if letter not in "CH"])
def test_an_unattended_line_holds_published_properties_and_no_password(letter: str) -> None:
    lines = [command.line for command in sheet(option(letter), FACTS, now=NOW).start if "/qn" in command.line]
    assert len(lines) == 1
    assert set(re.findall(r"\b([A-Z_]{4,})=", lines[0])) <= _PUBLISHED
    assert set(re.findall(r'PASSWORD="([^"]*)"', lines[0])) <= {"<password>"}
    managed = option(letter).account is Account.GMSA
    assert ("USE_MANAGED_ACCOUNT_FOR_SERVICE=1" in lines[0]) is managed
    assert ("MAIL_SERVER=" in lines[0]) is (letter in "ADF")


def test_a_gmsa_name_gets_its_dollar_once() -> None:
    for name in ("svcMIM", "svcMIM$"):
        found = sheet(option("H"), FACTS, now=NOW, names=AccountNames(name=name, domain="CONTOSO"))
        assert _fields(found)["Service Account Name:"].value == "svcMIM$"


def test_a_gmsa_name_on_a_regular_option_is_refused() -> None:
    with pytest.raises(UsageError, match="group-managed"):
        sheet(option("C"), FACTS, now=NOW, names=AccountNames(name="svcMIM$", domain="CONTOSO"))


@pytest.mark.parametrize("name", ["", r"CONTOSO\svc", "svc@contoso.com", 'a"b', "a\nb"])
def test_a_name_that_is_not_one_field_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        AccountNames(name=name, domain="CONTOSO")


@pytest.mark.parametrize(
    ("cloud", "azure", "server"),
    [
        ("china", "Azure AD China operated by 21Vianet", "Office 365 operated by 21Vianet"),
        ("dod", "Microsoft 365 Government - DoD", "Office 365 Government GCC High and DoD"),
    ],
)
def test_a_national_cloud_gets_its_labels(cloud: str, azure: str, server: str) -> None:
    fields = _fields(sheet(option("C"), _facts(cloud), now=NOW))
    assert fields["Azure Cloud"].value == azure
    assert fields["Mail Server:"].value == server
    assert fields["(host name)"].value == ""


def test_gcc_high_says_that_its_cloud_label_is_not_known() -> None:
    found = sheet(option("C"), _facts("gcc-high"), now=NOW)
    page = next(page for page in found.pages if page.title == "Azure Cloud")
    assert "not documented" in page.note
    assert "not known" in dict(found.values)["Azure Cloud"]


@pytest.mark.parametrize("cloud", ["bleu", "delos"])
def test_a_cloud_without_an_office_365_choice_is_refused(cloud: str) -> None:
    with pytest.raises(UsageError, match="no Office 365 choice"):
        sheet(option("C"), _facts(cloud), now=NOW)


def test_a_mail_server_of_another_option_is_refused() -> None:
    with pytest.raises(UsageError, match="not for mail server"):
        sheet(option("C"), FACTS, now=NOW, mail_server=MailServer.SMTP)


def test_an_expired_secret_is_said_first() -> None:
    late = NOW + timedelta(days=400)
    warnings = sheet(option("C"), FACTS, now=late).warnings
    assert any("client secret has expired" in line for line in warnings)
    assert "which has passed" in warnings[0]
    assert days_left(EWS_ENDS, NOW) == 131


def test_a_cloud_without_a_date_says_so() -> None:
    facts = RegistrationFacts(
        application_id=APP, tenant_id=TENANT, mailbox="a@contoso.us", cloud_name="gcc-high", ews_ends=None
    )
    first = sheet(option("C"), facts, now=NOW).warnings[0]
    assert "Microsoft has given no date" in first
    assert "'gcc-high'" in first


@pytest.mark.parametrize("letter", LIVING)
def test_text_markdown_and_json_say_the_same(letter: str) -> None:
    found = sheet(option(letter), FACTS, now=NOW)
    text, markdown, document = sheet_text(found), sheet_markdown(found), json.loads(sheet_json(found))
    assert document["schema"] == "mimapp.host-sheet/1"
    assert document["option"] == letter
    assert document["afterEws"] == found.after_ews
    assert [page["title"] for page in document["pages"]] == [page.title for page in found.pages]
    assert document["values"] == dict(found.values)
    for command in (*found.start, *found.commands):
        assert command.line in text
        assert command.line in markdown
    for field in (field for page in found.pages for field in page.fields if field.value):
        assert field.value in text


@pytest.mark.parametrize("letter", LIVING)
def test_the_html_is_whole_well_nested_and_fetches_nothing(letter: str) -> None:
    found = sheet(option(letter), FACTS, now=NOW)
    words = read_page(sheet_html(found)).words
    for command in (*found.start, *found.commands):
        assert command.line in words


def test_values_are_escaped_in_html_and_markdown() -> None:
    facts = RegistrationFacts(
        application_id=APP,
        tenant_id=TENANT,
        mailbox="o'neil&co|x@contoso.com",
        display_name="<script>alert(1)</script>",
    )
    found = sheet(option("C"), facts, now=NOW)
    assert "<script>" not in sheet_html(found)
    assert "&lt;script&gt;" in sheet_html(found)
    assert r"o'neil&co\|x@contoso.com" in sheet_markdown(found)


def test_sandbox_values_are_marked_everywhere() -> None:
    found = sheet(option("H"), _facts(sandbox=True), now=NOW)
    for shown in (sheet_text(found), sheet_markdown(found), sheet_html(found)):
        assert "SANDBOX" in shown
    assert json.loads(sheet_json(found))["sandbox"] is True


@pytest.mark.parametrize(
    ("application", "tenant", "mailbox"),
    [
        ("contoso", TENANT, "a@b.c"),
        (APP, "contoso.onmicrosoft.com", "a@b.c"),
        (APP, "{" + TENANT + "}", "a@b.c"),
        (APP, TENANT, "nobody"),
        (APP, TENANT, "a b@c.d"),
        (APP, TENANT, '"x"@c.d'),
    ],
)
def test_facts_that_cannot_be_typed_are_refused(application: str, tenant: str, mailbox: str) -> None:
    with pytest.raises(UsageError):
        RegistrationFacts(application_id=application, tenant_id=tenant, mailbox=mailbox)
