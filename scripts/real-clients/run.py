"""Real clients on `mimapp sandbox serve`: msgraph-sdk and Azure CLI from PyPI, each in an environment of its own.

    python scripts/real-clients/run.py                 # both clients, and the tests of the others; prints a table
    python scripts/real-clients/run.py --write         # the same, and writes the table into docs/sandbox.md
    python scripts/real-clients/run.py --keep FOLDER   # keeps the environments there for the next run

Run it with the Python of the project's environment, which has mimapp and the tests' dependencies. Azure CLI takes
about 1 GB and some minutes to install, which is why this is no part of the tests; a workflow runs it every week. The
first thing that fails ends a client's run; the exit code is 1 then. Nothing but PyPI is asked, and no account is used:
Azure CLI gets a configuration folder and a home of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[2]
_PAGE = _ROOT / "docs" / "sandbox.md"
_MARKS = ("<!-- real-clients -->", "<!-- /real-clients -->")
_MINUTES = 60
_EXCHANGE_APP_ID = "00000002-0000-0ff1-ce00-000000000000"
_FULL_ACCESS_AS_APP = "dc890d15-9560-4a4c-9b7f-a736ec74ec40"
#: Clients that the project's own tests run, and the tests.
_TESTED = {
    "msal": "tests/real_clients/test_real_msal.py",
    "azure-identity": "tests/real_clients/test_real_azure_identity.py",
    "exchangelib": "tests/real_clients/test_real_exchangelib.py",
}


class StepError(Exception):
    """A client did something else than it should."""


@dataclass
class Report:
    """What one client did."""

    client: str
    version: str
    done: list[str] = field(default_factory=list)
    problem: str = ""

    def step(self, name: str) -> None:
        """Note a step that went well."""
        self.done.append(name)
        print(f"  {self.client}: {name}", file=sys.stderr)


def main() -> int:
    """Run every client; 1 when one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="write the results into docs/sandbox.md")
    parser.add_argument("--keep", type=Path, help="where the environments are kept; default: nowhere")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mimapp-real-clients-")))
        homes = (options.keep or work).resolve()
        reports = [_tests(client, path) for client, path in _TESTED.items()]
        for run in (_msgraph_sdk, _azure_cli):
            with _served(work / run.__name__) as ready:
                reports.append(run(homes, work, ready))
    table = _table(reports)
    print(table)
    if options.write:
        _write(table)
    return int(any(report.problem for report in reports))


def _tests(client: str, path: str) -> Report:
    """The clients in the project's own environment have tests."""
    report = Report(client, importlib.metadata.version(client))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", path, "-m", "slow", "-q", "-p", "no:cacheprovider", "--tb", "short"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=10 * _MINUTES,
    )
    if done.returncode:
        report.problem = (done.stdout.strip().splitlines() or [f"{path} ended without a word"])[-1]
        print(done.stdout, file=sys.stderr)
        return report
    names = re.findall(r"^def test_(\w+)", (_ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    for name in names:
        report.step(name.replace("_", " "))
    return report


# msgraph-sdk


def _msgraph_sdk(homes: Path, work: Path, ready: dict[str, Any]) -> Report:
    python = _environment(homes / "msgraph-sdk", "msgraph-sdk", "azure-identity")
    report = Report("msgraph-sdk", _version(python, "msgraph-sdk"))
    script = Path(__file__).with_name("with_msgraph_sdk.py")
    done = subprocess.run(
        [str(python), str(script)],
        input=json.dumps(ready),
        cwd=work,
        env=_without_proxies(),
        capture_output=True,
        text=True,
        check=False,
        timeout=5 * _MINUTES,
    )
    for line in done.stdout.splitlines():
        report.step(line)
    if done.returncode:
        report.problem = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        print(done.stderr, file=sys.stderr)
    return report


# Azure CLI


class _AzureCli:
    """Azure CLI in its own environment, with its own configuration and home."""

    def __init__(self, python: Path, folder: Path, ready: dict[str, Any]) -> None:
        self._python = python
        self.folder = folder
        self.ready = ready
        for name in ("config", "home"):
            (folder / name).mkdir(parents=True)
        self.environ = _without_proxies() | {
            "AZURE_CONFIG_DIR": str(folder / "config"),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_ONLY_SHOW_ERRORS": "true",
            # Otherwise it asks login.microsoftonline.com whether this login host is one.
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "HOME": str(folder / "home"),
            "USERPROFILE": str(folder / "home"),
            "REQUESTS_CA_BUNDLE": ready["caFile"],
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        }

    def __call__(self, *argv: str) -> Any:  # noqa: ANN401 - whatever JSON a command prints
        done = self.run(*argv)
        if done.returncode:
            raise StepError(f"az {' '.join(argv[:3])}: {done.stderr.strip().splitlines()[-1:]}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self._python), "-m", "azure.cli", *argv, "--output", "json"],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=5 * _MINUTES,
        )


def _azure_cli(homes: Path, work: Path, ready: dict[str, Any]) -> Report:
    python = _environment(homes / "azure-cli", "azure-cli")
    report = Report("azure-cli", _version(python, "azure-cli"))
    az = _AzureCli(python, work / "az", ready)
    try:
        _signs_in(az, report)
        app_id = _keeps_an_application(az, report)
        _has_credentials(az, report, app_id)
        _consents(az, report, app_id)
        _signs_in_with_a_certificate(az, report, app_id)
        _deletes(az, report, app_id)
        _signs_mimapp_in(az, report)
    except (StepError, KeyError, ValueError, subprocess.SubprocessError) as error:
        report.problem = f"{type(error).__name__}: {error}"
    return report


def _by_secret(az: _AzureCli) -> None:
    operator = az.ready["operator"]
    az(
        *("login", "--service-principal", "--allow-no-subscriptions", "--tenant", az.ready["tenantId"]),
        *("--username", operator["clientId"], "--password", operator["clientSecret"]),
    )


def _signs_in(az: _AzureCli, report: Report) -> None:
    az("cloud", "register", "--name", "MimappSandbox", "--endpoint-resource-manager", az.ready["url"])
    az("cloud", "set", "--name", "MimappSandbox")
    report.step("cloud register, by its resource manager alone")
    _expect(az("login", "--use-device-code", "--allow-no-subscriptions")[0]["tenantId"], az.ready["tenantId"])
    _expect(az("ad", "signed-in-user", "show")["userPrincipalName"], f"admin@{az.ready['tenantName']}")
    report.step("login --use-device-code")
    az("logout")
    _by_secret(az)
    report.step("login --service-principal with a secret")


def _keeps_an_application(az: _AzureCli, report: Report) -> str:
    made = az("ad", "app", "create", "--display-name", "made by az")
    app_id = str(made["appId"])
    _expect([one["appId"] for one in az("ad", "app", "list", "--display-name", "made by az")], [app_id])
    report.step("ad app create, list")
    az("ad", "app", "update", "--id", app_id, "--web-redirect-uris", "https://app.example/back")
    _expect(az("ad", "app", "show", "--id", app_id)["web"]["redirectUris"], ["https://app.example/back"])
    report.step("ad app update, show")
    _expect(az("ad", "sp", "create", "--id", app_id)["appId"], app_id)
    report.step("ad sp create")
    permission = ("--api", _EXCHANGE_APP_ID, "--api-permissions", f"{_FULL_ACCESS_AS_APP}=Role")
    az("ad", "app", "permission", "add", "--id", app_id, *permission)
    (asked,) = az("ad", "app", "permission", "list", "--id", app_id)
    _expect(asked["resourceAccess"], [{"id": _FULL_ACCESS_AS_APP, "type": "Role"}])
    report.step("ad app permission add, list")
    return app_id


def _has_credentials(az: _AzureCli, report: Report, app_id: str) -> None:
    first = az("ad", "app", "credential", "reset", "--id", app_id, "--display-name", "first")
    if not first["password"]:
        raise StepError("ad app credential reset shows no secret")
    az("ad", "app", "credential", "reset", "--id", app_id, "--display-name", "second", "--append")
    held = az("ad", "app", "credential", "list", "--id", app_id)
    _expect(sorted(one["displayName"] for one in held), ["first", "second"])
    gone = next(one["keyId"] for one in held if one["displayName"] == "first")
    az("ad", "app", "credential", "delete", "--id", app_id, "--key-id", gone)
    (left,) = az("ad", "app", "credential", "list", "--id", app_id)
    _expect(left["displayName"], "second")
    report.step("ad app credential reset, list, delete")


def _consents(az: _AzureCli, report: Report, app_id: str) -> None:
    graph = f"{az.ready['url']}/v1.0"
    rest = ("--resource", az.ready["url"])
    principal = az("ad", "sp", "show", "--id", app_id)["id"]
    service = az("ad", "sp", "show", "--id", _EXCHANGE_APP_ID)["id"]
    body = {"principalId": principal, "resourceId": service, "appRoleId": _FULL_ACCESS_AS_APP}
    granting = f"{graph}/servicePrincipals/{service}/appRoleAssignedTo"
    made = az("rest", "--method", "POST", "--url", granting, "--body", json.dumps(body), *rest)
    held = f"{graph}/servicePrincipals/{principal}/appRoleAssignments"
    _expect([one["id"] for one in az("rest", "--url", held, *rest)["value"]], [made["id"]])
    az("rest", "--method", "DELETE", "--url", f"{granting}/{made['id']}", *rest)
    _expect(az("rest", "--url", held, *rest)["value"], [])
    report.step("rest: the grant of full_access_as_app, and back")


def _signs_in_with_a_certificate(az: _AzureCli, report: Report, app_id: str) -> None:
    made = az("ad", "app", "credential", "reset", "--id", app_id, "--create-cert", "--append")
    az("logout")
    az(
        *("login", "--service-principal", "--allow-no-subscriptions", "--tenant", az.ready["tenantId"]),
        *("--username", app_id, "--certificate", made["fileWithCertAndPrivateKey"]),
    )
    _expect(az("account", "show")["user"]["name"], app_id)
    az("logout")
    _by_secret(az)
    report.step("ad app credential reset --create-cert, and login with that certificate")


def _deletes(az: _AzureCli, report: Report, app_id: str) -> None:
    az("ad", "app", "delete", "--id", app_id)
    if az.run("ad", "app", "show", "--id", app_id).returncode == 0:
        raise StepError("ad app show finds what ad app delete deleted")
    report.step("ad app delete")


def _signs_mimapp_in(az: _AzureCli, report: Report) -> None:
    """The sign-in of Azure CLI opens Graph for mimapp, which registers."""
    az("logout")
    az("login", "--use-device-code", "--allow-no-subscriptions")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mimapp", "register", "--mailbox", az.ready["mailbox"], "--yes"),
            *("--graph-auth", "azure-cli", "--exchange-auth", "client-secret", "--output", "json"),
            *("--secret-to", f"file:{az.folder / 'mim.json'}"),
        ],
        env=az.environ | az.ready["env"] | {"MIMAPP_HOME": str(az.folder / "mimapp")},
        capture_output=True,
        text=True,
        check=False,
        timeout=5 * _MINUTES,
    )
    if done.returncode:
        raise StepError(f"mimapp register: {done.stderr.strip().splitlines()[-1:]}")
    _expect(json.loads(done.stdout)["operator"], f"admin@{az.ready['tenantName']}")
    report.step("mimapp register --graph-auth azure-cli")


def _expect(found: object, wanted: object) -> None:
    if found != wanted:
        raise StepError(f"{found!r} where {wanted!r} was expected")


# Around them


@contextlib.contextmanager
def _served(home: Path) -> Iterator[dict[str, Any]]:
    """A server of its own for each client; what it says when it answers."""
    home.mkdir(parents=True)
    with (home / "serve.err").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "mimapp", "sandbox", "serve", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "MIMAPP_HOME": str(home)},
            text=True,
        )
    try:
        line = process.stdout.readline() if process.stdout is not None else ""
        if not line:
            raise SystemExit((home / "serve.err").read_text(encoding="utf-8"))
        yield json.loads(line)
    finally:
        process.terminate()
        process.communicate(timeout=_MINUTES)


def _environment(folder: Path, *packages: str) -> Path:
    """The Python of an environment with these packages, made where it is not there yet."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        print(f"  installing {', '.join(packages)}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def _version(python: Path, package: str) -> str:
    asked = f"import importlib.metadata; print(importlib.metadata.version({package!r}))"
    done = subprocess.run([str(python), "-c", asked], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _without_proxies() -> dict[str, str]:
    """No proxy leads to this machine."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def _table(reports: list[Report]) -> str:
    head = "| client | version | result | what it did |\n|---|---|---|---|\n"
    rows = (
        f"| {report.client} | {report.version} | {'failed: ' + report.problem if report.problem else 'passed'}"
        f" | {'; '.join(report.done)} |\n"
        for report in reports
    )
    return f"Run on {datetime.now(UTC):%Y-%m-%d} with Python {sys.version.split()[0]}.\n\n{head}{''.join(rows)}"


def _write(table: str) -> None:
    text = _PAGE.read_text(encoding="utf-8")
    before, rest = text.split(f"{_MARKS[0]}\n", 1)
    after = rest.split(_MARKS[1], 1)[1]
    _PAGE.write_text(f"{before}{_MARKS[0]}\n\n{table}\n{_MARKS[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
