"""The folder of all local state, ``MIMAPP_HOME``: where it is, and how it is made.

Journal, sandbox, secrets, configuration and crash notes lie below it. It is made owner-only on first use. On Windows
the mode says nothing: there the folder inherits the access list of the user's profile, where the default puts it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mimapp.errors import UsageError

if TYPE_CHECKING:
    from mimapp.cli.world import World

__all__ = ["CONFIG_NAME", "home_of", "make_home"]

CONFIG_NAME = "config.toml"


def home_of(world: World) -> Path:
    """The home folder, absolute; it need not exist yet.

    Raises:
        UsageError: it is named after somebody unknown here, or is relative to a folder that is gone.
    """
    if world.home is not None:
        return world.home.absolute()
    named = world.environ.get("MIMAPP_HOME", "").strip()
    if named:
        try:
            return Path(named).expanduser().absolute()
        except (OSError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "nobody here has that name"
            raise UsageError(f"MIMAPP_HOME: {named!r} leads nowhere: {reason}", hint="give an absolute path") from error
    from platformdirs import user_data_path  # noqa: PLC0415 - imported only where nobody named a folder

    return user_data_path("mimapp", appauthor=False).absolute()


def make_home(home: Path) -> Path:
    """The home folder, made where it was missing, for its owner alone.

    Raises:
        UsageError: it cannot be made, or something else has its name.
    """
    try:
        for missing in reversed([folder for folder in (home, *home.parents) if not folder.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the folder of local state cannot be made: {error.strerror}: {error.filename}",
            hint="name another one with the variable MIMAPP_HOME",
        ) from error
    if not home.is_dir():
        raise UsageError(f"{home} is not a folder", hint="name another one with the variable MIMAPP_HOME")
    return home
