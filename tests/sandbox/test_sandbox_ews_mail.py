"""EWS beyond access: the envelope, impersonation, folders, and sending a mail to oneself and finding it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from exchange_tenant import APP_ID, APP_OBJECT_ID, MIM, OTHER, TENANT, Tenant

from mimapp.sandbox import ews
from mimapp.sandbox.exchange.weather import Calm, Refusal, RefusalKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

T = "{http://schemas.microsoft.com/exchange/services/2006/types}"
M = "{http://schemas.microsoft.com/exchange/services/2006/messages}"
S = "{http://schemas.xmlsoap.org/soap/envelope/}"
INBOX = '<t:DistinguishedFolderId Id="inbox"/>'


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    made = Tenant(tmp_path)
    made.run("Set-OrganizationConfig", EwsAllowedAppIDs=APP_ID)
    yield made
    made.close()


def envelope(body: str, *, header: str | None = None, mailbox: str = MIM) -> str:
    impersonation = (
        f"<t:ExchangeImpersonation><t:ConnectingSID><t:SmtpAddress>{mailbox}</t:SmtpAddress></t:ConnectingSID>"
        "</t:ExchangeImpersonation>"
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<soap:Envelope xmlns:soap="{S[1:-1]}" xmlns:t="{T[1:-1]}" xmlns:m="{M[1:-1]}">'
        f"<soap:Header>{impersonation if header is None else header}</soap:Header>"
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )


def send(tenant: Tenant, text: str, **claims: object) -> httpx.Response:
    given = {"appid": APP_ID, "oid": APP_OBJECT_ID, "roles": ["full_access_as_app"], **claims}
    headers = {"Authorization": f"Bearer {tenant.token(**given)}", "Content-Type": "text/xml; charset=utf-8"}
    return tenant.http.post("/EWS/Exchange.asmx", content=text.encode(), headers=headers)


def ask(tenant: Tenant, body: str, mailbox: str = MIM) -> ET.Element:
    reply = send(tenant, envelope(body, mailbox=mailbox))
    assert reply.status_code == 200, reply.text
    return ET.fromstring(reply.text)  # noqa: S314 - our own reply


def codes(root: ET.Element) -> list[str | None]:
    return [found.text for found in root.iter(f"{M}ResponseCode")]


def fault_of(reply: httpx.Response) -> tuple[str | None, str | None]:
    assert reply.status_code == 500
    root = ET.fromstring(reply.text)  # noqa: S314 - our own reply
    code = root.find(".//{http://schemas.microsoft.com/exchange/services/2006/errors}ResponseCode")
    assert code is not None
    assert root.findtext(".//faultcode") == f"a:{code.text}"
    return code.text, root.findtext(".//faultstring")


def get_folder(ids: str, shape: str = "IdOnly", fields: str = "") -> str:
    extra = f"<t:AdditionalProperties>{fields}</t:AdditionalProperties>" if fields else ""
    return (
        f"<m:GetFolder><m:FolderShape><t:BaseShape>{shape}</t:BaseShape>{extra}</m:FolderShape>"
        f"<m:FolderIds>{ids}</m:FolderIds></m:GetFolder>"
    )


def create(subject: str, to: str = MIM, how: str = "SendAndSaveCopy") -> str:
    address = f"<t:Mailbox><t:EmailAddress>{to}</t:EmailAddress></t:Mailbox>" if to else ""
    return (
        f'<m:CreateItem MessageDisposition="{how}"><m:Items><t:Message><t:Subject>{subject}</t:Subject>'
        f'<t:Body BodyType="Text">text</t:Body><t:ToRecipients>{address}</t:ToRecipients></t:Message></m:Items>'
        "</m:CreateItem>"
    )


def find(restriction: str = "", folder: str = "inbox", shape: str = "IdOnly", view: str = "") -> str:
    limit = f"<m:Restriction>{restriction}</m:Restriction>" if restriction else ""
    return (
        f'<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>{shape}</t:BaseShape></m:ItemShape>{view}{limit}'
        f'<m:ParentFolderIds><t:DistinguishedFolderId Id="{folder}"/></m:ParentFolderIds></m:FindItem>'
    )


def subject_is(text: str) -> str:
    return (
        '<t:IsEqualTo><t:FieldURI FieldURI="item:Subject"/><t:FieldURIOrConstant>'
        f'<t:Constant Value="{text}"/></t:FieldURIOrConstant></t:IsEqualTo>'
    )


def ids(root: ET.Element) -> list[str]:
    return [found.attrib["Id"] for found in root.iter(f"{T}ItemId")]


# Envelope and caller


def test_a_success_has_the_documented_frame(tenant: Tenant) -> None:
    reply = send(tenant, envelope(get_folder(INBOX)))
    assert reply.headers["content-type"] == "text/xml; charset=utf-8"
    root = ET.fromstring(reply.text)  # noqa: S314 - our own reply
    version = root.find(f"{S}Header/{T}ServerVersionInfo")
    assert version is not None
    assert version.attrib["MajorVersion"] == "15"
    message = root.find(f"{S}Body/{M}GetFolderResponse/{M}ResponseMessages/{M}GetFolderResponseMessage")
    assert message is not None
    assert message.attrib["ResponseClass"] == "Success"
    folder = message.find(f"{M}Folders/{T}Folder")
    assert folder is not None
    assert [part.tag for part in folder] == [f"{T}FolderId"]
    assert set(folder[0].attrib) == {"Id", "ChangeKey"}


@pytest.mark.parametrize("claims", [{"aud": "https://graph.microsoft.com"}, {"exp": 1_000_000_000, "nbf": 999_000_000}])
def test_a_token_for_something_else_is_401(tenant: Tenant, claims: dict[str, object]) -> None:
    reply = send(tenant, envelope(get_folder(INBOX)), **claims)
    assert (reply.status_code, reply.content) == (401, b"")
    assert "x-ms-diagnostics" not in reply.headers


def test_an_unknown_organisation_is_401(tenant: Tenant) -> None:
    foreign = "5a6db0c0-9999-4c0a-8f00-c0de00000001"
    assert send(tenant, envelope(get_folder(INBOX)), tid=foreign).status_code == 401


def test_a_delegated_token_finds_no_right(tenant: Tenant) -> None:
    claims = {"upn": MIM, "scp": "EWS.AccessAsUser.All", "roles": ["full_access_as_app"]}
    reply = send(tenant, envelope(get_folder(INBOX)), **claims)
    assert reply.status_code == 403
    assert reply.headers["x-ms-diagnostics"].startswith(
        '2000008;reason="The token contains not enough scope to make this call."'
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not xml",
        "<x/>",
        '<!DOCTYPE x [<!ENTITY a "b">]>' + envelope(get_folder(INBOX)).partition("?>")[2],
        envelope(""),
        envelope(get_folder(INBOX) + get_folder(INBOX)),
        envelope("<m:GetNonsense/>"),
    ],
)
def test_what_is_no_request_is_a_schema_fault(tenant: Tenant, text: str) -> None:
    assert fault_of(send(tenant, text))[0] == "ErrorSchemaValidation"


def test_app_only_must_impersonate(tenant: Tenant) -> None:
    code, text = fault_of(send(tenant, envelope(get_folder(INBOX), header="")))
    assert code == "ErrorInvalidExchangeImpersonationHeaderData"
    assert text == "ExchangeImpersonation SOAP header must be present for this type of OAuth token."
    bare = send(tenant, envelope(get_folder(INBOX), header=""), roles=[])
    assert bare.headers["x-ms-diagnostics"].startswith("2000008;")
    tenant.run("Set-OrganizationConfig", EwsEnabled=False)
    closed = send(tenant, envelope(get_folder(INBOX), header=""))
    assert closed.headers["x-ews-policy-reason"] == "EWS is disabled for this user or tenant"


def impersonating(form: str, value: str) -> str:
    return (
        f"<t:ExchangeImpersonation><t:ConnectingSID><t:{form}>{value}</t:{form}></t:ConnectingSID>"
        "</t:ExchangeImpersonation>"
    )


@pytest.mark.parametrize(
    ("form", "value", "code"),
    [
        ("SmtpAddress", MIM, None),
        ("SmtpAddress", "second@contoso.onmicrosoft.com", None),
        ("SmtpAddress", "login@contoso.onmicrosoft.com", "ErrorNonExistentMailbox"),
        ("PrimarySmtpAddress", MIM, None),
        ("PrimarySmtpAddress", "second@contoso.onmicrosoft.com", "ErrorNonExistentMailbox"),
        ("PrincipalName", "login@contoso.onmicrosoft.com", None),
        ("PrincipalName", MIM, "ErrorNonExistentMailbox"),
        ("SmtpAddress", "", "ErrorInvalidExchangeImpersonationHeaderData"),
        ("SID", "S-1-5-21-1", "ErrorInvalidExchangeImpersonationHeaderData"),
    ],
)
def test_each_form_of_impersonation(tenant: Tenant, form: str, value: str, code: str | None) -> None:
    with tenant.state.transaction() as tx:
        (record,) = tx.find(TENANT, "mailbox", primarySmtpAddress=MIM)
        changed = {"proxyAddresses": [MIM, "second@contoso.onmicrosoft.com"]}
        changed["userPrincipalName"] = "login@contoso.onmicrosoft.com"  # type: ignore[assignment] # one JSON object
        tx.put(TENANT, "mailbox", record.id, {**record.body, **changed})
    reply = send(tenant, envelope(get_folder(INBOX), header=impersonating(form, value)))
    if code is None:
        assert reply.status_code == 200
    else:
        assert fault_of(reply)[0] == code


def test_a_missing_mailbox_is_named_in_the_fault(tenant: Tenant) -> None:
    reply = send(tenant, envelope(get_folder(INBOX), mailbox="nobody@contoso.onmicrosoft.com"))
    assert fault_of(reply) == ("ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.")
    value = ET.fromstring(reply.text).find(f".//{T}MessageXml/{T}Value")  # noqa: S314 - our own reply
    assert value is not None
    assert (value.attrib["Name"], value.text) == ("SmtpAddress", "nobody@contoso.onmicrosoft.com")


class Storm(Calm):
    """Refuses the first requests."""

    def __init__(self, *refusals: Refusal) -> None:
        self.refusals = list(refusals)
        self.asked: list[str] = []

    def refusal(self, operation: str) -> Refusal | None:
        self.asked.append(operation)
        return self.refusals.pop(0) if self.refusals else None


def test_weather_is_answered_in_the_ways_of_ews(tmp_path: Path) -> None:
    weather = Storm(
        Refusal(kind=RefusalKind.SERVER_BUSY, wait=timedelta(milliseconds=297_749)),
        Refusal(kind=RefusalKind.THROTTLED),
        Refusal(kind=RefusalKind.UNAVAILABLE),
        Refusal(kind=RefusalKind.EMPTY_FORBIDDEN),
    )
    tenant = Tenant(tmp_path)
    try:
        tenant.run("Set-OrganizationConfig", EwsAllowedAppIDs=APP_ID)
        tenant.serve(lambda app: ews.add_routes(app, tenant.context, weather))
        busy, throttled, gone, forbidden, fine = (send(tenant, envelope(get_folder(INBOX))) for _ in range(5))
    finally:
        tenant.close()
    assert fault_of(busy)[0] == "ErrorServerBusy"
    assert '<t:Value Name="BackOffMilliseconds">297749</t:Value>' in busy.text
    assert '<t:Value Name="BackOffMilliseconds">300000</t:Value>' in throttled.text
    assert (gone.status_code, forbidden.status_code, fine.status_code) == (503, 403, 200)
    assert set(weather.asked) == {"EWS GetFolder"}


# Folders


def test_shapes_say_what_is_shown(tenant: Tenant) -> None:
    both = f'{INBOX}<t:DistinguishedFolderId Id="calendar"/>'
    root = ask(tenant, get_folder(both, "Default"))
    assert codes(root) == ["NoError", "NoError"]
    assert [found.text for found in root.iter(f"{T}DisplayName")] == ["Inbox", "Calendar"]
    assert root.find(f".//{T}CalendarFolder") is not None
    everything = ask(tenant, get_folder('<t:DistinguishedFolderId Id="msgfolderroot"/>', "AllProperties"))
    assert everything.findtext(f".//{T}ChildFolderCount") == "11"
    assert everything.find(f".//{T}ParentFolderId") is not None
    field = '<t:FieldURI FieldURI="folder:FolderClass"/>'
    one = ask(tenant, get_folder(INBOX, "IdOnly", field)).find(f".//{T}Folder")
    assert one is not None
    assert [part.tag for part in one] == [f"{T}FolderId", f"{T}FolderClass"]
    top = ask(tenant, get_folder('<t:DistinguishedFolderId Id="root"/>', "AllProperties"))
    assert top.find(f".//{T}ParentFolderId") is None


def test_a_folder_is_found_by_its_id_in_its_own_mailbox_only(tenant: Tenant) -> None:
    found = ask(tenant, get_folder(INBOX)).find(f".//{T}FolderId")
    assert found is not None
    by_id = f'<t:FolderId Id="{found.attrib["Id"]}"/>'
    assert codes(ask(tenant, get_folder(by_id))) == ["NoError"]
    assert codes(ask(tenant, get_folder(by_id), OTHER)) == ["ErrorFolderNotFound"]
    assert codes(ask(tenant, get_folder('<t:FolderId Id="!"/>'))) == ["ErrorInvalidIdMalformed"]


def test_an_error_of_one_part_stands_beside_the_others(tenant: Tenant) -> None:
    root = ask(tenant, get_folder(f'<t:DistinguishedFolderId Id="publicfoldersroot"/>{INBOX}'))
    assert codes(root) == ["ErrorFolderNotFound", "NoError"]
    first = root.find(f".//{M}GetFolderResponseMessage")
    assert first is not None
    assert first.attrib["ResponseClass"] == "Error"
    assert first.findtext(f"{M}MessageText")


def test_another_mailboxes_folder_is_denied(tenant: Tenant) -> None:
    def of(address: str) -> str:
        mailbox = f"<t:Mailbox><t:EmailAddress>{address}</t:EmailAddress></t:Mailbox>"
        return f'<t:DistinguishedFolderId Id="inbox">{mailbox}</t:DistinguishedFolderId>'

    assert codes(ask(tenant, get_folder(of(MIM)))) == ["NoError"]
    assert codes(ask(tenant, get_folder(of(OTHER)))) == ["ErrorAccessDenied"]


# Mail


def test_send_and_find_and_delete(tenant: Tenant) -> None:
    sent = ask(tenant, create("probe &amp; &lt;1&gt;"))
    assert codes(sent) == ["NoError"]
    assert ids(sent) == []
    found = ids(ask(tenant, find(subject_is("probe &amp; &lt;1&gt;"))))
    assert len(found) == 1
    assert ids(ask(tenant, find(subject_is("other")))) == []
    assert len(ids(ask(tenant, find(folder="sentitems")))) == 1
    delete = f'<m:DeleteItem DeleteType="HardDelete"><m:ItemIds><t:ItemId Id="{found[0]}"/></m:ItemIds></m:DeleteItem>'
    assert codes(ask(tenant, delete)) == ["NoError"]
    assert codes(ask(tenant, delete)) == ["ErrorItemNotFound"]
    assert ids(ask(tenant, find())) == []


def test_mail_reaches_other_mailboxes_of_the_tenant_and_nobody_elsewhere(tenant: Tenant) -> None:
    assert codes(ask(tenant, create("to other", OTHER, "SendOnly"))) == ["NoError"]
    assert codes(ask(tenant, create("away", "x@fabrikam.com", "SendOnly"))) == ["NoError"]
    assert ids(ask(tenant, find())) == []
    assert ids(ask(tenant, find(folder="sentitems"))) == []
    root = ask(tenant, find(shape="Default"), OTHER)
    assert [found.text for found in root.iter(f"{T}Subject")] == ["to other"]
    assert root.findtext(f".//{T}From/{T}Mailbox/{T}EmailAddress") == MIM
    assert root.findtext(f".//{T}DateTimeReceived") == "2026-11-21T09:00:00Z"
    assert root.findtext(f".//{T}IsRead") == "false"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (create("x", ""), "ErrorInvalidRecipients"),
        (create("x", how=""), "ErrorMessageDispositionRequired"),
        (create("x").replace("t:Message", "t:Contact"), "ErrorUnsupportedTypeForConversion"),
        (find("<t:Exists/>"), "ErrorUnsupportedPathForQuery"),
        (find(subject_is("x").replace("item:Subject", "item:Size")), "ErrorUnsupportedPathForQuery"),
        (find(folder="nowhere"), "ErrorFolderNotFound"),
    ],
)
def test_what_cannot_be_done_says_so(tenant: Tenant, body: str, code: str) -> None:
    assert codes(ask(tenant, body)) == [code]


def test_a_draft_is_kept_and_has_an_id(tenant: Tenant) -> None:
    (made,) = ids(ask(tenant, create("draft", how="SaveOnly")))
    assert ids(ask(tenant, find(folder="drafts"))) == [made]
    move = (
        f'<m:DeleteItem DeleteType="MoveToDeletedItems"><m:ItemIds><t:ItemId Id="{made}"/></m:ItemIds></m:DeleteItem>'
    )
    assert codes(ask(tenant, move)) == ["NoError"]
    assert ids(ask(tenant, find(folder="deleteditems"))) == [made]
    assert codes(ask(tenant, move.replace("MoveToDeletedItems", "Vaporise"))) == ["ErrorItemNotFound"]
    assert codes(ask(tenant, move, OTHER)) == ["ErrorItemNotFound"]


def contains(text: str, mode: str, comparison: str) -> str:
    return (
        f'<t:And><t:Contains ContainmentMode="{mode}" ContainmentComparison="{comparison}">'
        f'<t:FieldURI FieldURI="item:Subject"/><t:Constant Value="{text}"/></t:Contains></t:And>'
    )


@pytest.mark.parametrize(
    ("text", "mode", "comparison", "hits"),
    [
        ("probe", "Substring", "Exact", 1),
        ("PROBE", "Substring", "Exact", 0),
        ("PROBE", "Substring", "IgnoreCase", 1),
        ("my", "Prefixed", "Exact", 1),
        ("probe", "Prefixed", "Exact", 0),
        ("my probe", "FullString", "Exact", 1),
        ("my", "FullString", "Exact", 0),
    ],
)
def test_a_subject_is_searched(tenant: Tenant, text: str, mode: str, comparison: str, hits: int) -> None:
    ask(tenant, create("my probe"))
    assert len(ids(ask(tenant, find(contains(text, mode, comparison))))) == hits


def test_a_list_is_paged_newest_first(tenant: Tenant) -> None:
    for number in range(3):
        tenant.clock.advance(timedelta(minutes=1))
        ask(tenant, create(f"mail {number}"))
    view = '<m:IndexedPageItemView MaxEntriesReturned="2" Offset="{}" BasePoint="Beginning"/>'
    first, second = (ask(tenant, find(view=view.format(offset), shape="Default")) for offset in (0, 2))
    assert [found.text for found in first.iter(f"{T}Subject")] == ["mail 2", "mail 1"]
    assert [found.text for found in second.iter(f"{T}Subject")] == ["mail 0"]
    folder = first.find(f".//{M}RootFolder")
    assert folder is not None
    assert folder.attrib == {"IndexedPagingOffset": "2", "TotalItemsInView": "3", "IncludesLastItemInRange": "false"}
    assert ask(tenant, get_folder(INBOX, "Default")).findtext(f".//{T}UnreadCount") == "3"
