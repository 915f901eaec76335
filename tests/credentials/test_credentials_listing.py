"""Every way into an application, and whose each is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fake_stores import FakeStore

from mimapp.credentials.listing import Credential, Owner, list_credentials
from mimapp.errors import StoreError
from mimapp.graph import Application, FederatedCredential, KeyCredential, PasswordCredential, ServicePrincipal
from mimapp.graph.wire import Moment
from mimapp.journal import SecretEntry, SecretState
from mimapp.secret import Secret, StoredSecret

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
LABEL = "mimapp 2026-11-21 0011223344"
SOON, LATER = Moment.parse("2027-01-01T00:00:00Z"), Moment.parse("2027-05-20T00:00:00Z")


def application(*secrets: PasswordCredential, keys: tuple[KeyCredential, ...] | None = None) -> Application:
    return Application(id="o", app_id="a", password_credentials=secrets or None, key_credentials=keys)


def password(key_id: str | None = "k-1", label: str | None = LABEL, end: Moment | None = LATER) -> PasswordCredential:
    return PasswordCredential(key_id=key_id, display_name=label, start_date_time=SOON, end_date_time=end)


def entry(state: SecretState, *, label: str = LABEL, key_id: str | None = "k-1") -> SecretEntry:
    return SecretEntry(label=label, state=state, application_id="a", begun=NOW, changed=NOW, key_id=key_id)


def store_with(key_id: str, uri: str = "memory:1") -> FakeStore:
    stored = StoredSecret(
        application_id="a", tenant_id="t", secret=Secret("replaced-secret"), key_id=key_id, label=LABEL, expires=LATER
    )
    return FakeStore(uri=uri, kept={key_id: stored})


def only(credentials: tuple[Credential, ...]) -> Credential:
    assert len(credentials) == 1
    return credentials[0]


def test_a_secret_that_a_store_has_is_here() -> None:
    stores = [store_with("k-1"), store_with("other", "memory:2"), store_with("k-1", "memory:3")]
    found = only(list_credentials(application(password()), None, [], stores, [entry("handed")]))
    assert found == Credential(
        kind="password", on="application", key_id="k-1", label=LABEL, starts=SOON, expires=LATER, owner=Owner.HERE,
        stores=("memory:1", "memory:3"), proven=False,
    )  # fmt: skip


@pytest.mark.parametrize(("state", "proven"), [("proven", True), ("handed", False), ("wrong", False)])
def test_it_is_proven_where_the_journal_says_so(state: SecretState, proven: bool) -> None:  # noqa: FBT001 - a parameter of the test
    found = list_credentials(application(password()), None, [], [store_with("k-1")], [entry(state)])
    assert only(found).proven is proven


def test_the_proof_of_another_secret_is_not_its_own() -> None:
    found = list_credentials(application(password()), None, [], [], [entry("proven", key_id="k-2")])
    assert not only(found).proven


def test_a_secret_of_ours_whose_value_is_nowhere_here_is_elsewhere() -> None:
    stores = [FakeStore(), FakeStore(can_be_asked=False)]
    found = only(list_credentials(application(password()), None, [], stores, []))
    assert (found.owner, found.stores) == (Owner.ELSEWHERE, ())


@pytest.mark.parametrize("state", ["intended", "issued", "lost"])
def test_a_secret_that_this_machine_began_is_unfinished(state: SecretState) -> None:
    assert only(list_credentials(application(password()), None, [], [], [entry(state)])).owner is Owner.UNFINISHED


@pytest.mark.parametrize("state", ["handed", "proven", "wrong", "revoked"])
def test_a_secret_that_this_machine_finished_is_not(state: SecretState) -> None:
    assert only(list_credentials(application(password()), None, [], [], [entry(state)])).owner is Owner.ELSEWHERE


@pytest.mark.parametrize("label", [None, "", "made in the portal", "mimapp"])
def test_what_mimapp_did_not_issue_is_foreign_even_where_a_store_has_it(label: str | None) -> None:
    found = only(list_credentials(application(password(label=label)), None, [], [store_with("k-1")], []))
    assert (found.owner, found.label) == (Owner.FOREIGN, label or "")


def test_certificates_and_federated_credentials_are_ways_in_too() -> None:
    key = KeyCredential(key_id="c-1", display_name="CN=mim", start_date_time=SOON, end_date_time=LATER)
    federated = [FederatedCredential(id="f-1", name="ci", subject="repo:x"), FederatedCredential(id="f-2", name="ci")]
    found = list_credentials(application(keys=(key,)), None, federated, [], [])
    assert [(one.kind, one.on, one.key_id, one.label, one.owner) for one in found] == [
        ("key", "application", "c-1", "CN=mim", Owner.FOREIGN),
        ("federated", "application", "f-1", "repo:x", Owner.FOREIGN),
        ("federated", "application", "f-2", "ci", Owner.FOREIGN),
    ]


def test_a_service_principals_own_are_foreign_whatever_their_label() -> None:
    principal = ServicePrincipal(
        id="s",
        app_id="a",
        password_credentials=(password(label="SAML"),),
        key_credentials=(KeyCredential(), KeyCredential(key_id="c-2", display_name="x")),
    )
    found = list_credentials(application(), principal, [], [store_with("k-1")], [])
    assert {(one.kind, one.on, one.key_id, one.owner) for one in found} == {
        ("password", "servicePrincipal", "k-1", Owner.FOREIGN),
        ("key", "servicePrincipal", "", Owner.FOREIGN),
        ("key", "servicePrincipal", "c-2", Owner.FOREIGN),
    }


def test_those_that_end_first_come_first_and_those_without_an_end_last() -> None:
    secrets = [password("k-3", end=None), password("k-2"), password("k-1"), password("k-0", end=SOON)]
    found = list_credentials(application(*secrets), None, [], [], [])
    assert [one.key_id for one in found] == ["k-0", "k-1", "k-2", "k-3"]


def test_a_secret_without_an_id_is_in_no_store() -> None:
    assert only(list_credentials(application(password(None)), None, [], [store_with("")], [])).stores == ()


def test_a_store_that_does_not_answer_is_an_error_and_no_guess() -> None:
    with pytest.raises(StoreError):
        list_credentials(application(password()), None, [], [FakeStore(is_down=True)], [])


def test_an_application_without_any_has_none() -> None:
    assert list_credentials(application(), None, [], [], []) == ()
