"""Options that several commands take for the same thing, each declared once; a command says only its own help.

Each gives the field of a dataclass, as `mimapp.cli.declare.option` does.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from mimapp.cli.declare import option
from mimapp.cli.kinds import DURATION, TEXTS, Kind
from mimapp.errors import UsageError
from mimapp.spec import REPLICATION_WINDOW

__all__ = ["before", "interval", "nodes", "overlap", "replication_window", "secret_lifetime", "secret_to"]

_DEFAULT_STORE: Final = "default: the keyring on Windows, an owner-only file under MIMAPP_HOME elsewhere"
_DAY: Final = timedelta(days=1)


def _nodes(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise UsageError("names no server")
    return names


#: A list of servers: the option may be repeated, or take several separated by commas.
NODES: Final[Kind[tuple[str, ...]]] = Kind(name="a list of texts", metavar="A,B", parse=_nodes, toml=list, many=True)


def secret_to(
    what: str = "where the client secret goes: file:PATH, keyring:NAME, keyvault:URL, cms:CERT:PATH, exec:COMMAND "
    "or stdout",
) -> tuple[str, ...]:
    """Where secrets are stored, or looked for."""
    return option(TEXTS, "--secret-to", default=(), metavar="STORE", setting=True, help=f"{what}; {_DEFAULT_STORE}")


def secret_lifetime() -> timedelta:
    """How long a new secret lives."""
    return option(
        DURATION,
        "--secret-lifetime",
        default=180 * _DAY,
        setting=True,
        help="how long the client secret lives; default: 180d",
    )


def replication_window() -> timedelta:
    """How long Entra may be behind itself."""
    return option(
        DURATION,
        "--replication-window",
        default=REPLICATION_WINDOW,
        setting=True,
        help="how long Entra may take to show or accept a new secret; default: 5m",
    )


def before() -> timedelta | None:
    """When a secret is due."""
    return option(
        DURATION,
        "--before",
        default=None,
        setting=True,
        help="how long before its end a secret is due; default: a third of its life",
    )


def interval(help: str) -> timedelta:  # noqa: A002 - as option
    """How often a rotation is run."""
    return option(DURATION, "--interval", default=_DAY, setting=True, help=help)


def overlap() -> timedelta:
    """How long two secrets live side by side."""
    return option(
        DURATION,
        "--overlap",
        default=14 * _DAY,
        setting=True,
        help="how long an old secret stays beside its successor at least; default: 14d",
    )


def nodes(help: str = "every MIM server that evidence has to be for") -> tuple[str, ...]:  # noqa: A002 - as option
    """The servers of MIM."""
    return option(NODES, "--nodes", default=(), setting=True, help=help)
