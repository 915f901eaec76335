"""Where a value comes from, and what a configuration file may not be."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mimapp.cli.home import home_of, make_home
from mimapp.cli.kinds import MOMENT, shown
from mimapp.cli.options import CommonOptions
from mimapp.cli.settings import Settings, read_config
from mimapp.errors import UsageError
from mimapp.secret import Secret

if TYPE_CHECKING:
    from support.command_line import Cli

POSIX = pytest.mark.skipif(os.name != "posix", reason="mode bits mean something on POSIX only")


def write_config(folder: Path, text: str, *, name: str = "config.toml", mode: int = 0o600) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def found(cli: Cli, name: str, *argv: str) -> tuple[Any, str]:
    ended = cli("config", "show", "--output", "json", *argv)
    assert ended.code == 0, ended.err
    row = next(row for row in ended.document["settings"] if row["name"] == name)
    return row["value"], row["source"]


def test_the_first_source_that_has_a_value_wins(cli: Cli, tmp_path: Path) -> None:
    standing = write_config(cli.home, 'tenant = "standing.example"\ncloud = "china"\n')
    named = write_config(tmp_path, 'tenant = "named.example"\n', name="named.toml")
    variable = {"MIMAPP_TENANT": "variable.example"}

    assert found(cli, "tenant") == ("standing.example", str(standing))
    assert found(cli, "tenant", "--config", str(named)) == ("named.example", str(named))
    assert found(cli, "cloud", "--config", str(named)) == ("china", str(standing))
    cli.variables.update(variable)
    assert found(cli, "tenant", "--config", str(named)) == ("variable.example", "variable MIMAPP_TENANT")
    assert found(cli, "tenant", "--tenant", "option.example") == ("option.example", "option --tenant")
    cli.variables.clear()
    assert found(cli, "deadline") == ("10m", "default")


def test_a_named_file_that_is_the_standing_one_is_read_once(cli: Cli) -> None:
    standing = write_config(cli.home, 'tenant = "standing.example"\n')

    assert cli("config", "show", "--output", "json", "--config", str(standing)).document["files"] == [str(standing)]


def test_an_empty_variable_is_as_good_as_none(cli: Cli) -> None:
    cli.variables["MIMAPP_TENANT"] = ""

    assert found(cli, "tenant") == (None, "default")


def test_azure_identitys_variables_come_after_ours_and_the_files(cli: Cli) -> None:
    cli.variables.update({"AZURE_CLIENT_ID": "azure", "AZURE_CLIENT_SECRET": "replaced-secret"})

    assert found(cli, "client-id") == ("azure", "variable AZURE_CLIENT_ID")
    standing = write_config(cli.home, 'client-id = "file"\n')
    assert found(cli, "client-id") == ("file", str(standing))
    assert found(cli, "client-secret") == ("(set, not shown)", "variable AZURE_CLIENT_SECRET")
    for argv in (["config", "show"], ["config", "show", "--output", "json", "-vvv"]):
        ended = cli(*argv)
        assert "replaced-secret" not in ended.out + ended.err


def test_the_working_folder_is_not_searched(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(tmp_path, 'tenant = "cwd.example"\n')
    monkeypatch.chdir(tmp_path)

    assert found(cli, "tenant") == (None, "default")


def test_the_sandbox_has_neither_variable_nor_key(cli: Cli) -> None:
    cli.variables["MIMAPP_SANDBOX"] = "true"
    ended = cli("config", "show", "--output", "json")
    assert ended.document["sandbox"] is False
    assert ended.document["unknownVariables"] == ["MIMAPP_SANDBOX"]

    write_config(cli.home, "sandbox = true\n")
    assert "unknown key 'sandbox'" in cli("config", "show").err


def test_every_type_of_value_from_every_source(cli: Cli) -> None:
    cli.variables.update({"MIMAPP_QUIET": "yes", "MIMAPP_VERBOSE": "0", "MIMAPP_DEADLINE": "90s"})

    assert found(cli, "quiet") == ("true", "variable MIMAPP_QUIET")
    assert found(cli, "verbose") == ("0", "variable MIMAPP_VERBOSE")
    assert found(cli, "deadline") == ("90s", "variable MIMAPP_DEADLINE")
    cli.variables.clear()
    standing = write_config(cli.home, 'quiet = true\nverbose = 0\ndeadline = "2h"\nca-bundle = "ca.pem"\n')
    assert found(cli, "quiet") == ("true", str(standing))
    assert found(cli, "verbose") == ("0", str(standing))
    assert found(cli, "deadline") == ("2h", str(standing))
    assert found(cli, "ca-bundle") == (str(cli.home / "ca.pem"), str(standing))
    assert found(cli, "verbose", "-vv") == ("2", "option --verbose")


def test_resolved_options_have_their_types(tmp_path: Path) -> None:
    settings = Settings(environ={"AZURE_CLIENT_SECRET": "replaced-secret"}, files=())

    options, _ = settings.resolve(CommonOptions, {"deadline": "1.5h", "ca_bundle": "~/ca.pem", "verbose": 2})

    assert options.deadline == timedelta(minutes=90)
    assert options.ca_bundle == Path.home() / "ca.pem"
    assert options.verbose == 2
    assert options.client_secret == Secret("replaced-secret")
    assert options.config is None
    assert tmp_path.is_absolute()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('tenat = "x"', "unknown key 'tenat'"),
        ('"" = 1', "unknown key ''"),
        ("tenant = 3", "tenant = 3 is a whole number; wanted text"),
        ("tenant = true", "tenant = True is true or false; wanted text"),
        ("tenant = 1.5", "tenant = 1.5 is a number; wanted text"),
        ('tenant = ["x"]', "tenant = ['x'] is a list; wanted text"),
        ("tenant = 2026-11-21", "is a date or time; wanted text"),
        ("[tenant]", "tenant = {} is a table; wanted text"),
        ("deadline = 600", 'deadline = 600 is a whole number; wanted text such as "10m"'),
        ('deadline = "10 minutes"', "deadline: '10 minutes' is not a duration"),
        ("quiet = 1", "quiet = 1 is a whole number; wanted true or false"),
        ('quiet = "yes"', "quiet = 'yes' is text; wanted true or false"),
        ("verbose = true", "verbose = True is true or false; wanted a whole number"),
        ('output = "xml"', "output: 'xml' is none of text, json, html"),
        ('auth = "password"', "auth: 'password' is none of"),
        ('secret-to = "stdout"', "secret-to = 'stdout' is text; wanted a list of texts"),
        ("secret-to = [1]", "secret-to = [1] is a list; wanted a list of texts"),
        ('tenant = ""', "tenant: is empty"),
        ("tenant =", "is not TOML"),
        ("\x00", "is not TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_with_file_key_and_value(cli: Cli, text: str, message: str) -> None:
    path = write_config(cli.home, text)

    ended = cli("config", "show")

    assert ended.code == 2
    assert message in ended.err.splitlines()[0]
    assert str(path) in ended.err.splitlines()[0]


def test_a_file_that_is_no_text_is_no_toml(cli: Cli) -> None:
    path = write_config(cli.home, "")
    path.write_bytes(b'tenant = "\xff"')

    assert "is not TOML" in cli("config", "show").err


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("MIMAPP_QUIET", "perhaps", "MIMAPP_QUIET: 'perhaps' is neither true nor false"),
        ("MIMAPP_VERBOSE", "-1", "MIMAPP_VERBOSE: '-1' is not a whole number"),
        ("MIMAPP_DEADLINE", "soon", "MIMAPP_DEADLINE: 'soon' is not a duration"),
        ("MIMAPP_OUTPUT", "yaml", "MIMAPP_OUTPUT: 'yaml' is none of text, json, html"),
        ("MIMAPP_TENANT", " ", "MIMAPP_TENANT: is empty"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(cli: Cli, variable: str, value: str, message: str) -> None:
    cli.variables[variable] = value

    ended = cli("config", "show")

    assert ended.code == 2
    assert ended.err.startswith(f"mimapp: {message}")


def test_a_list_from_option_variable_and_file(cli: Cli) -> None:
    cli.variables["MIMAPP_SECRET_TO"] = "stdout, file:a.json"
    assert found(cli, "secret-to")[0] == "stdout, file:a.json"
    cli.variables.clear()
    write_config(cli.home, 'secret-to = ["file:a.json", "file:b.json"]\n')
    assert found(cli, "secret-to")[0] == "file:a.json, file:b.json"


def test_a_named_file_has_to_exist(cli: Cli, tmp_path: Path) -> None:
    ended = cli("config", "show", "--config", str(tmp_path / "none.toml"))

    assert ended.code == 2
    assert ended.err == f"mimapp: {tmp_path / 'none.toml'} cannot be read: No such file or directory\n"


def test_a_folder_is_no_file(cli: Cli, tmp_path: Path) -> None:
    assert cli("config", "show", "--config", str(tmp_path)).code == 2


@POSIX
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_refused(cli: Cli, mode: int) -> None:
    path = write_config(cli.home, 'tenant = "x"\n', mode=mode)

    ended = cli("config", "show")

    assert ended.code == 2
    assert ended.err == f"mimapp: {path} is refused: others may write it\n  chmod go-w {path}\n"


@POSIX
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_another_account_is_refused(cli: Cli) -> None:
    path = write_config(cli.home, 'tenant = "x"\n')
    os.chown(path, 12345, -1)

    ended = cli("config", "show")

    assert ended.code == 2
    assert ended.err.startswith(f"mimapp: {path} is refused: it belongs to another account")


@POSIX
def test_a_file_of_ones_own_is_read_and_roots_too(tmp_path: Path) -> None:
    owner = write_config(tmp_path, 'tenant = "x"\n').stat().st_uid

    assert read_config(None, tmp_path, getuid=lambda: owner)[0].values == {"tenant": "x"}
    if owner == 0:
        assert read_config(None, tmp_path, getuid=lambda: 12345)[0].values == {"tenant": "x"}


def test_where_the_platform_has_no_owner_ids_nothing_is_checked(tmp_path: Path) -> None:
    write_config(tmp_path, 'tenant = "x"\n', mode=0o666)

    assert read_config(None, tmp_path, getuid=None)[0].values == {"tenant": "x"}


def test_home_is_the_worlds_then_the_variables_then_the_platforms(cli: Cli, tmp_path: Path) -> None:
    cli.variables["MIMAPP_HOME"] = str(tmp_path / "other")
    assert home_of(cli.world()) == cli.home
    assert home_of(replace(cli.world(), home=None)) == tmp_path / "other"
    default = home_of(replace(cli.world(), home=None, environ={}))
    assert default.is_absolute()
    assert default.name == "mimapp"


@POSIX
def test_home_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    home = make_home(tmp_path / "a" / "b")

    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700


def test_home_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match="cannot be made"):
        make_home(tmp_path / "file" / "home")
    with pytest.raises(UsageError, match="is not a folder"):
        make_home(tmp_path / "file")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (datetime(2027, 5, 20, tzinfo=UTC), "2027-05-20T00:00:00Z"),
        (timedelta(days=180), "180d"),
        (timedelta(hours=36), "36h"),
        (timedelta(minutes=10), "10m"),
        (timedelta(seconds=90), "90s"),
        (timedelta(milliseconds=40), "0.04s"),
        (timedelta(0), "0s"),
        (True, "true"),
        (("a", "b"), "a, b"),
        (Secret("x"), "(set, not shown)"),
        (7, "7"),
    ],
)
def test_values_are_shown_as_an_option_takes_them(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-05-20", datetime(2027, 5, 20, tzinfo=UTC)),
        ("2027-05-20T10:00:00Z", datetime(2027, 5, 20, 10, tzinfo=UTC)),
        ("2027-05-20T10:00:00+02:00", datetime(2027, 5, 20, 8, tzinfo=UTC)),
    ],
)
def test_a_moment_is_aware_and_in_utc(text: str, moment: datetime) -> None:
    assert MOMENT.parse(text) == moment
    assert MOMENT.parse(text).tzinfo is UTC
