"""``mimapp verify``: so far, a probe for the MIM server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the decorator reads a dataclass's field types at run time

from mimapp.cli.command import Run, command
from mimapp.cli.files import file_result
from mimapp.cli.kinds import FLAG, PATH
from mimapp.cli.options import option
from mimapp.cli.result import Result  # noqa: TC001 - as above
from mimapp.errors import UsageError

__all__ = ["VerifyOptions", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """What is wanted."""

    print_probe: bool = option(
        FLAG, "--print-probe", default=False, help="print a script that proves the secret on the MIM server"
    )
    out: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH, "--out", default=None, help="the file to write the probe to; default: stdout"
    )


@command(VerifyOptions)
def verify(run: Run, options: VerifyOptions) -> Result:
    """Print a script that proves on the MIM server that its secret and its mailbox work.

    For a machine that a Conditional Access policy keeps from proving it itself. The script holds no secret: it asks.
    """
    from mimapp.cli.host_facts import registration_facts  # noqa: PLC0415 - brings every room
    from mimapp.clouds import DEFAULT_CLOUD, cloud  # noqa: PLC0415 - as above
    from mimapp.host.probe import probe_script  # noqa: PLC0415 - as above

    if not options.print_probe:
        raise UsageError("what is to be verified?", hint="add --print-probe: a script for the MIM server")
    facts = registration_facts(run)
    script = probe_script(
        application_id=facts.application_id,
        tenant_id=facts.tenant_id,
        mailbox=facts.mailbox,
        cloud=cloud(run.options.cloud or DEFAULT_CLOUD),
    )
    return file_result(
        schema="mimapp.probe/1",
        document={"name": script.name, "encoding": script.encoding, "content": script.text},
        text=script.text,
        encoded=script.encoded(),
        out=options.out,
        next_steps=("On the MIM server, as the account that runs MIM Service:", f"  powershell -File {script.name}"),
    )
