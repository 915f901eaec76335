"""Makes docs/cli.md from the commands: ``python -m mimapp.cli.reference > docs/cli.md``. A test compares the two."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mimapp.cli.names import TABLE, Group, commands
from mimapp.cli.options import CommonOptions, WriteOptions, specs_of
from mimapp.cli.parsing import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mimapp.cli.options import Spec

__all__ = ["reference"]

_INTRODUCTION = """\
# Commands

This page is made from the commands themselves: `python -m mimapp.cli.reference > docs/cli.md`.

`mimapp --version` and `mimapp --help` stand alone; every other option stands after its command. `--help` after a
command shows that command's options. Exit codes and the form of errors: [errors.md](errors.md).

A value comes from the first of: the option, its variable, the file that `--config` names, `config.toml` under
`MIMAPP_HOME`, the default. A configuration file holds the keys below at its top level: texts (durations too) in quotes,
`true` and `false`, whole numbers, lists of texts; a variable separates a list by commas. The working folder is never
searched, and a file that others may write is refused. `mimapp config show` names the source of every value.

`MIMAPP_HOME` is the folder of all local state (journal, sandbox, stored secrets, configuration). Without it the
platform's place for user data is used, and `mimapp config show` names it.
"""


def reference() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *_overview(), *_commands(), *_shared()]).rstrip() + "\n"


def _overview() -> Iterator[str]:
    yield "| command | what it does |"
    yield "|---|---|"
    for row in commands():
        anchor = f"mimapp-{row.path}".replace(" ", "-")
        yield f"| [`mimapp {row.path}`](#{anchor}) | {row.help} |"
    yield ""


def _commands() -> Iterator[str]:
    for row in TABLE:
        if isinstance(row, Group):
            continue
        command = load(row)
        arguments = [spec for spec in command.specs if spec.positional]
        own = [spec for spec in specs_of(command.options) if spec.flags]
        words = "".join(f" {spec.metavar}" if spec.required else f" [{spec.metavar}]" for spec in arguments)
        yield f"## mimapp {row.path}"
        yield ""
        yield f"`mimapp {row.path}{words} [options]`"
        yield ""
        yield command.help
        yield ""
        for spec in arguments:
            yield f"- `{spec.metavar}`: {spec.help}"
        if arguments:
            yield ""
        yield from _table(own)
        if command.writes:
            yield "It may change a tenant, and accepts [what writing commands accept](#what-writing-commands-accept)."
            yield ""


def _shared() -> Iterator[str]:
    yield "## What writing commands accept"
    yield ""
    yield from _table(specs_of(WriteOptions))
    yield "## What every command accepts"
    yield ""
    yield from _table(spec for spec in specs_of(CommonOptions) if spec.flags)
    hidden = [spec for spec in specs_of(CommonOptions) if not spec.flags]
    for spec in hidden:
        yield f"The variable `{spec.variable}` has no option: {spec.help}."
    yield ""


def _table(specs: Iterable[Spec]) -> Iterator[str]:
    rows = list(specs)
    if not rows:
        return
    yield "| option | meaning | variable | key |"
    yield "|---|---|---|---|"
    for spec in rows:
        flags = ", ".join(f"`{flag}`" for flag in spec.flags)
        metavar = f" `{spec.metavar}`".replace("|", "\\|") if spec.metavar else ""
        variables = [spec.own_variable] if spec.setting else []
        variables += [spec.variable] if spec.variable else []
        names = ", ".join(f"`{name}`" for name in variables)
        key = f"`{spec.key}`" if spec.setting else ""
        many = " (may be given more than once)" if spec.kind.many else ""
        yield f"| {flags}{metavar} | {spec.help}{many} | {names} | {key} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(reference())
