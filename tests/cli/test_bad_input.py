"""Wrong options, configuration files and variables: one line, a hint, exit code 2, and nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli import (
    bad_input_config,
    bad_input_host,
    bad_input_options,
    bad_input_replies,
    bad_input_rights,
    bad_input_tenant,
)
from cli.bad_input import Case, check_case
from mimapp.cli.kinds import COUNT, FLAG
from mimapp.cli.names import commands
from mimapp.cli.options import CommonOptions, Spec, WriteOptions, specs_of
from mimapp.cli.parsing import load

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import Cli


OPTION_CASES = bad_input_options.CASES | bad_input_host.CASES


@pytest.mark.parametrize("case", OPTION_CASES.values(), ids=OPTION_CASES.keys())
def test_an_option_that_cannot_be_used(tmp_path: Path, case: Case) -> None:
    check_case(case, tmp_path, silent=True)


@pytest.mark.parametrize("case", bad_input_config.CASES.values(), ids=bad_input_config.CASES.keys())
def test_a_configuration_that_cannot_be_used(tmp_path: Path, case: Case) -> None:
    check_case(case, tmp_path, silent=True)


@pytest.mark.parametrize("case", bad_input_tenant.CASES.values(), ids=bad_input_tenant.CASES.keys())
def test_a_tenant_that_is_not_as_it_has_to_be(tmp_path: Path, case: Case) -> None:
    check_case(case, tmp_path)


@pytest.mark.parametrize("case", bad_input_rights.CASES.values(), ids=bad_input_rights.CASES.keys())
def test_a_right_that_the_sign_in_lacks(tmp_path: Path, case: Case) -> None:
    check_case(case, tmp_path)


@pytest.mark.parametrize("case", bad_input_replies.CASES.values(), ids=bad_input_replies.CASES.keys())
def test_a_reply_that_is_no_answer(tmp_path: Path, case: Case) -> None:
    check_case(case, tmp_path)


def _options() -> list[tuple[str, Spec]]:
    """Every option of every command with the command; those that all have in common stand once, with status."""
    common = {spec.name for spec in (*specs_of(CommonOptions), *specs_of(WriteOptions))}
    found = [("status", spec) for spec in specs_of(CommonOptions)]
    found += [("register", spec) for spec in specs_of(WriteOptions)]
    found += [(row.path, spec) for row in commands() for spec in load(row).specs if spec.name not in common]
    return [(path, spec) for path, spec in found if spec.flags]


OPTIONS = _options()
VALUED = [(path, spec) for path, spec in OPTIONS if spec.kind not in {FLAG, COUNT}]
BARE = [(path, spec) for path, spec in OPTIONS if spec.kind in {FLAG, COUNT}]


def _name(value: object) -> str:
    return value if isinstance(value, str) else str(getattr(value, "flags", ("?",))[0])


@pytest.mark.parametrize(("path", "spec"), VALUED, ids=_name)
def test_an_option_without_its_value(cli: Cli, path: str, spec: Spec) -> None:
    ended = cli(*path.split(), spec.flags[0])

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"mimapp: Option '{spec.flags[0]}' requires an argument")


@pytest.mark.parametrize(("path", "spec"), VALUED, ids=_name)
def test_an_option_with_an_empty_value(cli: Cli, path: str, spec: Spec) -> None:
    """Before anything else is looked at; arguments that the command needs are there."""
    command = load(next(row for row in commands() if row.path == path))
    needed = [(one.kind.choices or ("x",))[0] for one in command.specs if one.positional and one.required]
    ended = cli(*path.split(), *needed, spec.flags[0], "")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"mimapp: {spec.flags[0]}: ")
    assert not cli.home.exists()


@pytest.mark.parametrize(("path", "spec"), BARE, ids=_name)
def test_a_flag_with_a_value(cli: Cli, path: str, spec: Spec) -> None:
    ended = cli(*path.split(), f"{spec.flags[0]}=yes")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"mimapp: Option '{spec.flags[0]}' does not take a value")


def test_the_tables_are_long_enough() -> None:
    tables = (
        bad_input_options,
        bad_input_host,
        bad_input_config,
        bad_input_tenant,
        bad_input_rights,
        bad_input_replies,
    )

    assert sum(len(table.CASES) for table in tables) >= 250
    assert {case.code for table in tables for case in table.CASES.values()} >= {2, 4, 5, 6, 7, 75}
