"""The cases about rights: grants, access policies, mailboxes, roles, and when each of them acts."""

from __future__ import annotations

from access_facts import AccessCase, Expect, Facts, Group, Policy, Role

__all__ = ["GRANTS", "MAILBOXES", "POLICIES", "POLICY_CLOCKS", "ROLE_CASES"]

GRANTED, BLOCKED, NO_RIGHT, DENIED = Expect.GRANTED, Expect.BLOCKED, Expect.NO_RIGHT, Expect.DENIED
OUT_OF_SCOPE, NO_MAILBOX = Expect.OUT_OF_SCOPE, Expect.NO_MAILBOX
POLICY = "exchange.md 6, evaluation"
ROLES = "exchange.md 7"
RESTRICT, DENY = Policy(), Policy(right="DenyAccess")
NESTED = (Group(members=("inner",)), Group(name="inner", members=("mim",)))
TWO = (Group(), Group(name="second", members=("other",)))


def _grants() -> list[AccessCase]:
    none = Facts(granted=False)
    return [
        AccessCase(
            name="no grant and no role", facts=none, expected=NO_RIGHT, source="ews.md 8", policy_test="Granted"
        ),
        AccessCase(
            name="a policy that names the mailbox grants nothing",
            facts=Facts(granted=False, policies=(RESTRICT,)),
            expected=NO_RIGHT,
            source=POLICY,
            policy_test="Granted",
        ),
        AccessCase(
            name="no grant and not listed",
            facts=Facts(granted=False, listed="{teams}"),
            expected=BLOCKED,
            source="ews.md 8, a policy reason proves nothing about scoping; order unverified",
        ),
        AccessCase(
            name="no grant and no such mailbox",
            facts=none,
            mailbox="nobody",
            expected=NO_RIGHT,
            source="ews.md 8; order unverified",
        ),
    ]


def _policies() -> list[AccessCase]:
    def case(name: str, facts: Facts, mailbox: str, expected: Expect, source: str = POLICY, **extra: str) -> AccessCase:
        test = extra.get("test", "Granted" if expected is GRANTED else "Denied")
        return AccessCase(name=name, facts=facts, mailbox=mailbox, expected=expected, source=source, policy_test=test)

    scope = "exchange.md 6, scope must be a security principal"
    both = (RESTRICT, Policy(right="DenyAccess", scope="second"))
    two = (RESTRICT, Policy(scope="second"))
    return [
        case("no policy at all", Facts(), "other", GRANTED, f"{POLICY}; the test's answer is unverified"),
        case("restricted, inside", Facts(policies=(RESTRICT,)), "mim", GRANTED),
        case("restricted, outside", Facts(policies=(RESTRICT,)), "other", DENIED),
        case("denied, inside", Facts(policies=(DENY,)), "mim", DENIED),
        case("denied, outside", Facts(policies=(DENY,)), "other", GRANTED),
        case("restricted and denied by one group", Facts(policies=(RESTRICT, DENY)), "mim", DENIED),
        case("denied by another group", Facts(groups=TWO, policies=both), "other", DENIED),
        case("restricted, and another group is denied", Facts(groups=TWO, policies=both), "mim", GRANTED),
        case("outside both", Facts(groups=TWO, policies=both), "desk", DENIED),
        case("in the first of two restrictions", Facts(groups=TWO, policies=two), "mim", GRANTED),
        case("in the second of two restrictions", Facts(groups=TWO, policies=two), "other", GRANTED),
        case("in neither of two restrictions", Facts(groups=TWO, policies=two), "desk", DENIED),
        case("another application's policy", Facts(policies=(Policy(app="second"),)), "other", GRANTED),
        case("our id in upper case", Facts(policies=(Policy(app="OURS"),)), "other", DENIED, f"{POLICY}; unverified"),
        case("nested member, restricted", Facts(groups=NESTED, policies=(RESTRICT,)), "mim", GRANTED),
        case("nested member, denied", Facts(groups=NESTED, policies=(DENY,)), "mim", DENIED),
        case("outside a nested group", Facts(groups=NESTED, policies=(RESTRICT,)), "other", DENIED),
        case(
            "nested twice",
            Facts(
                groups=(Group(members=("a",)), Group(name="a", members=("b",)), Group(name="b", members=("mim",))),
                policies=(RESTRICT,),
            ),
            "mim",
            GRANTED,
        ),
        case(
            "groups that hold each other",
            Facts(
                groups=(Group(members=("ring",)), Group(name="ring", members=("fence", "mim"))), policies=(RESTRICT,)
            ),
            "mim",
            GRANTED,
            f"{POLICY}; unverified",
        ),
        case(
            "outside groups that hold each other",
            Facts(groups=(Group(members=("ring",)), Group(name="ring", members=("fence",))), policies=(RESTRICT,)),
            "mim",
            DENIED,
            f"{POLICY}; unverified",
        ),
        case("restricted to an empty group", Facts(groups=(Group(members=()),), policies=(RESTRICT,)), "mim", DENIED),
        case("denied by an empty group", Facts(groups=(Group(members=()),), policies=(DENY,)), "mim", GRANTED),
        case("restricted to the mailbox itself", Facts(policies=(Policy(scope="mim"),)), "mim", GRANTED, scope),
        case("restricted to another mailbox", Facts(policies=(Policy(scope="mim"),)), "other", DENIED, scope),
        case("restricted to a mail user", Facts(policies=(Policy(scope="remote"),)), "mim", DENIED, scope),
        case(
            "a shared mailbox as member",
            Facts(groups=(Group(members=("desk",)),), policies=(RESTRICT,)),
            "desk",
            GRANTED,
            scope,
        ),
        case("a shared mailbox outside", Facts(policies=(RESTRICT,)), "desk", DENIED, scope),
        case(
            "a room as member",
            Facts(groups=(Group(members=("room",)),), policies=(RESTRICT,)),
            "room",
            GRANTED,
            f"{scope}; unverified",
        ),
        case("restricted to a group that is gone", Facts(groups=(), policies=(RESTRICT,)), "mim", DENIED, "unverified"),
        case("denied by a group that is gone", Facts(groups=(), policies=(DENY,)), "mim", GRANTED, "unverified"),
    ]


def _policy_clocks() -> list[AccessCase]:
    def case(name: str, policy: Policy, mailbox: str, expected: Expect, test: str, *, source: str) -> AccessCase:
        facts = Facts(policies=(policy,))
        return AccessCase(name=name, facts=facts, mailbox=mailbox, expected=expected, source=source, policy_test=test)

    spread = "exchange.md 6, spread: over 1 hour in real calls although the test says otherwise"
    removal = "exchange.md 6, removal takes up to 30 minutes"
    return [
        case("tested, not yet enforced, outside", Policy(enforced_in=60), "other", GRANTED, "Denied", source=spread),
        case("tested, not yet enforced, inside", Policy(enforced_in=60), "mim", GRANTED, "Granted", source=spread),
        case(
            "not yet tested",
            Policy(tested_in=5, enforced_in=60),
            "other",
            GRANTED,
            "Granted",
            source=f"{spread}; unverified",
        ),
        case(
            "denied, not yet enforced",
            Policy(right="DenyAccess", enforced_in=60),
            "mim",
            GRANTED,
            "Denied",
            source=spread,
        ),
        case(
            "removed, still enforced",
            Policy(released_in=30),
            "other",
            DENIED,
            "Granted",
            source=f"{removal}; test unverified",
        ),
        case("removed, and no more enforced", Policy(released_in=0), "other", GRANTED, "Granted", source=removal),
        case(
            "removed before it was enforced",
            Policy(enforced_in=60, released_in=30),
            "other",
            GRANTED,
            "Granted",
            source=f"{removal}; unverified",
        ),
    ]


def _mailboxes() -> list[AccessCase]:
    def case(name: str, mailbox: str, expected: Expect, source: str = "ews.md 8") -> AccessCase:
        return AccessCase(name=name, mailbox=mailbox, expected=expected, source=source)

    return [
        case("nobody", "nobody", NO_MAILBOX),
        case("a mailbox on-premises", "remote", NO_MAILBOX),
        case("a mailbox without licence", "unlicensed", NO_MAILBOX),
        case("a deleted mailbox", "deleted", NO_MAILBOX, "ews.md 8; unverified"),
        case("an inactive mailbox", "inactive", NO_MAILBOX, "ews.md 8; unverified"),
        case("a group's address", "fence", NO_MAILBOX, "ews.md 8; unverified"),
        case("a shared mailbox needs no licence", "desk", GRANTED, "Microsoft 365: shared mailboxes up to 50 GB"),
        case("by another address", "mim.alias@contoso.onmicrosoft.com", GRANTED, "ConnectingSID, SmtpAddress"),
        case("by its sign-in name", "mim.login@contoso.onmicrosoft.com", GRANTED, "ConnectingSID, PrincipalName"),
        case("in another case", "MIM@Contoso.onmicrosoft.com", GRANTED, "RFC 5321 leaves it to the server; unverified"),
    ]


def _roles() -> list[AccessCase]:
    def case(
        name: str, facts: Facts, mailbox: str, expected: Expect, test: tuple[str, ...], *, source: str = ROLES
    ) -> AccessCase:
        return AccessCase(name=name, facts=facts, mailbox=mailbox, expected=expected, source=source, role_test=test)

    def only(*roles: Role, groups: tuple[Group, ...] = (Group(),), listed: str | None = "{ours}") -> Facts:
        return Facts(granted=False, roles=roles, groups=groups, listed=listed)

    yes, no = ("True",), ("False",)
    outside = f"{ROLES}; the form of the refusal is unverified"
    by_dn = Role(limit="filter", scope="MemberOfGroup -eq '{DN:fence}'")
    unit = Role(limit="unit", scope="mim")
    second = Role(scope="second")
    union = f"{ROLES}, union"
    restricted = (RESTRICT,)
    return [
        case("role by group, inside", only(Role()), "mim", GRANTED, yes),
        case("role by group, outside", only(Role()), "other", OUT_OF_SCOPE, no, source=outside),
        case("nested members do not count", only(Role(), groups=NESTED), "mim", OUT_OF_SCOPE, no, source=outside),
        case("role without limit", only(Role(limit="")), "other", GRANTED, yes),
        case("role by filter, inside", only(by_dn), "mim", GRANTED, yes),
        case("role by filter, outside", only(by_dn), "other", OUT_OF_SCOPE, no, source=outside),
        case("role by filter, nested", only(by_dn, groups=NESTED), "mim", OUT_OF_SCOPE, no, source=outside),
        case(
            "role by address",
            only(Role(limit="filter", scope="PrimarySmtpAddress -eq 'mim@contoso.onmicrosoft.com'")),
            "mim",
            GRANTED,
            yes,
        ),
        case("role by unit, inside", only(unit), "mim", GRANTED, yes),
        case("role by unit, outside", only(unit), "other", OUT_OF_SCOPE, no, source=outside),
        case("role by Microsoft 365 group", only(Role(), groups=(Group(type="GroupMailbox"),)), "mim", GRANTED, yes),
        case(
            "role by plain distribution group",
            only(Role(), groups=(Group(type="MailUniversalDistributionGroup"),)),
            "mim",
            GRANTED,
            yes,
        ),
        case("role by a group that is gone", only(Role(), groups=()), "mim", OUT_OF_SCOPE, no, source="unverified"),
        case("two roles add up", only(Role(), second, groups=TWO), "other", GRANTED, ("False", "True"), source=union),
        case("another role opens no EWS", only(Role(role="Application Mail.Read")), "mim", NO_RIGHT, yes),
        case("grant and role add up, outside the role", Facts(roles=(Role(),)), "other", GRANTED, no, source=union),
        case(
            "grant, policy and role, inside both",
            Facts(policies=restricted, roles=(Role(),)),
            "mim",
            GRANTED,
            yes,
            source=union,
        ),
        case(
            "grant, policy and role, outside both",
            Facts(policies=restricted, roles=(Role(),)),
            "other",
            DENIED,
            no,
            source=union,
        ),
        case(
            "a policy does not restrict a role",
            Facts(groups=TWO, policies=restricted, roles=(second,)),
            "other",
            GRANTED,
            yes,
            source=f"{ROLES}, a policy restricts Entra grants only",
        ),
        case(
            "a denial does not restrict a role",
            Facts(policies=(DENY,), roles=(Role(),)),
            "mim",
            GRANTED,
            yes,
            source=f"{ROLES}, a policy restricts Entra grants only",
        ),
        case(
            "a role alone under a denial",
            Facts(granted=False, policies=(DENY,), roles=(Role(),)),
            "mim",
            GRANTED,
            yes,
            source=f"{ROLES}, a policy restricts Entra grants only",
        ),
        case(
            "a role does not open what is not listed",
            only(Role(), listed="{teams}"),
            "mim",
            BLOCKED,
            yes,
            source="ews.md 2",
        ),
        case("role, and no such mailbox", only(Role()), "nobody", NO_MAILBOX, (), source="ews.md 8; order unverified"),
        case(
            "role not yet enforced", only(Role(enforced_in=30)), "mim", NO_RIGHT, yes, source=f"{ROLES}, 30 min to 2 h"
        ),
        case(
            "role not yet enforced, grant stands",
            Facts(roles=(Role(enforced_in=30),)),
            "other",
            GRANTED,
            no,
            source=union,
        ),
        case(
            "role removed, still enforced",
            only(Role(released_in=30)),
            "mim",
            GRANTED,
            (),
            source=f"{ROLES}; unverified",
        ),
        case("role removed, and no more enforced", only(Role(released_in=0)), "mim", NO_RIGHT, (), source=ROLES),
        AccessCase(
            name="the service principal is gone from Entra",
            facts=Facts(granted=False, roles=(Role(),), pointer=False),
            expected=NO_RIGHT,
            source=f"{ROLES}, deleting it removes the pointer",
        ),
    ]


GRANTS = tuple(_grants())
POLICIES = tuple(_policies())
POLICY_CLOCKS = tuple(_policy_clocks())
MAILBOXES = tuple(_mailboxes())
ROLE_CASES = tuple(_roles())
