"""The installer sheet as plain text, Markdown and JSON.

Owns the layout of the first two and the field names of the third (schema ``mimapp.host-sheet/1``, camel case).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from mimapp.host.pages import Entry, Mode

if TYPE_CHECKING:
    from mimapp.host.pages import Field, Page
    from mimapp.host.sheet import Command, Sheet

__all__ = ["heading", "instruction", "sheet_json", "sheet_markdown", "sheet_text"]

_MODES = {Mode.NEW: "new installation", Mode.CHANGE: "Change mode"}


def heading(found: Sheet) -> str:
    """The sheet's one-line title."""
    name = f" for {found.registration}" if found.registration else ""
    return f"MIM Service installer, option {found.option}{name}: {found.title} ({_MODES[found.mode]})"


def instruction(field: Field) -> str:
    """What to do with a field, in words: ``type X``, ``select X``, ``greyed (shows X)``."""
    match field.entry:
        case Entry.TYPE | Entry.SELECT:
            return f"{field.entry}: {field.value}"
        case Entry.GREYED:
            return f"greyed (shows {field.value})" if field.value else "greyed"
        case _:
            return f"{field.entry} ({field.value})" if field.value else str(field.entry)


def sheet_text(found: Sheet) -> str:
    """The sheet for a terminal or a text file; lines are not wrapped, so that commands can be copied."""
    out = [heading(found), ""]
    out += [f"! {warning}" for warning in found.warnings]
    out += ["", "Values"]
    width = max(len(name) for name, _ in found.values)
    out += [f"  {name.ljust(width)}  {value}" for name, value in found.values]
    out += ["", "Start", *_commands_text(found.start)]
    out += ["", "Pages"]
    for number, page in enumerate(found.pages, 1):
        out += _page_text(number, page)
    out += ["", "Afterwards", *(f"  [ ] {line}" for line in found.afterwards)]
    if found.commands:
        out += ["", "Commands", *_commands_text(found.commands)]
    out += ["", f"After EWS: {found.after_ews}", ""]
    out += [f"Source: {source}" for source in found.sources]
    return "\n".join(out) + "\n"


def _commands_text(commands: tuple[Command, ...]) -> list[str]:
    out = []
    for command in commands:
        out += [f"  {command.purpose} ({command.where}):", f"    {command.line}"]
    return out


def _page_text(number: int, page: Page) -> list[str]:
    condition = f" ({page.condition})" if page.condition else ""
    out = [f"  {number}. {page.title}{condition}"]
    width = max((len(field.label) for field in page.fields), default=0)
    out += [f"       {field.label.ljust(width)}  {instruction(field)}" for field in page.fields]
    if page.note:
        out.append(f"     {page.note}")
    for popup in page.popups:
        out += [
            f"     may come: {popup.title}: {popup.text}",
            f"       means:  {popup.meaning}",
            f"       answer: {popup.answer}",
        ]
    out.append(f"     -> {page.button}")
    return out


def sheet_markdown(found: Sheet) -> str:
    """The sheet as Markdown, for a wiki or a ticket."""
    out = [f"# {heading(found)}", ""]
    out += [f"> **Note** {_md(warning)}\n>" for warning in found.warnings]
    out += ["", "## Values", "", "| Field | Value |", "|---|---|"]
    out += [f"| {_md(name)} | {_md(value)} |" for name, value in found.values]
    out += ["", "## Start", "", *_commands_markdown(found.start), "## Pages", ""]
    for number, page in enumerate(found.pages, 1):
        out += _page_markdown(number, page)
    out += ["## Afterwards", "", *(f"- [ ] {_md(line)}" for line in found.afterwards), ""]
    if found.commands:
        out += ["## Commands", "", *_commands_markdown(found.commands)]
    out += ["## After EWS", "", _md(found.after_ews), ""]
    out += [f"Source: {_md(str(source))}  " for source in found.sources]
    return "\n".join(out) + "\n"


def _md(value: str) -> str:
    """Text that Markdown shows as it is, also inside a table."""
    for sign in "\\`*_[]<>|":
        value = value.replace(sign, "\\" + sign)
    return value


def _commands_markdown(commands: tuple[Command, ...]) -> list[str]:
    out = []
    for command in commands:
        language = {"cmd": "bat", "powershell": "powershell"}.get(command.where, "console")
        out += [f"{_md(command.purpose)}:", "", f"```{language}", command.line, "```", ""]
    return out


def _page_markdown(number: int, page: Page) -> list[str]:
    condition = f" ({page.condition})" if page.condition else ""
    out = [f"### {number}. {_md(page.title + condition)}", ""]
    if page.fields:
        out += ["| Field | Do |", "|---|---|"]
        out += [f"| {_md(field.label)} | {_md(instruction(field))} |" for field in page.fields]
        out.append("")
    if page.note:
        out += [_md(page.note), ""]
    out += [
        f"- May come: **{_md(popup.title)}**: {_md(popup.text)}. Means: {_md(popup.meaning)}. "
        f"Answer: {_md(popup.answer)}."
        for popup in page.popups
    ]
    out += [f"\nThen: **{_md(page.button)}**", ""]
    return out


class _FieldJson(msgspec.Struct, frozen=True, rename="camel"):
    label: str
    entry: str
    value: str
    verbatim: bool


class _PopupJson(msgspec.Struct, frozen=True, rename="camel"):
    title: str
    text: str
    meaning: str
    answer: str
    key: str


class _PageJson(msgspec.Struct, frozen=True, rename="camel"):
    title: str
    condition: str
    note: str
    button: str
    fields: list[_FieldJson]
    popups: list[_PopupJson]


class _CommandJson(msgspec.Struct, frozen=True, rename="camel"):
    purpose: str
    where: str
    line: str


class _SheetJson(msgspec.Struct, frozen=True, rename="camel"):
    schema: Literal["mimapp.host-sheet/1"]
    option: str
    title: str
    mode: str
    registration: str
    sandbox: bool
    values: dict[str, str]
    start: list[_CommandJson]
    pages: list[_PageJson]
    afterwards: list[str]
    commands: list[_CommandJson]
    warnings: list[str]
    after_ews: str
    sources: list[str]


def sheet_json(found: Sheet) -> str:
    """The sheet as one JSON document, schema ``mimapp.host-sheet/1``."""
    document = _SheetJson(
        schema="mimapp.host-sheet/1",
        option=found.option,
        title=found.title,
        mode=found.mode,
        registration=found.registration,
        sandbox=found.sandbox,
        values=dict(found.values),
        start=[_command_json(command) for command in found.start],
        pages=[_page_json(page) for page in found.pages],
        afterwards=list(found.afterwards),
        commands=[_command_json(command) for command in found.commands],
        warnings=list(found.warnings),
        after_ews=found.after_ews,
        sources=[str(source) for source in found.sources],
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _command_json(command: Command) -> _CommandJson:
    return _CommandJson(purpose=command.purpose, where=command.where, line=command.line)


def _page_json(page: Page) -> _PageJson:
    return _PageJson(
        title=page.title,
        condition=page.condition,
        note=page.note,
        button=page.button,
        fields=[
            _FieldJson(label=field.label, entry=field.entry, value=field.value, verbatim=field.verbatim)
            for field in page.fields
        ],
        popups=[
            _PopupJson(title=one.title, text=one.text, meaning=one.meaning, answer=one.answer, key=one.key)
            for one in page.popups
        ],
    )
