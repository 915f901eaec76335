"""The static table of commands: ``mimapp --help`` is written from it alone, and imports no command module.

A command stands here once it works. A test compares every help text with the command's own.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["GROUPS", "NAMES", "Group", "Name"]

REGISTERING = "Register and prove"
SECRETS = "Secrets"
SERVER = "MIM server"
AROUND = "Around it"


class Name(NamedTuple):
    """One command.

    Attributes:
        path: its words after ``mimapp``.
        module: where it is defined, below `mimapp.cli.commands`.
        attribute: its name there.
        help: the first line of its help.
        panel: the heading it stands under.
    """

    path: str
    module: str
    attribute: str
    help: str
    panel: str = AROUND


class Group(NamedTuple):
    """A word with commands below it."""

    path: str
    help: str
    panel: str = AROUND


GROUPS: Final[tuple[Group, ...]] = (Group("config", "What is set, and by what."),)

NAMES: Final[tuple[Name, ...]] = (
    Name("config show", "config", "show", "List every setting with its value and its source."),
)
