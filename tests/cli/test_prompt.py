"""The one question before a write."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mimapp.cli.command import Command
from mimapp.cli.options import NoOptions
from mimapp.cli.prompt import confirm_changes
from mimapp.cli.result import Line, Result
from support.command_line import Stream

if TYPE_CHECKING:
    from mimapp.cli.command import Run
    from support.command_line import Cli


def writing(run: Run) -> Result:
    confirm_changes(run, changes=8, tenant="contoso.example", who="admin@contoso.example")
    return Result(schema="mimapp.test/1", document={}, text=(Line("written"),))


@pytest.mark.parametrize("answer", ["y\n", "yes\n", " Y \n", "YES\n", "y"])
def test_yes_goes_on(cli: Cli, answer: str) -> None:
    ended = cli.body(writing, writes=True, typed=answer, terminal=True)

    assert ended.code == 0
    assert "written" in ended.out
    assert "Make these 8 changes in contoso.example (signed in as admin@contoso.example)? [y/N] " in ended.err


@pytest.mark.parametrize("answer", ["n\n", "\n", "no\n", "ja\n", "yy\n", ""])
def test_anything_else_and_the_end_of_input_is_no(cli: Cli, answer: str) -> None:
    ended = cli.body(writing, writes=True, typed=answer, terminal=True)

    assert ended.code == 2
    assert ended.out == ""
    assert "nothing was changed: the answer was no" in ended.err


def test_one_change_is_one_change(cli: Cli) -> None:
    def body(run: Run) -> Result:
        confirm_changes(run, changes=1, tenant="contoso.example", who="admin")
        return Result(schema="mimapp.test/1", document={})

    assert "Make this change in contoso.example" in cli.body(body, writes=True, typed="y\n", terminal=True).err


def test_the_sandbox_is_named_in_the_question(cli: Cli) -> None:
    ended = cli.body(writing, writes=True, typed="y\n", terminal=True, sandbox=True)

    assert (
        "Make these 8 changes in contoso.example (simulated; signed in as admin@contoso.example)? [y/N] " in ended.err
    )


def test_yes_as_an_option_asks_nothing(cli: Cli) -> None:
    ended = cli.body(writing, writes=True, yes=True)

    assert ended.code == 0
    assert ended.err == ""


def test_where_nobody_can_be_asked_it_ends_before_it_begins(cli: Cli) -> None:
    def body(_run: Run) -> Result:
        raise AssertionError("the command must not begin")

    ended = cli.body(body, writes=True, typed="y\n")

    assert ended.code == 2
    assert ended.err == (
        "mimapp: this command changes a tenant and nobody can be asked: stdin is no terminal\n"
        "  add --yes to make the changes, or --dry-run to see them\n"
    )


def test_a_run_that_only_plans_begins_without_a_terminal(cli: Cli) -> None:
    def body(_run: Run) -> Result:
        return Result(schema="mimapp.test/1", document={}, text=(Line("the plan"),))

    assert cli.body(body, writes=True, dry_run=True).out == "the plan\n"
    assert cli.body(body, writes=True, plan_out="plan.json").out == "the plan\n"


def test_a_question_that_comes_all_the_same_without_a_terminal_is_refused(cli: Cli) -> None:
    ended = cli.body(writing, writes=True, dry_run=True, typed="y\n")

    assert ended.code == 2
    assert "nobody can be asked" in ended.err


def test_a_plan_that_nobody_can_see_is_not_asked_about(cli: Cli) -> None:
    class Full(Stream):
        def writelines(self, *_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    def body(run: Run) -> Result:
        run.output.tell([Line("the plan")])
        return writing(run)

    world = replace(cli.world(typed="y\n", terminal=True), stderr=Full())
    asked = Command(body=lambda run, _options: body(run), options=NoOptions, writes=True)

    assert asked.run({}, world) == 2
    assert isinstance(world.stdout, Stream)
    assert world.stdout.getvalue() == ""


def test_ctrl_c_at_the_question_is_130_and_begins_a_new_line(cli: Cli) -> None:
    class Interrupted(Stream):
        def readline(self, *_: object) -> str:  # type: ignore[override]  # typeshed mixes bytes and text streams
            raise KeyboardInterrupt

    world = replace(cli.world(terminal=True), stdin=Interrupted(terminal=True))
    asked = Command(body=lambda run, _options: writing(run), options=NoOptions, writes=True)

    assert asked.run({}, world) == 130
    assert isinstance(world.stderr, Stream)
    assert "[y/N] \n" in world.stderr.getvalue()
    assert "interrupted" in world.stderr.getvalue().splitlines()[-2]
