"""How an option is declared: a field of a frozen dataclass, made with `option` or `argument`.

From that declaration come the command line, the ``MIMAPP_…`` variable, the configuration key, the help and docs/cli.md.
`mimapp.cli.settings` finds the value; a command reads typed attributes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from mimapp.cli.kinds import Kind

__all__ = ["Spec", "argument", "option", "specs_of"]

T = TypeVar("T")
_KEY: Final = "mimapp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One option or argument, without its value.

    Attributes:
        name: the dataclass field.
        flags: as typed, the long form first; empty for an argument and for what only a variable sets.
        kind: how its text is read.
        help: one sentence without a full stop.
        metavar: what help shows in the value's place.
        panel: the heading it stands under in help.
        setting: whether a ``MIMAPP_…`` variable and a configuration key set it too.
        variable: a variable of another product that is read last of all.
        positional: an argument, not an option.
        required: an argument that must be given.
        default: the value where nothing sets it.
    """

    name: str
    flags: tuple[str, ...]
    kind: Kind[object]
    help: str
    metavar: str
    panel: str
    setting: bool
    variable: str
    positional: bool
    required: bool
    default: object

    @property
    def key(self) -> str:
        """The configuration key, which is the long flag without its hyphens; ``from_`` is ``--from``."""
        return self.name.rstrip("_").replace("_", "-")

    @property
    def own_variable(self) -> str:
        """The ``MIMAPP_…`` variable."""
        return f"MIMAPP_{self.name.upper()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declaration:
    """What a field's metadata holds until its dataclass gives it a name."""

    flags: tuple[str, ...]
    kind: Kind[object]
    help: str
    metavar: str
    panel: str
    setting: bool
    variable: str
    positional: bool
    required: bool


def option(
    kind: Kind[T],
    *flags: str,
    default: T,
    help: str,  # noqa: A002 - what every option library calls it
    metavar: str = "",
    panel: str = "",
    setting: bool = False,
    variable: str = "",
) -> T:
    """Declare an option as a field of an options dataclass.

    Args:
        kind: how its text is read, one of `mimapp.cli.kinds`.
        flags: ``--long``, then a short form; the field's name is the long one with underscores.
        default: the value where nothing sets it.
        help: one sentence without a full stop and without square brackets, which rich would read as markup.
        metavar: what help shows in the value's place; empty leaves it to the kind.
        panel: the heading in help; empty is the command's own options.
        setting: whether ``MIMAPP_<NAME>`` and a configuration key set it too. The key of a command's own option
            has to be listed in `mimapp.cli.options.COMMAND_KEYS`.
        variable: a variable of another product that is read last of all.
    """
    declaration = _Declaration(
        flags=flags,
        kind=kind,
        help=help,
        metavar=metavar or kind.metavar,
        panel=panel,
        setting=setting,
        variable=variable,
        positional=False,
        required=False,
    )
    return dataclasses.field(default=default, metadata={_KEY: declaration})


def argument(
    kind: Kind[T],
    metavar: str,
    *,
    default: T,
    help: str,  # noqa: A002 - as above
    required: bool = True,
) -> T:
    """Declare a positional argument; `default` is what an absent one that is not required holds."""
    declaration = _Declaration(
        flags=(),
        kind=kind,
        help=help,
        metavar=metavar,
        panel="",
        setting=False,
        variable="",
        positional=True,
        required=required,
    )
    return dataclasses.field(default=default, metadata={_KEY: declaration})


def specs_of(options: type[object]) -> tuple[Spec, ...]:
    """Every option and argument that a dataclass declares, in the order of its fields."""
    found: list[Spec] = []
    if not dataclasses.is_dataclass(options):
        raise TypeError(f"{options.__name__} is no dataclass")
    for field in dataclasses.fields(options):
        declaration = field.metadata.get(_KEY)
        if not isinstance(declaration, _Declaration):
            raise TypeError(f"{options.__name__}.{field.name} is not declared with option() or argument()")
        found.append(
            Spec(
                name=field.name,
                default=field.default,
                **{item.name: getattr(declaration, item.name) for item in dataclasses.fields(declaration)},
            )
        )
    return tuple(found)
