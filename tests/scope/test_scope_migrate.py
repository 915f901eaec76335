"""``mimapp scope migrate``: from the policy to the role in two runs, with the proof before the policy goes."""

from __future__ import annotations

from datetime import timedelta

from migrate_world import OTHER, TWO_HOURS, Migrating, Watch, steps

from support.tenants import MAILBOX, name_of

FIRST = ["pointer.create", "role.assign"]
SECOND = ["consent.revoke", "application.correct", "policy.remove"]


def test_the_first_run_makes_the_role_and_notes_the_time(settled: Migrating) -> None:
    document = settled.run()

    assert steps(document) == FIRST
    assert document["complete"] is False
    assert (document["fullAccessAsApp"], document["roleSince"]) == (True, "2026-11-23T09:00:00Z")
    assert document["finish"]["at"] == "2026-11-23T11:00:00Z"
    assert document["finish"]["command"].startswith(f"mimapp scope migrate --mailbox {MAILBOX}")
    assert any("documents no MIM Service with a role" in one for one in document["warnings"])
    assert settled.asked_mailboxes == set()
    assert settled.is_granted
    assert len(settled.policies) == len(settled.roles) == 1


def test_too_early_it_is_later(settled: Migrating) -> None:
    settled.run()
    settled.place.clock.advance(TWO_HOURS - timedelta(seconds=1))
    document = settled.run("--outside", OTHER, code=75)

    assert settled.place.wire.writes == []
    assert settled.asked_mailboxes == set()
    assert document["finish"]["at"] == "2026-11-23T11:00:00Z"
    assert f"--outside {OTHER}" in document["finish"]["command"]
    said = settled.place.remote("scope", "migrate", "--mailbox", MAILBOX, "--yes")
    assert said.code == 75
    assert "To finish, after 2026-11-23 11:00 UTC: mimapp scope migrate" in said.out
    dry = settled.place.remote("scope", "migrate", "--mailbox", MAILBOX, "--dry-run")
    assert dry.code == 0
    assert "the second run can begin after 2026-11-23 11:00 UTC" in dry.out


def test_the_second_run_proves_before_the_policy_goes(ready: Migrating) -> None:
    watch = Watch(ready)
    document = ready.run("--outside", OTHER)

    assert steps(document) == SECOND
    assert document["complete"] is True
    assert document["finish"] is None
    assert [one["holds"] for one in document["proof"]] == [True, True, True, True]
    assert document["proof"][0]["came"] == "roles: none"
    assert ready.asked_mailboxes == {MAILBOX.lower(), OTHER}
    names = [name_of(request) for request in ready.place.wire.requests]
    taken = next(place for place, name in enumerate(names) if name.startswith("DELETE"))
    gone = names.index("Remove-ApplicationAccessPolicy")
    assert [names.count("POST /EWS/Exchange.asmx"), names[taken:gone].count("POST /EWS/Exchange.asmx")] == [3, 2]
    assert watch.wrong == []
    assert not ready.is_granted
    assert ready.policies == []


def test_what_stands_afterwards_is_right(ready: Migrating) -> None:
    ready.run("--outside", OTHER)
    place = ready.place
    place.clock.advance(timedelta(hours=25))

    show = place.remote("scope", "show", "--mailbox", MAILBOX, "--output", "json")
    assert show.code == 0, show.out
    assert (show.document["kind"], show.document["fullAccessAsApp"]) == ("rbac", False)
    assert [one["by"] for one in show.document["mailboxes"]] == [
        "by a role in Exchange",
        "outside the limit of the role",
    ]
    assert show.document["proof"]["how"] == f"EWS refused {OTHER}"
    verify = place.remote("verify", "--mailbox", MAILBOX, "--outside", OTHER, "--output", "json")
    assert verify.code == 0, verify.out
    assert ready.run()["changes"] == []
    ready.place.wire.requests.clear()
    register = place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")
    assert register.code == 0, register.err
    assert ready.place.wire.writes == []
    assert (register.document["scope"]["kind"], register.document["scope"]["proven"]) == ("rbac", True)


def test_between_the_runs_the_policy_is_the_fence(settled: Migrating) -> None:
    settled.run()
    settled.place.wire.requests.clear()
    register = settled.place.remote("register", "--mailbox", MAILBOX, "--yes", "--output", "json")
    assert register.code == 0, register.err
    assert settled.place.wire.writes == []
    assert (register.document["scope"]["kind"], register.document["scope"]["proven"]) == ("policy", True)


def oddities(there: Migrating) -> dict[str, str]:
    show = there.place.remote("scope", "show", "--mailbox", MAILBOX, "--output", "json")
    return {one["name"]: one["meaning"] for one in show.document["oddities"]}


def test_scope_show_says_where_a_migration_stands(settled: Migrating) -> None:
    settled.run()
    assert "after 2026-11-23 11:00 UTC" in oddities(settled)["migration under way"]

    settled.place.clock.advance(TWO_HOURS)
    settled.run("--keep-policy")
    assert "gives the grant back" in oddities(settled)["migration half done"]

    settled.run()
    assert oddities(settled) == {}


def test_nobodys_mailbox_is_picked_for_ews(ready: Migrating) -> None:
    document = ready.run()

    assert document["complete"] is True
    assert document["proof"][-1]["holds"] is None
    assert ready.asked_mailboxes == {MAILBOX.lower()}
    assert any("--outside ADDRESS" in one for one in document["warnings"])


def test_the_address_outside_may_stand_in_the_configuration(ready: Migrating) -> None:
    (ready.place.home / "config.toml").write_text(f'outside = "{OTHER}"\n', encoding="utf-8")
    ready.run()
    assert ready.asked_mailboxes == {MAILBOX.lower(), OTHER}


def test_the_policy_may_stay_until_old_tokens_are_over(ready: Migrating) -> None:
    document = ready.run("--keep-policy")
    assert steps(document) == ["consent.revoke"]
    assert document["finish"]["at"] == "2026-11-23T13:00:00Z"
    assert "--keep-policy" not in document["finish"]["command"]
    assert len(ready.policies) == 1

    ready.place.clock.advance(TWO_HOURS)
    assert steps(ready.run()) == ["application.correct", "policy.remove"]
    assert ready.policies == []


def test_while_the_policy_is_kept_a_later_proof_that_fails_gives_the_grant_back(ready: Migrating) -> None:
    ready.run("--keep-policy")
    ready.role_acts_from(ready.place.clock.now() + timedelta(hours=5))
    ready.place.clock.advance(TWO_HOURS)
    failed = ready.done()

    assert "was given back" in failed.err
    assert ready.is_granted
    assert len(ready.policies) == 1


def test_a_proof_that_fails_gives_the_grant_back(ready: Migrating) -> None:
    """The test cmdlet has the mailbox in scope, and EWS does not follow the role: it ignores the cache."""
    now = ready.place.clock.now()
    ready.role_acts_from(now + timedelta(hours=5))
    watch = Watch(ready)
    failed = ready.done("--outside", OTHER)

    assert failed.code == 7, failed.out
    assert "does not open" in failed.err
    assert "was given back: the application works as before" in failed.err
    assert "not tried: Remove the access policy" in failed.err
    assert ready.asked_mailboxes == {MAILBOX.lower()}
    assert watch.wrong == []
    assert ready.is_granted
    assert len(ready.policies) == 1
    assert ready.place.clock.now() - now < timedelta(minutes=5)
    assert ready.place.remote("verify", "--mailbox", MAILBOX, "--outside", OTHER).code == 0

    assert ready.run(code=75)["finish"]["at"] is not None  # a replica may still show the grant as gone
    ready.place.clock.advance(timedelta(hours=6))
    assert ready.run()["complete"] is True


def test_a_mailbox_outside_that_opens_gives_the_grant_back(ready: Migrating) -> None:
    ready.unlimited_role_lingers()
    failed = ready.done("--outside", OTHER)

    assert "NOT restricted" in failed.err
    assert "mimapp lockdown" in failed.err
    assert ready.is_granted
    assert len(ready.policies) == 1
