"""The one question before a write, and the rule for runs where nobody can answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.cli.result import Line
from mimapp.errors import UsageError
from mimapp.secret import Secret

if TYPE_CHECKING:
    from mimapp.cli.command import Run
    from mimapp.cli.options import WriteOptions
    from mimapp.cli.world import World

__all__ = ["ask_hidden", "confirm_changes", "require_answerable"]


def require_answerable(world: World, writing: WriteOptions) -> None:
    """Refuse a writing command at once where nobody can be asked and nobody said ``--yes``.

    Raises:
        UsageError: stdin is no terminal, and neither ``--yes`` nor ``--dry-run`` nor ``--plan-out`` was given.
    """
    if not (writing.yes or writing.dry_run or writing.plan_out is not None or world.can_ask):
        raise _nobody_to_ask()


def confirm_changes(run: Run, *, changes: int, tenant: str, who: str, alarm: str = "") -> None:
    """Ask whether to go on; returns when the answer is yes, or ``--yes`` was given.

    Args:
        run: whose streams ask.
        changes: how many changes the plan makes.
        tenant: the tenant's name.
        who: the signed-in operator.
        alarm: what follows from a yes, where nobody should overlook it.

    Raises:
        UsageError: the answer is no, or there is none.
    """
    if run.writing.yes:
        return
    things = "this change" if changes == 1 else f"these {changes} changes"
    mark = "simulated; " if run.options.sandbox else ""
    if alarm:
        run.output.tell([Line(alarm, "bad")])
    if not _yes(run, f"Make {things} in {tenant} ({mark}signed in as {who})? [y/N] "):
        raise UsageError("nothing was changed: the answer was no")


def ask_hidden(run: Run, question: str) -> Secret:
    """Ask for something secret at the terminal; what is typed is not shown.

    Raises:
        UsageError: nothing was typed.
    """
    run.progress.pause()
    try:
        typed = run.world.ask_hidden(question)
    except EOFError:
        typed = ""
    if not typed:
        raise UsageError(f"{question.strip().rstrip(':')}: nothing was typed")
    return Secret(typed)


def _yes(run: Run, question: str) -> bool:
    if not run.world.can_ask:
        raise _nobody_to_ask()
    if run.output.tells_nobody:
        raise UsageError("nothing can be shown and so nothing asked: stderr cannot be written", hint="look at its disk")
    run.progress.pause()
    run.world.stderr.write(question)
    run.world.stderr.flush()
    answer = run.world.stdin.readline()  # Ctrl-C here: the report of the interruption begins a line of its own
    if not answer.endswith("\n"):  # end of input: what comes next begins on a line of its own
        run.world.stderr.write("\n")
    return answer.strip().lower() in {"y", "yes"}


def _nobody_to_ask() -> UsageError:
    return UsageError(
        "this command changes a tenant and nobody can be asked: stdin is no terminal",
        hint="add --yes to make the changes, or --dry-run to see them",
    )
