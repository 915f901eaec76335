"""A status as one page: self-contained, light and dark by the reader's setting, to print or to keep; no script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.checks.status_dates import life_left
from mimapp.checks.status_next import attention_of, next_command
from mimapp.cli.credentials import whose
from mimapp.cli.status_text import date_words, facts_of
from mimapp.cli.timeline import timeline
from mimapp.host.document import page, tag, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mimapp.checks.status import Status
    from mimapp.credentials.listing import Credential

__all__ = ["status_page"]

_LEGEND = (
    ("life", "life left"),
    ("low", "less than a third"),
    ("gone", "life gone"),
    ("foreign", "without an end"),
)


def status_page(every: Sequence[Status], *, unread: Sequence[tuple[str, str]] = ()) -> str:
    """The page of one registration or of several.

    Args:
        every: the registrations.
        unread: mailbox and reason of those that could not be read.
    """
    title = f"{every[0].mailbox} in {every[0].tenant_name}" if len(every) == 1 else f"{len(every)} registrations"
    body = [tag("h1", text(title)) if len(every) != 1 or unread else ""]
    if any(found.sandbox for found in every):
        body.append(tag("p", "SANDBOX: a simulated tenant", css="notice sandbox"))
    body += [tag("p", text(f"{mailbox} could not be read: {why}"), css="notice") for mailbox, why in unread]
    body += [tag("section", *_section(found)) for found in every]
    return page(f"mimapp status: {title}", *filter(None, body))


def _section(found: Status) -> Iterator[str]:
    yield tag("h1", text(f"{found.mailbox} in {found.tenant_name}"))
    yield tag("p", text(f"as read at {found.at:%Y-%m-%d %H:%M} UTC"), css="quiet")
    matters = attention_of(found)
    yield from (tag("p", tag("strong", "To do: "), text(matter), css="notice") for matter in matters)
    if not matters:
        yield tag("p", "All is as it should be.", css="ok")
    command = next_command(found)
    if command:
        yield tag("p", "Next: ", tag("code", text(command)))
    yield tag("h2", "What is there")
    facts = [pair for pair in facts_of(found) if pair[0] != "Next date"]
    yield tag(
        "table", *(tag("tr", tag("th", text(name)), tag("td", text(value))) for name, value in facts), css="facts"
    )
    if found.credentials:
        yield tag("h2", "Credentials")
        yield tag("figure", timeline(found), tag("figcaption", *_legend()))
        yield _table(found)
    if found.dates:
        yield tag("h2", "What comes")
        rows = [(date_words(one, found.at), one.command) for one in found.dates]
        yield tag("ul", *(tag("li", text(words), _by(command)) for words, command in rows))
    if found.due:
        yield tag("h2", "Drift" if found.drifted else "What register would do")
        yield tag("ul", *(tag("li", text(step.title)) for step in found.due))
    if found.warnings:
        yield tag("h2", "Notes")
        yield tag("ul", *(tag("li", text(warning)) for warning in found.warnings))


def _legend() -> Iterator[str]:
    for css, words in _LEGEND:
        yield tag("span", tag("span", css=f"key {css}"), words)
    yield tag("span", "▲ due for rotation")


def _table(found: Status) -> str:
    head = tag("tr", *(tag("th", name) for name in ("Credential", "Kind", "From", "Until", "Life left", "Whose")))
    return tag("table", head, *(_row(one, found) for one in found.credentials), css="credentials")


def _row(one: Credential, found: Status) -> str:
    left = life_left(one, found.at)
    cells = (
        one.label or one.key_id,
        one.kind if one.on == "application" else f"{one.kind}, on the service principal",
        "" if one.starts is None else f"{one.starts:%Y-%m-%d}",
        "no end" if one.expires is None else f"{one.expires:%Y-%m-%d}",
        "" if left is None else f"{left:.0%}",
        whose(one),
    )
    return tag("tr", *(tag("td", text(cell)) for cell in cells))


def _by(command: str) -> str:
    return f" ({tag('code', text(command))})" if command else ""
