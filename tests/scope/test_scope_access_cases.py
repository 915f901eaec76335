"""The client's own reading of who reaches what, against the table of access cases; random tenants look for more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from access_cases import CASES
from access_cases_gate import LISTS
from access_facts import NOW, AccessCase, Agents, Expect
from access_tenant import address_of
from hypothesis import HealthCheck, given, seed, settings
from test_sandbox_exchange_access import tenants

from mimapp.checks.verify_ews import Windows, inside_row
from mimapp.checks.verify_row import Verdict
from mimapp.exchange import EwsKind
from mimapp.provisioning.ews_now import Gate, ews_now
from mimapp.provisioning.scope_view import ReachKind, reach, read_rights, see_mailbox
from support.access import OURS, Bench, cloud_of, situation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.exchange import ClientAccess

REACH = {
    ReachKind.BY_ROLE: Expect.GRANTED,
    ReachKind.BY_GRANT: Expect.GRANTED,
    ReachKind.NO_RIGHT: Expect.NO_RIGHT,
    ReachKind.NO_MAILBOX: Expect.NO_MAILBOX,
    ReachKind.DENIED: Expect.DENIED,
    ReachKind.OUT_OF_SCOPE: Expect.OUT_OF_SCOPE,
}
EXPECTED = {
    EwsKind.SUCCESS: Expect.GRANTED,
    EwsKind.EWS_DISABLED: Expect.DISABLED,
    EwsKind.EWS_BLOCKED: Expect.BLOCKED,
    EwsKind.NO_PERMISSION: Expect.NO_RIGHT,
    EwsKind.NO_MAILBOX: Expect.NO_MAILBOX,
    EwsKind.POLICY_DENIED: Expect.DENIED,
    EwsKind.ACCESS_DENIED: Expect.OUT_OF_SCOPE,
}
GATE = {Gate.DISABLED: Expect.DISABLED, Gate.BLOCKED: Expect.BLOCKED}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("scope"))
    yield made
    made.close()


def is_under_way(case: AccessCase) -> bool:
    """Whether something is written that does not act yet, or removed and still acts."""
    facts = case.facts
    pending = (facts.switch_pending, facts.listed_pending, facts.mailbox_switch_pending)
    return (
        any(one is not None and one.acts_in for one in pending)
        or any(one.enforced_in or one.released_in for one in facts.policies)
        or any(one.enforced_in or one.released_in for one in facts.roles)
    )


def predicted(bench: Bench, case: AccessCase) -> tuple[Gate, Expect]:
    """What the client says before it asks EWS: the gate, and what comes behind it."""
    exchange, address = bench.exchange, address_of(case.mailbox)
    rights = read_rights(exchange, OURS, granted=case.facts.granted)
    seen = see_mailbox(exchange, OURS, address)
    access: ClientAccess | None = None if seen.mailbox is None else exchange.mailboxes.client_access(address)
    gate = ews_now(exchange.organization.read(), access, OURS, cloud_of(case), case.moment).gate
    return gate, GATE.get(gate, REACH[reach(rights, seen).kind])


SETTLED = [case for case in CASES if not is_under_way(case) and case.moment >= LISTS]


def test_hardly_a_case_is_left_out() -> None:
    assert len(SETTLED) >= len(CASES) - 20


@pytest.mark.parametrize("case", SETTLED, ids=lambda case: case.name)
def test_the_client_says_what_the_table_says(bench: Bench, case: AccessCase) -> None:
    bench.stand(case)
    gate, expected = predicted(bench, case)
    if gate is Gate.UNKNOWN:
        # MIM's User-Agent, and other clouds' rules, are not known: the client says so, and never "open".
        facts = case.facts
        assert facts.cloud == "other" or facts.agents != Agents() or facts.mailbox_agents != Agents()
        return
    assert expected is case.expected


UNDER_WAY = [case for case in CASES if is_under_way(case)]


@pytest.mark.parametrize("case", UNDER_WAY, ids=lambda case: case.name)
def test_what_is_under_way_is_judged_by_what_is_written(bench: Bench, case: AccessCase) -> None:
    """The client reads the rules; EWS follows them two days later, whatever it does now."""
    bench.stand(case)
    gate, expected = predicted(bench, case)
    later = replace(case, moment=NOW + timedelta(days=2))
    bench.stand(later)
    assert gate is not Gate.UNKNOWN
    assert expected is EXPECTED[bench.ask(later).kind]


def disagreement(bench: Bench, case: AccessCase) -> str:
    """Where the simulated service and the client's reading of it differ; nothing where they agree."""
    bench.stand(case)
    gate, expected = predicted(bench, case)
    answer = bench.ask(case)
    came = EXPECTED[answer.kind]
    if expected is not came and gate is not Gate.UNKNOWN:
        return f"predicted {expected}, EWS did {came}"
    exchange, address = bench.exchange, address_of(case.mailbox)
    rights = read_rights(exchange, OURS, granted=True)
    seen = see_mailbox(exchange, OURS, address)
    if seen.mailbox is not None and not rights.roles and reach(rights, seen).test_differs:
        return f"the test cmdlet says {seen.policy_granted}"
    verdict = inside_row("inbox", "GetFolder", answer, situation(bench, case, Windows())).verdict
    if (verdict is Verdict.HOLDS) is not (came is Expect.GRANTED):
        return f"verify says {verdict}"
    return ""


def settled(case: AccessCase) -> AccessCase:
    """The same tenant with nothing under way."""
    facts = case.facts
    policies = tuple(replace(one, tested_in=0, enforced_in=0, released_in=None) for one in facts.policies)
    roles = tuple(replace(one, enforced_in=0, released_in=None) for one in facts.roles)
    return replace(case, facts=replace(facts, policies=policies, roles=roles))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=tenants())
def test_random_tenants(bench: Bench, case: AccessCase) -> None:
    """What is predicted by reading is what EWS, and the test cmdlet, then say."""
    assert disagreement(bench, settled(case)) == ""


@pytest.mark.slow
@seed(7)
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=tenants())
def test_many_random_tenants(bench: Bench, case: AccessCase) -> None:
    assert disagreement(bench, settled(case)) == ""
