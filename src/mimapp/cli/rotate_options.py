"""The options of `mimapp rotate`, which `mimapp schedule` takes as well, and of what shows how a hand-over stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mimapp.cli import shared_options as shared
from mimapp.cli.kinds import DURATION, FLAG, TEXT, TEXTS, choice
from mimapp.cli.options import option

__all__ = ["HandOverOptions", "RotateOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateOptions:
    """When, where to, and how it is handed over."""

    if_due: bool = option(FLAG, "--if-due", default=False, help="do nothing until the secret is due")
    before: timedelta | None = shared.before()  # noqa: RUF009 - makes a dataclasses.field
    interval: timedelta = shared.interval(  # noqa: RUF009 - makes a dataclasses.field
        "how often this is run: fewer than five runs before its end a secret is due in any case; default: 1d"
    )
    jitter: timedelta = option(  # noqa: RUF009 - makes a dataclasses.field
        DURATION,
        "--jitter",
        default=timedelta(),
        setting=True,
        help="without a terminal, wait a random time up to this before a secret is issued; default: 0s",
    )
    again: bool = option(
        FLAG, "--again", default=False, help="issue one although a successor still waits for its hand-over"
    )
    secret_to: tuple[str, ...] = shared.secret_to()
    secret_lifetime: timedelta = shared.secret_lifetime()  # noqa: RUF009 - makes a dataclasses.field
    overlap: timedelta = shared.overlap()  # noqa: RUF009 - makes a dataclasses.field
    deploy_hook: str | None = option(
        TEXT,
        "--deploy-hook",
        default=None,
        metavar="COMMAND",
        setting=True,
        help="hands the secret to MIM; its success is evidence that MIM uses it",
    )
    pre_hook: str | None = option(
        TEXT,
        "--pre-hook",
        default=None,
        metavar="COMMAND",
        setting=True,
        help="run before anything is issued or handed over",
    )
    post_hook: str | None = option(
        TEXT, "--post-hook", default=None, metavar="COMMAND", setting=True, help="run after it, whatever came of it"
    )
    hook_stdin: str = option(
        choice("nothing", "secret"),
        "--hook-stdin",
        default="nothing",
        setting=True,
        help="what the deploy hook reads on stdin; default: nothing",
    )
    nodes: tuple[str, ...] = shared.nodes("every MIM server: the hook runs, and evidence counts, for each")
    trust_signin_report: bool = option(
        FLAG,
        "--trust-signin-report",
        default=False,
        setting=True,
        help="take Graph's sign-in report as evidence, under its conditions",
    )
    compromised: tuple[str, ...] = option(
        TEXTS,
        "--compromised",
        default=(),
        metavar="KEYID",
        help="a client secret that others know: it is replaced, and revoked in this run once MIM has the new one",
    )
    confirm: tuple[str, ...] = option(
        TEXTS, "--confirm", default=(), metavar="KEYID", help="with --compromised: the same key id, typed again"
    )
    replication_window: timedelta = shared.replication_window()  # noqa: RUF009 - makes a dataclasses.field


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverOptions:
    """What counts as evidence, and where secrets are kept: for commands that show how a hand-over stands."""

    overlap: timedelta = shared.overlap()  # noqa: RUF009 - makes a dataclasses.field
    nodes: tuple[str, ...] = shared.nodes()
    secret_to: tuple[str, ...] = shared.secret_to("where client secrets are kept")
