"""Rows of a host check about the server around MIM: account, service, FIPS, .NET 3.5, hosts, events.

Owns their judgement; MIM's own values are `check`, TLS is `check_tls`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.clock import iso
from mimapp.host.collect import EVENT_DAYS, FIPS_KEY, NET_35_KEY
from mimapp.host.registry import HKLM, SERVICE_KEY, Missing, RegistryReader, RegistryValue
from mimapp.host.row import Row, Verdict, number, text, unseen

if TYPE_CHECKING:
    from mimapp.host.collected import Collected, Reach
    from mimapp.host.facts import RegistrationFacts

__all__ = ["account_row", "event_rows", "fips_row", "net_35_row", "reach_rows", "service_row"]


def account_row(registry: RegistryReader) -> Row:
    """What MIM Service runs as: it decides between the installer options and between the ways to change the secret."""
    found = registry.value(rf"{HKLM}\{SERVICE_KEY}", "ObjectName")
    title, wanted = "Service account", "a domain account or a gMSA"
    if found is Missing.UNSEEN:
        return unseen("account", title, wanted)
    name = found.data if isinstance(found, RegistryValue) and isinstance(found.data, str) else ""
    if not name:
        return Row(
            key="account",
            title=title,
            value="absent",
            wanted=wanted,
            verdict=Verdict.WRONG,
            why="there is no FIMService service: MIM Service is not installed here",
            fix="run this on each server where MIM Service is installed",
        )
    managed = name.endswith("$")
    kind = "group-managed: installer option H" if managed else "regular: installer option C"
    return Row(key="account", title=title, value=name, wanted=wanted, verdict=Verdict.OK, why=kind)


def service_row(collected: Collected | None) -> Row:
    """Whether the service runs."""
    title, wanted = "FIMService", "Running"
    if collected is None:
        return unseen("service", title, wanted)
    if collected.service == "Running":
        return Row(key="service", title=title, value="Running", wanted=wanted, verdict=Verdict.OK)
    return Row(
        key="service",
        title=title,
        value=collected.service or "absent",
        wanted=wanted,
        verdict=Verdict.WRONG,
        why="no mail goes while the service does not run",
        fix="Start-Service FIMService; then look at the Application log",
    )


def net_35_row(registry: RegistryReader) -> Row:
    """Whether .NET Framework 3.5 is there, which MIM Service needs."""
    found = registry.value(rf"{HKLM}\{NET_35_KEY}", "Install")
    title, wanted = ".NET Framework 3.5", "Install 1"
    if found is Missing.UNSEEN:
        return unseen("dotnet-35", title, wanted)
    if number(found) == 1:
        return Row(key="dotnet-35", title=title, value="installed", wanted=wanted, verdict=Verdict.OK)
    return Row(
        key="dotnet-35",
        title=title,
        value=text(found),
        wanted=wanted,
        verdict=Verdict.WRONG,
        why="MIM Service needs it",
        fix="Install-WindowsFeature NET-Framework-Core",
    )


def fips_row(registry: RegistryReader, collected: Collected | None) -> Row:
    """Windows' FIPS policy against the switch in MIM's own configuration file."""
    found = registry.value(rf"{HKLM}\{FIPS_KEY}", "Enabled")
    title, wanted = "FIPS", "policy off, or MIM's configuration says enforceFIPSPolicy false"
    if found is Missing.UNSEEN:
        return unseen("fips", title, wanted)
    if number(found) != 1:
        return Row(key="fips", title=title, value="policy off", wanted=wanted, verdict=Verdict.OK)
    switch = collected.fips_switch if collected is not None else None
    if switch is not None and switch.lower() == "false":
        return Row(key="fips", title=title, value="policy on, MIM excepted", wanted=wanted, verdict=Verdict.OK)
    return Row(
        key="fips",
        title=title,
        value=f"policy on, MIM's switch {switch or 'not seen'}",
        wanted=wanted,
        verdict=Verdict.ATTENTION,
        why="MIM Service uses algorithms that the policy forbids, unless its configuration says otherwise",
        fix='<enforceFIPSPolicy enabled="false"/> under <runtime> in '
        "Microsoft.ResourceManagement.Service.exe.config, then Restart-Service FIMService",
    )


def reach_rows(collected: Collected | None, facts: RegistrationFacts | None) -> list[Row]:
    """One row a host: reached on port 443, and TLS 1.2 spoken."""
    wanted = "answers on port 443 with TLS 1.2"
    expected = facts.hosts if facts is not None else ()
    if collected is None:
        return [unseen(f"reach-{host}", host, wanted) for host in expected]
    rows = [_reach(one, wanted) for one in collected.reach]
    tried = {one.host.lower() for one in collected.reach}
    rows += [
        unseen(
            f"reach-{host}",
            host,
            wanted,
            "the collected file was made for another cloud: make the script again with mimapp host collect",
        )
        for host in expected
        if host.lower() not in tried
    ]
    return rows


def _reach(one: Reach, wanted: str) -> Row:
    if one.connected and one.tls12:
        return Row(key=f"reach-{one.host}", title=one.host, value="reached", wanted=wanted, verdict=Verdict.OK)
    if one.connected:
        value, why = "connected, no TLS 1.2", "a proxy or firewall breaks TLS, or Windows has TLS 1.2 turned off"
    else:
        value, why = "not reached", "no direct way out; where a proxy is used, MIM Service's own proxy settings decide"
    return Row(
        key=f"reach-{one.host}",
        title=one.host,
        value=f"{value}: {one.error}" if one.error else value,
        wanted=wanted,
        verdict=Verdict.ATTENTION,
        why=why,
        fix=f"allow {one.host}:443 from this server",
    )


def event_rows(collected: Collected | None) -> list[Row]:
    """Event 12 and MIM's token message in the Application log lately."""
    titles = (("event-12", "Event 12 (cannot connect to EWS)"), ("token-message", "Token message"))
    wanted = f"none in {EVENT_DAYS} days"
    if collected is None:
        return [unseen(key, title, wanted) for key, title in titles]
    events = collected.events
    if not events.readable:
        return [
            unseen(key, title, wanted, "the Application log could not be read: run elevated") for key, title in titles
        ]
    counts = ((events.connect_count, events.connect_last), (events.token_count, events.token_last))
    rows = []
    for (key, title), (count, last) in zip(titles, counts, strict=True):
        if count == 0:
            rows.append(Row(key=key, title=title, value="none", wanted=wanted, verdict=Verdict.OK))
            continue
        value = f"{count} in {events.days} days" + (f", last {iso(last)}" if last else "")
        rows.append(
            Row(
                key=key,
                title=title,
                value=value,
                wanted=wanted,
                verdict=Verdict.ATTENTION,
                why="MIM Service could not reach its mailbox"
                if key == "event-12"
                else "MIM Service got no access token",
                fix=f"mimapp explain {'event-12' if key == 'event-12' else 'mim-token'}; mimapp verify from here",
            )
        )
    return rows
