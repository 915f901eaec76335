"""The rules of access, case by case, and their order over random tenants."""

from __future__ import annotations

from dataclasses import replace

import pytest
from access_cases import CASES
from access_facts import EWS_ROLE, AccessCase, Expect, Facts, Group, Policy, Role
from access_tenant import APPS, address_of, directory_of
from hypothesis import given, settings
from hypothesis import strategies as st

from mimapp.sandbox.exchange.access import (
    AccessRequest,
    Clockwork,
    VerdictKind,
    in_scope,
    mailbox_of,
    may_access,
    policy_allows,
)

EXPECTED = {
    VerdictKind.GRANTED: Expect.GRANTED,
    VerdictKind.EWS_DISABLED: Expect.DISABLED,
    VerdictKind.EWS_BLOCKED: Expect.BLOCKED,
    VerdictKind.NO_RIGHT: Expect.NO_RIGHT,
    VerdictKind.POLICY_DENIED: Expect.DENIED,
    VerdictKind.OUT_OF_SCOPE: Expect.OUT_OF_SCOPE,
    VerdictKind.NO_MAILBOX: Expect.NO_MAILBOX,
}


def request_of(case: AccessCase) -> AccessRequest:
    return AccessRequest(
        app_id=APPS["ours"],
        mailbox=address_of(case.mailbox),
        moment=case.moment,
        roles=frozenset({"full_access_as_app"} if case.facts.granted else ()),
        user_agent=case.agent,
    )


def verdict(case: AccessCase) -> Expect:
    return EXPECTED[may_access(directory_of(case), request_of(case)).kind]


def test_the_table_is_large_enough_and_each_row_says_where_it_comes_from() -> None:
    assert len(CASES) >= 80
    assert all(case.source for case in CASES)
    assert {case.expected for case in CASES} == set(Expect)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_ews(case: AccessCase) -> None:
    assert verdict(case) is case.expected


@pytest.mark.parametrize("case", [c for c in CASES if c.policy_test], ids=lambda case: case.name)
def test_policy_test(case: AccessCase) -> None:
    directory = directory_of(case)
    mailbox = mailbox_of(directory, address_of(case.mailbox))
    assert mailbox is not None
    allowed = policy_allows(directory, APPS["ours"], mailbox, case.moment, Clockwork.TEST)
    assert ("Granted" if allowed else "Denied") == case.policy_test


@pytest.mark.parametrize("case", [c for c in CASES if c.role_test], ids=lambda case: case.name)
def test_role_test(case: AccessCase) -> None:
    directory = directory_of(case)
    mailbox = mailbox_of(directory, address_of(case.mailbox))
    assert mailbox is not None
    standing = [a for a in directory.roles.assignments if a.removed is None]
    assert tuple(str(in_scope(directory, assignment, mailbox)) for assignment in standing) == case.role_test


# Laws that hold in every tenant

_SCOPES = st.sampled_from(("fence", "second", "inner", "mim", "other", "gone"))
_MEMBERS = st.lists(st.sampled_from(("mim", "other", "desk", "inner", "second")), max_size=3).map(tuple)
_POLICIES = st.lists(
    st.builds(
        Policy,
        right=st.sampled_from(("RestrictAccess", "DenyAccess")),
        scope=_SCOPES,
        app=st.sampled_from(("ours", "second")),
        enforced_in=st.sampled_from((0, 60)),
    ),
    max_size=4,
).map(tuple)
_LIMITS = st.sampled_from(
    (
        ("group", "fence"),
        ("group", "second"),
        ("group", "gone"),
        ("filter", "MemberOfGroup -eq '{DN:second}'"),
        ("filter", "PrimarySmtpAddress -eq 'other@contoso.onmicrosoft.com'"),
        ("unit", "mim,desk"),
        ("", ""),
    )
)
_ROLES = st.lists(
    st.builds(
        lambda limit, role, enforced_in: Role(limit=limit[0], scope=limit[1], role=role, enforced_in=enforced_in),
        _LIMITS,
        st.sampled_from((EWS_ROLE, EWS_ROLE, "Application Mail.Read")),
        st.sampled_from((0, 60)),
    ),
    max_size=2,
).map(tuple)


@st.composite
def tenants(draw: st.DrawFn) -> AccessCase:
    facts = Facts(
        switch=draw(st.sampled_from((True, False, None))),
        listed=draw(st.sampled_from(("{ours}", "{teams}", "{teams},{ours}", None))),
        mailbox_switch=draw(st.sampled_from((True, False, None))),
        granted=draw(st.booleans()),
        groups=tuple(Group(name=name, members=draw(_MEMBERS)) for name in ("fence", "second", "inner")),
        policies=draw(_POLICIES),
        roles=draw(_ROLES),
    )
    mailbox = draw(st.sampled_from(("mim", "other", "desk", "nobody")))
    return AccessCase(name="random", facts=facts, mailbox=mailbox, expected=Expect.GRANTED, source="random")


@settings(max_examples=200)
@given(tenants())
def test_laws(case: AccessCase) -> None:
    facts, came = case.facts, verdict(case)
    if came is Expect.GRANTED:
        assert facts.granted or facts.roles
        assert facts.switch is not False
        # A grant with nothing in its way opens every mailbox; a further restriction to nobody's group shuts the grant.
        shut = replace(facts, roles=(), policies=(*facts.policies, Policy(right="DenyAccess", scope=case.mailbox)))
        assert verdict(replace(case, facts=shut)) is (Expect.DENIED if facts.granted else Expect.NO_RIGHT)
    if came in {Expect.DISABLED, Expect.BLOCKED}:
        # The gate does not look at rights.
        bare = replace(facts, granted=False, roles=(), policies=())
        assert verdict(replace(case, facts=bare)) is came
    if came is Expect.DENIED:
        assert any(policy.app == "ours" and policy.enforced_in == 0 for policy in facts.policies)
        assert verdict(replace(case, facts=replace(facts, policies=()))) is Expect.GRANTED
    if came is Expect.OUT_OF_SCOPE:
        assert verdict(replace(case, facts=replace(facts, roles=(Role(limit=""),)))) is Expect.GRANTED
