"""A status for people: one screen for one registration, one row each for several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.checks.status_dates import life_left, newest_secret
from mimapp.checks.status_next import attention_of, next_command
from mimapp.cli.credentials import whose
from mimapp.cli.registering import consent_word
from mimapp.cli.result import Line, Pairs, Table
from mimapp.clock import duration_text
from mimapp.rotation import HandOverState
from mimapp.spec import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from mimapp.checks.status import Status, StatusRow
    from mimapp.checks.status_dates import Milestone
    from mimapp.cli.result import Block, Tone
    from mimapp.credentials.listing import Credential

__all__ = ["date_words", "facts_of", "host_words", "life_bar", "status_text", "statuses_text"]

_BAR = 10
_LOW = 1 / 3
_LABEL = 28


def status_text(found: Status) -> tuple[Block, ...]:
    """One registration."""
    return tuple(_blocks(found))


def _blocks(found: Status) -> Iterator[Block]:
    yield Line(f"{found.mailbox} in {found.tenant_name}", "heading")
    yield Pairs(facts_of(found))
    if found.credentials:
        yield Line()
        yield Table(
            ("credential", "kind", "life", "until", "whose"),
            [
                (_short(one), one.kind, life_bar(one, found.at), _day(one.expires), whose(one))
                for one in found.credentials
            ],
            [_tone(one, found.at) for one in found.credentials],
        )
    elif found.application_id is not None:
        yield Line("No secret, certificate or federated credential.", "warn")
    yield Line()
    yield from (Line(f"Note: {warning}", "warn") for warning in found.warnings)
    matters = attention_of(found)
    for matter in matters:
        yield Line(f"To do: {matter}", "bad")
        if found.problem is not None and matter == found.problem.message:
            yield from (Line(f"  {told}") for told in (*found.problem.details, found.problem.hint) if told)
    if found.due:
        yield Line("Drift: mimapp register would now" if found.drifted else "mimapp register would:", "warn")
        yield from (Line(f"  {step.title}") for step in found.due)
    if not matters:
        yield Line("All is as it should be.", "good")
    command = next_command(found)
    if command:
        yield Line(f"Next: {command}", whole=True)


def facts_of(found: Status) -> list[tuple[str, str]]:
    """What is there, as labels and values; what does not apply is left out."""
    ends = "no date of its end is known"
    if found.ews_ends is not None:
        days = (found.ews_ends - found.at.date()).days
        ends = f"ends {found.ews_ends:%Y-%m-%d}, in {days} days" if days > 0 else f"ended {found.ews_ends:%Y-%m-%d}"
    stopped = "; its sign-in is stopped" if found.signs_in is False else ""
    pairs = [
        ("Registration", found.registration + ("; drift: see below" if found.drifted else "")),
        ("Application", f"{found.display_name} ({found.application_id or 'not registered'}){stopped}"),
    ]
    if found.application_id is not None:
        rights = found.permissions
        words = [f"wanted {', '.join(rights.wanted)}"]
        words += [f"{verb} {', '.join(names) or 'nothing'}" for verb, names in _differing(found)]
        pairs += [
            ("Permissions", "; ".join(words)),
            ("Consent", consent_word(found.scope, granted=found.consented)),
            ("Restricted to", _restricted(found)),
        ]
    pairs.append(("EWS", f"{found.ews.reason}; {ends}"))
    if found.application_id is not None:
        pairs.append(("Hand-over", _handover(found)))
    pairs += [("MIM server", host_words(found))] if found.hosts else []
    pairs += [("Next date", date_words(found.dates[0], found.at))] if found.dates else []
    return pairs


def _differing(found: Status) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What is asked for and granted; told once where both are what is wanted."""
    rights = found.permissions
    if rights.asked == rights.granted:
        yield "found", rights.granted
        return
    yield "asked for", rights.asked
    yield "granted", rights.granted


def _restricted(found: Status) -> str:
    if found.scope is Scope.NONE:
        return "NOTHING: every mailbox of the tenant (scope none)"
    by = f" by the role assignment {found.role}" if found.role and found.scope is Scope.RBAC else ""
    return f"{found.group}{by}; {_fence(found)}"


def _fence(found: Status) -> str:
    if not found.fence_stands:
        return "it does not stand"
    if found.proof is None:
        return "it stands, not yet proven by EWS"
    return f"proven {found.proof.when:%Y-%m-%d}: {found.proof.how}"


def _handover(found: Status) -> str:
    shown = [
        f"{piece.kind} {piece.when:%Y-%m-%d}{f' on {piece.node}' if piece.node else ''}"
        for piece in found.handover.evidence
    ]
    if shown:
        return f"{found.handover.state.value}: {'; '.join(shown)}"
    newest = newest_secret(found.credentials, found.at)
    if newest is None:
        return "no secret to hand over"
    if found.handover.state is HandOverState.WAITING:
        return f"nothing shows yet that MIM uses {newest.label}"
    return f"{newest.label} is the only one; nothing had to be shown"


def host_words(found: Status) -> str:
    """What the last checks of the MIM servers found."""
    return "; ".join(
        f"{host.server or 'unnamed'} {'all right' if not host.wrong else ', '.join(host.wrong) + ' to mend'} "
        f"({host.judged:%Y-%m-%d})"
        for host in found.hosts
    )


def date_words(one: Milestone, at: datetime) -> str:
    """A date that lies ahead."""
    days = (one.when.date() - at.date()).days
    span = f"{days} days" if days > 1 else duration_text(one.when - at)
    return f"{one.when:%Y-%m-%d}, in {span}: {one.what}"


def life_bar(credential: Credential, at: datetime) -> str:
    """How much of its life a credential has left, drawn in characters that every terminal has."""
    left = life_left(credential, at)
    if left is None:
        return "no end" if credential.expires is None else ""
    full = round(left * _BAR)
    return f"{'#' * full}{'.' * (_BAR - full)} {left:4.0%}"


def _tone(credential: Credential, at: datetime) -> Tone:
    left = life_left(credential, at)
    if left is not None and left < _LOW:
        return "bad" if left == 0 else "warn"
    return "plain" if whose(credential) == "stored here" else "dim"


def _short(credential: Credential) -> str:
    name = credential.label or credential.key_id
    return name if len(name) <= _LABEL else f"{name[: _LABEL - 3]}..."


def _day(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d}"


def statuses_text(rows: Sequence[StatusRow]) -> tuple[Block, ...]:
    """Every registration of a tenant, one row each, then what each needs."""
    tones: list[Tone] = []
    cells: list[tuple[str, ...]] = []
    details: list[Block] = []
    for row in rows:
        found, name = row.status, row.wanted.key
        if found is None:
            tones.append("bad")
            cells.append((name, row.wanted.mailbox, "?", "", ""))
            details.append(Line(f"{name}: not readable: {row.error.message if row.error else ''}", "bad"))
            continue
        matters = attention_of(found)
        tones.append("bad" if matters else "plain")
        newest = newest_secret(found.credentials, found.at)
        first = _day(found.dates[0].when) if found.dates else "-"
        until = "none" if newest is None else _day(newest.expires)
        cells.append((name, found.mailbox, "to do" if matters else "right", until, first))
        details += [Line(f"{name}: {matter}", "bad") for matter in matters]
        details += [Line(f"{name}: {date_words(found.dates[0], found.at)}", "dim")] if found.dates else []
        command = next_command(found)
        details += [Line(f"{name}, next: {command}", whole=True)] if command else []
    titles = ("registration", "mailbox", "state", "secret", "next date")
    return (Table(titles, cells, tones), *([Line()] if details else []), *details)
