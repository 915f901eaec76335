"""The static table agrees with the commands, every option is described, and nothing is imported before it is needed."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mimapp.cli.commands
from mimapp.cli.command import Command
from mimapp.cli.names import TABLE, Group, Name, below, commands
from mimapp.cli.options import COMMAND_KEYS, CommonOptions, NoOptions, Spec, WriteOptions, specs_of
from mimapp.cli.parsing import load
from mimapp.cli.reference import reference

if TYPE_CHECKING:
    from support.command_line import Cli

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
#: Names that an options dataclass of a command may not take again.
SHARED = {spec.name for options in (CommonOptions, WriteOptions) for spec in specs_of(options)}


def imported_by(*argv: str) -> set[str]:
    """The modules that a run of its own imports."""
    code = (
        f"import json, sys; from mimapp.__main__ import main; main({list(argv)!r}); "
        "print(); print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("row", commands(), ids=lambda row: row.path)
def test_the_tables_help_is_the_commands_own_first_line(row: Name) -> None:
    help_text = load(row).help

    assert help_text.splitlines()[0] == row.help
    assert row.help.endswith(".")


@pytest.mark.parametrize("row", commands(), ids=lambda row: row.path)
def test_every_option_of_a_command_is_described(row: Name) -> None:
    command = load(row)

    for spec in command.specs:
        assert spec.help, spec.name
        assert not spec.help.endswith("."), spec.name
        assert "[" not in spec.help, f"rich reads {spec.name}'s help as markup"
    assert "[" not in command.help
    own = [spec.name for spec in specs_of(command.options)]
    assert not SHARED.intersection(own)


@pytest.mark.parametrize("columns", ["80", "200"])
@pytest.mark.parametrize("row", commands(), ids=lambda row: row.path)
def test_help_of_a_command_shows_every_option_whole(cli: Cli, row: Name, columns: str) -> None:
    cli.variables["COLUMNS"] = columns
    ended = cli(*row.path.split(), "--help")

    assert ended.code == 0
    assert ended.err == ""
    for spec in load(row).specs:
        for flag in spec.flags:
            assert f"{flag} " in ended.out
    assert "…" not in ended.out
    assert max(map(len, ended.out.splitlines())) <= int(columns)


@pytest.mark.parametrize("path", ["", *(row.path for row in TABLE if isinstance(row, Group))])
def test_help_of_a_group_shows_its_commands(cli: Cli, path: str) -> None:
    ended = cli(*path.split(), "--help")

    assert ended.code == 0
    for row in below(path):
        assert row.path.rpartition(" ")[2] in ended.out
        assert row.help[:30] in ended.out


@pytest.mark.parametrize("path", ["", *(row.path for row in TABLE if isinstance(row, Group))])
def test_a_group_alone_is_usage(cli: Cli, path: str) -> None:
    ended = cli(*path.split())

    assert ended.code == 2
    assert ended.out == ""
    assert "Usage: mimapp" in ended.err


def test_every_group_has_commands_and_every_command_its_group() -> None:
    groups = {row.path for row in TABLE if isinstance(row, Group)}

    assert all(below(group) for group in groups)
    assert {row.path.rpartition(" ")[0] for row in commands()} <= groups | {""}
    assert len({row.path for row in TABLE}) == len(TABLE)


def test_the_list_of_command_keys_is_what_commands_declare() -> None:
    """Registered or not: a command that is being written may have its keys in a file already."""
    found: set[Spec] = set()
    for module in pkgutil.iter_modules(mimapp.cli.commands.__path__):
        for value in vars(importlib.import_module(f"mimapp.cli.commands.{module.name}")).values():
            if isinstance(value, Command):
                found.update(spec for spec in specs_of(value.options) if spec.setting)

    assert {spec.key for spec in found} == COMMAND_KEYS


def test_one_name_means_one_thing_in_every_command() -> None:
    by_key: dict[str, Spec] = {}
    for row in commands():
        for spec in load(row).specs:
            if spec.setting:
                known = by_key.setdefault(spec.key, spec)
                assert (known.kind, known.default) == (spec.kind, spec.default), spec.key


def test_flags_are_named_as_their_fields() -> None:
    for row in commands():
        for spec in load(row).specs:
            if spec.flags:
                assert spec.flags[0] == f"--{spec.key}"


def test_no_options_are_no_options() -> None:
    assert specs_of(NoOptions) == ()


def test_the_page_of_commands_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "python -m mimapp.cli.reference > docs/cli.md"


@pytest.mark.parametrize("row", commands(), ids=lambda row: row.path)
def test_the_page_has_every_command_and_option(row: Name) -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert f"## mimapp {row.path}\n" in page
    for spec in load(row).specs:
        for flag in spec.flags:
            assert f"`{flag}`" in page


def test_help_imports_no_command() -> None:
    modules = imported_by("--help")

    assert "mimapp.cli.group" in modules
    assert not [name for name in modules if name.startswith("mimapp.cli.commands")]
    assert not modules & {"mimapp.cli.command", "httpx", "msgspec", "pydantic", "msal", "azure.identity"}


@pytest.mark.parametrize("row", commands(), ids=lambda row: row.path)
def test_help_of_a_command_imports_that_command_alone(row: Name) -> None:
    modules = imported_by(*row.path.split(), "--help")

    loaded = {name for name in modules if name.startswith("mimapp.cli.commands.")}
    assert loaded == {f"mimapp.cli.commands.{row.module}"}
    assert not modules & {"pydantic", "msal", "azure.identity", "falcon"}


def test_a_command_needs_neither_pydantic_nor_rich_without_a_terminal() -> None:
    modules = imported_by("clouds")

    assert "mimapp.cli.commands.clouds" in modules
    assert not modules & {"pydantic", "rich.console", "httpx", "msgspec"}
