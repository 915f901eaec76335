"""Where a value comes from: option, ``MIMAPP_…`` variable, ``--config`` file, ``MIMAPP_HOME/config.toml``, default.

The working folder is never searched. A configuration file that others may write is refused: on POSIX its owner has to
be the caller or root, and neither group nor others may write it. On Windows mode bits say nothing and nothing is
checked; there a file is as safe as its folder. Every value knows its source, so that ``config show`` can name it.
"""

from __future__ import annotations

import os
import stat
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

from mimapp.cli.home import CONFIG_NAME
from mimapp.cli.kinds import shown
from mimapp.cli.options import COMMAND_KEYS, CommonOptions, specs_of
from mimapp.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mimapp.cli.kinds import Kind
    from mimapp.cli.options import Spec

__all__ = ["ConfigFile", "Given", "Settings", "Value", "read_config"]

T = TypeVar("T")
#: What the command line gave: texts, counts and flags by field name; a field that is missing was not given.
Given = dict[str, object]

DEFAULT = "default"
_GETUID: Callable[[], int] | None = getattr(os, "getuid", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value; its source is ``option --tenant``, ``variable MIMAPP_TENANT``, a file's path or ``default``."""

    name: str
    value: object
    source: str

    @property
    def text(self) -> str:
        """The value for people; a secret's never."""
        return shown(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """One configuration file, read."""

    path: Path
    values: Mapping[str, object]


class Settings:
    """Finds values; one object a run.

    Args:
        environ: the process's variables.
        files: configuration files, the first one first.
    """

    def __init__(self, *, environ: Mapping[str, str], files: tuple[ConfigFile, ...]) -> None:
        self._environ = environ
        self.files = files

    def resolve(self, options: type[T], given: Given) -> tuple[T, tuple[Value, ...]]:
        """Every value of an options dataclass, and where each comes from.

        Raises:
            UsageError: a value cannot be read; the message names its source.
        """
        values = tuple(self.find(spec, given) for spec in specs_of(options))
        return options(**{value.name: value.value for value in values}), values

    def find(self, spec: Spec, given: Given) -> Value:
        """One value, and where it comes from.

        Raises:
            UsageError: it cannot be read; the message names its source.
        """
        if spec.name in given:
            where = spec.metavar if spec.positional else spec.flags[0]
            source = "argument" if spec.positional else f"option {where}"
            return Value(name=spec.name, value=_read(spec.kind, given[spec.name], where), source=source)
        if spec.setting:
            text = self._environ.get(spec.own_variable, "")
            if text:
                return self._from_variable(spec, spec.own_variable, text)
            for file in self.files:
                if spec.key in file.values:
                    return Value(name=spec.name, value=_of_toml(spec, file), source=str(file.path))
        if spec.variable and (text := self._environ.get(spec.variable, "")):
            return self._from_variable(spec, spec.variable, text)
        if spec.required:
            raise UsageError(f"{spec.metavar} is missing: {spec.help}")
        return Value(name=spec.name, value=spec.default, source=DEFAULT)

    @staticmethod
    def _from_variable(spec: Spec, variable: str, text: str) -> Value:
        parts = [part.strip() for part in text.split(",") if part.strip()] if spec.kind.many else text
        return Value(name=spec.name, value=_read(spec.kind, parts, variable), source=f"variable {variable}")


def read_config(
    named: Path | None, home: Path, *, getuid: Callable[[], int] | None = _GETUID
) -> tuple[ConfigFile, ...]:
    """The configuration files of a run, the first one first.

    Args:
        named: what ``--config`` named; it has to exist.
        home: ``MIMAPP_HOME``, whose ``config.toml`` need not.
        getuid: who the caller is; None where the platform has no such ids.

    Raises:
        UsageError: a file cannot be read, may be written by others, is no TOML, or holds an unknown key.
    """
    files: list[ConfigFile] = []
    if named is not None:
        files.append(_read_file(named.absolute(), getuid))
    standing = home / CONFIG_NAME
    if standing.exists() and (named is None or not standing.samefile(named)):
        files.append(_read_file(standing, getuid))
    return tuple(files)


def _read_file(path: Path, getuid: Callable[[], int] | None) -> ConfigFile:
    try:
        with path.open("rb") as stream:
            if getuid is not None:
                _refuse_if_others_write(path, os.fstat(stream.fileno()), getuid())
            values = tomllib.load(stream)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
    known = {spec.key for spec in specs_of(CommonOptions) if spec.setting} | COMMAND_KEYS
    for key in values:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"perhaps {near[0]!r}" if near else f"known keys: {', '.join(sorted(known))}"
            raise UsageError(f"{path}: unknown key {key!r}", hint=hint)
    return ConfigFile(path=path, values=values)


def _refuse_if_others_write(path: Path, status: os.stat_result, uid: int) -> None:
    if status.st_uid not in {uid, 0}:
        raise UsageError(
            f"{path} is refused: it belongs to another account, which may write it",
            hint="make it yours (chown), or name another file with --config",
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UsageError(f"{path} is refused: others may write it", hint=f"chmod go-w {path}")


def _of_toml(spec: Spec, file: ConfigFile) -> object:
    value = file.values[spec.key]
    where = f"{file.path}: {spec.key}"
    wanted = spec.kind.toml
    fits = type(value) is wanted and (wanted is not list or _all_texts(value))
    if not fits:
        raise UsageError(f"{where} = {value!r} is {_word_for(value)}; wanted {spec.kind.name}")
    if spec.kind.is_path and isinstance(value, str):
        value = str(file.path.parent / value) if value and not value.startswith("~") else value
    return _read(spec.kind, value, where)


def _all_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _word_for(value: object) -> str:
    words = {str: "text", bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
    return words.get(type(value), "a table" if isinstance(value, dict) else "a date or time")


def _read(kind: Kind[object], raw: object, where: str) -> object:
    """One raw value as its kind reads it; texts are parsed, the rest is of the right type already."""
    try:
        if isinstance(raw, str):
            return kind.parse(raw)
        if isinstance(raw, (list, tuple)):
            items: tuple[object, ...] = ()
            for text in raw:
                item = kind.parse(text)
                items += item if isinstance(item, tuple) else (item,)
            return items
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", hint=error.hint) from None
    return raw
