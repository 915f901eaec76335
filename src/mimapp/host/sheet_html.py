"""The installer sheet as one printable HTML page.

Owns its layout; the frame and the style are `document`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.host.document import page, tag, text
from mimapp.host.sheet_text import heading, instruction

if TYPE_CHECKING:
    from mimapp.host.pages import Page, Popup
    from mimapp.host.sheet import Command, Sheet

__all__ = ["sheet_html"]

_WHERE = {"cmd": "command prompt on the server", "powershell": "PowerShell on the server", "mimapp": "anywhere"}


def sheet_html(found: Sheet) -> str:
    """The sheet as a self-contained document: light and dark, printable, nothing fetched, no script."""
    sandbox = "SANDBOX" if found.sandbox else ""
    notices = [
        tag("p", text(warning), css="notice sandbox" if sandbox and warning.startswith(sandbox) else "notice")
        for warning in found.warnings
    ]
    values = [tag("tr", tag("th", text(name)), tag("td", tag("code", text(value)))) for name, value in found.values]
    body = [
        tag("h1", text(heading(found))),
        *notices,
        tag("h2", "Values"),
        tag("table", *values, css="fields"),
        tag("h2", "Start"),
        *(_command(command) for command in found.start),
        tag("h2", "Pages of the installer"),
        tag("ol", *(_page(one) for one in found.pages), css="steps"),
        tag("h2", "Afterwards"),
        *(tag("p", '<span class="box"></span>', text(line)) for line in found.afterwards),
    ]
    if found.commands:
        body += [tag("h2", "Commands"), *(_command(command) for command in found.commands)]
    body += [
        tag("h2", "After EWS"),
        tag("p", text(found.after_ews)),
        *(tag("p", "Source: ", text(str(source)), css="quiet") for source in found.sources),
    ]
    return page(heading(found), *body)


def _command(command: Command) -> str:
    where = _WHERE.get(command.where, command.where)
    return tag(
        "div",
        tag("p", text(command.purpose), tag("span", f" ({text(where)})", css="quiet")),
        tag("pre", text(command.line)),
        css="command",
    )


def _page(one: Page) -> str:
    condition = tag("span", f" ({text(one.condition)})", css="quiet") if one.condition else ""
    rows = [tag("tr", tag("th", text(field.label)), tag("td", text(instruction(field)))) for field in one.fields]
    return tag(
        "li",
        tag(
            "h3",
            tag("span", text(one.title), condition),
            tag("span", "then ", tag("strong", text(one.button)), css="then"),
        ),
        tag("table", *rows, css="fields") if rows else "",
        tag("p", text(one.note)) if one.note else "",
        *(_popup(popup) for popup in one.popups),
    )


def _popup(popup: Popup) -> str:
    return tag(
        "p",
        tag("strong", "May come: "),
        text(f"{popup.title}: {popup.text}. "),
        tag("span", text(f"Means: {popup.meaning}. "), css="quiet"),
        text(f"Answer: {popup.answer}."),
    )
