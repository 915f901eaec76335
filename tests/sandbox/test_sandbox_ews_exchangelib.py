"""A client that we did not write opens the scoped mailbox and is refused on another: exchangelib over the sandbox."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from exchange_tenant import APP_ID, APP_OBJECT_ID, MIM, ORIGIN, OTHER, Tenant

exchangelib: Any = pytest.importorskip("exchangelib")
requests: Any = pytest.importorskip("requests")
oauthlib: Any = pytest.importorskip("oauthlib.oauth2")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

SCOPE = "https://outlook.office365.com"


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    made = Tenant(tmp_path)
    made.run("Set-OrganizationConfig", EwsAllowedAppIDs=APP_ID)
    made.run("New-DistributionGroup", Name="fence", Type="Security", Members=[MIM])
    given = {"AppId": [APP_ID], "AccessRight": "RestrictAccess", "PolicyScopeGroupId": "fence"}
    made.run("New-ApplicationAccessPolicy", **given)
    yield made
    made.close()


def adapter_over(client: httpx.Client) -> type[Any]:
    """A transport for requests, exchangelib's own seam, that hands everything to the sandbox in process."""

    class InProcess(requests.adapters.HTTPAdapter):  # type: ignore[misc] # requests is untyped here
        def send(self, request: Any, **_: Any) -> Any:
            answer = client.post(request.url, content=request.body, headers=dict(request.headers))
            reply = requests.Response()
            reply.status_code = answer.status_code
            reply.headers = requests.structures.CaseInsensitiveDict(answer.headers)
            reply.raw = io.BytesIO(answer.content)
            reply.url = request.url
            reply.request = request
            return reply

        def close(self) -> None:
            pass

    return InProcess


@pytest.fixture
def open_account(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(exchangelib.protocol.BaseProtocol, "HTTP_ADAPTER_CLS", adapter_over(tenant.http))
    token = tenant.token(appid=APP_ID, oid=APP_OBJECT_ID, roles=["full_access_as_app"])

    def opened(address: str) -> Any:
        credentials = exchangelib.OAuth2AuthorizationCodeCredentials(
            access_token=oauthlib.OAuth2Token({"access_token": token, "token_type": "Bearer"})
        )
        config = exchangelib.Configuration(
            service_endpoint=f"{ORIGIN}/EWS/Exchange.asmx",
            credentials=credentials,
            auth_type=exchangelib.OAUTH2,
            version=exchangelib.Version(build=exchangelib.version.EXCHANGE_O365),
            max_connections=1,
        )
        return exchangelib.Account(
            primary_smtp_address=address,
            config=config,
            autodiscover=False,
            access_type=exchangelib.IMPERSONATION,
            default_timezone=exchangelib.EWSTimeZone("UTC"),
        )

    yield opened
    exchangelib.close_connections()


def test_it_opens_the_inbox_of_the_scoped_mailbox(open_account: Any) -> None:
    account = open_account(MIM)
    inbox = account.inbox
    assert (inbox.name, inbox.folder_class, inbox.total_count) == ("Inbox", "IPF.Note", 0)
    assert account.root.name == "root"
    assert account.sent.name == "Sent Items"


def test_it_sends_a_mail_to_itself_finds_it_and_deletes_it(open_account: Any) -> None:
    account = open_account(MIM)
    message = exchangelib.Message(account=account, folder=account.sent, subject="probe 1", to_recipients=[MIM])
    message.send_and_save()
    (found,) = account.inbox.filter(subject="probe 1").only("subject", "datetime_received")
    assert found.subject == "probe 1"
    assert account.inbox.filter(subject="nothing").only("subject").count() == 0
    account.bulk_delete([found], delete_type=exchangelib.items.HARD_DELETE)
    assert account.inbox.all().only("subject").count() == 0


def test_it_is_refused_on_another_mailbox(open_account: Any) -> None:
    with pytest.raises(exchangelib.errors.EWSError) as caught:
        open_account(OTHER).inbox.refresh()
    assert "403" in str(caught.value) or "Unauthorized" in type(caught.value).__name__


def test_it_reads_a_missing_mailbox_as_such(open_account: Any) -> None:
    with pytest.raises(exchangelib.errors.ErrorNonExistentMailbox):
        open_account("nobody@contoso.onmicrosoft.com").inbox.refresh()
