"""A partner's administrator (GDAP): signed in to the customer's tenant, with an account that the customer has not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from azure.core.credentials import AccessToken

from mimapp.errors import UsageError
from mimapp.sandbox.directory_roles import GLOBAL_ADMINISTRATOR
from mimapp.sandbox.tokens import TokenService
from mimapp.tenant import REGISTER_PERMISSIONS
from support.tenants import MAILBOX, name_of

if TYPE_CHECKING:
    from mimapp.tenant import Tenant
    from support.tenants import Place

PARTNER = "ada@partner.example"


class PartnerCredential:
    """Tokens of the customer's tenant for the partner's account, as the sandbox signs them."""

    def __init__(self, place: Place, *, shows_role: bool = True) -> None:
        self._roles = [GLOBAL_ADMINISTRATOR] if shows_role else []
        self._tokens = TokenService(place.sandbox.state, clock=place.clock)
        self._tenant = place.info.tenant_id

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        issued, expires = self._tokens.lifetime()
        permissions = {*REGISTER_PERMISSIONS, "AdminApi.AccessAsUser.All"}
        claims = {
            "aud": scopes[0].rpartition("/")[0],
            "iss": f"https://sts.windows.net/{self._tenant}/",
            "iat": issued,
            "nbf": issued,
            "exp": expires,
            "appid": "14d82eec-204b-4c2f-b7e8-296a70dab67e",
            "idp": "https://sts.windows.net/99999999-0000-4ccc-8111-dddd2222eeee/",
            "idtyp": "user",
            "oid": "99999999-0000-4ccc-8111-dddd2222aaaa",
            "scp": " ".join(sorted(permissions)),
            "sub": "partner",
            "tid": self._tenant,
            "upn": PARTNER,
            "ver": "1.0",
            "wids": self._roles,
        }
        return AccessToken(self._tokens.sign(claims), int(expires))


def connected(place: Place) -> Tenant:
    return place.connect(graph=PartnerCredential(place), exchange=PartnerCredential(place))


def test_a_partner_registers_by_the_system_mailbox_and_never_by_an_account_of_theirs(calm: Place) -> None:
    with connected(calm) as tenant:
        wanted = calm.registration(group_owner=calm.info.administrator)
        outcome = tenant.apply(tenant.plan(wanted))

    assert outcome.failed is None
    assert tenant.exchange_operator.name == PARTNER
    cmdlets = [request for request in calm.wire.requests if request.url.path.endswith("/InvokeCommand")]
    anchor = f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{calm.info.tenant_id}"
    assert {request.headers["X-AnchorMailbox"] for request in cmdlets} == {anchor}
    assert not any("/me" in name_of(request) for request in calm.wire.requests)


def test_a_partner_cannot_own_the_group_and_is_told_to_name_who_does(calm: Place) -> None:
    with connected(calm) as tenant, pytest.raises(UsageError, match=f"cannot be owned by {PARTNER}") as caught:
        tenant.plan(calm.registration(mailbox=MAILBOX))

    assert "--group-owner ADDRESS" in str(caught.value.hint)
    assert calm.wire.writes == []


def test_a_partner_whose_roles_do_not_show_is_warned_and_the_service_judges(calm: Place) -> None:
    graph = PartnerCredential(calm, shows_role=False)
    with calm.connect(graph=graph, exchange=PartnerCredential(calm)) as tenant:
        rows = {row.name: row for row in tenant.check(calm.registration(group_owner=calm.info.administrator))}

    assert rows["directory role"].verdict == "warn"
    assert "a partner's" in rows["directory role"].why
    assert rows["graph permissions"].verdict == "ok"
    assert rows["exchange rights"].verdict == "ok"
