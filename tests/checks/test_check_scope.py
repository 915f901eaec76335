"""The row about the scope, and what a role asks of the rights instead of a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mimapp.checks.preflight_scope import ScopeSighting, scope_row
from mimapp.checks.preflight_signin import exchange_rights_row
from mimapp.exchange import EWS_ROLE, RoleAssignment
from mimapp.spec import Registration, Scope
from support.tenants import MAILBOX

if TYPE_CHECKING:
    from support.tenants import Place

ROLE = (RoleAssignment(name="mimapp-mimservice-12345678", role=EWS_ROLE),)


@pytest.mark.parametrize(
    ("asked", "seen", "verdict", "words"),
    [
        (None, ScopeSighting(), "ok", "policy"),
        (Scope.RBAC, ScopeSighting(), "warn", "rbac"),
        (Scope.NONE, ScopeSighting(), "warn", "NOTHING"),
        (None, ScopeSighting(granted=True), "ok", "policy"),
        (Scope.RBAC, ScopeSighting(granted=True), "stop", "add up"),
        (Scope.NONE, ScopeSighting(granted=True), "stop", "drop that fence"),
        (None, ScopeSighting(roles=ROLE), "warn", "as it stands"),
        (None, ScopeSighting(tags=("mimapp-scope:rbac",)), "warn", "rbac"),
        (Scope.POLICY, ScopeSighting(roles=ROLE), "stop", "add up"),
        (None, ScopeSighting(roles=ROLE, granted=True), "ok", "policy"),
        (None, ScopeSighting(tags=("mimapp-scope:rbac",), roles=ROLE, granted=True), "stop", "add up"),
        (None, ScopeSighting(tags=("mimapp-scope:none",), granted=True), "warn", "NOTHING"),
        (None, ScopeSighting(tags=("mimapp-scope:none",)), "stop", "would open every mailbox"),
        (Scope.NONE, ScopeSighting(tags=("mimapp-scope:none",)), "warn", "NOTHING"),
        (Scope.POLICY, ScopeSighting(tags=("mimapp-scope:none",), granted=True), "ok", "policy"),
        (None, ScopeSighting(roles=None, granted=True), "ok", "policy"),
    ],
)
def test_what_was_asked_for_next_to_what_stands(
    asked: Scope | None, seen: ScopeSighting, verdict: str, words: str
) -> None:
    row = scope_row(asked, seen)

    assert row.verdict == verdict
    assert words in row.found
    if verdict == "stop":
        assert "--scope" in row.remedy or "mimapp scope migrate" in row.remedy


def test_a_role_asks_for_other_cmdlets_than_a_policy() -> None:
    role = Registration(mailbox=MAILBOX, scope=Scope.RBAC, management_scope=True)

    row = exchange_rights_row([], role)

    assert "New-ManagementRoleAssignment" in row.why
    assert "New-ManagementScope" in row.why
    assert "New-ApplicationAccessPolicy" not in row.why
    assert any(detail.startswith("role Role Management") for detail in row.details)


def rows(place: Place, *more: str) -> dict[str, Any]:
    done = place.remote("check", "--mailbox", MAILBOX, "--output", "json", *more)
    return {row["name"]: row for row in done.document["rows"]}


def test_check_takes_the_scope_and_sees_the_one_that_stands(place: Place) -> None:
    assert rows(place, "--scope", "rbac")["scope"]["verdict"] == "warn"
    done = place.remote("register", "--mailbox", MAILBOX, "--scope", "rbac", "--yes")
    assert done.code == 0, done.err

    assert rows(place)["scope"]["found"].endswith("as it stands")
    assert rows(place, "--scope", "policy")["scope"]["verdict"] == "stop"
    assert "scoping group" not in rows(place, "--scope", "rbac", "--administrative-unit", "MIM")
