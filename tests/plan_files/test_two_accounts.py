"""Two accounts of one tenant are shown and recorded apart; two tenants are an error before a request is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from azure.core.credentials import AccessToken
from plan_world import apply, records, write_plan

from mimapp.errors import SignInError
from mimapp.identity import SignInOptions
from mimapp.sandbox.seed import seed_tenant
from support.tenants import CONTOSO, MAILBOX

if TYPE_CHECKING:
    from support.tenants import Finished, Place

ADMIN = f"admin@{CONTOSO}"


def as_two(place: Place, *argv: str, **more: Any) -> Finished:
    """Run a command with the operator's application for Graph and the administrator for Exchange."""
    return place.remote(
        *argv, "--graph-auth", "client-secret", "--exchange-auth", "device-code", environ={"MIMAPP_AUTH": ""}, **more
    )


def application_account(place: Place) -> str:
    return f"application {place.info.operator_client_id}"


def test_both_are_in_the_plan_the_question_and_the_result(place: Place) -> None:
    both = f"{application_account(place)} to Entra, {ADMIN} to Exchange"

    no = as_two(place, "register", "--mailbox", MAILBOX, stdin="n\n")
    done = as_two(place, "register", "--mailbox", MAILBOX, "--yes")
    shown = as_two(place, "register", "--mailbox", MAILBOX, "--dry-run", "--output", "json").document

    assert f"for {CONTOSO} (signed in as {both})" in no.err
    assert f"Make these 8 changes in {CONTOSO} (signed in as {both})?" in no.err
    assert done.out.startswith(f"8 changes made in {CONTOSO}, {both}.")
    assert (shown["operator"], shown["exchangeOperator"]) == (application_account(place), ADMIN)


def test_each_write_is_recorded_under_the_account_that_made_it(place: Place) -> None:
    done = as_two(place, "register", "--mailbox", MAILBOX, "--yes", "--output", "json")

    assert done.code == 0, done.err
    assert (done.document["operator"], done.document["exchangeOperator"]) == (application_account(place), ADMIN)
    by = {record["action"]: record["operator"] for record in records(place)}
    assert {by[name] for name in by if name.split(".")[0] in {"group", "policy", "ews"}} == {ADMIN}
    assert {by[name] for name in by if name.split(".")[0] not in {"group", "policy", "ews"}} == {
        application_account(place)
    }


def test_a_plan_of_two_may_be_applied_by_one(place: Place) -> None:
    path = place.home.parent / "plan.json"
    made = as_two(place, "register", "--mailbox", MAILBOX, "--plan-out", str(path))

    done = apply(place, path)

    assert made.code == 0, made.err
    assert done.code == 0, done.err
    assert done.document["exchangeOperator"] is None


def test_one_account_is_named_once(place: Place) -> None:
    path = write_plan(place)

    assert '"exchangeOperator": null' in path.read_text()


@pytest.mark.parametrize("part", ["graph", "exchange"])
def test_a_token_of_another_tenant_is_refused_before_any_request(place: Place, part: str) -> None:
    """A credential may sign in wherever it likes: the token's own word for its tenant is compared."""
    with place.sandbox.state.transaction() as tx:
        other = seed_tenant(tx, "fabrikam.onmicrosoft.com", name="Fabrikam")
    place.wire.requests.clear()

    with pytest.raises(SignInError) as caught:
        place.connect(**{part: SignInOptions(credential=_Elsewhere(place, other))})

    assert other in str(caught.value)
    assert place.info.tenant_id in str(caught.value)
    paths = [request.url.path for request in place.wire.requests]
    assert not any(path.startswith(("/v1.0/", "/adminapi/")) for path in paths)


class _Elsewhere:
    """Any credential of azure-core's protocol that signs in to a tenant of its own choice."""

    def __init__(self, place: Place, tenant_id: str) -> None:
        self._place = place
        self._tenant_id = tenant_id

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._place.info.operator_client_id,
            "client_secret": self._place.info.operator_client_secret,
            "scope": " ".join(scopes),
        }
        with httpx.Client(transport=self._place.sandbox.transport(), base_url=self._place.sandbox.origin) as client:
            token = client.post(f"/{self._tenant_id}/oauth2/v2.0/token", data=form).json()["access_token"]
        return AccessToken(token, int(self._place.clock.now().timestamp()) + 3600)
