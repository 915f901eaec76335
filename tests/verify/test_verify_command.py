"""``mimapp verify`` on the simulated tenant: what each state of the tenant comes to, and what is never asked."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mimapp.cli import main
from mimapp.cli.world import World
from mimapp.sandbox.exchange import store
from mimapp.sandbox.scenarios import EwsState, block_sign_in, set_ews_state
from support.tenants import MAILBOX, Finished

if TYPE_CHECKING:
    from support.tenants import Place

OTHER = "other@contoso.onmicrosoft.com"


def verify(place: Place, *more: str, **given: Any) -> Finished:
    return place.remote("verify", "--mailbox", MAILBOX, "--output", "json", *more, **given)


def piped(place: Place, text: str) -> Finished:
    """The secret comes from a pipe; with stdin a terminal it would be asked for."""
    out, err = io.StringIO(), io.StringIO()
    origin = place.sandbox.origin
    hosts = {f"MIMAPP_{name}_URL": origin for name in ("LOGIN", "GRAPH", "EXCHANGE")}
    operator = {
        "AZURE_CLIENT_ID": place.info.operator_client_id,
        "AZURE_CLIENT_SECRET": place.info.operator_client_secret,
    }
    world = World(
        stdin=io.StringIO(f"{text}\n"),
        stdout=out,
        stderr=err,
        environ={**hosts, **operator, "MIMAPP_AUTH": "client-secret"},
        clock=place.clock,
        transport=place.wire,
        home=place.home,
    )
    code = main(["verify", "--mailbox", MAILBOX, "--secret-stdin", "--output", "json"], world=world)
    return Finished(code=int(code), out=out.getvalue(), err=err.getvalue())


def rows(done: Finished) -> dict[str, dict[str, Any]]:
    found = {row["name"]: row for row in done.document["rows"]}
    assert len(found) == len(done.document["rows"])
    return found


def verdicts(done: Finished) -> dict[str, str]:
    return {name: row["verdict"] for name, row in rows(done).items()}


def asked_mailboxes(place: Place) -> set[str]:
    return {
        request.headers["x-anchormailbox"].lower()
        for request in place.wire.requests
        if request.url.path.endswith("/EWS/Exchange.asmx")
    }


def test_all_holds(settled: Place) -> None:
    settled.wire.requests.clear()
    done = verify(settled, "--outside", OTHER)

    assert done.code == 0, done.out
    assert verdicts(done) == dict.fromkeys(["token", "claims", "inbox", "outside", "expiry", "ews"], "holds")
    assert done.document["verdict"] == "holds"
    assert done.document["scopeProven"]["how"] == f"EWS refused {OTHER}"
    assert asked_mailboxes(settled) == {MAILBOX.lower(), OTHER}
    assert settled.wire.writes == []


def test_nobodys_mailbox_is_picked(settled: Place) -> None:
    settled.wire.requests.clear()
    done = verify(settled)

    assert done.code == 0, done.out
    assert verdicts(done)["outside"] == "not probed"
    assert done.document["scopeProven"] is None
    assert asked_mailboxes(settled) == {MAILBOX.lower()}


def test_the_address_outside_may_stand_in_the_configuration(settled: Place) -> None:
    (settled.home / "config.toml").write_text(f'outside = "{OTHER}"\n', encoding="utf-8")

    assert verdicts(verify(settled))["outside"] == "holds"


def test_the_own_mailbox_is_not_outside(settled: Place) -> None:
    done = verify(settled, "--outside", MAILBOX.upper())

    assert done.code == 2
    assert "own mailbox" in done.err


def test_a_mail_goes_to_itself_is_found_and_deleted(settled: Place) -> None:
    done = verify(settled, "--send")

    assert done.code == 0, done.out
    assert rows(done)["send"]["meaning"] == "sent, found and deleted"
    sent = [request.content for request in settled.wire.requests if b"CreateItem" in request.content]
    assert len(sent) == 1
    assert sent[0].count(MAILBOX.encode()) == 2  # impersonated, and the recipient
    with settled.sandbox.state.transaction(write=False) as tx:
        assert tx.find(settled.info.tenant_id, "ews.item") == []


def test_a_moment_after_register_it_is_not_yet(registered: Place) -> None:
    done = verify(registered, "--outside", OTHER)

    assert done.code == 75, done.out
    found = rows(done)
    assert found["inbox"]["verdict"] == "not yet"
    assert "X-EWS-Policy-Reason: EWS is blocked by policy" in found["inbox"]["came"]
    until = registered.clock.now() + timedelta(hours=24)
    assert until - timedelta(minutes=5) < datetime.fromisoformat(found["inbox"]["until"]) <= until
    assert found["outside"]["verdict"] == "not probed"
    assert "proves nothing" in found["outside"]["meaning"]
    assert done.document["until"] == found["inbox"]["until"]


def enforce_in(place: Place, span: timedelta) -> None:
    """EWS follows the access policies from then on, whatever the test cmdlet says by now."""
    tenant = place.info.tenant_id
    with place.sandbox.state.transaction() as tx:
        directory = store.load(tx, tenant)
        assert directory is not None
        for policy in directory.policies:
            store.put(tx, tenant, replace(policy, enforced=place.clock.now() + span), settled=True)


def test_a_fence_that_is_not_enforced_yet_is_not_yet(place: Place) -> None:
    assert place.remote("register", "--mailbox", MAILBOX, "--yes").code == 0
    enforce_in(place, timedelta(minutes=90))
    place.clock.advance(timedelta(minutes=80))
    first = verify(place, "--outside", OTHER)

    assert first.code == 75, first.out
    assert rows(first)["outside"]["verdict"] == "not yet"
    assert "not enforced yet" in rows(first)["outside"]["meaning"]
    assert rows(first)["outside"]["until"] == "2026-11-21T11:00:00Z"
    assert first.document["scopeProven"] is None

    place.clock.advance(timedelta(minutes=20))
    second = verify(place, "--outside", OTHER)
    assert second.code == 0, second.out
    assert second.document["scopeProven"] == {"when": "2026-11-21T10:40:00Z", "how": f"EWS refused {OTHER}"}


def test_a_fence_that_is_never_enforced_is_broken(place: Place) -> None:
    assert place.remote("register", "--mailbox", MAILBOX, "--yes").code == 0
    enforce_in(place, timedelta(days=9))
    place.clock.advance(timedelta(hours=3))

    assert verdicts(verify(place, "--outside", OTHER))["outside"] == "broken"


def test_an_application_that_is_not_restricted_is_said_loudly(settled: Place) -> None:
    assert verify(settled, "--outside", OTHER).document["scopeProven"] is not None
    with settled.connect() as tenant:
        for policy in tenant._exchange.access_policies.list():
            tenant._exchange.access_policies.remove(policy.identity)
    settled.clock.advance(timedelta(hours=1))

    done = verify(settled, "--outside", OTHER)

    assert done.code == 3
    assert "NOT restricted" in rows(done)["outside"]["meaning"]
    assert "mimapp lockdown" in rows(done)["outside"]["todo"]
    assert done.document["scopeProven"] is None


def test_a_proof_is_worth_nothing_after_the_fence_was_built_anew(settled: Place) -> None:
    assert verify(settled, "--outside", OTHER).document["scopeProven"] is not None
    with settled.connect() as tenant:
        for policy in tenant._exchange.access_policies.list():
            tenant._exchange.access_policies.remove(policy.identity)
    settled.clock.advance(timedelta(hours=1))
    assert settled.remote("register", "--mailbox", MAILBOX, "--yes").code == 0

    assert verify(settled).document["scopeProven"] is None


@pytest.mark.parametrize(
    ("state", "meaning", "todo"),
    [
        (EwsState.TRUE_LIST, "not on the tenant's EWS allow list", "mimapp ews allow"),
        (EwsState.FALSE_LIST, "the organisation's EWS switch is False", "mimapp ews allow --enable"),
        (EwsState.MAILBOX_OFF, "the mailbox's own EWS switch is False", "Set-CASMailbox"),
    ],
    ids=str,
)
def test_ews_that_is_closed(settled: Place, state: EwsState, meaning: str, todo: str) -> None:
    set_ews_state(settled.sandbox, state)
    if state is EwsState.MAILBOX_OFF:
        settled.remote("register", "--mailbox", MAILBOX, "--yes")
    settled.clock.advance(timedelta(hours=25))

    done = verify(settled, "--outside", OTHER, "--send")

    assert done.code == 3, done.out
    assert meaning in rows(done)["inbox"]["meaning"]
    assert todo in rows(done)["inbox"]["todo"]
    assert verdicts(done)["outside"] == "not probed"
    assert verdicts(done)["send"] == "not probed"


def test_a_secret_that_ended(settled: Place) -> None:
    settled.clock.advance(timedelta(days=200))
    done = verify(settled)

    assert done.code == 3
    assert verdicts(done)["token"] == "broken"
    assert "7000222" in rows(done)["token"]["came"]
    assert verdicts(done)["expiry"] == "broken"
    assert verdicts(done)["inbox"] == "not probed"


def test_a_secret_from_stdin(settled: Place) -> None:
    stored = json.loads(next(settled.home.glob("secrets/*/mimservice.json")).read_text())

    good = piped(settled, stored["clientSecret"])
    assert good.code == 0, good.out + good.err
    assert verdicts(good)["expiry"] == "not probed"
    assert stored["clientSecret"] not in good.out + good.err

    wrong = piped(settled, "replaced-secret")
    assert wrong.code == 3
    assert "7000215" in rows(wrong)["token"]["came"]

    assert piped(settled, stored["keyId"]).code == 2
    assert piped(settled, "").code == 2


def test_a_machine_that_a_policy_refuses(settled: Place) -> None:
    stored = json.loads(next(settled.home.glob("secrets/*/mimservice.json")).read_text())
    block_sign_in(settled.sandbox, stored["applicationId"])

    done = verify(settled)

    assert done.code == 3
    assert "says nothing about the secret" in rows(done)["token"]["meaning"]
    assert "--print-probe" in rows(done)["token"]["todo"]


def test_without_consent(settled: Place) -> None:
    with settled.connect() as tenant:
        app_id = json.loads(next(settled.home.glob("secrets/*/mimservice.json")).read_text())["applicationId"]
        graph = tenant._graph
        principal = graph.service_principals.by_app_id(app_id)
        assert principal is not None
        for grant in graph.role_grants.held_by(app_id):
            graph.role_grants.revoke(principal.id, grant.id)
    settled.clock.advance(timedelta(hours=2))

    done = verify(settled)

    assert done.code == 3
    assert verdicts(done)["claims"] == "broken"
    assert "2000008" in rows(done)["inbox"]["came"]
    assert "mimapp register" in rows(done)["inbox"]["todo"]


def test_nothing_is_registered(place: Place) -> None:
    done = verify(place)

    assert done.code == 2
    assert "nothing to verify" in done.err


def test_for_people(settled: Place) -> None:
    done = settled.remote("verify", "--mailbox", MAILBOX, "--outside", OTHER)

    assert done.code == 0
    assert f"Denied elsewhere: EWS refused {OTHER}" in done.out


def test_out_belongs_to_the_probe(settled: Place) -> None:
    assert verify(settled, "--out", "probe.ps1").code == 2
