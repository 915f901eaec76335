"""The static table of commands: ``mimapp --help`` is written from it alone, and imports no command module.

A command stands here once it works. A test compares every help text with the command's own.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

__all__ = ["TABLE", "Group", "Name", "below", "commands"]

REGISTERING: Final = "Register and prove"
SECRETS: Final = "Secrets"
SERVER: Final = "The MIM server"
AROUND: Final = "Around it"


class Name(NamedTuple):
    """One command.

    Attributes:
        path: its words after ``mimapp``.
        module: where it is defined, below `mimapp.cli.commands`.
        attribute: its name there.
        help: the first line of its help.
        panel: the heading it stands under; inside a group there is only one.
    """

    path: str
    module: str
    attribute: str
    help: str
    panel: str = ""


class Group(NamedTuple):
    """A word with commands below it."""

    path: str
    help: str
    panel: str


Row: TypeAlias = Name | Group

#: In the order of help and of docs/cli.md.
TABLE: Final[tuple[Row, ...]] = (
    Name(
        "check",
        "check",
        "check",
        "Check everything before the first write: rights, mailbox, policies, store, group, EWS; it changes nothing.",
        REGISTERING,
    ),
    Name(
        "register",
        "register",
        "register",
        "Register the application for a mailbox: scoped, consented, on the EWS list, with a stored secret.",
        REGISTERING,
    ),
    Name(
        "status",
        "status",
        "status",
        "Show a registration on one screen: rights, restriction, EWS, secrets, hand-over, what comes next and when.",
        REGISTERING,
    ),
    Name(
        "explain",
        "explain",
        "explain",
        "Explain an AADSTS code, installer pop-up, EWS answer, event 12, or MIM's token message: causes and remedies.",
        REGISTERING,
    ),
    Name(
        "lockdown",
        "lockdown",
        "lockdown",
        "Stop the application from signing in at once, and list every way into it; --release undoes it.",
        REGISTERING,
    ),
    Name(
        "unregister",
        "unregister",
        "unregister",
        "Take a registration away: secrets, consent, EWS entry, application; then, two hours later, policy and group.",
        REGISTERING,
    ),
    Name(
        "verify",
        "verify",
        "verify",
        "Be MIM Service for a moment: sign in with its secret, open its mailbox, be refused elsewhere; say what fails.",
        REGISTERING,
    ),
    Group("scope", "Who the application reaches, and how that is known.", REGISTERING),
    Name(
        "scope show",
        "scope",
        "show",
        "Show who the application reaches, by which right, proven when and how, and what is not as it should be.",
    ),
    Name(
        "scope test",
        "scope",
        "test",
        "Ask Exchange's test cmdlets about the mailbox and one outside; and EWS itself where --outside names one.",
    ),
    Name(
        "scope migrate",
        "scope_migrate",
        "migrate",
        "Go from the access policy to a role in Exchange, in two runs two hours apart, each step proven.",
    ),
    Group("ews", "Whether EWS answers the application, and its place on the tenant's list.", REGISTERING),
    Name(
        "ews status",
        "ews",
        "status",
        "Say whether EWS answers the application now, why, and until when; it changes nothing.",
    ),
    Name(
        "ews allow",
        "ews",
        "allow",
        "Put the application on the tenant's EWS allow list, and keep every other entry.",
    ),
    Name(
        "consent",
        "consent",
        "consent",
        "Consent to the application, once its fence stands: by API, in a browser, or by a link for somebody else.",
        REGISTERING,
    ),
    Name(
        "apply",
        "apply",
        "apply",
        "Carry out a plan that --plan-out wrote to a file, and nothing that is not in it.",
        REGISTERING,
    ),
    Name(
        "rotate",
        "rotate",
        "rotate",
        "Replace the client secret: issue and store a new one, prove it, hand it over; revoke the old one much later.",
        SECRETS,
    ),
    Group("handover", "Whether MIM uses the new secret, which no service can tell.", SECRETS),
    Name(
        "handover confirm",
        "handover",
        "confirm",
        "Say that MIM uses a client secret now: evidence by which every older one of mimapp's may be revoked later.",
    ),
    Name(
        "handover show",
        "handover",
        "show",
        "List mimapp's client secrets with the evidence that MIM uses each, and when the older ones may go.",
    ),
    Name(
        "retire",
        "retire",
        "retire",
        "Revoke old client secrets: only mimapp's own, only with evidence that MIM uses a newer, proven one.",
        SECRETS,
    ),
    Name(
        "schedule",
        "schedule",
        "schedule",
        "Print or install a schedule for mimapp rotate --if-due: systemd, cron, Windows, Kubernetes, GitHub Actions.",
        SECRETS,
    ),
    Group("secret", "The client secret and every other way into the application.", SECRETS),
    Name(
        "secret list",
        "secret",
        "list_",
        "List every secret, certificate and federated credential of the application, and whose each is.",
    ),
    Name("secret show", "secret", "show", "Print the stored client secret, and nothing else; nobody signs in."),
    Group("host", "What the MIM server's administrator types, runs and reads.", SERVER),
    Name(
        "host sheet",
        "host_sheet",
        "sheet",
        "Print the filled sheet for the MIM installer: page by page, what to type and what each pop-up means.",
    ),
    Name(
        "host tls",
        "host_scripts",
        "tls",
        "Make the script that sets TLS 1.2 and .NET strong cryptography right on the MIM server.",
    ),
    Name(
        "host collect",
        "host_scripts",
        "collect",
        "Make the script that reads on the MIM server what `mimapp host check` judges; it changes nothing there.",
    ),
    Name(
        "host check",
        "host_check",
        "check",
        "Judge what was read on the MIM server: build, TLS, ids, secret, token, account, reachability, late errors.",
    ),
    Name(
        "host secret-script",
        "host_scripts",
        "secret_script",
        "Make the script that gives MIM Service a new client secret unattended; it holds no secret itself.",
    ),
    Name(
        "log",
        "log",
        "log",
        "Show what mimapp wrote to tenants from this machine: when, who, what, and how to undo it.",
        AROUND,
    ),
    Name(
        "whoami",
        "whoami",
        "whoami",
        "Sign in, and say who you are, in which tenant, with which rights for which service, and until when.",
        AROUND,
    ),
    Name("logout", "logout", "logout", "Forget the sign-in that --remember kept on this machine.", AROUND),
    Name("clouds", "clouds", "clouds", "List the Microsoft clouds, their hosts, and when EWS ends in each.", AROUND),
    Group("config", "What is set, and by what.", AROUND),
    Name("config show", "config", "show", "List every setting with its value and its source."),
    Group("sandbox", "The simulated tenant.", AROUND),
    Name(
        "sandbox serve",
        "sandbox",
        "serve",
        "Serve the simulated tenant on a loopback TLS socket until it is interrupted.",
    ),
    Name(
        "sandbox seed",
        "sandbox",
        "seed",
        "Put into the simulated tenant what reality leaves behind; a tenant that is not there yet is made.",
    ),
    Name(
        "sandbox reset",
        "sandbox",
        "reset",
        "Empty the sandbox: every simulated tenant, and what mimapp kept of it, goes; a fresh contoso comes.",
    ),
)


def below(group: str) -> tuple[Row, ...]:
    """The rows directly below a group; those of ``mimapp`` itself for an empty text."""
    return tuple(row for row in TABLE if row.path.rpartition(" ")[0] == group)


def commands() -> tuple[Name, ...]:
    """Every command, groups left out."""
    return tuple(row for row in TABLE if isinstance(row, Name))
