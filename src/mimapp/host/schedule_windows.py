"""A schedule for Windows' Task Scheduler: a task's XML, as a group-managed service account or as SYSTEM.

No password is stored: SYSTEM has none, and Windows fetches a gMSA's itself (the logon type is Password all the same).
A task cannot set variables, so ``cmd.exe`` does; between its double quotes only a percent sign and a double quote keep
a meaning, and words that hold one are refused. A failed run ends with its exit code, which the history shows.

Schema: https://learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema. Not yet executed on Windows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from mimapp.errors import UsageError
from mimapp.host.schedule import ScheduleFile, flat

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.host.schedule import Job

__all__ = ["SYSTEM", "windows_file"]

SYSTEM: Final = "SYSTEM"
_SYSTEM_SID: Final = "S-1-5-18"
_GMSA: Final = re.compile(r"[^\\/\"\[\]:;|=,+*?<>\s]+\\[^\\/\"\[\]:;|=,+*?<>\s]+\$")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_@/.,:+\\-]+")
_DAY: Final = 24
#: https://learn.microsoft.com/troubleshoot/windows-client/shell-experience/command-line-string-limitation
_LONGEST: Final = 8191


def windows_file(job: Job, *, account: str, start: datetime) -> ScheduleFile:
    r"""The task.

    Args:
        job: what is run.
        account: ``SYSTEM``, or ``DOMAIN\name$`` of a gMSA.
        start: the day of its first run.

    Raises:
        UsageError: the account is neither, or a word cannot be quoted.
    """
    if account.upper() == SYSTEM:
        principal = f"<UserId>{_SYSTEM_SID}</UserId>"
    elif _GMSA.fullmatch(account):
        principal = f"<UserId>{escape(account)}</UserId><LogonType>Password</LogonType>"
    else:
        raise UsageError(
            f"--account {account!r} is neither SYSTEM nor a group-managed account",
            hint="DOMAIN\\name$; any other account would need a stored password",
        )
    repetition = ""
    if job.times.every != _DAY:
        repetition = (
            f"<Repetition><Interval>PT{job.times.every}H</Interval><Duration>P1D</Duration>"
            "<StopAtDurationEnd>false</StopAtDurationEnd></Repetition>"
        )
    begin = f"{start:%Y-%m-%d}T{job.times.hour:02}:{job.times.minute:02}:00"
    text = f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>{escape(job.title)}</Description></RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
      <Enabled>true</Enabled>
      <StartBoundary>{begin}</StartBoundary>
      {repetition}
      <RandomDelay>PT30M</RandomDelay>
      <ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>
    </CalendarTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">{principal}<RunLevel>LeastPrivilege</RunLevel></Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>true</RunOnlyIfNetworkAvailable>
    <Enabled>true</Enabled>
    <ExecutionTimeLimit>PT1H</ExecutionTimeLimit>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>%SystemRoot%\\System32\\cmd.exe</Command>
      <Arguments>{escape(_arguments(job))}</Arguments>
    </Exec>
  </Actions>
</Task>
"""
    return ScheduleFile(name=f"{job.name}.xml", text=text.replace("      \n", ""), encoding="utf-16")


def _arguments(job: Job) -> str:
    """What ``cmd.exe`` gets; with ``/s`` it takes the first and the last double quote off, and nothing else."""
    variables = [f"set {_quoted(f'{name}={value}', always=True)}" for name, value in job.environment.items()]
    command = " ".join(_quoted(word) for word in (*job.program, *flat(job.words)))
    if job.on_failure:
        _refuse_controls(job.on_failure)
        command = f"({command}) || ({job.on_failure} & exit 1)"
    arguments = f'/d /s /c "{"&&".join([*variables, command])}"'
    if len(arguments) > _LONGEST:
        raise UsageError(
            f"the task's command is {len(arguments)} signs long, and cmd.exe takes {_LONGEST}",
            hint="put options into MIMAPP_HOME's config.toml on that machine",
        )
    return arguments


def _quoted(word: str, *, always: bool = False) -> str:
    _refuse_controls(word)
    if "%" in word or '"' in word:
        raise UsageError(f"{word!r} holds a percent sign or a double quote, which cmd.exe would change")
    if _PLAIN.fullmatch(word) and not always:
        return word
    ends = "\\" if word.endswith("\\") else ""  # a backslash before the closing quote would quote that
    return f'"{word}{ends}"'


def _refuse_controls(text: str) -> None:
    if not text.isprintable():
        raise UsageError(f"{text!r} holds a control character and cannot go into a task")
