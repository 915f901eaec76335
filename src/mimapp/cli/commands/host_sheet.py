"""``mimapp host sheet``: what to type in the MIM installer, filled in for one registration."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.files import file_result
from mimapp.cli.kinds import PATH, TEXT, choice
from mimapp.cli.options import option as declared
from mimapp.errors import UsageError

if TYPE_CHECKING:
    from mimapp.cli.result import JsonValue, Result
    from mimapp.host.options import InstallerOption, MailServer

__all__ = ["SheetOptions", "sheet"]

#: The words of `mimapp.host.options`, written again so that help need not import that room; a test compares them.
MAIL_SERVERS = ("exchange", "office-365", "office-365-21vianet", "office-365-government", "smtp", "none")
AUTHENTICATIONS = ("basic", "application-context", "integrated-windows")
ACCOUNTS = ("regular", "gmsa")


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetOptions:
    """Which of the installer's options, and the form of the sheet."""

    option: str | None = declared(TEXT, "--option", default=None, metavar="LETTER", help="the guide's letter, A to I")
    mail_server: str | None = declared(
        choice(*MAIL_SERVERS),
        "--mail-server",
        default=None,
        metavar="SERVER",
        help=f"in place of the letter, one of {', '.join(MAIL_SERVERS)}",
    )
    auth_method: str | None = declared(
        choice(*AUTHENTICATIONS),
        "--auth-method",
        default=None,
        metavar="METHOD",
        help=f"with --mail-server, one of {', '.join(AUTHENTICATIONS)}",
    )
    account: str | None = declared(
        choice(*ACCOUNTS), "--account", default=None, help="with --mail-server, what MIM Service runs as"
    )
    account_name: str | None = declared(
        TEXT, "--account-name", default=None, metavar="NAME", help="the service account as it is typed"
    )
    account_domain: str | None = declared(
        TEXT, "--account-domain", default=None, metavar="DOMAIN", help="the account's domain as it is typed"
    )
    uninstall_string: str | None = declared(
        TEXT, "--uninstall-string", default=None, help="the server's UninstallString: the sheet is for Change mode"
    )
    format: str = declared(
        choice("text", "markdown", "html"), "--format", default="text", help="the form of the sheet; default: text"
    )
    out: Path | None = declared(  # noqa: RUF009 - makes a dataclasses.field
        PATH, "--out", default=None, help="the file to write the sheet to; default: stdout"
    )


@command(SheetOptions, draws=True)
def sheet(run: Run, options: SheetOptions) -> Result:
    """Print the filled sheet for the MIM installer: page by page, what to type and what each pop-up means.

    The installer's option is named by its letter, or by --mail-server, --auth-method and --account.
    """
    from mimapp.cli.host_facts import registration_facts  # noqa: PLC0415 - help need not import the room
    from mimapp.host.pages import AccountNames  # noqa: PLC0415 - as above
    from mimapp.host.sheet import sheet as filled_sheet  # noqa: PLC0415 - as above
    from mimapp.host.sheet_html import sheet_html  # noqa: PLC0415 - as above
    from mimapp.host.sheet_text import sheet_json, sheet_markdown, sheet_text  # noqa: PLC0415 - as above

    row, server = _chosen(options)
    given = {"name": options.account_name, "domain": options.account_domain}
    names = AccountNames(**{key: value for key, value in given.items() if value is not None})
    found = filled_sheet(
        row,
        registration_facts(run),
        now=run.world.clock.now(),
        mail_server=server,
        names=names,
        uninstall_string=options.uninstall_string,
    )
    document: dict[str, JsonValue] = json.loads(sheet_json(found))
    form = "html" if run.options.output == "html" else options.format
    text = {"text": sheet_text, "markdown": sheet_markdown, "html": sheet_html}[form](found)
    return file_result(
        schema="mimapp.host-sheet/1", document=document, text=text, encoded=text.encode(), out=options.out
    )


def _chosen(options: SheetOptions) -> tuple[InstallerOption, MailServer | None]:
    """The installer's option, and the mail server where it was named.

    Raises:
        UsageError: neither a letter nor server and account, both, or no such combination.
    """
    from mimapp.host.options import Account, Authentication, MailServer, choose  # noqa: PLC0415 - help need not import it
    from mimapp.host.options import option as by_letter  # noqa: PLC0415 - as above

    server = None if options.mail_server is None else MailServer(options.mail_server)
    hint = "--option H, or --mail-server office-365 --auth-method application-context --account gmsa"
    if options.option is not None:
        if options.auth_method is not None or options.account is not None:
            raise UsageError("--option says the authentication and the account already", hint=hint)
        return by_letter(options.option), server
    if server is None or options.account is None:
        raise UsageError("which option of the installer?", hint=hint)
    authentication = None if options.auth_method is None else Authentication(options.auth_method)
    return choose(server, authentication, Account(options.account)), server
