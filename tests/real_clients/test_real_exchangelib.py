"""exchangelib with the very secret that `mimapp register` stored: it opens the scoped mailbox, and no other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import exchangelib  # type: ignore[import-untyped]  # exchangelib ships no types
import pytest
from exchangelib.credentials import OAuth2Credentials  # type: ignore[import-untyped]  # as above
from served_tenant import EXCHANGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from served_tenant import ServedTenant

pytestmark = pytest.mark.slow


class SandboxCredentials(OAuth2Credentials):  # type: ignore[misc]  # its base has no types
    """Client credentials of another login host than the worldwide one, which exchangelib lets a subclass say."""

    authority = ""

    @property
    def token_url(self) -> str:
        return f"{self.authority}/oauth2/v2.0/token"

    @property
    def scope(self) -> list[str]:
        return [f"{EXCHANGE}/.default"]


@pytest.fixture(scope="module")
def stored(tenant: ServedTenant) -> dict[str, Any]:
    """What `mimapp register` over the same server left for MIM."""
    file = tenant.home / "mim.json"
    document = tenant.mimapp("register", "--mailbox", tenant.ready["mailbox"], "--yes", "--secret-to", f"file:{file}")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert found["applicationId"] == document["applicationId"]
    return found


@pytest.fixture
def opened(
    tenant: ServedTenant, stored: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Any]]:
    # requests, which exchangelib asks with, finds the authority to trust there.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", tenant.ca_file)

    def account(address: str) -> Any:
        credentials = SandboxCredentials(
            client_id=stored["applicationId"],
            client_secret=stored["clientSecret"],
            tenant_id=stored["tenantId"],
            identity=exchangelib.Identity(primary_smtp_address=address),
        )
        credentials.authority = tenant.authority
        config = exchangelib.Configuration(
            service_endpoint=f"{tenant.url}/EWS/Exchange.asmx",
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

    yield account
    exchangelib.close_connections()


def test_the_scoped_mailbox_answers(tenant: ServedTenant, opened: Callable[[str], Any]) -> None:
    account = opened(tenant.ready["mailbox"])
    assert (account.inbox.name, account.inbox.folder_class) == ("Inbox", "IPF.Note")
    assert account.root.name == "root"


def test_a_mail_that_mim_would_send_arrives(tenant: ServedTenant, opened: Callable[[str], Any]) -> None:
    address = tenant.ready["mailbox"]
    account = opened(address)
    message = exchangelib.Message(account=account, folder=account.sent, subject="approval", to_recipients=[address])
    message.send_and_save()
    (found,) = account.inbox.filter(subject="approval").only("subject")
    assert found.subject == "approval"


def test_another_mailbox_is_refused(tenant: ServedTenant, opened: Callable[[str], Any]) -> None:
    with pytest.raises(exchangelib.errors.EWSError) as caught:
        opened(tenant.ready["outsideMailbox"]).inbox.refresh()
    assert "403" in str(caught.value) or isinstance(caught.value, exchangelib.errors.UnauthorizedError)


def test_a_secret_that_is_not_the_applications_gets_no_token(
    tenant: ServedTenant, stored: dict[str, Any], opened: Callable[[str], Any]
) -> None:
    stored["clientSecret"], kept = "replaced-secret", stored["clientSecret"]
    try:
        with pytest.raises(Exception, match="AADSTS7000215"):
            opened(tenant.ready["mailbox"]).inbox.refresh()
    finally:
        stored["clientSecret"] = kept
