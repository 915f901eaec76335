"""A MIM server judged against its registration: rows of value, wanted, verdict, why and fix.

Owns the judgement of MIM's own values and the order of all rows; what is read is `inputs`, how it is shown
`check_text`. A row that an input cannot answer is "not seen", never "wrong". Sources: MIM version history (MIMDocs,
reference/version-history); the write-up for the registry values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mimapp.clock import iso
from mimapp.host.check_server import account_row, event_rows, fips_row, net_35_row, reach_rows, service_row
from mimapp.host.check_tls import tls_rows
from mimapp.host.registry import HKLM, MIM_KEY, SERVICE_KEY, Missing, RegistryReader, RegistryValue
from mimapp.host.row import HostReport, Row, Verdict, number, text, unseen

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.host.facts import RegistrationFacts
    from mimapp.host.inputs import HostInput

__all__ = ["BUILDS", "FIRST_BUILD", "check_host"]

FIRST_BUILD = (4, 6, 421, 0)
LAST_SP2 = (4, 6, 673, 0)

BUILDS: tuple[tuple[tuple[int, int, int, int], str], ...] = (
    ((4, 6, 540, 0), "KB5007373: defence against cross-site scripting"),
    ((4, 6, 607, 0), "KB5009981: a token failure shows in the Application log, before only in a trace"),
    ((4, 6, 641, 0), "KB5012051"),
    ((4, 6, 673, 0), "KB5018333: last SP2 hotfix, the only base for an in-place upgrade to SP3"),
)
"""What each build after the first usable one brings (version history; the second from the write-up)."""

_SHEET = "mimapp host sheet prints what to type in Change mode"


def check_host(found: HostInput, facts: RegistrationFacts | None, now: datetime) -> HostReport:
    """Judge one server.

    Args:
        found: from `inputs.read_inputs` or `inputs.from_registry`.
        facts: the registration that it should use; without one the ids are shown and not judged.
        now: the moment of judging.
    """
    registry = found.registry
    rows = [
        _build(found),
        account_row(registry),
        service_row(found.collected),
        _id(registry, "ExchangeOnlineApplicationID", "Application ID", facts.application_id if facts else None),
        _id(registry, "ExchangeOnlineTenantID", "Tenant ID", facts.tenant_id if facts else None),
        _secret(found, facts, now),
        _token(found),
        _poll(registry),
        *tls_rows(registry),
        net_35_row(registry),
        fips_row(registry, found.collected),
        *reach_rows(found.collected, facts),
        *event_rows(found.collected),
    ]
    collected = found.collected
    if collected is not None and not collected.elevated:
        rows.append(
            Row(
                key="elevated",
                title="Elevated",
                value="no",
                wanted="yes",
                verdict=Verdict.NOTE,
                why="what needs administrator's rights was not seen",
                fix="run the collecting script in an elevated PowerShell",
            )
        )
    return HostReport(
        server=collected.server if collected else "",
        source=found.source,
        read_at=collected.collected_at if collected else None,
        judged_at=now,
        sandbox=facts.sandbox if facts else False,
        rows=tuple(rows),
    )


def _version(shown: str) -> tuple[int, ...] | None:
    return tuple(int(part) for part in shown.split(".")) if re.fullmatch(r"\d{1,9}(?:\.\d{1,9}){3}", shown) else None


def _build(found: HostInput) -> Row:
    title, wanted = "MIM Service build", "4.6.421.0 or later"
    if found.versions is None:
        return unseen("mim-build", title, wanted)
    if not found.versions:
        return Row(
            key="mim-build",
            title=title,
            value="not installed",
            wanted=wanted,
            verdict=Verdict.WRONG,
            why="no Microsoft Identity Manager Service and Portal among the installed programs",
            fix=f"install it; {_SHEET}",
        )
    shown = found.versions[0]
    version = _version(shown)
    if version is None:
        return Row(
            key="mim-build",
            title=title,
            value=shown or "no version",
            wanted=wanted,
            verdict=Verdict.ATTENTION,
            why="the version is not four numbers",
            fix="look at Programs and Features on the server",
        )
    if version < FIRST_BUILD:
        return Row(
            key="mim-build",
            title=title,
            value=shown,
            wanted=wanted,
            verdict=Verdict.WRONG,
            why="application context authentication came with 4.6.421.0 (KB4599279)",
            fix="apply 4.6.673.0, with PollExchangeEnabled 0 while the hotfix runs; then Change mode",
        )
    if version > LAST_SP2:
        why = "later than the last SP2 hotfix, so SP3 (its build number is not confirmed by an official page)"
        return Row(key="mim-build", title=title, value=shown, wanted=wanted, verdict=Verdict.OK, why=why)
    missing = [f"{'.'.join(map(str, build))} brings {words}" for build, words in BUILDS if build > version]
    why = "; ".join(missing)
    return Row(key="mim-build", title=title, value=shown, wanted=wanted, verdict=Verdict.OK, why=why)


def _id(registry: RegistryReader, name: str, title: str, wanted: str | None) -> Row:
    found = registry.value(rf"{HKLM}\{MIM_KEY}", name)
    key = title.lower().replace(" ", "-")
    if found is Missing.UNSEEN:
        return unseen(key, title, wanted or "a GUID")
    shown = text(found)
    if found is Missing.ABSENT:
        return Row(
            key=key,
            title=title,
            value=shown,
            wanted=wanted or "a GUID",
            verdict=Verdict.WRONG,
            why="the installer was never run with Application Context Authentication here",
            fix=_SHEET,
        )
    if wanted is None:
        return Row(
            key=key, title=title, value=shown, wanted="a GUID", verdict=Verdict.NOTE, why="no registration given"
        )
    if shown.strip("{} ").lower() == wanted.lower():
        return Row(key=key, title=title, value=shown, wanted=wanted, verdict=Verdict.OK)
    return Row(
        key=key,
        title=title,
        value=shown,
        wanted=wanted,
        verdict=Verdict.WRONG,
        why="this server uses another application" if "Application" in title else "this server uses another tenant",
        fix=f"{_SHEET}; or check against the registration that it belongs to (--registration)",
    )


def _secret(found: HostInput, facts: RegistrationFacts | None, now: datetime) -> Row:
    title, wanted = "Client secret (encrypted)", "present, written after the current secret was issued"
    seen = found.secret
    if seen is None:
        return unseen("secret", title, wanted)
    if not seen.present:
        return Row(
            key="secret",
            title=title,
            value="absent",
            wanted=wanted,
            verdict=Verdict.WRONG,
            why="the installer never stored a client secret here",
            fix=_SHEET,
        )
    form = ", DPAPI" if seen.shape and seen.shape.dpapi else ""
    when = f", key written {iso(seen.written)}" if seen.written else ", when is not known"
    value = f"present ({seen.shape.length if seen.shape else 0} characters{form}{when})"
    issued = facts.secret_issued if facts else None
    if facts and facts.secret_expires and facts.secret_expires <= now:
        why, fix = f"the current secret ended on {iso(facts.secret_expires)}", "mimapp rotate, then Change mode"
    elif issued and seen.written and seen.written < issued:
        why = f"the key was last written before the current secret was issued ({iso(issued)}): it is an older one"
        fix = _SHEET
    else:
        return Row(key="secret", title=title, value=value, wanted=wanted, verdict=Verdict.OK)
    return Row(key="secret", title=title, value=value, wanted=wanted, verdict=Verdict.ATTENTION, why=why, fix=fix)


def _token(found: HostInput) -> Row:
    title, wanted = "Access token", "present, written after the secret"
    seen = found.token
    if seen is None:
        return unseen("token", title, wanted, "the service account's part of the registry was not readable")
    if not seen.present:
        return Row(
            key="token",
            title=title,
            value="absent",
            wanted=wanted,
            verdict=Verdict.ATTENTION,
            why="MIM Service has got no token, or has not asked for one since it started",
            fix="mimapp verify proves the registration; then Restart-Service FIMService and look again",
        )
    value = f"present, key written {iso(seen.written)}" if seen.written else "present, when is not known"
    secret = found.secret
    if seen.written and secret and secret.written and seen.written < secret.written:
        return Row(
            key="token",
            title=title,
            value=value,
            wanted=wanted,
            verdict=Verdict.ATTENTION,
            why="it is older than the secret: the service seems not to have been restarted since",
            fix="Restart-Service FIMService",
        )
    return Row(key="token", title=title, value=value, wanted=wanted, verdict=Verdict.OK)


def _poll(registry: RegistryReader) -> Row:
    found = registry.value(rf"{HKLM}\{SERVICE_KEY}", "PollExchangeEnabled")
    title, wanted = "PollExchangeEnabled", "1, where approvals come by mail"
    if found is Missing.UNSEEN:
        return unseen("poll-exchange", title, wanted)
    if isinstance(found, RegistryValue) and number(found) == 1:
        return Row(key="poll-exchange", title=title, value="1", wanted=wanted, verdict=Verdict.OK)
    return Row(
        key="poll-exchange",
        title=title,
        value=text(found),
        wanted=wanted,
        verdict=Verdict.NOTE,
        why="mail goes out, replies to approvals are not read",
        fix=rf"Set-ItemProperty 'HKLM:\{SERVICE_KEY}' PollExchangeEnabled 1 -Type DWord; Restart-Service FIMService",
    )
