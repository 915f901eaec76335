"""``mimapp host tls``, ``collect``, ``secret-script``: scripts for the MIM server; no tenant, no sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from pathlib import Path  # noqa: TC003 - the decorator reads a dataclass's field types at run time

from mimapp.cli.command import Run, command
from mimapp.cli.files import file_result
from mimapp.cli.kinds import FLAG, MOMENT, PATH, TEXT, choice
from mimapp.cli.options import option
from mimapp.cli.result import Result  # noqa: TC001 - as above
from mimapp.errors import UsageError

__all__ = ["CollectOptions", "SecretScriptOptions", "TlsOptions", "collect", "secret_script", "tls"]

_SCRIPT = "script"
_REG = "reg"
_RUN = "powershell -ExecutionPolicy Bypass -File"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """Which form, and where to."""

    format: str = option(
        choice(_SCRIPT, _REG),
        "--format",
        default=_SCRIPT,
        help="a PowerShell script with backup, undo and -WhatIf, or a .reg file; default: script",
    )
    out: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH, "--out", default=None, help="the file to write; default: stdout"
    )
    disable_legacy: bool = option(
        FLAG, "--disable-legacy", default=False, help="turn TLS 1.0 and 1.1 off too, with what that does to MIM"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectOptions:
    """Where to."""

    out: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH, "--out", default=None, help="the file to write; default: stdout"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretScriptOptions:
    """Which form, what for, and where to."""

    account: str | None = option(choice("regular", "gmsa"), "--account", default=None, help="what MIM Service runs as")
    accept_unsupported: bool = option(
        FLAG, "--accept-unsupported", default=False, help="say that this is no documented procedure, and go on"
    )
    application_id: str = option(
        TEXT, "--application-id", default="", metavar="ID", help="the application that the server must be using"
    )
    key_id: str = option(
        TEXT, "--key-id", default="", metavar="ID", help="the new secret's key id, for the result file"
    )
    old_secret_expires: datetime | None = option(  # noqa: RUF009 - makes a dataclasses.field
        MOMENT, "--old-secret-expires", default=None, help="until when taking the old secret back makes sense"
    )
    out: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH, "--out", default=None, help="the file to write; default: stdout"
    )


@command(TlsOptions)
def tls(_run: Run, options: TlsOptions) -> Result:
    """Make the script that sets TLS 1.2 and .NET strong cryptography right on the MIM server.

    It needs no tenant and no sign-in. The script leaves what is right as it is, and can be undone; run it with -WhatIf
    first.
    """
    from mimapp.host.tls import settings, tls_reg, tls_script  # noqa: PLC0415 - help need not read templates

    is_reg = options.format == _REG
    made = (tls_reg if is_reg else tls_script)(disable_legacy=options.disable_legacy)
    name = made.name if options.out is None else options.out.name
    how = f"reg import {name}" if is_reg else f"{_RUN} {name} -WhatIf"
    return file_result(
        schema="mimapp.host-tls/1",
        document={
            "name": made.name,
            "encoding": made.encoding,
            "content": made.text,
            "settings": [
                {"key": row.key, "name": row.name, "data": row.data}
                for row in settings(disable_legacy=options.disable_legacy)
            ],
        },
        text=made.text,
        encoded=made.encoded(),
        out=options.out,
        next_steps=(f"On the MIM server, as an administrator: {how}",),
    )


@command(CollectOptions)
def collect(run: Run, options: CollectOptions) -> Result:
    """Make the script that reads on the MIM server what `mimapp host check` judges; it changes nothing there.

    It needs no tenant and no sign-in; --cloud says which hosts the server has to reach. The script reads no secret:
    secret and token only as present, with length and time.
    """
    from mimapp.cli.host_facts import cloud_hosts  # noqa: PLC0415 - help need not read templates
    from mimapp.host.collect import collect_script  # noqa: PLC0415 - as above

    hosts = cloud_hosts(run.options.cloud)
    made = collect_script(hosts)
    name = made.name if options.out is None else options.out.name
    return file_result(
        schema="mimapp.host-collect/1",
        document={"name": made.name, "encoding": made.encoding, "content": made.text, "hosts": list(hosts)},
        text=made.text,
        encoded=made.encoded(),
        out=options.out,
        next_steps=(
            f"On the MIM server, as an administrator: {_RUN} {name}",
            "Then, anywhere: mimapp host check FILE, with the file that it wrote",
        ),
    )


@command(SecretScriptOptions)
def secret_script(_run: Run, options: SecretScriptOptions) -> Result:
    """Make the script that gives MIM Service a new client secret unattended; it holds no secret itself.

    It needs no tenant and no sign-in. The documented way is Change mode, with `mimapp host sheet`; this script follows
    Microsoft's published mechanism for a neighbouring value, and --accept-unsupported says that you know.
    """
    from mimapp.host.options import Account  # noqa: PLC0415 - help need not read templates
    from mimapp.host.secret_script import secret_script as make  # noqa: PLC0415 - as above

    if options.account is None:
        raise UsageError("what does MIM Service run as?", hint="--account regular, or --account gmsa")
    made = make(
        Account(options.account),
        accept_unsupported=options.accept_unsupported,
        application_id=options.application_id,
        key_id=options.key_id,
        old_secret_expires=options.old_secret_expires,
    )
    name = made.name if options.out is None else options.out.name
    return file_result(
        schema="mimapp.host-secret-script/1",
        document={"name": made.name, "encoding": made.encoding, "content": made.text},
        text=made.text,
        encoded=made.encoded(),
        out=options.out,
        next_steps=(
            "The order of its phases stands at its head. First, on the MIM server, as an administrator:",
            f"  {_RUN} {name} -Phase Apply -WhatIf",
        ),
    )
