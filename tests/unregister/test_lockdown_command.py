"""``mimapp lockdown``: no new token from that moment on, nothing destroyed, and a way back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mimapp.graph import ApplicationPatch
from mimapp.identity import AppSignIn, AppToken, Refusal, RefusalKind
from mimapp.journal import Journal
from mimapp.sandbox.scenarios import foreign_secret
from mimapp.secret import Secret
from mimapp.transport import Http, Patience
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from unregister_world import Registered

LOCKDOWN = ("lockdown", "--mailbox", MAILBOX, "--yes", "--output", "json")


def sign_in(there: Registered) -> AppToken | Refusal:
    """The application's own sign-in, as MIM Service does it."""
    kept = json.loads(next((there.place.home / "secrets").glob("*/*.json")).read_text())
    http = Http(Patience(there.place.clock), transport=there.place.wire)
    return AppSignIn(http, there.place.cloud).token(
        kept["tenantId"], kept["applicationId"], Secret(kept["clientSecret"]), there.place.cloud.exchange_scope
    )


def enabled(there: Registered) -> bool | None:
    with there.graph() as graph:
        principal = graph.service_principals.by_app_id(there.app_id)
    assert principal is not None
    return principal.account_enabled


def test_no_token_is_issued_from_then_on(there: Registered) -> None:
    before = sign_in(there)
    there.place.wire.requests.clear()

    done = there.place.remote(*LOCKDOWN)

    assert done.code == 0, done.err
    assert len(there.place.wire.writes) == 1
    assert there.place.wire.writes[0].startswith("PATCH /v1.0/servicePrincipals/")
    after = sign_in(there)
    assert isinstance(before, AppToken)
    assert isinstance(after, Refusal)
    assert after.kind is RefusalKind.DISABLED
    assert enabled(there) is False


def test_the_document_says_what_was_done_what_lives_on_and_how_to_undo_it(there: Registered) -> None:
    foreign_secret(there.place.sandbox, "mimapp-mimservice", label="Backup of the other team")

    document = there.place.remote(*LOCKDOWN).document

    assert document["schema"] == "mimapp.lockdown/1"
    assert (document["applicationId"], document["signIn"]) == (there.app_id, "blocked")
    assert [change["step"] for change in document["changes"]] == ["sign-in.block"]
    assert any("live on for about an hour" in warning for warning in document["warnings"])
    assert sorted((one["kind"], one["whose"]) for one in document["credentials"]) == [
        ("password", "foreign"),
        ("password", "here"),
    ]
    assert document["undo"] == f"mimapp lockdown --mailbox {MAILBOX} --registration mimservice --release"


def test_release_lets_it_in_again(there: Registered) -> None:
    undo = there.place.remote(*LOCKDOWN).document["undo"]
    locked_log = there.place.cli("log", "--output", "json").document["writes"][-1]

    done = there.place.remote(*undo.split()[1:], "--yes", "--output", "json")

    assert done.code == 0, done.err
    assert (done.document["signIn"], done.document["warnings"]) == ("allowed", [])
    assert isinstance(sign_in(there), AppToken)
    assert (locked_log["action"], locked_log["undo"]) == ("sign-in.block", undo)
    assert (locked_log["before"], locked_log["after"]) == ("accountEnabled true", "accountEnabled false")


@pytest.mark.parametrize("way", [(), ("--release",)])
def test_a_second_time_writes_nothing(there: Registered, way: tuple[str, ...]) -> None:
    there.place.remote(*LOCKDOWN, *way)
    there.place.wire.requests.clear()

    done = there.place.remote(*LOCKDOWN, *way)

    assert (done.code, there.place.wire.writes, done.document["changes"]) == (0, [], [])
    assert done.document["signIn"] == ("allowed" if way else "blocked")


def test_it_asks_nothing_of_exchange_and_waits_for_no_other_run(there: Registered) -> None:
    with Journal(there.place.home).lock(there.place.info.tenant_id, "mimservice"):
        done = there.place.remote(*LOCKDOWN)

    assert done.code == 0, done.err
    assert not [request for request in there.place.wire.requests if "InvokeCommand" in request.url.path]


def test_what_people_are_told(there: Registered) -> None:
    first = there.place.remote("lockdown", "--mailbox", MAILBOX, "--yes")
    again = there.place.remote("lockdown", "--mailbox", MAILBOX, "--yes")
    free = there.place.remote("lockdown", "--mailbox", MAILBOX, "--yes", "--release")

    name = f"MIM Service mailbox client access ({there.app_id})"
    assert first.out.startswith(f"{name} cannot sign in, now.\n")
    assert "Note: tokens that were issued already live on for about an hour" in first.out
    assert "Every way into it; none was touched:" in first.out
    assert first.out.splitlines()[-1].startswith("To undo: mimapp lockdown --mailbox")
    assert again.out.startswith(f"{name} cannot sign in, as before.\n")
    assert free.out.startswith(f"{name} may sign in, now.\n")
    assert "live on" not in free.out


def test_a_dry_run_changes_nothing(there: Registered) -> None:
    done = there.place.remote("lockdown", "--mailbox", MAILBOX, "--dry-run", "--output", "json")

    assert (done.code, there.place.wire.writes) == (0, [])
    assert [step["step"] for step in done.document["steps"]] == ["sign-in.block"]
    assert enabled(there) is True


@pytest.mark.parametrize(("answer", "code", "is_enabled"), [("n\n", 2, True), ("y\n", 0, False)])
def test_it_asks_at_a_terminal(there: Registered, answer: str, code: int, *, is_enabled: bool) -> None:
    done = there.place.remote("lockdown", "--mailbox", MAILBOX, stdin=answer)

    assert done.code == code
    assert "Make this change in contoso.onmicrosoft.com" in done.err
    assert "note: tokens that were issued already live on for about an hour" in done.err
    assert enabled(there) is is_enabled


def test_the_only_registration_is_meant_where_none_is_named(there: Registered) -> None:
    done = there.place.remote("lockdown", "--yes", "--output", "json")

    assert (done.code, done.document["registration"]) == (0, "mimservice")


def test_without_an_application_there_is_nothing_to_lock(there: Registered) -> None:
    there.run()

    done = there.place.remote(*LOCKDOWN)

    assert done.code == 2
    assert "nothing to lock" in done.err


def test_without_a_service_principal_nobody_can_sign_in(there: Registered) -> None:
    with there.graph() as graph:
        principal = graph.service_principals.by_app_id(there.app_id)
        assert principal is not None
        graph.service_principals.delete(principal.id)

    done = there.place.remote(*LOCKDOWN)

    assert done.code == 2
    assert "nobody can sign in as it" in done.err


def test_an_unmarked_application_is_not_touched_unless_it_is_named(there: Registered) -> None:
    with there.graph() as graph:
        graph.applications.change(there.object_id, ApplicationPatch(tags=()))
    there.place.wire.requests.clear()

    refused = there.place.remote(*LOCKDOWN)
    no_writes = there.place.wire.writes
    named = there.place.remote(*LOCKDOWN, "--app-id", there.app_id)

    assert (refused.code, no_writes) == (6, [])
    assert (named.code, named.document["signIn"]) == (0, "blocked")


def test_a_locked_registration_can_be_unregistered(there: Registered) -> None:
    there.place.remote(*LOCKDOWN)
    there.run()
    there.later()

    assert there.run()["complete"] is True
