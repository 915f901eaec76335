"""Key Vault through its own library: versions, tags, soft deletion, refusals; in process and over a TLS socket."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from test_file_store import FIRST, NEXT_VALUE, SECOND, VALUE

from mimapp.errors import SignInError, StoreError
from mimapp.journal import Evidence
from mimapp.rotation import EvidenceStore
from mimapp.secret import Secret, SecretStore
from mimapp.stores import KeyVaultStore, ReadableStore
from mimapp.transport import Http, Patience
from mimapp.transport.network import Network, network_transport
from support.clock import FakeClock
from support.key_vault import HOST, NAME, TENANT, TOKEN, URL, Operator, Vault, refusal
from support.loopback import proxying, serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from azure.core.credentials import AccessToken

OFFICER = "Key Vault Secrets Officer"


class Place:
    """A vault, and stores that reach it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.vault = Vault(self.clock)
        self.operator = Operator()

    def store(self, transport: httpx.BaseTransport | None = None) -> KeyVaultStore:
        http = Http(
            Patience(self.clock, limit=timedelta(minutes=2)), transport=transport or httpx.MockTransport(self.vault)
        )
        return KeyVaultStore(URL, credential=self.operator, http=http)


@pytest.fixture
def place() -> Place:
    return Place()


def test_it_is_a_store_that_is_read_and_keeps_evidence(place: Place) -> None:
    seam: SecretStore = place.store()
    assert seam.uri == f"keyvault:{URL}"
    assert isinstance(seam, ReadableStore)
    assert isinstance(seam, EvidenceStore)
    assert repr(seam) == f"KeyVaultStore({URL!r})"


def test_a_secret_is_a_version_with_ids_expiry_and_content_type(place: Place) -> None:
    place.store().preflight()
    place.store().put(FIRST)
    (version,) = place.vault.secrets[NAME]
    assert version["value"] == VALUE
    assert version["contentType"] == "text/plain"
    assert version["attributes"]["exp"] == int(FIRST.expires.timestamp())
    assert version["tags"] == {
        "mimapp-key-id": FIRST.key_id,
        "mimapp-application-id": FIRST.application_id,
        "mimapp-tenant-id": FIRST.tenant_id,
        "mimapp-label": FIRST.label,
        "mimapp-sandbox": "true",
    }
    assert place.operator.asked == [(("https://vault.azure.net/.default",), TENANT)] * 2


def test_generations_stay_until_they_are_forgotten_and_more_than_a_page_of_them_are_read(place: Place) -> None:
    store = place.store()
    stored = [replace(FIRST, key_id=f"key-{number}", secret=Secret(f"value-{number}")) for number in range(5)]
    for one in stored:
        store.put(one)
    fresh = place.store()
    assert fresh.current() == stored[-1]
    assert [fresh.get(one.key_id) for one in stored] == [one.secret for one in stored]
    fresh.forget("key-4")
    fresh.forget("no-such-key")
    assert not fresh.has("key-4")
    assert fresh.get("key-4") is None
    assert fresh.current() == stored[3]
    assert place.vault.values()[4] == "value-4"  # Key Vault removes no single version: it is disabled


def test_an_empty_vault_has_nothing(place: Place) -> None:
    store = place.store()
    store.preflight()
    assert store.current() is None
    assert not store.has(FIRST.key_id)
    assert store.evidence(FIRST.key_id) == ()
    store.forget(FIRST.key_id)
    assert place.vault.secrets == {}


def test_preflight_writes_nothing(place: Place) -> None:
    place.store().preflight()
    assert {call.split()[0] for call in place.vault.seen} == {"GET"}


def test_somebody_elses_secret_is_left(place: Place) -> None:
    store = place.store()
    store.put(FIRST)
    place.vault.secrets[NAME][0]["tags"] = {"owner": "payroll"}
    with pytest.raises(StoreError, match="holds a secret that is not mimapp's"):
        store.preflight()
    assert not store.has(FIRST.key_id)
    assert store.current() is None


def test_a_name_of_ours_that_was_deleted_is_recovered_before_it_is_written(place: Place) -> None:
    place.store().put(FIRST)
    place.vault.delete(NAME)
    place.vault.being_recovered = 3
    store = place.store()
    store.preflight()
    assert not store.has(FIRST.key_id)
    store.put(SECOND)
    assert place.vault.values() == [VALUE, NEXT_VALUE]
    assert store.current() == SECOND
    assert store.has(FIRST.key_id)
    assert sum(place.clock.slept) > 3  # it waited on the run's clock, and for nobody's machine


def test_a_deleted_name_of_somebody_elses_is_said_before_anything_is_issued(place: Place) -> None:
    place.store().put(FIRST)
    place.vault.secrets[NAME][0]["tags"] = {}
    place.vault.delete(NAME)
    for act in (place.store().preflight, lambda: place.store().put(SECOND)):
        with pytest.raises(StoreError, match="a deleted secret that is not mimapp's still holds the name") as caught:
            act()
        assert "purge or recover it yourself" in (caught.value.hint or "")
    assert NAME in place.vault.deleted


def test_a_name_that_does_not_come_back_is_given_up_in_time(place: Place) -> None:
    place.vault.being_recovered = 1000
    with pytest.raises(StoreError, match="did not come back in time"):
        place.store().put(FIRST)
    assert sum(place.clock.slept) <= 120


def test_a_sign_in_that_may_only_write_is_enough_to_put(place: Place) -> None:
    place.vault.refuse["GET secrets VERSION"] = refusal(403, "Forbidden", inner="ForbiddenByRbac")
    store = place.store()
    store.put(FIRST)
    assert store.has(FIRST.key_id)
    assert store.get(FIRST.key_id) is None
    with pytest.raises(StoreError, match="may not read values"):
        store.current()


def test_a_vault_that_keeps_something_else_is_caught(place: Place) -> None:
    class Forgetful(Vault):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            answer = super().__call__(request)
            for version in self.secrets.get(NAME, []):
                version["value"] = "something else"
            return answer

    place.vault = Forgetful(place.clock)
    with pytest.raises(StoreError, match="did not keep what was written to it"):
        place.store().put(FIRST)


REFUSALS = {
    "no role": (refusal(403, "Forbidden", inner="ForbiddenByRbac"), "HTTP 403 Forbidden/ForbiddenByRbac", OFFICER),
    "no policy": (refusal(403, "Forbidden", inner="AccessDenied"), "HTTP 403 Forbidden/AccessDenied", OFFICER),
    "firewall": (refusal(403, "Forbidden", inner="ForbiddenByFirewall"), "ForbiddenByFirewall", "firewall"),
    "private": (refusal(403, "Forbidden", inner="ForbiddenByConnection"), "ForbiddenByConnection", "private"),
    "bad name": (refusal(400, "BadParameter", "bad value"), "HTTP 400 BadParameter", "look at the vault"),
    "no JSON": (httpx.Response(502, text="<html>gateway</html>"), "HTTP 502", "look at the vault"),
    "throttled": (refusal(429, "Throttled"), "HTTP 429 Throttled", "look at the vault"),
}


@pytest.mark.parametrize("call", ["GET secrets versions", "PUT secrets"])
@pytest.mark.parametrize(("answer", "words", "hint"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_an_error_of_the_store(
    place: Place, call: str, answer: httpx.Response, words: str, hint: str
) -> None:
    place.vault.refuse[call] = answer
    with pytest.raises(StoreError) as caught:
        place.store().put(FIRST)
    assert words in str(caught.value)
    assert hint in (caught.value.hint or "")
    told = f"{caught.value!r} {caught.value.hint} {caught.value.details}"
    assert VALUE not in told
    assert TOKEN not in told
    if "x-ms-request-id" in answer.headers:
        assert caught.value.details == ("request id request-7",)


@pytest.mark.parametrize(
    ("call", "act"),
    [
        ("PATCH secrets VERSION", lambda store: store.forget(FIRST.key_id)),
        ("GET secrets versions", lambda store: store.has(FIRST.key_id)),
        ("GET secrets versions", lambda store: store.preflight()),
    ],
)
def test_every_call_tells_a_refusal(place: Place, call: str, act: Callable[[KeyVaultStore], object]) -> None:
    store = place.store()
    store.put(FIRST)
    place.vault.refuse[call] = refusal(403, "Forbidden", inner="ForbiddenByRbac")
    with pytest.raises(StoreError, match="ForbiddenByRbac"):
        act(store)


def test_deleted_names_that_may_not_be_seen_do_not_stop_a_preflight(place: Place) -> None:
    place.vault.refuse["GET deletedsecrets"] = refusal(403, "Forbidden", inner="ForbiddenByRbac")
    place.store().preflight()


def test_a_recovery_that_is_refused_is_told(place: Place) -> None:
    place.store().put(FIRST)
    place.vault.delete(NAME)
    place.vault.refuse["POST deletedsecrets recover"] = refusal(403, "Forbidden", inner="ForbiddenByRbac")
    with pytest.raises(StoreError, match="could not be recovered: HTTP 403"):
        place.store().put(SECOND)


def test_a_vault_that_is_not_there_is_told_with_its_host(place: Place) -> None:
    def nowhere(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Name or service not known", request=request)

    with pytest.raises(StoreError, match=f"cannot reach {HOST}"):
        place.store(httpx.MockTransport(nowhere)).preflight()


def test_a_lost_reply_is_asked_again_and_no_secret_is_lost(place: Place) -> None:
    lost: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        reply = place.vault(request)
        if request.method == "PUT" and request.content and not lost:
            lost.append("once")
            raise httpx.ReadError("reset", request=request)
        return reply

    store = place.store(httpx.MockTransport(answer))
    store.put(FIRST)
    assert place.vault.values() == [VALUE, VALUE]
    assert store.current() == FIRST


def test_a_sign_in_that_fails_is_an_error_of_the_store_in_its_own_words(place: Place) -> None:
    class Refused(Operator):
        def get_token(self, *scopes: str, tenant_id: str | None = None, **_: object) -> AccessToken:
            super().get_token(*scopes, tenant_id=tenant_id)
            raise SignInError("AADSTS700016: no such application", hint="look at --client-id", explain="AADSTS700016")

    place.operator = Refused()
    with pytest.raises(StoreError, match="AADSTS700016: no such application") as caught:
        place.store().preflight()
    assert (caught.value.hint, caught.value.explain) == ("look at --client-id", "AADSTS700016")


def evidence(number: int, *, node: str = "", kind: str = "hook") -> Evidence:
    return Evidence(
        key_id=FIRST.key_id,
        kind="confirmed" if kind == "confirmed" else "hook",
        when=datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=number),
        by="deploy.sh",
        node=node,
    )


def test_evidence_is_kept_beside_the_secret_and_found_from_a_fresh_machine(place: Place) -> None:
    store = place.store()
    store.put(FIRST)
    store.put_evidence(evidence(1, node="mim1"))
    store.put_evidence(evidence(2, kind="confirmed"))
    store.put_evidence(evidence(3, node="mim1"))  # in place of the first
    assert place.store().evidence(FIRST.key_id) == (evidence(2, kind="confirmed"), evidence(3, node="mim1"))
    assert place.store().evidence(SECOND.key_id) == ()
    store.put_evidence(replace_key(evidence(4), SECOND.key_id))  # not here: nothing happens
    assert len(place.store().evidence(FIRST.key_id)) == 2
    assert place.store().current() == FIRST


def replace_key(piece: Evidence, key_id: str) -> Evidence:
    return Evidence(key_id=key_id, kind=piece.kind, when=piece.when, by=piece.by, node=piece.node)


def test_evidence_fits_into_fifteen_tags_of_256_signs(place: Place) -> None:
    store = place.store()
    store.put(FIRST)
    for number in range(14):
        piece = Evidence(
            key_id=FIRST.key_id,
            kind="hook",
            when=datetime(2027, 1, 1 + number, tzinfo=UTC),
            by="b|" * 300,
            node=f"{number}|" + "n" * 300,
        )
        store.put_evidence(piece)
        store.put_evidence(piece)  # the same again takes no second tag, however long its node
    tags = place.vault.secrets[NAME][0]["tags"]
    assert len(tags) == 15
    assert all(len(text) <= 256 for text in tags.values())
    kept = store.evidence(FIRST.key_id)
    assert [piece.when.day for piece in kept] == list(range(5, 15))  # the oldest made way
    assert kept[0].node.startswith("4/nnn")


@pytest.mark.parametrize(
    "text", ["", "hook", "hook|yesterday||x", "hook|2027-01-01T00:00:00||x", "guess|2027-01-01T00:00:00Z||x"]
)
def test_a_tag_that_somebody_has_changed_is_no_evidence(place: Place, text: str) -> None:
    store = place.store()
    store.put(FIRST)
    store.put_evidence(evidence(1))
    place.vault.secrets[NAME][0]["tags"]["mimapp-evidence-1"] = text
    assert store.evidence(FIRST.key_id) == ()


def test_over_a_tls_socket_through_a_proxy(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(place.vault, tmp_path, HOST) as server, proxying(server.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)
        monkeypatch.setenv("NO_PROXY", "")
        transport = network_transport(Network(ca_bundle=server.ca_file, hosts=frozenset({HOST})))
        http = Http(Patience(place.clock), transport=transport)
        with http:
            store = KeyVaultStore(URL, credential=place.operator, http=http)
            store.preflight()
            store.put(FIRST)
            store.put(SECOND)
            assert store.current() == SECOND
            assert store.get(FIRST.key_id) == Secret(VALUE)
    assert proxy.connected
    assert set(proxy.connected) == {f"{HOST}:443"}
    assert place.vault.values() == [VALUE, NEXT_VALUE]


def test_no_log_of_any_library_shows_the_secret_or_the_token(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        store = place.store()
        store.put(FIRST)
        store.get(FIRST.key_id)
    assert caplog.records
    assert VALUE not in caplog.text
    assert TOKEN not in caplog.text
