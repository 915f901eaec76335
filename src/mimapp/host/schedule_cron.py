"""A schedule for cron: one line of a crontab between two marks, so that it can be replaced and taken out again.

What a good run prints goes nowhere; what a failed one says goes to stderr, which cron mails. A percent sign ends a
command in a crontab (crontab(5)) and is escaped.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mimapp.errors import UsageError
from mimapp.host.schedule import ScheduleFile, flat

if TYPE_CHECKING:
    from mimapp.host.schedule import Job

__all__ = ["cron_file", "merged"]


def cron_file(job: Job) -> ScheduleFile:
    """The lines of a crontab."""
    variables = [f"{name}={value}" for name, value in job.environment.items()]
    words = ["/usr/bin/env", *variables, *job.program, *flat(job.words)]
    command = f"{shlex.join(words)} >/dev/null"
    if job.on_failure:
        command = f"{{ {command}; }} || {job.on_failure}"
    if not command.isprintable():
        raise UsageError("a control character cannot go into a crontab")
    escaped = command.replace("%", "\\%")
    text = f"{_begin(job.name)}\n# {job.title}\n{job.times.cron} {escaped}\n{_end(job.name)}\n"
    return ScheduleFile(name=f"{job.name}.crontab", text=text)


def merged(crontab: str, job: Job) -> str:
    """A crontab with the job's lines, in place of those that stand there already."""
    kept: list[str] = []
    is_ours = False
    for line in crontab.splitlines():
        if line == _begin(job.name):
            is_ours = True
        if not is_ours:
            kept.append(line)
        if line == _end(job.name):
            is_ours = False
    if is_ours:
        raise UsageError(f"the crontab has the line {_begin(job.name)!r} and no end of it", hint="repair: crontab -e")
    return "".join(f"{line}\n" for line in kept) + cron_file(job).text


def _begin(name: str) -> str:
    return f"# BEGIN {name}"


def _end(name: str) -> str:
    return f"# END {name}"
