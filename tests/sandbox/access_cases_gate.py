"""The cases about EWS as such: switches, allow list, User-Agent policy, and when a changed setting acts."""

from __future__ import annotations

from datetime import UTC, datetime

from access_facts import AGENT, NOW, AccessCase, Agents, Expect, Facts, Pending

__all__ = ["AGENTS", "SETTING_CLOCKS", "SWITCHES"]

GRANTED, DISABLED, BLOCKED = Expect.GRANTED, Expect.DISABLED, Expect.BLOCKED
STATE = "ews.md 2, state table (MC1447678)"
DATES = "ews.md 1"
AGENT_PAGE = "Control access to EWS in Exchange"
LAST_DAY, END = datetime(2027, 3, 31, 23, 59, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)
BEFORE_LISTS, LISTS = datetime(2026, 10, 9, 23, 59, tzinfo=UTC), datetime(2026, 10, 10, tzinfo=UTC)
ALLOW, BLOCK = "EnforceAllowList", "EnforceBlockList"


def _switches() -> list[AccessCase]:
    def case(name: str, facts: Facts, expected: Expect, source: str = STATE, moment: datetime = NOW) -> AccessCase:
        return AccessCase(name=name, facts=facts, expected=expected, source=source, moment=moment)

    order = f"{STATE}; order unverified"
    reading = "ews.md 3, be tolerant on reading; unverified"
    older = "ews.md 2, other clouds may follow the older rules; unverified"
    return [
        case("null without a list", Facts(switch=None, listed=None), GRANTED),
        case("null with a list that lacks us", Facts(switch=None, listed="{teams}"), GRANTED),
        case("null with a list that has us", Facts(switch=None), GRANTED),
        case("true without a list", Facts(listed=None), BLOCKED),
        case("true with an empty list", Facts(listed=""), BLOCKED),
        case("true with a list that has us", Facts(), GRANTED),
        case("true with a list of us alone", Facts(listed="{ours}"), GRANTED),
        case("true with a list that lacks us", Facts(listed="{teams},{second}"), BLOCKED),
        case("our id in upper case", Facts(listed="{teams},{OURS}"), GRANTED, reading),
        case("our id with blanks and braces", Facts(listed=" {teams} , {{{ours}}} "), GRANTED, reading),
        case("false without a list", Facts(switch=False, listed=None), DISABLED),
        case("false with a list that has us", Facts(switch=False), DISABLED),
        case("false whatever the mailbox says", Facts(switch=False, mailbox_switch=True), DISABLED),
        case("the mailbox is switched off", Facts(mailbox_switch=False), DISABLED),
        case("the mailbox is switched off under null", Facts(switch=None, mailbox_switch=False), DISABLED),
        case("the mailbox has no value of its own", Facts(mailbox_switch=None), GRANTED, f"{STATE}; unverified"),
        case(
            "no value anywhere", Facts(switch=None, listed=None, mailbox_switch=None), GRANTED, f"{STATE}; unverified"
        ),
        case("mailbox off and not listed", Facts(mailbox_switch=False, listed="{teams}"), DISABLED, order),
        case("switched off and agent blocked", Facts(switch=False, agents=Agents(rule=ALLOW)), DISABLED, order),
        case("the day before lists are required", Facts(listed=None), GRANTED, DATES, BEFORE_LISTS),
        case("the day from which lists are required", Facts(listed=None), BLOCKED, DATES, LISTS),
        case("a list that lacks us before lists are required", Facts(listed="{teams}"), BLOCKED, DATES, BEFORE_LISTS),
        case("the last day of EWS", Facts(), GRANTED, DATES, LAST_DAY),
        case("the end of EWS", Facts(), DISABLED, DATES, END),
        case("the end of EWS under null", Facts(switch=None, listed=None), DISABLED, DATES, END),
        case("another cloud, true without a list", Facts(cloud="other", listed=None), GRANTED, older),
        case("another cloud, true with a list that has us", Facts(cloud="other"), GRANTED, older),
        case("another cloud, true with a list that lacks us", Facts(cloud="other", listed="{teams}"), BLOCKED, older),
        case("another cloud, null", Facts(cloud="other", switch=None, listed=None), GRANTED, older),
        case("another cloud, false", Facts(cloud="other", switch=False), DISABLED, older),
        case("another cloud, mailbox off", Facts(cloud="other", mailbox_switch=False), DISABLED, older),
        case("another cloud has its own end", Facts(cloud="other"), GRANTED, DATES, END),
    ]


def _agents() -> list[AccessCase]:
    def case(name: str, agents: Agents, expected: Expect, source: str = AGENT_PAGE, agent: str = AGENT) -> AccessCase:
        return AccessCase(name=name, facts=Facts(agents=agents), expected=expected, source=source, agent=agent)

    own = f"{AGENT_PAGE}; that both policies must pass is unverified"
    allow_mim, block_mim = Agents(rule=ALLOW, allowed=("MIM/*",)), Agents(rule=BLOCK, blocked=("MIM/*",))
    return [
        case("our agent is allowed", allow_mim, GRANTED),
        case("another agent is allowed", Agents(rule=ALLOW, allowed=("OWA/*",)), BLOCKED),
        case("no agent is allowed", Agents(rule=ALLOW), BLOCKED),
        case("no agent is sent where some are allowed", allow_mim, BLOCKED, agent=""),
        case("our agent is blocked", block_mim, BLOCKED),
        case("another agent is blocked", Agents(rule=BLOCK, blocked=("OWA/*",)), GRANTED),
        case("the whole string is named", Agents(rule=ALLOW, allowed=("MIM/4.6 (EWS)",)), GRANTED),
        case(
            "a pattern without star is no prefix",
            Agents(rule=ALLOW, allowed=("MIM",)),
            BLOCKED,
            f"{AGENT_PAGE}; unverified",
        ),
        case("a star on both sides", Agents(rule=BLOCK, blocked=("*4.6*",)), BLOCKED),
        case("case does not matter", Agents(rule=ALLOW, allowed=("mim/*",)), GRANTED, f"{AGENT_PAGE}; unverified"),
        case("lists without a rule do nothing", Agents(allowed=("OWA/*",), blocked=("MIM/*",)), GRANTED),
        case("the other list does nothing", Agents(rule=ALLOW, allowed=("MIM/*",), blocked=("MIM/*",)), GRANTED),
        AccessCase(
            name="agent allowed, application not listed",
            facts=Facts(agents=allow_mim, listed="{teams}"),
            expected=BLOCKED,
            source="ews.md 2, both must pass",
        ),
        AccessCase(
            name="application listed, agent blocked",
            facts=Facts(agents=block_mim),
            expected=BLOCKED,
            source="ews.md 2, both must pass",
        ),
        AccessCase(
            name="agent blocked under null",
            facts=Facts(switch=None, listed=None, agents=block_mim),
            expected=BLOCKED,
            source="ews.md 2, a gate of its own",
        ),
        AccessCase(
            name="the mailbox's own policy blocks", facts=Facts(mailbox_agents=block_mim), expected=BLOCKED, source=own
        ),
        AccessCase(
            name="the mailbox's own policy allows what the organisation blocks",
            facts=Facts(agents=block_mim, mailbox_agents=allow_mim),
            expected=BLOCKED,
            source=own,
        ),
        AccessCase(
            name="both policies allow",
            facts=Facts(agents=allow_mim, mailbox_agents=allow_mim),
            expected=GRANTED,
            source=own,
        ),
    ]


def _setting_clocks() -> list[AccessCase]:
    def case(name: str, facts: Facts, expected: Expect, source: str) -> AccessCase:
        return AccessCase(name=name, facts=facts, expected=expected, source=source)

    day, hour = "ews.md 5, up to 24 h", "ews.md 5, about 1 h"
    added = Pending(before="{teams}", acts_in=1440)
    return [
        case("listed, not yet acting", Facts(listed_pending=added), BLOCKED, day),
        case("listed, acting", Facts(listed_pending=Pending(before="{teams}", acts_in=0)), GRANTED, day),
        case("first entry, not yet acting", Facts(listed_pending=Pending(before=None, acts_in=1440)), BLOCKED, day),
        case(
            "taken off the list, still acting",
            Facts(listed="{teams}", listed_pending=Pending(before="{teams},{ours}", acts_in=60)),
            GRANTED,
            day,
        ),
        case(
            "switched off, still on",
            Facts(switch=False, switch_pending=Pending(before=True, acts_in=60)),
            GRANTED,
            hour,
        ),
        case("switched on, still off", Facts(switch_pending=Pending(before=False, acts_in=60)), DISABLED, hour),
        case(
            "switched from null to true without a list, not yet acting",
            Facts(listed=None, switch_pending=Pending(before=None, acts_in=60)),
            GRANTED,
            hour,
        ),
        case(
            "mailbox switched on, still off",
            Facts(mailbox_switch_pending=Pending(before=False, acts_in=60)),
            DISABLED,
            f"{hour}; that it holds for mailboxes is unverified",
        ),
    ]


SWITCHES = tuple(_switches())
AGENTS = tuple(_agents())
SETTING_CLOCKS = tuple(_setting_clocks())
