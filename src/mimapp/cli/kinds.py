"""The kinds of values that options, variables and configuration files hold, each read in one way from all three."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from mimapp.clock import iso, parse_duration
from mimapp.errors import UsageError
from mimapp.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "COUNT",
    "DURATION",
    "FLAG",
    "MOMENT",
    "NUMBER",
    "PATH",
    "SECRET",
    "TEXT",
    "TEXTS",
    "Kind",
    "choice",
    "duration_option",
    "shown",
]

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[T_co]):
    """One kind of value.

    Attributes:
        name: what a wrong type is told to be instead: ``text``, ``true or false``, ``a whole number``.
        metavar: what help shows in the value's place; empty for a flag.
        parse: from one text to the value; raises `UsageError` with the reason alone.
        toml: the type that a configuration file has to use.
        many: the option may be given more than once, a file holds a list, a variable separates by commas.
        is_path: a file's relative path counts from that file's folder.
        choices: the only texts that there are, where they are few.
    """

    name: str
    metavar: str
    parse: Callable[[str], T_co]
    toml: type = str
    many: bool = False
    is_path: bool = False
    choices: tuple[str, ...] = ()


def _text(text: str) -> str:
    if not text.strip():
        raise UsageError("is empty")
    return text


def _flag(text: str) -> bool:
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise UsageError(f"{text!r} is neither true nor false")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"{text!r} is not a whole number")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date or time", hint="such as 2027-05-20 or 2027-05-20T10:00:00Z") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _path(text: str) -> Path:
    try:
        return Path(_text(text)).expanduser()
    except RuntimeError:
        raise UsageError(f"{text!r} leads nowhere: nobody here has that name", hint="give an absolute path") from None


TEXT: Final[Kind[str]] = Kind(name="text", metavar="TEXT", parse=_text)
TEXTS: Final[Kind[tuple[str, ...]]] = Kind(
    name="a list of texts", metavar="TEXT", parse=lambda text: (_text(text),), toml=list, many=True
)
FLAG: Final[Kind[bool]] = Kind(name="true or false", metavar="", parse=_flag, toml=bool)
COUNT: Final[Kind[int]] = Kind(name="a whole number", metavar="", parse=_number, toml=int)
NUMBER: Final[Kind[int]] = Kind(name="a whole number", metavar="N", parse=_number, toml=int)
DURATION: Final[Kind[timedelta]] = Kind(name='text such as "10m"', metavar="DURATION", parse=parse_duration)
MOMENT: Final[Kind[datetime]] = Kind(name='text such as "2027-05-20T10:00:00Z"', metavar="WHEN", parse=_moment)
PATH: Final[Kind[Path]] = Kind(name="text", metavar="FILE", parse=_path, is_path=True)
SECRET: Final[Kind[Secret]] = Kind(name="text", metavar="TEXT", parse=lambda text: Secret(_text(text)))


def choice(*words: str) -> Kind[str]:
    """A kind that knows only these words."""

    def parse(text: str) -> str:
        if text not in words:
            raise UsageError(f"{text!r} is none of {', '.join(words)}")
        return text

    return Kind(name=f"one of {', '.join(words)}", metavar="|".join(words), parse=parse, choices=words)


def shown(value: object) -> str:
    """A value as ``config show`` writes it; a secret's text never."""
    match value:
        case None:
            text = ""
        case Secret():
            text = "(set, not shown)"
        case bool():
            text = "true" if value else "false"
        case timedelta():
            text = duration_option(value)
        case datetime():
            text = iso(value)
        case tuple():
            text = ", ".join(shown(item) for item in value)
        case _:
            text = str(value)
    return text


def duration_option(span: timedelta) -> str:
    """A duration as an option takes it, in the largest unit that says it exactly."""
    for unit, length in (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1))):
        if span and not span % length:
            return f"{span // length}{unit}"
    return f"{span.total_seconds():.6f}".rstrip("0").rstrip(".") + "s"
