"""The listener: lines in a pipe, a live part on a terminal, nothing when quiet."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mimapp.cli.live import LiveView
from mimapp.cli.output import Output
from mimapp.cli.progress import Progress, seconds_text
from mimapp.cli.prompt import confirm_changes
from mimapp.cli.result import Line, Result
from mimapp.provisioning.events import Note, StepDone, StepFailed, StepStarted, Waiting
from mimapp.transport import Wait
from support.command_line import Stream

if TYPE_CHECKING:
    from mimapp.cli.command import Run
    from mimapp.provisioning.events import Event
    from support.command_line import Cli


def started(number: int, title: str, total: int = 2) -> StepStarted:
    return StepStarted(number=number, total=total, title=title)


def waiting(what: str, *, seconds: float = 2.0, waited: float = 0.0, reason: str = "HTTP 404") -> Waiting:
    return Waiting(wait=Wait(what=what, reason=reason, seconds=seconds, waited=waited))


def done(title: str = "nothing") -> Result:
    return Result(schema="mimapp.test/1", document={}, text=(Line(title),))


def test_in_a_pipe_each_wait_and_each_finished_step_is_a_line(cli: Cli) -> None:
    def body(run: Run) -> Result:
        tell = run.progress
        tell(started(0, "reading the tenant", total=0))
        tell(StepDone(number=0, title="reading the tenant", seconds=0.84, detail="9 requests"))
        tell(started(1, "application"))
        cli.clock.sleep(3)
        tell(StepDone(number=1, title="application", seconds=3.0, detail="made"))
        tell(StepDone(number=0, title="quick", seconds=0.01))
        tell(started(2, "service principal"))
        tell(waiting("application"))
        tell(waiting("application", waited=2.1, seconds=4))
        tell(waiting("application", waited=6.1, seconds=4, reason="HTTP 429"))
        tell(Note(text="the policy is acknowledged"))
        cli.clock.sleep(12)
        tell(StepFailed(number=2, title="service principal", seconds=12.3, message="HTTP 403 [b]no[/b]"))
        return done()

    assert cli.body(body).err.splitlines() == [
        "reading the tenant: 9 requests  (0.8 s)",
        "[1/2] application: made  (3 s)",
        "quick",
        "waiting for application: HTTP 404; asking again in 2 s",
        "waiting for application: HTTP 429; asking again in 4 s (6.1 s so far)",
        "the policy is acknowledged",
        "[2/2] service principal: failed: HTTP 403 [b]no[/b]  (12 s)",
        "1 of 2 steps done in 15 s",
    ]


def test_a_long_wait_is_told_again_each_minute(cli: Cli) -> None:
    def body(run: Run) -> Result:
        run.progress(started(1, "fence", total=1))
        for number in range(9):
            run.progress(waiting("the policy", waited=20.0 * number, seconds=20))
            cli.clock.sleep(20)
        return done()

    lines = cli.body(body).err.splitlines()
    assert lines == [
        "waiting for the policy: HTTP 404; asking again in 20 s",
        "waiting for the policy: HTTP 404; asking again in 20 s (1 min so far)",
        "waiting for the policy: HTTP 404; asking again in 20 s (2 min so far)",
    ]


def test_quiet_is_silent_but_for_logs(cli: Cli) -> None:
    def body(run: Run) -> Result:
        for event in (started(1, "x"), waiting("y"), StepDone(number=1, title="x", seconds=1)):
            run.progress(event)
        return done("the result")

    ended = cli.body(body, quiet=True)
    assert ended.err == ""
    assert ended.out == "the result\n"


def shown_live(cli: Cli, events: list[Event], *, columns: int = 100, advance: float = 0.0) -> str:
    """What the live part draws after these events."""
    cli.variables.update({"COLUMNS": str(columns), "TERM": "xterm"})
    world = cli.world(terminal=True)
    output = Output(world)
    progress = Progress(replace(world, stderr=Stream()), Output(replace(world, stderr=Stream())))
    for event in events:
        progress(event)
    cli.clock.advance(timedelta(seconds=advance))
    console = output.console()
    view = LiveView(console, progress, cli.clock)
    view.stop()
    with console.capture() as captured:
        console.print(view.draw())
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", captured.get())


def test_the_live_part_shows_what_runs_and_what_it_waits_for(cli: Cli) -> None:
    events: list[Event] = [
        started(1, "application"),
        StepDone(number=1, title="application", seconds=1.0),
        started(2, "service principal"),
        waiting("application", seconds=4, waited=3.0),
    ]

    lines = shown_live(cli, events, advance=1.5).splitlines()

    assert lines[0].endswith(" [2/2] service principal  1.5 s")
    assert lines[1] == "    waiting 4.5 s (again in 2 s) for application: HTTP 404"
    assert lines[2] == "1 of 2 steps done, 1.5 s"


def test_the_live_part_is_cut_to_the_terminal(cli: Cli) -> None:
    drawn = shown_live(cli, [started(1, "x" * 200), waiting("y" * 200)], columns=60)

    assert len(drawn.splitlines()) == 3
    assert max(len(line) for line in drawn.splitlines()) <= 60


@pytest.mark.parametrize(("later", "shown"), [(1.0, "again in 1 s"), (2.5, "(asking)"), (20.0, "")])
def test_a_wait_goes_when_nobody_renews_it(cli: Cli, later: float, shown: str) -> None:
    drawn = shown_live(cli, [started(0, "reading", total=0), waiting("x")], advance=later)

    assert shown in drawn
    assert ("waiting" in drawn) is bool(shown)
    assert "steps done" not in drawn


def test_a_finished_step_takes_its_waits_along(cli: Cli) -> None:
    events: list[Event] = [started(1, "a"), waiting("x"), StepDone(number=1, title="a", seconds=1)]

    assert "waiting" not in shown_live(cli, events)


def on_terminal(text: str) -> str:
    """What stays on a terminal, near enough: control sequences taken out."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def test_on_a_terminal_finished_steps_stay_with_a_sign(cli: Cli) -> None:
    cli.variables["TERM"] = "xterm"

    def body(run: Run) -> Result:
        run.progress(started(1, "application"))
        run.progress(waiting("application"))
        run.progress(StepDone(number=1, title="application", seconds=1.0, detail="made"))
        run.progress(started(2, "fence"))
        run.progress(StepFailed(number=2, title="fence", seconds=1.0, message="no"))
        return done("the result")

    ended = cli.body(body, terminal=True)

    shown = on_terminal(ended.err)
    assert "✓ [1/2] application: made  (1 s)" in shown
    assert "✗ [2/2] fence: failed: no  (1 s)" in shown
    assert "1 of 2 steps done in" in shown
    assert "\x1b[?25l" in ended.err, "the live part hid the cursor"
    assert ended.err.rindex("\x1b[?25h") > ended.err.rindex("\x1b[?25l"), "and gave it back"
    assert "the result" in ended.out


def test_a_dumb_terminal_gets_lines(cli: Cli) -> None:
    cli.variables["TERM"] = "dumb"

    def body(run: Run) -> Result:
        run.progress(started(1, "application", total=1))
        run.progress(waiting("application"))
        return done()

    ended = cli.body(body, terminal=True)
    assert "\x1b[?25l" not in ended.err
    assert "waiting for application" in ended.err


def test_the_prompt_takes_the_live_part_away_first(cli: Cli) -> None:
    cli.variables["TERM"] = "xterm"

    def body(run: Run) -> Result:
        run.progress(started(0, "reading the tenant", total=0))
        confirm_changes(run, changes=8, tenant="contoso.example", who="admin@contoso.example")
        return done()

    ended = cli.body(body, writes=True, typed="y\n", terminal=True)
    assert ended.code == 0
    assert ended.err.index("\x1b[?25h") < ended.err.index("Make these 8 changes")


def test_events_may_come_from_many_threads(cli: Cli) -> None:
    def body(run: Run) -> Result:
        def work(number: int) -> None:
            run.progress(started(number, f"step {number}", total=20))
            run.progress(waiting(f"object {number}"))
            run.progress(StepDone(number=number, title=f"step {number}", seconds=0.1))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 21)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return done()

    lines = cli.body(body).err.splitlines()
    assert sorted(line for line in lines if "step" in line and "[" in line) == sorted(
        f"[{number}/20] step {number}  (0.1 s)" for number in range(1, 21)
    )
    assert lines[-1].startswith("20 of 20 steps done in")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "under 0.1 s"),
        (0.04, "under 0.1 s"),
        (0.44, "0.4 s"),
        (2.0, "2 s"),
        (9.96, "10 s"),
        (12.7, "12 s"),
        (125, "2 min 5 s"),
    ],
)
def test_times_of_a_running_display(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text
