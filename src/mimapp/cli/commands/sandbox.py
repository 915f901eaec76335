"""``mimapp sandbox``: the simulated tenant, served to other programs, with what reality leaves behind, or empty."""

from __future__ import annotations

import shutil
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.home import make_home
from mimapp.cli.kinds import FLAG, NUMBER, PATH, TEXT, TEXTS, choice
from mimapp.cli.options import NoOptions, option
from mimapp.cli.result import Line, Raw, Result
from mimapp.errors import UsageError
from mimapp.spec import Registration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.sandbox import Sandbox, Weather
    from mimapp.sandbox.server import Served

__all__ = ["SeedOptions", "ServeOptions", "reset", "seed", "serve"]

_PORT = 8443
_CONTOSO = "contoso.onmicrosoft.com"
_LAST_PORT = 65535
#: Folders below ``MIMAPP_HOME`` that hold what mimapp knows of a tenant, each under the tenant's id.
_KEPT_BY_TENANT = ("journal", "secrets")
WEATHER = "Weather"
OBSTACLES = "What stands in the way"
#: As `mimapp.sandbox.obstacles.MailboxKind` has them, which help need not import.
_MAILBOX_KINDS = {
    "shared": "SharedMailbox",
    "room": "RoomMailbox",
    "equipment": "EquipmentMailbox",
    "on-premises": "MailUser",
    "inactive": "inactive",
    "soft-deleted": "soft-deleted",
    "unlicensed": "unlicensed",
    "abroad": "abroad",
    "twice": "twice",
}
_SECRET_RULES: dict[str, tuple[dict[str, str], ...]] = {
    "forbidden": ({"restrictionType": "passwordAddition", "state": "enabled"},),
    "short": ({"restrictionType": "passwordLifetime", "state": "enabled", "maxLifetime": "P90D"},),
    "any": (),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Where it answers, and how badly it behaves."""

    host: str = option(TEXT, "--host", default="127.0.0.1", help="a loopback address; default: 127.0.0.1")
    port: int = option(NUMBER, "--port", default=_PORT, help=f"the port, 0 for any free one; default: {_PORT}")
    latency: str | None = option(
        TEXT,
        "--latency",
        default=None,
        metavar="DURATION",
        panel=WEATHER,
        help="how long every request takes, such as 40ms",
    )
    lag: str | None = option(
        TEXT,
        "--lag",
        default=None,
        metavar="DURATION",
        panel=WEATHER,
        help="how long a write takes to reach every replica, such as 5s",
    )
    throttle: str | None = option(
        TEXT,
        "--throttle",
        default=None,
        metavar="SHARE",
        panel=WEATHER,
        help="the share of requests that are turned away, such as 0.1",
    )
    lose_replies: str | None = option(
        TEXT,
        "--lose-replies",
        default=None,
        metavar="SHARE",
        panel=WEATHER,
        help="the share of requests whose connection breaks, such as 0.05",
    )
    fault: tuple[str, ...] = option(
        TEXTS,
        "--fault",
        default=(),
        panel=WEATHER,
        help="a trouble made on purpose, such as 'POST /v1.0/applications 503 x2'",
    )
    seed: str | None = option(
        TEXT, "--seed", default=None, metavar="N", panel=WEATHER, help="the same seed gives the same schedule"
    )
    weather: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH, "--weather", default=None, panel=WEATHER, help="a TOML file with these options in place of them"
    )


@command(ServeOptions)
def serve(run: Run, options: ServeOptions) -> Result:
    """Serve the simulated tenant on a loopback TLS socket until it is interrupted.

    When it answers it prints one line of JSON: where it is, whose certificate to trust, and the variables that make
    mimapp in another shell use it.
    """
    if options.port > _LAST_PORT:
        raise UsageError(f"--port: {options.port} is no port", hint=f"0 to {_LAST_PORT}")

    def ready(served: Served) -> None:
        run.world.stdout.write(f"{ready_line(sandbox, served)}\n")
        run.world.stdout.flush()

    with _opened(run, options) as sandbox:
        from mimapp.sandbox.server import ready_line  # noqa: PLC0415 - the parts of the extra
        from mimapp.sandbox.server import serve as serve_until_interrupted  # noqa: PLC0415 - as above

        serve_until_interrupted(sandbox, host=options.host, port=options.port, on_ready=ready)
    return Result(schema="mimapp.sandbox-serve/1", document={}, text=Raw(""))


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedOptions:
    """What is to be there."""

    portal_app: bool = option(
        FLAG, "--portal-app", default=False, help="an application made by hand, with User.Read and its delegated grant"
    )
    script_app: bool = option(
        FLAG, "--script-app", default=False, help="what Microsoft's retired script made: application, group and policy"
    )
    soft_deleted: bool = option(
        FLAG, "--soft-deleted", default=False, help="a deleted application that still holds the registration's key"
    )
    foreign_secret: bool = option(
        FLAG, "--foreign-secret", default=False, help="a secret on the registered application that mimapp did not issue"
    )
    ews: str | None = option(
        choice("null", "null-list", "true-empty", "true-list", "false", "false-list", "mailbox-off"),
        "--ews",
        default=None,
        help="the organisation's EWS switch and list, or the mailboxes' own switch",
    )
    mailbox_kind: str | None = option(
        choice(*_MAILBOX_KINDS),
        "--mailbox-kind",
        default=None,
        metavar="KIND",
        panel=OBSTACLES,
        help=f"what the MIM mailbox turns out to be: {', '.join(_MAILBOX_KINDS)}",
    )
    secrets: str | None = option(
        choice("forbidden", "short", "any"),
        "--secrets",
        default=None,
        panel=OBSTACLES,
        help="the tenant's policy about client secrets; short: 90 days at most",
    )
    no_premium: bool = option(
        FLAG, "--no-premium", default=False, panel=OBSTACLES, help="no licence with Microsoft Entra ID P1 or P2"
    )
    service_reference: bool = option(
        FLAG,
        "--service-reference",
        default=False,
        panel=OBSTACLES,
        help="no application is made without a service management reference",
    )


@command(SeedOptions)
def seed(run: Run, options: SeedOptions) -> Result:
    """Put into the simulated tenant what reality leaves behind; a tenant that is not there yet is made.

    --tenant, --mailbox and --registration say where and for whom; without them it is contoso's MIMService.
    """
    registration = Registration(
        mailbox=run.options.mailbox or f"MIMService@{run.options.tenant or _CONTOSO}",
        key=run.options.registration or "",
    )
    tenant = run.options.tenant or registration.mailbox.partition("@")[2]
    with _opened(run, None) as sandbox:
        from mimapp.sandbox import obstacles, scenarios  # noqa: PLC0415 - the parts of the extra

        made = [scenarios.ensure_tenant(sandbox, tenant)]
        if options.portal_app:
            made.append(scenarios.portal_app(sandbox, tenant))
        if options.script_app:
            made.append(scenarios.script_app(sandbox, tenant))
        if options.soft_deleted:
            made.append(scenarios.soft_deleted_app(sandbox, registration.unique_name, tenant))
        if options.foreign_secret:
            made.append(
                scenarios.foreign_secret(sandbox, registration.unique_name, label="made by hand", tenant=tenant)
            )
        if options.ews is not None:
            made.append(scenarios.set_ews_state(sandbox, scenarios.EwsState(options.ews), tenant))
        if options.mailbox_kind is not None:
            kind = obstacles.MailboxKind(_MAILBOX_KINDS[options.mailbox_kind])
            made.append(obstacles.change_mailbox(sandbox, kind, tenant))
        if options.secrets is not None:
            made.append(obstacles.set_default_policy(sandbox, *_SECRET_RULES[options.secrets], tenant=tenant))
        if options.no_premium:
            made.append(obstacles.without_premium(sandbox, tenant))
        if options.service_reference:
            made.append(obstacles.want_service_reference(sandbox, tenant))
        info = sandbox.info(tenant)
    return Result(
        schema="mimapp.sandbox-seed/1",
        document={
            "tenantId": info.tenant_id,
            "tenantName": info.tenant_name,
            "mailbox": info.mailbox,
            "made": [{"what": thing.what, "applicationId": thing.app_id} for thing in made],
        },
        text=tuple(Line(f"{thing.what}{f' ({thing.app_id})' if thing.app_id else ''}") for thing in made),
    )


@command(NoOptions)
def reset(run: Run, _options: NoOptions) -> Result:
    """Empty the sandbox: every simulated tenant, and what mimapp kept of it, goes; a fresh contoso comes.

    Its certificates, its keys and the record of writes stay. A sandbox that is being served is emptied too.
    """
    with _opened(run, None) as sandbox:
        from mimapp.sandbox.seed import seed_tenant  # noqa: PLC0415 - the parts of the extra
        from mimapp.sandbox.tenants import all_tenants  # noqa: PLC0415 - as above

        with sandbox.state.transaction() as tx:
            gone = all_tenants(tx)
            for tenant in gone:
                tx.clear(tenant.id)
            seed_tenant(tx)
        fresh = sandbox.info()
    for tenant in gone:
        for folder in _KEPT_BY_TENANT:
            shutil.rmtree(run.home / folder / tenant.id, ignore_errors=True)
    return Result(
        schema="mimapp.sandbox-reset/1",
        document={
            "removed": [tenant.domain for tenant in gone],
            "tenantId": fresh.tenant_id,
            "tenantName": fresh.tenant_name,
        },
        text=(Line(f"The sandbox holds {fresh.tenant_name} as it was at first."),),
    )


@contextmanager
def _opened(run: Run, options: ServeOptions | None) -> Iterator[Sandbox]:
    """The sandbox under ``MIMAPP_HOME``; its own failures become usage errors.

    Raises:
        UsageError: the extra is not installed, an option makes no sense, or the sandbox cannot work.
    """
    try:
        import cheroot  # noqa: F401, PLC0415 - tells early, in words, that the extra is missing

        from mimapp.sandbox import SandboxError, Weather, open_sandbox  # noqa: PLC0415 - the parts of the extra
    except ImportError as error:
        raise UsageError("the sandbox needs its extra parts", hint="pip install 'mimapp[sandbox]'") from error
    try:
        weather = Weather() if options is None else _weather(options)
        with closing(open_sandbox(make_home(run.home), clock=run.world.clock, weather=weather)) as sandbox:
            yield sandbox
    except SandboxError as error:
        raise UsageError(str(error)) from error


def _weather(options: ServeOptions) -> Weather:
    from mimapp.sandbox import Weather  # noqa: PLC0415 - the parts of the extra

    singles = {
        "latency": options.latency,
        "lag": options.lag,
        "throttle": options.throttle,
        "lose_replies": options.lose_replies,
        "seed": options.seed,
    }
    if options.weather is None:
        return Weather.parse(faults=options.fault, **singles)
    given = [name for name, value in {**singles, "fault": options.fault}.items() if value]
    if given:
        raise UsageError(f"--weather and --{given[0].replace('_', '-')} do not go together")
    return Weather.from_toml(options.weather)
