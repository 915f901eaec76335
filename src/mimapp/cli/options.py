"""The options that every command, or every writing command, accepts; each is declared as `mimapp.cli.declare` says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from typing import Final

from mimapp.cli.connection_options import ConnectionOptions
from mimapp.cli.declare import Spec, argument, option, specs_of
from mimapp.cli.kinds import COUNT, DURATION, FLAG, PATH, TEXT, choice

__all__ = [
    "COMMAND_KEYS",
    "CommonOptions",
    "NoOptions",
    "Spec",
    "WriteOptions",
    "argument",
    "option",
    "specs_of",
]

RUN = "This run"
WRITING = "Writing"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOptions:
    """A command without options of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonOptions(ConnectionOptions):
    """What every command accepts, each after the command's name."""

    deadline: timedelta = option(  # noqa: RUF009 - makes a dataclasses.field
        DURATION,
        "--deadline",
        default=timedelta(minutes=10),
        setting=True,
        panel=RUN,
        help="how long the run may wait in all; default: 10m",
    )
    output: str = option(
        choice("text", "json", "html"),
        "--output",
        default="text",
        setting=True,
        panel=RUN,
        help="text for people, one JSON document, or a page where the command draws one",
    )
    quiet: bool = option(FLAG, "--quiet", "-q", default=False, setting=True, panel=RUN, help="no progress")
    verbose: int = option(
        COUNT,
        "--verbose",
        "-v",
        default=0,
        setting=True,
        panel=RUN,
        help="log to stderr; -vv more, -vvv other libraries too",
    )
    config: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH,
        "--config",
        default=None,
        panel=RUN,
        help="a configuration file that goes before the one under MIMAPP_HOME",
    )
    record: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH, "--record", default=None, panel=RUN, help="write all requests and replies to a file, without secrets"
    )
    anonymize: bool = option(
        FLAG,
        "--anonymize",
        default=False,
        panel=RUN,
        help="with --record: stand-ins for ids, names, domains and addresses",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """What every writing command accepts besides."""

    dry_run: bool = option(FLAG, "--dry-run", default=False, panel=WRITING, help="show the plan and change nothing")
    plan_out: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH, "--plan-out", default=None, panel=WRITING, help="write the plan to a file"
    )
    change_ref: str | None = option(
        TEXT,
        "--change-ref",
        default=None,
        metavar="TEXT",
        panel=WRITING,
        help="the change request that this belongs to; every write is recorded with it",
    )
    yes: bool = option(
        FLAG, "--yes", default=False, panel=WRITING, help="do not ask; needed where stdin is no terminal"
    )


#: Configuration keys of single commands' options: any command accepts a file that holds them. A test compares the list
#: with what the commands declare.
COMMAND_KEYS: Final[frozenset[str]] = frozenset(
    {
        "before",
        "deploy-hook",
        "group-owner",
        "hook-stdin",
        "interval",
        "jitter",
        "nodes",
        "outside",
        "overlap",
        "post-hook",
        "pre-hook",
        "replication-window",
        "secret-lifetime",
        "secret-to",
        "trust-signin-report",
        "wait-for-scope",
    }
)
