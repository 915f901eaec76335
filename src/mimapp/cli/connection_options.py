"""The options that say which tenant is meant, who signs in and how, and over which hosts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from typing import Final

from mimapp.cli.declare import option
from mimapp.cli.kinds import FLAG, PATH, SECRET, TEXT, choice
from mimapp.secret import Secret  # noqa: TC001 - as above

__all__ = ["AUTH_METHODS", "ConnectionOptions"]

#: What ``--auth`` takes; the words are those of `mimapp.identity.Method`, and a test compares them.
AUTH_METHODS: Final = (
    "browser",
    "device-code",
    "azure-cli",
    "azure-powershell",
    "client-secret",
    "certificate",
    "managed-identity",
    "workload-identity",
    "environment",
    "auto",
)

SIGN_IN: Final = "Tenant and sign-in"
APPLICATION: Final = "Sign-in as an application, or with one of your own"
HOSTS: Final = "Hosts"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOptions:
    """Which tenant, who, and over which hosts."""

    tenant: str | None = option(
        TEXT,
        "--tenant",
        default=None,
        metavar="NAME",
        setting=True,
        panel=SIGN_IN,
        help="the tenant, by a domain or its id; default: the mailbox's domain",
    )
    mailbox: str | None = option(
        TEXT, "--mailbox", default=None, metavar="ADDRESS", setting=True, panel=SIGN_IN, help="the MIM Service mailbox"
    )
    registration: str | None = option(
        TEXT,
        "--registration",
        default=None,
        metavar="KEY",
        setting=True,
        panel=SIGN_IN,
        help="which registration, where a tenant has several; default: from the mailbox",
    )
    cloud: str | None = option(
        TEXT,
        "--cloud",
        default=None,
        metavar="NAME",
        setting=True,
        panel=SIGN_IN,
        help="the Microsoft cloud; `mimapp clouds` lists them; default: the one that the tenant lives in",
    )
    auth: str | None = option(
        choice(*AUTH_METHODS),
        "--auth",
        default=None,
        metavar="METHOD",
        setting=True,
        panel=SIGN_IN,
        help=f"how you sign in: {', '.join(AUTH_METHODS)}; default: browser on a desktop, device-code without one",
    )
    graph_auth: str | None = option(
        choice(*AUTH_METHODS),
        "--graph-auth",
        default=None,
        metavar="METHOD",
        setting=True,
        panel=SIGN_IN,
        help="how you sign in to Microsoft Graph, where it is not --auth",
    )
    exchange_auth: str | None = option(
        choice(*AUTH_METHODS),
        "--exchange-auth",
        default=None,
        metavar="METHOD",
        setting=True,
        panel=SIGN_IN,
        help="how you sign in to Exchange Online, where it is not --auth",
    )
    user: str | None = option(
        TEXT,
        "--user",
        default=None,
        metavar="NAME",
        setting=True,
        panel=SIGN_IN,
        help="the account that you are going to sign in with, so that nobody asks which",
    )
    remember: bool = option(
        FLAG,
        "--remember",
        default=False,
        setting=True,
        panel=SIGN_IN,
        help="keep your sign-in for the next command, in this machine's protected storage or not at all",
    )
    sandbox: bool = option(
        FLAG,
        "--sandbox",
        default=False,
        panel=SIGN_IN,
        help="work on the embedded simulated tenant; no real host is ever asked",
    )
    client_id: str | None = option(
        TEXT,
        "--client-id",
        default=None,
        metavar="ID",
        setting=True,
        panel=APPLICATION,
        variable="AZURE_CLIENT_ID",
        help="the application or identity that signs in as itself",
    )
    client_secret_file: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH,
        "--client-secret-file",
        default=None,
        setting=True,
        panel=APPLICATION,
        help="a file that holds that application's secret, for client-secret",
    )
    client_secret: Secret | None = option(  # noqa: RUF009 - makes a dataclasses.field
        SECRET,
        default=None,
        panel=APPLICATION,
        variable="AZURE_CLIENT_SECRET",
        help="that application's secret, in azure-identity's own variable",
    )
    certificate: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH,
        "--certificate",
        default=None,
        setting=True,
        panel=APPLICATION,
        variable="AZURE_CLIENT_CERTIFICATE_PATH",
        help="a PEM or PFX file with that application's certificate and key, for certificate",
    )
    certificate_password_file: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH,
        "--certificate-password-file",
        default=None,
        setting=True,
        panel=APPLICATION,
        help="a file that holds the certificate's password; default: a terminal is asked",
    )
    certificate_password: Secret | None = option(  # noqa: RUF009 - makes a dataclasses.field
        SECRET,
        default=None,
        panel=APPLICATION,
        variable="AZURE_CLIENT_CERTIFICATE_PASSWORD",
        help="the certificate's password, in azure-identity's own variable",
    )
    graph_client_id: str | None = option(
        TEXT,
        "--graph-client-id",
        default=None,
        metavar="ID",
        setting=True,
        panel=APPLICATION,
        help="the client for Microsoft Graph, such as your own for a person; default for a person: Microsoft's",
    )
    exchange_client_id: str | None = option(
        TEXT,
        "--exchange-client-id",
        default=None,
        metavar="ID",
        setting=True,
        panel=APPLICATION,
        help="the client for Exchange Online, in the same way",
    )
    login_url: str | None = option(
        TEXT,
        "--login-url",
        default=None,
        metavar="URL",
        setting=True,
        panel=HOSTS,
        help="where sign-in requests go instead of the cloud's own host",
    )
    graph_url: str | None = option(
        TEXT, "--graph-url", default=None, metavar="URL", setting=True, panel=HOSTS, help="where Graph requests go"
    )
    exchange_url: str | None = option(
        TEXT,
        "--exchange-url",
        default=None,
        metavar="URL",
        setting=True,
        panel=HOSTS,
        help="where Exchange requests go",
    )
    graph_scope: str | None = option(
        TEXT,
        "--graph-scope",
        default=None,
        metavar="SCOPE",
        setting=True,
        panel=HOSTS,
        help="the scope of Graph tokens; default: the cloud's",
    )
    exchange_scope: str | None = option(
        TEXT,
        "--exchange-scope",
        default=None,
        metavar="SCOPE",
        setting=True,
        panel=HOSTS,
        help="the scope of Exchange tokens; default: the cloud's",
    )
    ca_bundle: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH,
        "--ca-bundle",
        default=None,
        setting=True,
        panel=HOSTS,
        help="certificates to trust in place of the system's store",
    )
